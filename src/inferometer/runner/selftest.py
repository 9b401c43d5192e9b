"""The instrument measures what is known, and says how far off it is.

The known workloads run through the whole of it: a study, a worker process, rounds, a store. What
they wrote down themselves is the truth.
"""

from __future__ import annotations

import tempfile
import time
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any, Literal

from inferometer.core.procedure import Procedure
from inferometer.core.record import Record, Round
from inferometer.core.sweep import Study, Sweep
from inferometer.core.units import round_seconds
from inferometer.models.zoo import known
from inferometer.models.zoo.known import Account, Call
from inferometer.runner.run import run_study
from inferometer.stats.intervals import cluster_mean_interval
from inferometer.store import open_store

State = Literal["ok", "off", "unsure", "not observable", "shown"]

CONFIDENCE = 0.95
DURATIONS_S = (20e-6, 100e-6, 1e-3, 10e-3)
BIAS_BOUNDS = {100e-6: 0.005, 1e-3: 0.001, 10e-3: 0.001}
OVERHEAD_BOUND_S = 0.5e-6
OVERHEAD_AT_S = 100e-6  # in longer calls other programs empty the caches
QUIETEST = 0.1
MEMORIES_MIB = (32, 128)
MEMORY_BOUND = 0.02
CANARY_ROUNDS = 600
CANARY_S = 1e-3
CANARY_LATE = 1.05
CLOCK_READINGS = 20_000
CLOCKS_APART_S = 0.5e-3
"""The time of day is steered and drifts from the clock of the calls; rounds are further apart than
that, since a canary of over a millisecond runs before each."""

LATENCY = Procedure(
    target=0.01,
    processes=1,
    min_calls=60,
    max_calls=8000,
    min_rounds=25,
    span_s=8.0,
    round_s=0.08,
    max_time_s=8.0,
    timeout_s=60.0,
)
OTHERS = Procedure(
    target=0.5,
    processes=1,
    min_calls=10,
    min_rounds=2,
    span_s=0.0,
    round_s=0.05,
    max_time_s=2.0,
    roofline=False,
)


@dataclass(frozen=True, kw_only=True)
class Check:
    """One figure of the instrument about itself.

    Attributes:
        subject: what was measured, such as `a call of 100 µs`.
        name: which figure: `bias`, `calls`, `overhead`, `memory` …
        value: the figure; None where it cannot be observed.
        low: lower end of its interval; None where it has none.
        high: upper end of its interval.
        unit: `1` for a share or a count, `s`, `B`.
        bound: most that its magnitude may be; None where nothing is asked of it.
        state: `shown` where nothing is asked of it.
        message: what a reader should know; may be empty.
    """

    subject: str
    name: str
    value: float | None
    low: float | None = None
    high: float | None = None
    unit: str = "1"
    bound: float | None = None
    state: State = "shown"
    message: str = ""


@dataclass(frozen=True, kw_only=True)
class SelfTest:
    """What the instrument found about itself.

    Attributes:
        checks: the figures.
        wall_s: how long it took, seconds.
    """

    checks: tuple[Check, ...]
    wall_s: float

    @property
    def off(self) -> list[Check]:
        """Checks that failed."""
        return [check for check in self.checks if check.state == "off"]


def selftest(say: Callable[[str], None] = lambda _: None) -> SelfTest:
    """Measure the known workloads on this device; about half a minute.

    Args:
        say: told what is done, one line at a time.
    """
    begin = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="inferometer-selftest-") as name:
        folder = Path(name)
        say("reading the clock and running a canary")
        checks = [*clock_checks(), canary_check()]
        say("measuring calls of known duration")
        checks += latency_checks(folder)
        say("measuring calls of known memory")
        checks += memory_checks(folder)
        say("counting a known network")
        checks += network_checks(folder)
    return SelfTest(checks=tuple(checks), wall_s=time.monotonic() - begin)


def latency_checks(folder: Path, procedure: Procedure = LATENCY) -> list[Check]:
    """Bias, count of calls and cost of a call, for calls of known duration."""
    accounts = {duration: folder / f"account-{duration:g}" for duration in DURATIONS_S}
    models = [_reference("spin", seconds=s, account=path) for s, path in accounts.items()]
    records = _measured(folder, "known latency", models, "python", procedure)
    checks: list[Check] = []
    for (duration_s, path), record in zip(accounts.items(), records, strict=True):
        subject = f"call of {round_seconds(duration_s)}"
        if record.failure is not None:
            checks.append(failed(subject, "bias", record))
            continue
        account = known.read_account(path)
        checks += spin_checks(
            subject,
            record,
            account,
            bound=BIAS_BOUNDS.get(duration_s),
            with_overhead=duration_s == OVERHEAD_AT_S,
        )
    return checks


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
    """The calls that the model itself saw during a round, settling ones included."""
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
        median(done.settled_s) / median(values) - 1
        for (done, _), values in zip(whole, truths, strict=True)
    ]
    interval = cluster_mean_interval(ratios, [1] * len(ratios), CONFIDENCE)
    half = (interval.high - interval.low) / 2 if interval else None
    check = Check(
        subject=subject,
        name="bias",
        value=bias,
        low=None if half is None else bias - half,
        high=None if half is None else bias + half,
        bound=bound,
    )
    values_s = [value for done, _ in whole for value in done.settled_s]
    single_ratios = [a / b for a, b in zip(values_s, (t for ts in truths for t in ts), strict=True)]
    floor = quietest(single_ratios) * reported_s / median(values_s) - 1
    return excused(judged(check), floor)


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
    interval = cluster_mean_interval(middles, [1] * len(middles), CONFIDENCE)
    half = (interval.high - interval.low) / 2 if interval else None
    value = median(middles) - bare_gap_s
    check = Check(
        subject=subject,
        name="overhead",
        value=value,
        low=None if half is None else value - half,
        high=None if half is None else value + half,
        unit="s",
        bound=OVERHEAD_BOUND_S,
        message=f"a bare loop takes {bare_gap_s * 1e9:.0f} ns between two calls",
    )
    floor = quietest([gap for part in gaps for gap in part]) - bare_gap_s
    return excused(judged(check), floor)


def memory_checks(folder: Path) -> list[Check]:
    """Rise of the peak over that of a call that takes nothing, and rise by the calls themselves."""
    sizes = (0, *MEMORIES_MIB)
    models = [_reference("memory", mib=mib) for mib in sizes]
    records = _measured(folder, "known memory", models, "python", OTHERS)
    base = records[0].number("peak_memory_bytes")
    checks = []
    for mib, record in zip(sizes[1:], records[1:], strict=True):
        subject = f"take {mib} MiB"
        peak = record.number("peak_memory_bytes")
        if record.failure is not None:
            checks.append(failed(subject, "memory", record))
        elif base is None or peak is None:
            checks.append(Check(subject=subject, name="memory", value=None, state="not observable"))
        else:
            checks.append(memory_check(subject, peak - base, mib << 20))
            rise = record.number("memory_activation_bytes") or 0.0
            checks.append(memory_check(f"activations, {mib} MiB", rise, mib << 20))
    return checks


def memory_check(subject: str, rise_bytes: float, taken_bytes: int) -> Check:
    """How far the rise of the peak is from what was taken, as a share of it."""
    return judged(
        Check(
            subject=subject,
            name="memory",
            value=rise_bytes / taken_bytes - 1,
            bound=MEMORY_BOUND,
            message=f"the peak rose by {rise_bytes / 2**20:.1f} MiB",
        )
    )


def network_checks(folder: Path) -> list[Check]:
    """Parameters, and operations where this version counts them, of a network of known size."""
    subject = "two linear layers"
    if find_spec("torch") is None:
        message = "torch is not installed"
        return [
            Check(
                subject=subject,
                name="parameters",
                value=None,
                state="not observable",
                message=message,
            )
        ]
    models = [_reference("network", input=known.NETWORK_WIDTHS[0])]
    (record,) = _measured(folder, "known network", models, "torch", OTHERS)
    if record.failure is not None:
        return [failed(subject, "parameters", record)]
    truths = {"parameters": known.NETWORK_PARAMETERS, "macs": known.NETWORK_MACS}
    return [
        exact_check(subject, name, counted, truth)
        for name, truth in truths.items()
        if (counted := record.number(name)) is not None
    ]


def exact_check(subject: str, name: str, counted: float, truth: int) -> Check:
    """A count, less the known one."""
    return Check(
        subject=subject,
        name=name,
        value=counted - truth,
        bound=0.0,
        state="ok" if counted == truth else "off",
        message=f"{counted:.0f} counted, {truth} by arithmetic",
    )


def clock_checks() -> list[Check]:
    """Smallest step of the clock, and the median of an empty timing pair, seconds."""
    clock = time.perf_counter_ns
    readings = [clock() for _ in range(CLOCK_READINGS)]
    steps = [b - a for a, b in pairwise(readings)]
    smallest = min((step for step in steps if step > 0), default=0)
    return [
        Check(subject="clock", name="smallest step", value=smallest / 1e9, unit="s"),
        Check(subject="clock", name="empty pair", value=median(steps) / 1e9, unit="s"),
    ]


def canary_check() -> Check:
    """Share of the runs of one short loop that took over 5 % more than its fastest twentieth.

    It is the noise of the device, not of the instrument: nothing is asked of it.
    """
    loops = _loops_for(CANARY_S)
    times = sorted(_loop_s(loops) for _ in range(CANARY_ROUNDS))
    quiet = times[len(times) // 20]
    late = sum(value > CANARY_LATE * quiet for value in times) / len(times)
    message = f"P5 {quiet * 1e6:.0f} µs, median {median(times) * 1e6:.0f} µs"
    return Check(subject="device", name="canary late", value=late, message=message)


def judged(check: Check) -> Check:
    """The check with its state: is its magnitude within the bound, and its interval too?"""
    if check.bound is None or check.value is None:
        return check
    reach = max(abs(check.low or check.value), abs(check.high or check.value))
    if abs(check.value) > check.bound:
        return replace(check, state="off")
    if reach > check.bound:
        return replace(check, state="unsure", message="its interval reaches past the bound")
    return replace(check, state="ok")


def failed(subject: str, name: str, record: Record) -> Check:
    """The check of a workload that has no figures."""
    message = record.failure.message if record.failure else ""
    return Check(subject=subject, name=name, value=None, state="off", message=message)


def _reference(factory: str, **options: object) -> str:
    """Model reference of a known workload."""
    query = "&".join(f"{name}={value}" for name, value in options.items())
    return f"{known.__file__}:{factory}?{query}"


def _measured(
    folder: Path, name: str, models: Sequence[str], backend: str, procedure: Procedure
) -> list[Record]:
    """Records of models, in their order, each with its rounds."""
    sweep = Sweep(models=tuple(models), backends=(backend,), threads=1)
    study = Study(name=name, sweep=sweep, procedure=procedure)
    with open_store(folder / "selftest.db") as store:
        run = run_study(study, store)
        records: dict[Any, Record] = {
            record.workload.variant.model: record
            for record in store.records(run.id, with_rounds=True)
        }
    return [records[model] for model in models]


def _loop_s(loops: int) -> float:
    begin = time.perf_counter_ns()
    for _ in range(loops):
        pass
    return (time.perf_counter_ns() - begin) / 1e9


def _loops_for(seconds: float) -> int:
    """How many turns of an empty loop take about so long."""
    probe = 10_000
    return max(1, round(probe * seconds / min(_loop_s(probe) for _ in range(20))))
