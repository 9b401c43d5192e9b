"""The parent's hold on a worker, with a process in its place that says what the test wants."""

from __future__ import annotations

import math
import socket
import subprocess
import sys

import pytest

from inferometer.core.workload import Variant
from inferometer.runner.workers.codec import encode
from inferometer.runner.workers.line import Line
from inferometer.runner.workers.memory_layers import Start
from inferometer.runner.workers.messages import Failed, Loaded
from inferometer.runner.workers.parent import Deadline, WorkerFailed, WorkerProcess

DEADLINE = Deadline(at=math.inf, kind="timeout", message="too slow")
LOADED = Loaded(facts={"parameters": 7}, start=Start(resident=None, modules=()))


@pytest.fixture
def saying(monkeypatch):
    """Makes workers that answer a line to anything."""
    made = []

    def worker(line):
        ours, theirs = socket.socketpair()
        theirs.sendall(line + b"\n")
        waiting = [sys.executable, "-c", "import sys; sys.stdin.read()"]
        process = subprocess.Popen(waiting, stdin=subprocess.PIPE, start_new_session=True)
        monkeypatch.setattr(WorkerProcess, "_spawn", lambda _: (Line(ours), process))
        variant = Variant(model="a", backend="torch", precision="fp32")
        limits = {"threads": 1, "seed": 0, "memory_limit_bytes": 1 << 40}
        made.append((WorkerProcess(variant, device="cpu", **limits), process, theirs))
        return made[-1][0]

    yield worker
    for one, process, theirs in made:
        one.kill()
        process.stdin.close()
        theirs.close()


def test_an_answer_that_fits_is_given(saying):
    worker = saying(encode(LOADED))
    assert worker.load(DEADLINE) == LOADED
    assert worker.alive


def test_a_failure_has_the_stage_that_the_parent_knows_and_the_worker_lives_on(saying):
    worker = saying(encode(Failed(kind="bad_model", message="boom")))
    with pytest.raises(WorkerFailed) as caught:
        worker.load(DEADLINE)
    failure = caught.value.failure
    assert (failure.stage, failure.kind, failure.message) == ("load", "bad_model", "boom")
    assert worker.alive


@pytest.mark.parametrize(
    ("line", "where"),
    [
        (b"Segmentation fault", "no JSON"),
        (b'{"Loaded":{"facts":{"parameters":{}}}}', "Loaded: facts: parameters: {} is no"),
        (b'{"RoundDone":{}}', "none of Loaded, Failed"),
    ],
)
def test_an_answer_that_does_not_fit_is_a_crash_of_its_worker(saying, line, where):
    worker = saying(line)
    with pytest.raises(WorkerFailed, match=f"the worker's answer cannot be read: .*{where}") as it:
        worker.load(DEADLINE)
    assert (it.value.failure.stage, it.value.failure.kind) == ("load", "crash")
    assert not worker.alive
