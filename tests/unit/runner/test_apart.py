"""Work in a copy of the process: what it does stays there, and how it ends is told."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from inferometer.core.errors import WorkloadError
from inferometer.runner.workers.apart import apart

KEPT: list[int] = []


@dataclass(frozen=True)
class Found:
    """What a copy gives."""

    number: float = 0
    text: str = ""
    kept: list[int] = field(default_factory=list)


def test_what_is_done_apart_does_not_reach_this_process():
    def work():
        KEPT.append(1)
        os.environ["INFEROMETER_APART"] = "1"
        os.chdir("/")
        return Found(number=os.getpid(), kept=KEPT)

    before = Path.cwd()
    found = apart(work, Found)
    assert found.kept == [1]
    assert found.number != os.getpid()
    assert KEPT == []
    assert "INFEROMETER_APART" not in os.environ
    assert Path.cwd() == before


def test_a_large_answer_comes_whole():
    assert len(apart(lambda: Found(text="x" * 3_000_000), Found).text) == 3_000_000


def test_copies_of_copies():
    def inner():
        return apart(lambda: Found(number=7), Found)

    assert apart(lambda: Found(number=inner().number + 1), Found) == Found(number=8)


def failing(error):
    def work():
        raise error

    return work


@pytest.mark.parametrize(
    ("work", "kind", "words"),
    [
        (failing(WorkloadError("unsupported", "values decide")), "unsupported", "values decide"),
        (failing(ValueError("boom")), "bad_model", "boom"),
        (failing(MemoryError()), "out_of_memory", "MemoryError"),
        (failing(SystemExit(3)), "bad_model", "3"),
        (lambda: Found(number="seven"), "crash", "number: 'seven' is no"),
        (lambda: os._exit(4), "crash", "left with status 4"),
        (lambda: os.kill(os.getpid(), signal.SIGSEGV), "crash", "SIGSEGV"),
    ],
)
def test_how_it_fails_is_told(work, kind, words):
    with pytest.raises(WorkloadError, match=words) as caught:
        apart(work, Found)
    assert caught.value.kind == kind


def test_what_waits_for_ever_is_ended_and_nothing_is_left():
    before = {one.pid for one in psutil.Process().children()}  # of other tests: the dead are listed
    with pytest.raises(WorkloadError, match="no answer within 0 s") as caught:
        apart(threading.Event().wait, Found, patience_s=0.2)
    assert caught.value.kind == "timeout"
    assert {one.pid for one in psutil.Process().children()} <= before


def test_prints_do_not_come_out(capfd):
    apart(lambda: Found(number=sys.stdout.write("counted")), Found)
    assert "counted" not in capfd.readouterr().out


def test_torch_computes_there_on_all_its_threads():
    """Its pool of threads belongs to the thread that made it, and is not in the copy."""
    torch = pytest.importorskip("torch")
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        matrix = torch.randn(256, 256)
        expected = (matrix @ matrix).sum().item()  # the pool is there now
        begin = time.monotonic()
        found = apart(lambda: Found(number=(matrix @ matrix).sum().item()), Found, patience_s=60)
    finally:
        torch.set_num_threads(before)
    assert found.number == pytest.approx(expected, rel=1e-4)
    assert time.monotonic() - begin < 60
