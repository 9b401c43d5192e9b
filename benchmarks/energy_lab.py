"""Whether the lab has its joules in time: the energy phase itself, on a virtual device.

    python benchmarks/energy_lab.py [SEEDS]

The 44 workloads of the lab on a board of known power, behind sensors that know it less well, in
virtual time: what the phase says beforehand, how long it takes, how wide the intervals are, and how
often they hold the truth. The board's idle power drifts, what work adds differs between windows.
"""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import dataclass, field, replace
from importlib import import_module
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np

from inferometer.core.energy import Reading, SourceInfo
from inferometer.core.procedure import Procedure
from inferometer.core.record import Record, Round, Value
from inferometer.core.sweep import Block, Study, Sweep
from inferometer.meters.energy.sampler import Poller, Sampler
from inferometer.runner.phases.energy.fitting import said_before_run
from inferometer.runner.phases.energy.measurement import EnergyMeasurement, EnergyRequest
from inferometer.runner.workers.messages import WarmedUp

sys.path.insert(0, str(Path(__file__).parents[1] / "tests/unit/meters/energy"))
KINDS = import_module("virtual").KINDS  # the sensors of the tests

BUDGET_S = 1500.0 * 0.45
"""What a run of 25 minutes keeps for energy."""
CALL_S = {"unet": 0.06, "resnet18": 0.02, "squeezenet1_0": 0.01, "mobilenet_v3_small": 0.005}
"""Seconds of a call with one sample of 224 by 224."""
BLOCKS = (
    Block(sizes=(224,), batches=(1, 2, 4, 8, 16, 32)),
    Block(sizes=(448,), batches=(1, 2, 4, 8, 16)),
)
WORKLOADS = Study(
    name="lab",
    sweep=Sweep(models=tuple(CALL_S), blocks=BLOCKS, threads=2),
    procedure=Procedure(),
).workloads()
PIECE_S = 0.5  # of steady power; noise differs from piece to piece
DRIFT = 0.01  # of the idle power: the standard deviation of its level
DRIFT_S = 300.0  # within which that level changes
TIME_NOISE, FAST_NOISE = 0.003, 0.01


class Board:
    """A device and its clock; what it has used so far is known at every moment.

    Args:
        kind: the sensor, and the device that it sits on.
        noise: of what work adds, from window to window.
        seed: of all that is left to chance.
    """

    def __init__(self, kind: Any, noise: float, seed: int) -> None:  # noqa: ANN401 - of the tests
        self.rng = np.random.default_rng(seed)
        self.kind, self.noise = kind, noise
        self.now = self.begin = 1e6
        self.times, self.joules = [self.now - 60, self.now], [-60 * kind.device.idle_w, 0.0]
        self.drift = DRIFT * self.rng.normal()
        self.idle_ws: list[float] = []
        shares = self.rng.uniform(0.4, 1.0, len(WORKLOADS))
        added_w = kind.device.added_w
        self.added_w = {
            one: added_w * float(share) for one, share in zip(WORKLOADS, shares, strict=True)
        }
        self.sampler: Sampler | None = None

    def clock(self) -> float:
        """Unix time of the board."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """The board idles."""
        self.advance(seconds, 0.0)

    def advance(self, seconds: float, added_w: float) -> None:
        """Time passes; sources are read when they are due."""
        end, waits = self.now + seconds, self._waits()
        while self.now < end - 1e-9:
            piece_end = min(self.now + PIECE_S, end)
            piece_s = piece_end - self.now
            stay = np.exp(-piece_s / DRIFT_S)
            self.drift = stay * self.drift + DRIFT * (1 - stay**2) ** 0.5 * self.rng.normal()
            idle_w = self.kind.device.idle_w * (1 + self.drift)
            self.idle_ws.append(idle_w)
            power_w = (idle_w + added_w) * (1 + FAST_NOISE * self.rng.normal())
            self.times.append(piece_end)
            self.joules.append(self.joules[-1] + power_w * piece_s)
            waits = self._read_until(piece_end, waits)
        self.now = end

    def _read_until(self, end: float, due_s: float) -> float:
        while due_s <= end:
            self.now = due_s
            due_s = self._waits()
        self.now = end
        return due_s

    def _waits(self) -> float:
        """When a source is due next; reads what is due."""
        assert self.sampler is not None
        waits = [wait for one in self.sampler.pollers if (wait := one.sample_once()) is not None]
        return self.now + max(min(waits), 1e-4) if waits else float("inf")


class Source:
    """A sensor with its own errors, as a reader would give it."""

    def __init__(self, board: Board, name: str) -> None:
        sensor = board.kind.sensor
        self.board, self.sensor = board, sensor
        self.gain = 1 + board.rng.uniform(-1, 1) * (sensor.gain or 0.0)
        self.offset_w = board.rng.uniform(-1, 1) * (sensor.offset_w or 0.0)
        self.phase_s = board.rng.uniform(0, sensor.period_s)
        self.last = (-1.0, 0.0)
        self.info = info_of(name, sensor)

    def read(self) -> Reading:
        """What the sensor shows now."""
        board, sensor = self.board, self.sensor
        at_s = np.floor((board.now - self.phase_s) / sensor.period_s) * sensor.period_s
        at_s += self.phase_s
        if at_s != self.last[0]:
            self.last = (at_s, self._value(at_s))
        return Reading(at_s=board.now, value=self.last[1])

    def _value(self, at_s: float) -> float:
        sensor, board = self.sensor, self.board
        if sensor.quantity == "energy":
            value = self.gain * self._joules(at_s) + self.offset_w * (at_s - board.begin)
        else:
            over_s = max(sensor.window_s, 1e-3)
            mean_w = (self._joules(at_s) - self._joules(at_s - over_s)) / over_s
            value = self.gain * mean_w + self.offset_w + board.kind.noise_w * board.rng.normal()
        return float(round(value / sensor.resolution) * sensor.resolution)

    def _joules(self, at_s: float) -> float:
        """Used until then; only the last minute is looked through."""
        recent = slice(-200, None)
        return float(np.interp(at_s, self.board.times[recent], self.board.joules[recent]))

    def close(self) -> None:
        """Nothing is open."""


def info_of(name: str, sensor: Any) -> SourceInfo:  # noqa: ANN401 - of a module of the tests
    return SourceInfo(
        name=name, kind=name, scope="wall", method="measured", quantity=sensor.quantity,
        period_s=sensor.period_s, window_s=sensor.window_s, resolution=sensor.resolution,
        gain=sensor.gain, offset_w=sensor.offset_w,
    )  # fmt: skip


class Pool:
    """Stands for the workers."""

    def __init__(self, board: Board, left_s: float) -> None:
        self.board, self.end = board, board.now + left_s
        self.clock, self.processes, self.on_wait = self, Counter[Any](), None

    @property
    def left_s(self) -> float:
        """Seconds of the budget."""
        return self.end - self.board.now

    def has_room(self) -> bool:
        """Memory holds all of them."""
        return True

    def is_warm(self, _workload: Any) -> bool:  # noqa: ANN401 - as the worker pool
        """Nothing dies."""
        return True

    def end_all(self) -> None:
        """Nothing lives."""

    def warm_up(self, workload: Any, *, call_s: float | None) -> WarmedUp:  # noqa: ANN401, ARG002
        """Two calls."""
        self.processes[workload.variant] = 1
        done = self._round(workload, 2 * call_s_of(workload), 1)
        return WarmedUp(first_call_s=done.values_s[0], round=done, input_shape="1")

    def measure(self, workload: Any, plan: Any, *, expected_s: float) -> Round:  # noqa: ANN401, ARG002
        """Calls until the time of the plan is over."""
        return self._round(workload, plan.seconds, plan.calls_per_value)

    def _round(self, workload: Any, seconds: float, per_value: int) -> Round:  # noqa: ANN401
        board = self.board
        call_s = call_s_of(workload) * (1 + TIME_NOISE * board.rng.normal())
        values = max(ceil(seconds / (call_s * per_value)), 1)
        added_w = board.added_w[workload] * (1 + board.noise * board.rng.normal())
        started = board.now
        board.advance(values * per_value * call_s, added_w)
        starts = tuple(i * per_value * call_s for i in range(values))
        return Round(
            index=0, process=0, phase="measure", started_at=started, calls_per_value=per_value,
            settle=0, starts_s=starts, values_s=(call_s,) * values,
        )  # fmt: skip


def call_s_of(workload: Any) -> float:  # noqa: ANN401 - a workload
    share = (workload.shape.input_size / 224) ** 2 * workload.batch_size
    return float(CALL_S[workload.variant.model] * share)


@dataclass
class Kept:
    """Stands for the journal."""

    records: dict[Any, Record] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)

    def listener(self, event: Any) -> None:  # noqa: ANN401 - any event
        """Keep notices."""
        if message := getattr(event, "message", None):
            self.said.append(message)

    def next_round(self) -> int:
        """The first."""
        return 0

    def processes_before(self, _workloads: Any) -> int:  # noqa: ANN401
        """None."""
        return 0

    def add(self, _workload: Any, _round: Round) -> None:  # noqa: ANN401
        """Rounds are not looked at."""

    def amend(self, record: Record) -> None:
        """Keep it."""
        self.records[record.workload] = record

    def flush(self) -> None:
        """Nothing is held back."""


@dataclass
class Found:
    """What runs of one sensor gave."""

    joules: list[int] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    widths: dict[str, list[float]] = field(default_factory=lambda: {"gross": [], "net": []})
    held: dict[str, list[bool]] = field(default_factory=lambda: {"gross": [], "net": []})
    windows: list[int] = field(default_factory=list)
    said: list[str] = field(default_factory=list)


def measured(name: str, kind: Any, noise: float, seed: int, found: Found) -> None:  # noqa: ANN401
    """One run of the lab's energy."""
    board, journal = Board(kind, noise, seed), Kept()
    source = Source(board, name)
    sampler = board.sampler = Sampler([source], board.clock)
    sampler.pollers = [Poller(source, board.clock)]
    procedure = Procedure(seed=seed)
    request = EnergyRequest(sources=[source], sleep=board.sleep, clock=board.clock)
    pool: Any = Pool(board, BUDGET_S)
    stand_in: Any = journal
    phase = EnergyMeasurement(procedure, stand_in, pool, request, sampler)
    phase.execute([record_of(one) for one in WORKLOADS])
    planned = replace(procedure, budget_s=1500.0)
    before = said_before_run(phase.plan, planned, len(WORKLOADS), name)
    found.said = [*([str(before)] if before else []), *journal.said]
    found.seconds.append(board.now - board.begin)
    idle_w = float(np.mean(board.idle_ws))
    given = [one for one in journal.records.values() if one["energy_per_inference_j"]]
    found.joules.append(len(given))
    for record in given:
        add(found, record, board.added_w[record.workload], idle_w)


def record_of(workload: Any) -> Record:  # noqa: ANN401
    call_s = call_s_of(workload)
    figures: dict[str, Value] = {
        "latency_median_s": call_s,
        "latency_mean_s": call_s,
        "pending": ["energy"],
    }
    return Record(workload=workload, status="ok", figures=figures)


def add(found: Found, record: Record, added_w: float, idle_w: float) -> None:
    per_sample_s = call_s_of(record.workload) / record.workload.batch_size
    truths = {"gross": (idle_w + added_w) * per_sample_s, "net": added_w * per_sample_s}
    fields = {"gross": "energy_per_inference_j", "net": "energy_net_per_inference_j"}
    halves = {"gross": "energy_uncertainty_j", "net": "energy_net_uncertainty_j"}
    found.windows.append(int(record.number("energy_windows") or 0))
    for what, truth in truths.items():
        value, half = record.number(fields[what]), record.number(halves[what])
        if value is not None and half is not None:
            found.widths[what].append(half / value)
            found.held[what].append(abs(value - truth) <= half)


def show(name: str, found: Found) -> None:
    for what in ("gross", "net"):
        widths = found.widths[what]
        print(
            f"| {name} | {what} | {np.median(found.joules):.0f} | {np.max(found.seconds) / 60:.1f}"
            f" | {np.mean(found.windows):.1f} | {len(widths)} | {np.mean(found.held[what]):.1%}"
            f" | {np.median(widths):.1%} | {np.quantile(widths, 0.95):.1%} |",
            flush=True,
        )


def main() -> None:
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    print(f"{len(WORKLOADS)} workloads, {seeds} runs of each")
    print(
        "| sensor | figure | with joules | most minutes | windows | figures | held | ± | ± 95 % |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    said: dict[str, list[str]] = {}
    for name in ("rapl", "ina3221", "plug"):
        kind = KINDS[name]
        uncalibrated = replace(kind, sensor=replace(kind.sensor, gain=None, offset_w=None))
        for title, one, noise in (
            (name, kind, 0.01),
            (f"{name}, statistical", uncalibrated, 0.01),
            (f"{name}, statistical, windows differ by 8 %", uncalibrated, 0.08),
        ):
            found = Found()
            for seed in range(seeds):
                measured(name, one, noise, seed, found)
            show(title, found)
            said[title] = found.said
    for title, sentences in said.items():
        for sentence in sentences:
            print(f"- {title}: {sentence}")


if __name__ == "__main__":
    main()
