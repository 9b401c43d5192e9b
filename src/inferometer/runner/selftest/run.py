"""The instrument measures what is known, and says how far off it is.

The known workloads run through the whole of it: a study, a worker process, rounds, a store. What
they wrote down themselves is the truth.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

from inferometer.core.procedure import Procedure
from inferometer.core.record import Record
from inferometer.core.sweep import Study, Sweep
from inferometer.core.units import round_seconds
from inferometer.models.zoo import known
from inferometer.runner.run import run_study
from inferometer.runner.selftest.calls import spin_checks
from inferometer.runner.selftest.check import Check, failed, judged
from inferometer.store import open_store

DURATIONS_S = (20e-6, 100e-6, 1e-3, 10e-3)
BIAS_BOUNDS = {100e-6: 0.005, 1e-3: 0.001, 10e-3: 0.001}
OVERHEAD_AT_S = 100e-6  # in longer calls other programs empty the caches
MEMORIES_MIB = (32, 128)
MEMORY_BOUND = 0.02
CANARY_ROUNDS = 600
CANARY_S = 1e-3
CANARY_LATE = 1.05
CLOCK_READINGS = 20_000

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
        say("reading the clock and timing a reference kernel")
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


def memory_checks(folder: Path) -> list[Check]:
    """Rise of the peak over that of a call that takes nothing, and rise by the calls themselves."""
    sizes = (0, *MEMORIES_MIB)
    models = [_reference("memory", mib=mib) for mib in sizes]
    records = _measured(folder, "known memory", models, "python", OTHERS)
    base = records[0].number("peak_memory_bytes")
    checks = []
    for mib, record in zip(sizes[1:], records[1:], strict=True):
        subject = f"take {mib} MiB"
        if record.failure is not None:
            checks.append(failed(subject, "memory", record))
            continue
        peak = record.number("peak_memory_bytes")
        rise = None if base is None or peak is None else peak - base
        checks.append(memory_check(subject, rise, mib << 20))
        rise = record.number("memory_activation_bytes")
        checks.append(memory_check(f"activations, {mib} MiB", rise, mib << 20))
    return checks


def memory_check(subject: str, rise_bytes: float | None, taken_bytes: int) -> Check:
    """How far the rise of the peak is from what was taken, as a share of it."""
    if rise_bytes is None:
        return Check(subject=subject, name="memory", value=None, state="not observable")
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
