"""Observations → the figures of the exported record."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone

from scipy.special import ndtri

from inferometer.core.procedure import Procedure
from inferometer.core.record import Record, Round, Value
from inferometer.core.sections import Latency
from inferometer.core.workload import Workload
from inferometer.figures.verdict import judge
from inferometer.stats.describe import describe
from inferometer.stats.intervals import (
    Interval,
    Quantile,
    mean_interval,
    quantile_interval,
    rounds_interval,
    supports_quantile,
)
from inferometer.stats.processes import process_interval, processes_wanted
from inferometer.stats.warmup import steady_state

PERCENTILES = (0.10, 0.90, 0.95, 0.99)
ONE_PROCESS = "clustered Woodruff, rounds of one process"
ITS_ROUNDS = "t on the logs of the medians of rounds of one process"
SEVERAL = "t on the logs of the medians of {} processes"


@dataclass(frozen=True, kw_only=True)
class Figures:
    """The interval of the median, and what it was made of.

    Attributes:
        median: estimate in seconds per call; with several processes the geometric mean of their
            medians, so that the figure is what its interval is about.
        interval: None where there is too little to make one.
        method: how the interval was made.
        parts: the median of each process.
        between: standard deviation of the logs of the processes' medians; None for one process.
    """

    median: float
    interval: Interval | None
    method: str
    parts: list[Quantile]
    between: float | None

    @property
    def half_width(self) -> float:
        """Relative half-width of the interval; infinite without one."""
        if self.interval is None:
            return math.inf
        return (self.interval.high - self.interval.low) / 2 / self.median

    @property
    def effective(self) -> float:
        """Effective calls of all processes together."""
        return math.fsum(part.effective for part in self.parts)


def known(first_call_s: float, input_shape: str) -> dict[str, Value]:
    """Fields that are known once a workload is warm."""
    return {
        "started_at": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "first_call_s": first_call_s,
        "input_shape": input_shape,
    }


def by_process(rounds: Sequence[Round]) -> list[list[Round]]:
    """Rounds that count, grouped by the process that made them."""
    counting = [done for done in rounds if done.phase == "measure" and done.settled_s]
    numbers = sorted({done.process for done in counting})
    return [[done for done in counting if done.process == number] for number in numbers]


def median_of(rounds: Sequence[Round], procedure: Procedure) -> Figures:
    """The median of the rounds that count, with its interval.

    Raises:
        IndexError: there is no round that counts.
    """
    parts = [
        quantile_interval([done.settled_s for done in mine], 0.5, procedure.confidence)
        for mine in by_process(rounds)
    ]
    if len(parts) == 1:
        return _of_one_process(rounds, parts[0], procedure.confidence)
    within = [_log_error(part, procedure.confidence) for part in parts]
    over = process_interval([part.value for part in parts], procedure.confidence, within)
    low, high = over.low, over.high
    return Figures(
        median=over.value,
        interval=None if low is None or high is None else Interval(low=low, high=high),
        method=SEVERAL.format(len(parts)),
        parts=parts,
        between=over.between,
    )


def _of_one_process(rounds: Sequence[Round], part: Quantile, confidence: float) -> Figures:
    """The interval by the calls' shares; where there is none, what the rounds' medians allow."""
    interval: Interval | None
    if part.low is None or part.high is None:
        [mine] = by_process(rounds)
        settled = [done.settled_s for done in mine]
        interval, method = rounds_interval(settled, part.value, confidence), ITS_ROUNDS
    else:
        interval, method = Interval(low=part.low, high=part.high), ONE_PROCESS
    return Figures(median=part.value, interval=interval, method=method, parts=[part], between=None)


def half_width(rounds: Sequence[Round], procedure: Procedure) -> float:
    """Relative half-width of the interval of the median; infinite where there is none."""
    return median_of(rounds, procedure).half_width


def processes_to_go(rounds: Sequence[Round], procedure: Procedure) -> int:
    """How many processes the target still asks for, up to twice those of the procedure."""
    figures = median_of(rounds, procedure)
    if len(figures.parts) == 1 or figures.half_width <= procedure.target:
        return 0
    wanted = processes_wanted(
        [part.value for part in figures.parts],
        procedure.target,
        procedure.confidence,
        at_most=2 * procedure.processes,
    )
    return max(wanted - len(figures.parts), 0)


def summarise(
    workload: Workload,
    rounds: Sequence[Round],
    procedure: Procedure,
    facts: Mapping[str, Value] = {},
) -> dict[str, Value]:
    """Latency figures of the measured rounds, warm-up and post-switch warm-up left out.

    Latency is seconds per call, less the time that two readings of the clock take. Mean and
    standard deviation are over all calls. Percentiles are null where the effective calls cannot
    support them, and where a value is the mean of several calls. What a process did before it was
    steady does not count.
    """
    steady, counting = counting_rounds(rounds, procedure, facts)
    measured = [done for mine in by_process(counting) for done in mine]
    values = [value for done in measured for value in done.settled_s]
    per_value = max(done.calls_per_value for done in measured)
    sample = describe(values, PERCENTILES)
    figures = median_of(measured, procedure)
    calls = sum(done.calls for done in measured)
    mean = math.fsum(done.timed_s for done in measured) / calls
    of_mean = _mean_interval(measured, procedure)
    interval = figures.interval
    effective = figures.effective if per_value == 1 else 0.0
    p10, p90, p95, p99 = (
        sample.quantiles[q] if supports_quantile(effective, q) else None for q in PERCENTILES
    )
    latency = Latency(
        latency_mean_s=mean,
        latency_std_s=sample.std,
        latency_median_s=figures.median,
        latency_p10_s=p10,
        latency_p90_s=p90,
        latency_p95_s=p95,
        latency_p99_s=p99,
        latency_min_s=sample.minimum,
        latency_max_s=sample.maximum,
        latency_ci_low_s=interval.low if interval else None,
        latency_ci_high_s=interval.high if interval else None,
        latency_confidence=procedure.confidence if interval else None,
        latency_ci_method=figures.method if interval else None,
        latency_mean_ci_low_s=max(of_mean.low, 0.0) if of_mean else None,
        latency_mean_ci_high_s=of_mean.high if of_mean else None,
        latency_tau_calls=max(part.tau for part in figures.parts),
        latency_between_processes=figures.between,
        latency_calls=calls,
        latency_calls_per_value=per_value,
        latency_rounds=len(measured),
        latency_processes=len(figures.parts),
        latency_target_met=figures.half_width <= procedure.target,
        warmup_calls=_warmup_calls(rounds, calls),
        steady=steady,
        throughput_per_s=workload.batch_size / mean if mean > 0 else None,
    )
    verdict = judge(measured, procedure=procedure, latency=latency, steady=steady)
    return latency.figures() | verdict.figures()


def counting_rounds(
    rounds: Sequence[Round], procedure: Procedure, facts: Mapping[str, Value]
) -> tuple[bool, list[Round]]:
    """Whether every process became steady, and the rounds that make the figures.

    Their values lack the time that reading the clock took; what a process did before it was steady
    is marked as post-switch warm-up.
    """
    return settled_rounds(_without_clock(rounds, facts), procedure)


def counted_rounds(record: Record, procedure: Procedure) -> list[Round]:
    """The rounds that make the figures of a record.

    Looking for the steady state takes milliseconds for each process, and is left out where the
    record says that it left nothing out.
    """
    measured = [done for mine in by_process(record.rounds) for done in mine]
    if record.number("latency_calls") == sum(done.calls for done in measured):
        return _without_clock(measured, record.figures)
    return counting_rounds(record.rounds, procedure, record.figures)[1]


def settled_rounds(rounds: Sequence[Round], procedure: Procedure) -> tuple[bool, list[Round]]:
    """Whether every process became steady, and the rounds with what was before marked as warm-up.

    The calls of a process, its warm-up included, are one series in the order of time; where no
    steady state is found, all rounds count and the answer is no.
    """
    steady, counting = True, []
    for mine in by_process(rounds):
        warm = [
            done for done in rounds if done.phase == "warmup" and done.process == mine[0].process
        ]
        series = [done.values_s for done in warm] + [done.settled_s for done in mine]
        k = [done.calls_per_value for done in [*warm, *mine]]
        found = steady_state(
            [value for part in series for value in part],
            tolerance=procedure.target,
            seconds=[value * n for part, n in zip(series, k, strict=True) for value in part],
        )
        steady &= found.first is not None
        before = (found.first or 0) - sum(len(done.values_s) for done in warm)
        counting += _after(mine, before)
    return steady, counting


def _after(rounds: list[Round], values: int) -> list[Round]:
    """Rounds with the first so many values that count marked as warm-up; one is always left."""
    kept: list[Round] = []
    for done in rounds:
        marked = min(max(values, 0), len(done.settled_s))
        values -= marked
        if marked < len(done.settled_s):
            kept.append(replace(done, settle=done.settle + marked))
    return kept or rounds


def _without_clock(rounds: Sequence[Round], facts: Mapping[str, Value]) -> list[Round]:
    """Rounds whose values lack the time that reading the clock took."""
    overhead = facts.get("latency_timer_overhead_s")
    clock_s = float(overhead) if isinstance(overhead, int | float) else 0.0
    return [
        replace(
            done,
            values_s=tuple(
                max(value - clock_s / done.calls_per_value, 0.0) for value in done.values_s
            ),
        )
        for done in rounds
    ]


def _mean_interval(measured: Sequence[Round], procedure: Procedure) -> Interval | None:
    """Interval of the mean: of the processes' means where there are several."""
    processes = by_process(measured)
    if len(processes) == 1:
        return mean_interval([done.settled_s for done in measured], procedure.confidence)
    means = [
        math.fsum(done.timed_s for done in mine) / sum(done.calls for done in mine)
        for mine in processes
    ]
    over = process_interval(means, procedure.confidence)
    if over.low is None or over.high is None:
        return None
    return Interval(low=over.low, high=over.high)


def _log_error(part: Quantile, confidence: float) -> float:
    """Standard error of the log of a process's median, from its interval; 0 where it has none."""
    if part.low is None or part.high is None or part.low <= 0:
        return 0.0
    return math.log(part.high / part.low) / 2 / float(ndtri(0.5 + confidence / 2))


def _warmup_calls(rounds: Sequence[Round], counted: int) -> int:
    """Calls that were made to warm up, or before the steady state."""
    warm = sum(done.calls for done in rounds if done.phase == "warmup")
    return warm + sum(done.calls for done in rounds if done.phase == "measure") - counted
