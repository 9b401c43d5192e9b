"""Calls of known duration: what a record says of them, against what their model wrote down."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from statistics import median

from inferometer.core.record import Record, Round
from inferometer.models.zoo.known import Account, Call
from inferometer.runner.selftest.check import Check, judged
from inferometer.stats.intervals import cluster_mean_interval

CONFIDENCE = 0.95
OVERHEAD_BOUND_S = 0.5e-6
QUIETEST = 0.1
CLOCKS_APART_S = 0.5e-3
"""The time of day is steered and drifts from the clock of the calls; rounds are further apart than
that, since a canary of over a millisecond runs before each."""


def spin_checks(
    subject: str,
    record: Record,
    account: Account,
    *,
    bound: float | None,
    with_overhead: bool,
) -> list[Check]:
    """What one record says, against what its model wrote down."""
    measured = [done for done in record.rounds if done.phase == "measure" and done.settled_s]
    matched = [calls_of(done, account.calls) for done in measured]
    checks = [count_check(subject, record, measured, matched)]
    whole = [
        (done, calls)
        for done, calls in zip(measured, matched, strict=True)
        if len(calls) == len(done.values_s) * done.calls_per_value and calls[-1].end_ns
    ]
    if not whole:
        return [*checks, Check(subject=subject, name="bias", value=None, state="not observable")]
    checks.append(bias_check(subject, record, whole, bound))
    single = [calls for done, calls in whole if done.calls_per_value == 1]
    if single and with_overhead:
        checks.append(overhead_check(subject, single, account.bare_gap_s))
    return checks


def excused(check: Check, floor: float) -> Check:
    """A check that is off, but not in the quietest tenth of the calls: the device is the cause.

    Other programs on a core empty its caches while a call lasts; the return from it then takes
    microseconds, whoever times it. What the instrument itself adds is there in every call.
    """
    if check.state != "off" or check.bound is None or abs(floor) > check.bound:
        return check
    message = "within it in the quietest tenth of the calls: repeat on a quiet device"
    return replace(check, state="unsure", message=message)


def calls_of(done: Round, calls: Sequence[Call]) -> Sequence[Call]:
    """The calls that the model itself saw during a round, post-switch warm-up included."""
    if not done.starts_s:
        return ()
    first = bisect_left(calls, done.started_at - CLOCKS_APART_S, key=lambda call: call.at_s)
    if first == len(calls):
        return ()
    # From the first call on, not from the time of day: between the two the loop may be held up.
    length_s = done.starts_s[-1] + done.values_s[-1] * done.calls_per_value
    end_s = calls[first].at_s + length_s
    last = bisect_left(calls, end_s, lo=first, key=lambda call: call.at_s)
    return calls[first:last]


def count_check(
    subject: str, record: Record, measured: Sequence[Round], matched: Sequence[Sequence[Call]]
) -> Check:
    """Calls that the record reports, against those that the model counted in its rounds."""
    settled = sum(done.settle * done.calls_per_value for done in measured)
    counted = sum(map(len, matched)) - settled
    reported = int(record.number("latency_calls") or 0)
    return Check(
        subject=subject,
        name="calls",
        value=float(reported - counted),
        bound=0.0,
        state="ok" if reported == counted else "off",
        message=f"{reported} reported, {counted} counted by the model",
    )


def bias_check(
    subject: str,
    record: Record,
    whole: Sequence[tuple[Round, Sequence[Call]]],
    bound: float | None,
) -> Check:
    """Reported median over the median of what the same calls took by their own clock, less 1.

    Its interval is that of the same ratio within each round: t on the rounds.
    """
    truths = [true_values_s(done, calls) for done, calls in whole]
    truth_s = median(value for values in truths for value in values)
    reported_s = record.number("latency_median_s") or 0.0
    bias = reported_s / truth_s - 1
    ratios = [
        done.median_s / median(values) - 1 for (done, _), values in zip(whole, truths, strict=True)
    ]
    check = Check(subject=subject, name="bias", value=bias, bound=bound)
    values_s = [value for done, _ in whole for value in done.settled_s]
    single_ratios = [a / b for a, b in zip(values_s, (t for ts in truths for t in ts), strict=True)]
    floor = quietest(single_ratios) * reported_s / median(values_s) - 1
    return excused(judged(_with_interval(check, ratios)), floor)


def quietest(values: Sequence[float]) -> float:
    """The value below which a tenth of them lies."""
    return sorted(values)[int(len(values) * QUIETEST)]


def true_values_s(done: Round, calls: Sequence[Call]) -> list[float]:
    """What the calls behind each value that counts took by their own clock, seconds per call."""
    k = done.calls_per_value
    elapsed_s = [call.elapsed_s or 0.0 for call in calls]
    values = [sum(elapsed_s[at : at + k]) / k for at in range(0, len(calls), k)]
    return values[done.settle :]


def overhead_check(subject: str, rounds: Sequence[Sequence[Call]], bare_gap_s: float) -> Check:
    """Time between two calls in the timed loop, less that in a bare loop of the same process."""
    gaps = [
        [(b.start_ns - a.end_ns) / 1e9 for a, b in pairwise(calls)]
        for calls in rounds
        if len(calls) > 1
    ]
    if not gaps:
        return Check(subject=subject, name="overhead", value=None, unit="s", state="not observable")
    middles = [median(gap) for gap in gaps]
    check = Check(
        subject=subject,
        name="overhead",
        value=median(middles) - bare_gap_s,
        unit="s",
        bound=OVERHEAD_BOUND_S,
        message=f"a bare loop takes {bare_gap_s * 1e9:.0f} ns between two calls",
    )
    floor = quietest([gap for part in gaps for gap in part]) - bare_gap_s
    return excused(judged(_with_interval(check, middles)), floor)


def _with_interval(check: Check, per_round: Sequence[float]) -> Check:
    """The check with an interval about its value: t on one value per round."""
    interval = cluster_mean_interval(per_round, [1] * len(per_round), CONFIDENCE)
    if interval is None or check.value is None:
        return check
    half = (interval.high - interval.low) / 2
    return replace(check, low=check.value - half, high=check.value + half)
