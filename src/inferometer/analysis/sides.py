"""A figure of a record as one side of a comparison: its logarithm, with what is known of its error.

An infinite error says that nothing is known: the figure has no interval.
"""

from __future__ import annotations

import math

from scipy.special import stdtrit

from inferometer.analysis.grid import measured
from inferometer.analysis.matching import MEDIAN
from inferometer.core.lines import ONE_PROCESS
from inferometer.core.record import Record
from inferometer.stats.comparison import NORMAL, Side

PROCESS_ALLOWANCE = ONE_PROCESS
"""Where a side has one process, so much is allowed for the difference between processes, which was
not observed: medians of fresh processes were seen to differ by up to a factor of 1.7."""

_ENERGY_QUANTILE = 1.96  # an energy's interval is normal and of 95 %


def latency_side(record: Record, metric: str) -> Side:
    """A latency and the standard error of its logarithm, from the interval of its record."""
    value, latency = record.number(metric), record.latency
    assert value
    assert latency
    processes = int(record.number("latency_processes") or 1)
    standard = math.inf
    if metric == MEDIAN and latency.high and 0 < (latency.low or 0) <= latency.high:
        freedom = processes - 1 if processes > 1 else NORMAL
        quantile = float(stdtrit(freedom, 0.5 + latency.confidence / 2))
        standard = math.log(latency.high / latency.low) / 2 / quantile
    return Side(log_median=math.log(value), standard=standard, processes=processes)


def side(record: Record, figure: str) -> Side | None:
    """A figure by its name in `core.hypothesis.FIGURES`; None where the record has none."""
    if record.status != "ok":
        return None
    batch = record.workload.batch_size
    if figure.startswith("energy"):
        return _energy(record, 1 if figure.endswith("per input") else batch)
    if figure == "memory":
        peak = record.number("peak_memory_bytes")
        return None if not peak else Side(log_median=math.log(peak), standard=math.inf, processes=1)
    if measured(record) is None:
        return None
    metric = MEDIAN if record.number(MEDIAN) else "latency_mean_s"
    found = latency_side(record, metric)
    if figure == "latency":
        return found
    per_input = found.log_median - math.log(batch)
    return Side(
        log_median=-per_input if figure == "throughput" else per_input,
        standard=found.standard,
        processes=found.processes,
    )


def _energy(record: Record, inputs: int) -> Side | None:
    value = record.number("energy_per_inference_j")
    if not value or value <= 0:
        return None
    half = record.number("energy_uncertainty_j")
    standard = math.inf if half is None else half / value / _ENERGY_QUANTILE
    processes = int(record.number("latency_processes") or 1)
    return Side(log_median=math.log(value * inputs), standard=standard, processes=processes)
