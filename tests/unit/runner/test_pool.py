"""Workers that come and go, with fake processes in their place."""

from __future__ import annotations

import math
import time

import pytest

from inferometer.core.procedure import Procedure
from inferometer.core.record import Failure
from inferometer.core.workload import Shape, Target, Variant, Workload
from inferometer.runner.workers import pool as pool_module
from inferometer.runner.workers.memory_layers import Start
from inferometer.runner.workers.messages import Loaded
from inferometer.runner.workers.parent import WorkerFailed
from inferometer.runner.workers.pool import Clock, WorkerPool

GIB = 1 << 30


def workload(model):
    variant = Variant(model=model, backend="torch", precision="fp32")
    return Workload(
        variant=variant,
        target=Target(device="cpu", threads=1),
        shape=Shape(batch_size=1, input_size=224),
    )


class FakeProcess:
    """Stands for a worker: what it holds and whether it loads is up to the test."""

    born = ()
    held_bytes = 0
    failing = 0

    def __init__(self, variant, **options):
        self.variant, self.memory_limit_bytes = variant, options["memory_limit_bytes"]
        self.alive = True
        FakeProcess.born += (self,)

    def load(self, deadline):
        if FakeProcess.failing:
            FakeProcess.failing -= 1
            raise WorkerFailed(Failure(stage="load", kind="out_of_memory", message="full"))
        return Loaded(facts={"parameters": 7}, start=Start(resident=None, modules=()))

    def resident_bytes(self):
        return self.held_bytes if self.alive else 0

    def kill(self):
        self.alive = False


@pytest.fixture
def pool(monkeypatch):
    monkeypatch.setattr(pool_module, "WorkerProcess", FakeProcess)
    monkeypatch.setattr(pool_module, "available_bytes", lambda: 10 * GIB)
    monkeypatch.setattr(FakeProcess, "born", ())
    monkeypatch.setattr(FakeProcess, "held_bytes", 0)
    monkeypatch.setattr(FakeProcess, "failing", 0)
    return WorkerPool(Procedure(), Clock(end=math.inf, timeout_s=1.0))


def test_a_worker_is_loaded_once_and_replaced_when_it_died(pool):
    pool.load(workload("a"))
    pool.load(workload("a"))
    assert len(FakeProcess.born) == 1
    FakeProcess.born[0].alive = False
    pool.load(workload("a"))
    assert len(FakeProcess.born) == 2
    assert pool.processes[workload("a").variant] == 2


def test_a_worker_that_could_not_load_is_not_taken_for_one_that_did(pool):
    FakeProcess.failing = 1
    with pytest.raises(WorkerFailed):
        pool.load(workload("a"))
    assert not FakeProcess.born[0].alive
    pool.load(workload("a"))
    assert len(FakeProcess.born) == 2
    assert pool.facts[workload("a").variant] == {"parameters": 7}


def test_idle_workers_may_hold_a_quarter_of_the_memory(pool):
    FakeProcess.held_bytes = 2 * GIB
    pool.load(workload("a"))
    assert pool.has_room()
    assert pool.crowded(workload("b").variant)
    assert not pool.crowded(workload("a").variant)
    pool.load(workload("b"))
    assert not pool.has_room()


def test_the_limit_of_a_worker_is_what_the_idle_ones_leave(pool):
    pool.load(workload("a"))
    FakeProcess.held_bytes = GIB
    pool.load(workload("b"))
    first, second = (one.memory_limit_bytes for one in FakeProcess.born)
    assert first == int(0.95 * 10 * GIB)
    assert second == first - GIB


def test_a_deadline_is_the_timeout_or_a_multiple_of_what_is_expected_or_the_budget():
    begin = time.monotonic()
    patient = Clock(end=math.inf, timeout_s=10.0)
    assert patient.deadline(0.1).at == pytest.approx(begin + 10, abs=1)
    assert patient.deadline(100).at == pytest.approx(begin + 500, abs=1)
    assert patient.deadline(100).kind == "timeout"
    short = Clock(end=begin + 3, timeout_s=10.0).deadline(0.1)
    assert (short.kind, short.at) == ("budget", begin + 3)
