"""The reference jobs that run before each round."""

from __future__ import annotations

import threading

import pytest

from inferometer.host import canary
from inferometer.host.canary import Canary


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_both_jobs_take_time(threads):
    found = Canary(threads).measure()
    assert list(found) == ["canary_loop_s", "canary_compute_s"]
    assert all(0 < seconds < 1 for seconds in found.values())


def test_all_threads_do_the_job_each_time(monkeypatch):
    done = set()
    monkeypatch.setattr(canary, "blake2b", lambda block: done.add(threading.get_ident()))
    Canary(3).measure()
    assert len(done) == 3


def test_its_threads_do_not_keep_the_process_alive():
    before = set(threading.enumerate())
    Canary(3)
    new = set(threading.enumerate()) - before
    assert len(new) == 2
    assert all(thread.daemon for thread in new)
