"""Observations → the figures of the exported record."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone

from inferometer.core.procedure import Procedure
from inferometer.core.record import Round, Value
from inferometer.core.workload import Workload
from inferometer.runner.schedule import rule_of
from inferometer.stats.describe import describe
from inferometer.stats.intervals import cluster_mean, cluster_mean_interval

PERCENTILES = {0.90: "latency_p90_s", 0.95: "latency_p95_s", 0.99: "latency_p99_s"}
INTERVAL_METHOD = "t on the means of rounds"
NOT_OBSERVED = "the state of the device during the measurement was not observed"


def known(first_call_s: float, input_shape: str) -> dict[str, Value]:
    """Fields that are known once a workload is warm."""
    return {
        "started_at": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "first_call_s": first_call_s,
        "input_shape": input_shape,
    }


def summarise(
    workload: Workload, rounds: Sequence[Round], procedure: Procedure
) -> dict[str, Value]:
    """Latency figures of the measured rounds, warm-up and settling values left out.

    Latency is seconds per call. The mean is over all calls; its interval treats rounds as the
    independent units. Percentiles are null where the number of values cannot support them, and
    where a value is the mean of several calls.
    """
    measured = [done for done in rounds if done.phase == "measure" and done.settled_s]
    values = [value for done in measured for value in done.settled_s]
    per_value = max(done.calls_per_value for done in measured)
    single = per_value == 1
    sums = [done.timed_s for done in measured]
    counts = [done.calls for done in measured]
    sample = describe(values, list(PERCENTILES) if single else [])
    mean = cluster_mean(sums, counts)
    interval = cluster_mean_interval(sums, counts, procedure.confidence)
    return {
        "latency_mean_s": mean,
        "latency_std_s": sample.std,
        "latency_median_s": sample.median,
        **{PERCENTILES[q]: value for q, value in sample.quantiles.items()},
        "latency_min_s": sample.minimum,
        "latency_max_s": sample.maximum,
        "latency_ci_low_s": max(interval.low, 0.0) if interval else None,
        "latency_ci_high_s": interval.high if interval else None,
        "latency_confidence": procedure.confidence if interval else None,
        "latency_ci_method": INTERVAL_METHOD if interval else None,
        "latency_calls": sum(counts),
        "latency_calls_per_value": per_value,
        "latency_rounds": len(measured),
        "latency_processes": len({done.process for done in measured}),
        "latency_target_met": rule_of(procedure).precise(sums, counts),
        "warmup_calls": sum(done.calls for done in rounds if done.phase == "warmup"),
        "throughput_per_s": workload.batch_size / mean if mean > 0 else None,
        "verdict": "unknown",
        "causes": [NOT_OBSERVED],
    }
