"""A study on many devices: what comes, what is lost, and that nothing listens."""

from __future__ import annotations

import os
import socket
import threading
from collections import Counter

import psutil
import pytest

from inferometer.core.sweep import Block, Study, Sweep
from inferometer.fleet.engine.drive import Pace
from inferometer.fleet.engine.merge import without_threads
from inferometer.fleet.engine.run import Plan, run_fleet
from inferometer.fleet.engine.session import Outcome, Said, Told
from inferometer.fleet.types import Device
from inferometer.store import open_store

from .simulated_board import Faults, SimulatedBoard

STUDY = Study(
    name="s",
    sweep=Sweep(
        models=tuple(f"m{number}" for number in range(6)),
        blocks=(Block(sizes=(224,), batches=(1, 2, 4)),),
    ),
)
PACE = Pace(poll_s=0.01, retry_s=0.01, patience_s=0.4, probe_s=0.02)


def board(name, **faults):
    device = Device(name=name, host=name, kind="pi", price=40.0)
    return SimulatedBoard(device=device, length_s=lambda _: 0.02, faults=Faults(**faults))


def measured(boards, tmp_path, *, spread="", pace=PACE, listener=lambda _: None):
    plan = Plan(study=STUDY, boards=boards, spread=spread, pace=pace)
    with open_store(tmp_path / "r.db") as store:
        result = run_fleet(plan, store, listener=listener)
        runs = {one.id: one for one in store.runs()}
        records = {one: store.records(one, with_rounds=True) for one in runs}
    return result, runs, records


def is_whole(records):
    """Whether there is one record for each workload of the study."""
    asked = Counter(STUDY.workloads())
    return Counter(without_threads(one.workload) for one in records) == asked


def test_the_whole_study_on_each_device(tmp_path):
    events = []
    result, runs, records = measured([board("a"), board("b")], tmp_path, listener=events.append)
    assert result.failures == []
    assert sorted(one.device_name for one in runs.values()) == ["a", "b"]
    assert set(result.runs) == set(runs)
    assert all(is_whole(mine) for mine in records.values())
    assert {one.device for one in events if isinstance(one, Said)} == {"a", "b"}
    assert all(one.is_carried for one in runs.values())


def test_one_study_over_equal_devices(tmp_path):
    boards = [board("a"), board("b", slowness=2.0)]
    result, runs, records = measured(boards, tmp_path, spread="pi")
    (run,) = runs.values()
    assert result.runs == [run.id]
    assert is_whole(records[run.id])
    assert run.device_name == "pi"
    assert run.device["price"] == 40.0
    assert {one["device"] for one in run.device["parts"]} == {"a", "b"}
    assert run.finished_at is not None


def test_lost_devices_are_replaced_and_told(tmp_path):
    boards = [
        board("good"),
        board("dead", away=[(0.03, 1e9)]),
        board("liar", lie="script"),
        board("noise", lie="garbage"),
        board("held", held=(0, 1e9)),
        board("late", away=[(0, 0.2)]),
    ]
    events = []
    result, runs, records = measured(boards, tmp_path, spread="pi", listener=events.append)
    (run,) = runs.values()
    assert is_whole(records[run.id])
    assert result.failures == []
    told = " ".join(one.message for one in events if isinstance(one, Told))
    for name in ("dead", "liar", "noise", "held"):
        assert name in told
    assert "<script>" not in told
    assert {one["device"] for one in run.device["parts"]} <= {"good", "late", "dead"}


def test_a_device_that_fails_does_not_take_the_others_along(tmp_path):
    boards = [board("a"), board("gone", away=[(0, 1e9)]), board("liar", lie="other run")]
    events = []
    result, runs, records = measured(boards, tmp_path, listener=events.append)
    (run,) = runs.values()
    assert run.device_name == "a"
    assert is_whole(records[run.id])
    assert sorted(one.partition(":")[0] for one in result.failures) == ["gone", "liar"]
    endings = Counter(one.ending for one in events if isinstance(one, Outcome))
    assert endings == {"done": 1, "failed": 2}


def test_where_no_device_is_left_it_ends(tmp_path):
    boards = [board("a", away=[(0, 1e9)]), board("b", lie="garbage")]
    result, runs, _ = measured(boards, tmp_path, spread="pi")
    assert runs == {}
    assert result.failures


def test_ctrl_c_leaves_jobs_going_on_and_says_which(tmp_path):
    boards = [board("a", slowness=100.0), board("quick")]

    def interrupt(event):
        if isinstance(event, Outcome):
            raise KeyboardInterrupt

    result, runs, _ = measured(boards, tmp_path, listener=interrupt)
    assert result.interrupted
    assert list(result.going_on.values()) == ["a"]
    assert [one.device_name for one in runs.values()] == ["quick"]
    (job,) = result.going_on
    assert boards[0].status(job).state == "running"


def test_nothing_listens_and_no_thread_stays(tmp_path):
    listening, before = [], {one.name for one in threading.enumerate()}

    def look(_):
        mine = psutil.Process(os.getpid()).net_connections("inet")
        udp = [one for one in mine if one.type == socket.SOCK_DGRAM]
        listening.extend([one for one in mine if one.status == psutil.CONN_LISTEN] + udp)

    measured([board("a"), board("b")], tmp_path, spread="pi", listener=look)
    assert listening == []
    left = {one.name for one in threading.enumerate() if not one.daemon} - before
    assert left == set()


@pytest.mark.parametrize("spread", ["", "pi"])
def test_killed_jobs_go_on(tmp_path, spread):
    boards = [board("a", dies_at=0.05), board("b")]
    result, runs, records = measured(boards, tmp_path, spread=spread)
    assert result.failures == []
    assert all(is_whole(mine) for mine in records.values())
    assert len(runs) == (1 if spread else 2)
