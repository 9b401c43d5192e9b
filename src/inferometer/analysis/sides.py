"""A figure of a record as one side of a comparison: its logarithm, with what is known of its error.

An infinite error says that nothing is known of it.
"""

from __future__ import annotations

import math
from dataclasses import replace

from scipy.special import stdtrit

from inferometer.analysis.grid import measured
from inferometer.analysis.matching import MEAN, MEDIAN
from inferometer.core.lines import ONE_PROCESS
from inferometer.core.metric import Estimate
from inferometer.core.record import Record
from inferometer.stats.comparison import NORMAL, Difference, Error, Side, unpaired

PROCESS_ALLOWANCE = ONE_PROCESS
"""Where a side has one process, so much is allowed for the difference between processes, which was
not observed: medians of fresh processes were seen to differ by up to a factor of 1.7."""

_UPPER, _NORMAL_QUANTILE = 0.975, 1.96
"""Of 95 %; an energy's interval is normal."""


def latency_side(record: Record, metric: str) -> Side:
    """A latency and the standard error of its logarithm, from its interval or its deviation."""
    value, latency = record.number(metric), record.latency
    assert value
    assert latency
    processes = int(record.number("latency_processes") or 1)
    error = _of_median(latency, processes) if metric == MEDIAN else _of_mean(record, value)
    return Side(
        log_median=math.log(value),
        standard=error,
        processes=processes,
        fit=latency.fit,
        relative=_relative(record, latency) if metric == MEDIAN else None,
    )


def _relative(record: Record, latency: Estimate) -> Error | None:
    """Error against others of the same joint fit; None where the record has none."""
    half, freedom = latency.compared().log_half_width, record.number("latency_relative_freedom")
    if not math.isfinite(half) or not freedom or not latency.confidence:
        return None
    quantile = float(stdtrit(freedom, 0.5 + latency.confidence / 2))
    return Error(standard=half / quantile, freedom=freedom)


def difference_of(base: Side, contender: Side) -> Difference:
    """How two sides differ that were not paired; a side with one process has its allowance."""
    return unpaired(base, contender, allowance=math.log1p(PROCESS_ALLOWANCE))


def _of_median(latency: Estimate, processes: int) -> float:
    if not latency.confidence:
        return math.inf
    freedom = processes - 1 if processes > 1 else NORMAL
    return latency.log_half_width / float(stdtrit(freedom, 0.5 + latency.confidence / 2))


def _of_mean(record: Record, mean: float) -> float:
    """Of an imported mean: its calls as if they were independent, few of them by Student's t."""
    deviation, calls = record.number("latency_std_s"), record.number("latency_calls")
    if not deviation or not calls or calls <= 1:
        return math.inf
    few = float(stdtrit(calls - 1, _UPPER)) / _NORMAL_QUANTILE
    return few * deviation / mean / math.sqrt(calls)


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
    found = latency_side(record, MEDIAN if record.number(MEDIAN) else MEAN)
    if figure == "latency":
        return found
    per_input = found.log_median - math.log(batch)
    return replace(found, log_median=-per_input if figure == "throughput" else per_input)


def haze(record: Record, figure: str) -> float:
    """Relative difference below which the sign alone of a figure without an interval says nothing.

    Of an imported figure nobody knows. One that was measured here has no interval because its calls
    were few, or hung together: it may be off by what processes differ by at least. Memory is alike
    in all processes.
    """
    return (
        PROCESS_ALLOWANCE if record.run.get("origin") == "measured" and figure != "memory" else 0.0
    )


def _energy(record: Record, inputs: int) -> Side | None:
    value = record.number("energy_per_inference_j")
    if not value or value <= 0:
        return None
    half = record.number("energy_uncertainty_j")
    standard = math.inf if half is None else half / value / _NORMAL_QUANTILE
    processes = int(record.number("latency_processes") or 1)
    return Side(log_median=math.log(value * inputs), standard=standard, processes=processes)
