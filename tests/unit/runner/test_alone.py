"""A worker that one command has for itself, with a fake process in its place."""

from __future__ import annotations

import pytest

from inferometer.core.errors import WorkloadError
from inferometer.core.record import Failure
from inferometer.core.workload import Variant
from inferometer.runner.workers import alone
from inferometer.runner.workers.alone import worker_alone
from inferometer.runner.workers.parent import WorkerFailed

GIB = 1 << 30
VARIANT = Variant(model="a", backend="torch", precision="fp32")


class FakeProcess:
    """Stands for a worker."""

    def __init__(self, variant, **options):
        self.variant, self.options, self.alive = variant, options, True

    def kill(self):
        self.alive = False


@pytest.fixture(autouse=True)
def fake(monkeypatch):
    monkeypatch.setattr(alone, "WorkerProcess", FakeProcess)
    monkeypatch.setattr(alone, "available_bytes", lambda: 10 * GIB)


def test_it_ends_with_the_context_and_may_use_what_the_machine_can_give():
    with worker_alone(VARIANT, threads=2) as worker:
        assert worker.alive
        assert worker.options["memory_limit_bytes"] == int(9.5 * GIB)
    assert not worker.alive
    with worker_alone(VARIANT, threads=2, memory_limit_bytes=GIB) as worker:
        assert worker.options["memory_limit_bytes"] == GIB


def test_its_failure_is_an_error_of_the_workload():
    failure = Failure(stage="measure", kind="crash", message="it died")
    with (
        pytest.raises(WorkloadError, match="it died") as caught,
        worker_alone(VARIANT, threads=2) as worker,
    ):
        raise WorkerFailed(failure)
    assert caught.value.kind == "crash"
    assert not worker.alive


def test_it_ends_when_the_user_interrupts():
    with pytest.raises(KeyboardInterrupt), worker_alone(VARIANT, threads=2) as worker:
        raise KeyboardInterrupt
    assert not worker.alive
