"""Workers that measure nothing, on a clock that they move themselves."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field

from inferometer.core.record import Failure, Round
from inferometer.runner import journal
from inferometer.runner.phases.latency import apparatus, groups, interleaving, sustained, warming
from inferometer.runner.workers import pool as workers
from inferometer.runner.workers.messages import WarmedUp
from inferometer.runner.workers.parent import WorkerFailed

LOAD_S = 2.0

TIMED = (apparatus, groups, interleaving, journal, sustained, warming, workers)
"""Modules that look at the clock while a campaign goes on."""


class Killed(BaseException):
    """What a test stops a campaign with, as kill -9 would: nothing below catches it."""


@dataclass
class FakeClock:
    """Time that goes on when it is told to."""

    now: float = 1000.0

    def monotonic(self):
        return self.now

    def time(self):
        return 1.7e9 + self.now


@dataclass
class FakePool:
    """Stands in for the workers of a campaign.

    Attributes:
        clock: moved by everything that takes time.
        call_s: seconds of a call by the name of the model.
        fails: what a step of a workload raises: (step, model, batch size) → failure.
        kill_after: rounds until the campaign is killed.
        kill_warm: warm-ups until it is.
        log: what was asked for: (step, model, batch size).
    """

    clock: FakeClock
    call_s: dict = field(default_factory=dict)
    fails: dict = field(default_factory=dict)
    kill_after: float = float("inf")
    kill_warm: float = float("inf")
    room: float = float("inf")
    noise: float = 0.001
    log: list = field(default_factory=list)

    def __post_init__(self):
        self.facts = {}
        self.processes = Counter()
        self.limit_bytes = 1 << 34
        self.alive = {}
        self.dice = random.Random(7)

    def __call__(self, procedure, clock, on_wait=None, root=None, preparer=None):
        self.deadline = clock
        return self

    def stand_in(self, monkeypatch):
        """Take the place of the workers of each campaign to come, and of the clock."""
        monkeypatch.setattr(apparatus, "WorkerPool", self)
        for module in TIMED:
            monkeypatch.setattr(module, "time", self.clock)

    def _step(self, step, workload):
        model, batch = workload.variant.model, workload.batch_size
        self.log.append((step, model, batch))
        failure = self.fails.get((step, model, batch))
        if failure is not None:
            if failure.kind in ("crash", "out_of_memory"):
                self.end(workload.variant)
            raise WorkerFailed(failure)

    def load(self, workload):
        if workload.variant in self.alive:
            return
        self.processes[workload.variant] += 1
        self.clock.now += LOAD_S
        self._step("load", workload)
        self.alive[workload.variant] = set()
        self.facts[workload.variant] = {"source": "fake", "notes": []}

    def warm_up(self, workload, *, call_s):
        self.load(workload)
        self._step("warmup", workload)
        if self.kill_warm <= 0:
            raise Killed
        self.kill_warm -= 1
        self.alive[workload.variant].add(workload)
        first = self._round(workload, 3, phase="warmup")
        return WarmedUp(first_call_s=0.5, round=first, input_shape="1x3")

    def measure(self, workload, plan, *, expected_s):
        self._step("round", workload)
        if self.kill_after <= 0:
            raise Killed
        self.kill_after -= 1
        return self._round(workload, plan.values + plan.settle, settle=plan.settle)

    def _round(self, workload, values, *, phase="measure", settle=0):
        call_s = self.call_s.get(workload.variant.model, 0.01) * workload.batch_size
        took = [call_s * (1 + self.noise * self.dice.gauss(0, 1)) for _ in range(values)]
        began, starts = self.clock.time(), []
        for one in took:
            starts.append(self.clock.time() - began)
            self.clock.now += one
        return Round(
            index=0, process=0, phase=phase, started_at=began, calls_per_value=1, settle=settle,
            starts_s=tuple(starts), values_s=tuple(took),
        )  # fmt: skip

    def costs(self, workloads):
        return [None] * len(workloads)

    def has_room(self):
        return len(self.alive) < self.room

    def crowded(self, variant):
        return len(self.alive.keys() - {variant}) > 0

    def is_warm(self, workload):
        return workload in self.alive.get(workload.variant, ())

    def note(self, variant, text):
        if variant in self.facts:  # it was loaded
            self.facts[variant]["notes"].append(text)

    def end(self, variant):
        self.alive.pop(variant, None)

    def end_all(self):
        self.alive.clear()


def failed(kind, stage="measure"):
    return Failure(stage=stage, kind=kind, message=f"it was {kind}")
