"""A coordinator that is killed, and one that goes on with what boards have."""

from __future__ import annotations

import shutil
import time
from collections import Counter
from dataclasses import replace

import pytest

from inferometer.core.procedure import Procedure
from inferometer.core.sweep import Block, Study, Sweep
from inferometer.fleet.engine.blocks import common_of
from inferometer.fleet.engine.drive import Pace
from inferometer.fleet.engine.merge import without_threads
from inferometer.fleet.engine.resuming import find
from inferometer.fleet.engine.run import Plan, run_fleet
from inferometer.fleet.engine.session import Outcome, Told
from inferometer.fleet.jobs import job_of
from inferometer.fleet.types import Device
from inferometer.host.lease import Holder, this_person
from inferometer.store import open_store

from .simulated_board import Faults, SimulatedBoard

STUDY = Study(
    name="s",
    sweep=Sweep(
        models=tuple(f"m{number}" for number in range(4)),
        blocks=(Block(sizes=(224,), batches=(1, 2, 4)),),
    ),
)
PACE = Pace(poll_s=0.005, retry_s=0.005, patience_s=0.3, probe_s=0.01)
ROUNDS = 6
"""Of a workload on a simulated board."""


@pytest.fixture(autouse=True)
def many_blocks(monkeypatch):
    """Several for each device, though the study is small."""
    monkeypatch.setattr("inferometer.fleet.engine.blocks.COMMON_SHARE", 1.0)


def board(name, length_s=0.01, **faults):
    device = Device(name=name, host=name, kind="pi")
    return SimulatedBoard(device=device, length_s=lambda _: length_s, faults=Faults(**faults))


def planned(boards, spread):
    return Plan(study=STUDY, boards=boards, spread=spread, pace=PACE)


def killed(boards, tmp_path, *, spread, events, kind=object):
    """Begin a run, and leave of it what is on the disk when so many events have come."""
    seen = []
    (tmp_path / "before").mkdir()

    def listen(event):
        seen.extend([event] if isinstance(event, kind) else [])
        if len(seen) == events and not (tmp_path / "after").exists():
            shutil.copytree(tmp_path / "before", tmp_path / "after")
            raise KeyboardInterrupt

    with open_store(tmp_path / "before" / "r.db") as store:
        run_fleet(planned(boards, spread), store, listener=listen)
    if len(seen) < events:
        shutil.copytree(tmp_path / "before", tmp_path / "after")


def resumed(boards, tmp_path, *, spread, study=STUDY):
    """Go on with it; the result, runs, their records, and what was told."""
    told = []
    with open_store(tmp_path / "after" / "r.db") as store:
        found = find(study, boards, spread, store, this_person())
        plan = replace(planned(boards, spread), study=study, earlier=found)
        result = run_fleet(plan, store, listener=told.append)
        runs = store.runs()
        records = {one.id: store.records(one.id, with_rounds=True) for one in runs}
    return result, runs, records, [one.message for one in told if isinstance(one, Told)]


def jobs_of(boards):
    return {one.status.job for board in boards for one in board.jobs()}


def is_once(records, parts=1):
    """Whether each workload was measured once, and the common one once in each part."""
    asked, common = Counter(STUDY.workloads()), common_of(STUDY.workloads())
    rounds = {without_threads(one.workload): len(one.rounds) for one in records}
    wanted = dict.fromkeys(asked, ROUNDS) | {common: parts * ROUNDS}
    return Counter(without_threads(one.workload) for one in records) == asked and rounds == wanted


@pytest.mark.parametrize("events", [1, 12])
def test_each_device_goes_on_with_its_own_job(tmp_path, events):
    boards = [board("a"), board("b", slowness=2.0), board("c", dies_at=0.05)]
    killed(boards, tmp_path, spread="", events=events)
    result, runs, records, _ = resumed(boards, tmp_path, spread="")
    assert result.failures == []
    assert sorted(one.device_name for one in runs) == ["a", "b", "c"]
    assert {one.id for one in runs} == jobs_of(boards) == set(result.runs)
    assert all(is_once(mine) for mine in records.values())


@pytest.mark.parametrize("outcomes", [0, 2])
def test_a_study_that_was_spread_is_one_run_with_each_workload_once(tmp_path, outcomes):
    boards = [board("a"), board("b", slowness=2.0), board("c", dies_at=0.04)]
    which = {"kind": Outcome, "events": outcomes} if outcomes else {"events": 2}
    killed(boards, tmp_path, spread="pi", **which)
    result, runs, records, _ = resumed(boards, tmp_path, spread="pi")
    (run,) = runs
    assert result.failures == []
    assert result.runs == [run.id]
    assert run.finished_at is not None
    assert is_once(records[run.id], parts=len(run.device["parts"]))


@pytest.mark.parametrize("spread", ["", "pi"])
def test_what_ended_meanwhile_is_collected_and_not_measured_again(tmp_path, spread):
    boards = [board("a", length_s=0.001), board("b", length_s=0.001)]
    killed(boards, tmp_path, spread=spread, events=1)
    before = jobs_of(boards)
    time.sleep(0.1)  # boards go on by a real clock
    result, runs, _, _ = resumed(boards, tmp_path, spread=spread)
    assert result.failures == []
    if not spread:
        assert jobs_of(boards) == before
    ended = {str(part["job"]) for run in runs for part in run.device.get("parts", ())}
    assert before <= ended | {run.id for run in runs}


@pytest.mark.parametrize("spread", ["", "pi"])
def test_of_a_whole_run_nothing_is_measured(tmp_path, spread):
    boards = [board("a"), board("b")]
    killed(boards, tmp_path, spread=spread, events=10**6)
    before = jobs_of(boards)
    result, runs, records, _ = resumed(boards, tmp_path, spread=spread)
    assert sorted(result.runs) == sorted(one.id for one in runs)
    assert len(runs) == (1 if spread else 2)
    assert jobs_of(boards) == before
    for run in runs:
        assert is_once(records[run.id], parts=len(run.device.get("parts", (1,))))


def test_of_boards_that_have_forgotten_it_only_what_is_missing_is_measured(tmp_path):
    killed([board("a"), board("b")], tmp_path, spread="pi", events=1, kind=Outcome)
    with open_store(tmp_path / "after" / "r.db") as store:
        (before,) = store.runs()
        done = {one.workload for one in store.records(before.id)}
    assert 0 < len(done) < 12
    anew = [board("a"), board("b")]
    _, (run,), records, _ = resumed(anew, tmp_path, spread="pi")
    assert run.id == before.id
    assert is_once(records[run.id], parts=len(run.device["parts"]))
    asked = {
        one for board in anew for job in jobs_of([board]) for one in board.asked(job).workloads
    }
    assert {without_threads(one) for one in done} & asked == {common_of(STUDY.workloads())}


@pytest.mark.parametrize("spread", ["", "pi"])
def test_other_flags_and_others_jobs_are_another_run(tmp_path, spread):
    boards = [board("a")]
    killed(boards, tmp_path, spread=spread, events=2)
    other = replace(STUDY, procedure=Procedure(processes=9))
    with open_store(tmp_path / "after" / "r.db") as store:
        assert find(other, boards, spread, store, this_person()).is_nothing
        ana = Holder(user="ana", host="laptop")
        assert find(STUDY, boards, spread, store, ana).is_nothing
        assert not find(STUDY, boards, spread, store, this_person()).is_nothing
    longer = replace(STUDY, procedure=Procedure(budget_s=1e4))
    _, runs, records, _ = resumed(boards, tmp_path, spread=spread, study=longer)
    assert len(runs) == 1
    assert is_once(records[runs[0].id])


def test_a_device_that_does_not_answer_is_left_out_as_its_job_may_go_on(tmp_path):
    boards = [board("a"), board("b")]
    killed(boards, tmp_path, spread="", events=2)
    before, reached = jobs_of(boards), boards[1].faults
    boards[1].faults = Faults(away=[(0, 1e9)])
    result, runs, _, told = resumed(boards, tmp_path, spread="")
    assert [one.device_name for one in runs] == ["a"]
    assert result.failures == ["b: it cannot be reached; resume again when it is there"]
    assert any("what b has of this study is not known" in one for one in told)
    boards[1].faults = reached
    _, runs, records, _ = resumed(boards, tmp_path, spread="")
    assert {one.id for one in runs} == before == jobs_of(boards)
    assert all(is_once(mine) for mine in records.values())


def test_in_a_spread_run_others_take_over_from_one_that_does_not_answer(tmp_path):
    boards = [board("a"), board("b", slowness=50.0)]
    killed(boards, tmp_path, spread="pi", events=4)
    boards[1].faults = Faults(away=[(0, 1e9)])
    result, (run,), records, told = resumed(boards, tmp_path, spread="pi")
    assert result.failures == []
    assert is_once(records[run.id], parts=len(run.device["parts"]))
    assert {one["device"] for one in run.device["parts"]} == {"a"}
    assert any("what b has of this study is not known" in one for one in told)


def test_a_group_with_the_id_of_another_run_is_not_added_to_it(tmp_path):
    lying = board("a")
    with open_store(tmp_path / "r.db") as store:
        mine = store.create_run(STUDY, planned=1, device={"name": "here"}, software={})
        lying.start(job_of(STUDY, lying.device, group=mine.id))
        assert find(STUDY, [lying], "pi", store, this_person()).is_nothing


@pytest.mark.parametrize("ended", [True, False])
def test_of_two_jobs_with_the_same_workloads_one_goes_on(tmp_path, ended):
    """One was given up, and came back after another board had taken it."""
    boards = [board("a", length_s=1e-9 if ended else 60.0), board("b", length_s=60.0)]
    workloads = STUDY.workloads()[:5]
    for one in boards:
        one.start(job_of(STUDY, one.device, group="00c0ffee", workloads=workloads))
    with open_store(tmp_path / "r.db") as store:
        found = find(STUDY, boards, "pi", store, this_person())
    assert found.group == "00c0ffee"
    assert (len(found.ended), len(found.begun)) == ((1, 0) if ended else (0, 1))
    assert set(found.missing) == set(STUDY.workloads()[5:])
    states = [one.status(job).state for one in boards for job in jobs_of([one])]
    assert sorted(states) == (["done", "failed"] if ended else ["failed", "running"])


def test_how_a_block_ended_is_told_as_in_any_run(tmp_path):
    boards = [board("a"), board("b")]
    killed(boards, tmp_path, spread="pi", events=2)
    endings = []
    with open_store(tmp_path / "after" / "r.db") as store:
        found = find(STUDY, boards, "pi", store, this_person())
        plan = replace(planned(boards, "pi"), earlier=found)
        run_fleet(plan, store, listener=endings.append)
    ends = [one for one in endings if isinstance(one, Outcome)]
    assert {one.ending for one in ends} == {"done"}
    assert {one.device for one in ends} == {"a", "b"}
