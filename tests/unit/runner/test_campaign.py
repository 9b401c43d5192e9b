"""Replicates, groups, deadlines, failures and resume of a campaign, without a process or a wait."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inferometer.core.procedure import Procedure
from inferometer.core.sweep import Block, Study, Sweep
from inferometer.runner.journal import Journal
from inferometer.runner.phases.latency import campaign
from inferometer.runner.phases.latency.apparatus import Apparatus
from inferometer.runner.phases.latency.campaign import Campaign
from inferometer.runner.phases.latency.ending import Ending
from inferometer.runner.phases.latency.replicating import ReplicatePlanner
from inferometer.runner.run import missing_workloads
from inferometer.store import open_store

from .fakepool import LOAD_S, FakeClock, FakePool, Killed, failed

PROCEDURE = Procedure(
    processes=3, min_rounds=9, min_calls=12, span_s=0.0, round_s=0.1, max_time_s=30.0, target=0.05
)


class Site:
    """A store, and campaigns of one study in it."""

    def __init__(self, store, clock, study):
        self.store, self.clock, self.study = store, clock, study
        self.run = store.create_run(
            study, planned=len(study.workloads()), device={"name": "fake"}, software={}
        )

    def campaign(self, monkeypatch, pool, **changes):
        """Measure what is missing, as a run and a resumed run do."""
        pool.stand_in(monkeypatch)
        journal = Journal(store=self.store, run=self.run, done=0, listener=lambda _: None)
        procedure = replace(self.study.procedure, **changes)
        records = self.store.records(self.run.id)
        missing = missing_workloads(self.study, records, retry_failed=False)
        Campaign(Apparatus(procedure, journal, constants={})).execute(missing)

    def records(self):
        found = self.store.records(self.run.id, with_rounds=True)
        return {(one.workload.variant.model, one.workload.batch_size): one for one in found}


@pytest.fixture
def site(tmp_path):
    """Makes a site of models and batch sizes."""
    stores = []

    def make(models=("a", "b"), batches=(1, 2), procedure=PROCEDURE):
        sweep = Sweep(
            models=tuple(models), backends=("python",), threads=1,
            blocks=(Block(sizes=(None,), batches=tuple(batches)),),
        )  # fmt: skip
        study = Study(name="fake", sweep=sweep, procedure=procedure)
        store = open_store(tmp_path / f"{len(stores)}.db")
        stores.append(store)
        return Site(store, FakeClock(), study)

    yield make
    for store in stores:
        store.close()


def steps(pool, step):
    return [(model, batch) for name, model, batch in pool.log if name == step]


def test_every_workload_is_measured_in_as_many_processes_as_asked_for(site, monkeypatch):
    here = site()
    pool = FakePool(here.clock)
    here.campaign(monkeypatch, pool)
    records = here.records()
    assert len(records) == 4
    for record in records.values():
        assert record.status == "ok"
        assert record.figures["latency_processes"] == 3
        assert record.figures["latency_calls"] >= 12
    assert sorted(steps(pool, "load")) == [("a", 1)] * 3 + [("b", 1)] * 3


def test_another_planner_changes_who_gets_a_process_and_nothing_else(site, monkeypatch):
    class Twice(ReplicatePlanner):
        """Two processes for a, one for all others."""

        def decide(self, present):
            found = super().decide(present)
            further = [
                one.task.workload
                for one in present
                if one.task.workload.variant.model == "a" and one.replicates < 2
            ]
            ending = [one for one in present if one.task.workload not in further]
            return replace(found, further=further, ending=ending, topped_up=[])

    monkeypatch.setattr(campaign, "ReplicatePlanner", Twice)
    here = site()
    pool = FakePool(here.clock)
    here.campaign(monkeypatch, pool)
    figures = {key: one.figures for key, one in here.records().items()}
    assert {key: one["latency_processes"] for key, one in figures.items()} == {
        ("a", 1): 2, ("a", 2): 2, ("b", 1): 1, ("b", 2): 1,
    }  # fmt: skip
    assert sorted(steps(pool, "load")) == [("a", 1)] * 2 + [("b", 1)]


def test_rounds_of_all_workloads_are_interleaved(site, monkeypatch):
    here = site(models=("a", "b", "c"))
    pool = FakePool(here.clock)
    here.campaign(monkeypatch, pool)
    order = steps(pool, "round")
    first = order[:6]
    assert len(set(first)) == 6  # a pass holds each once
    assert order[6:12] != first  # in another order


def test_what_memory_does_not_hold_side_by_side_is_measured_in_groups(site, monkeypatch):
    here = site(models=("a", "b", "c"), batches=(1,))
    pool = FakePool(here.clock, room=2)
    here.campaign(monkeypatch, pool)
    notes = {name: record.figures["notes"] for (name, _), record in here.records().items()}
    assert any("a group of 2 of 3 models" in str(note) for note in notes["a"])
    assert any("a group of 1 of 3 models" in str(note) for note in notes["c"])
    seen = steps(pool, "round")
    assert ("c", 1) not in seen[: seen.index(("c", 1))]


def test_a_failure_is_a_record_and_the_others_go_on(site, monkeypatch):
    here = site()
    pool = FakePool(here.clock, fails={("round", "a", 2): failed("crash")})
    here.campaign(monkeypatch, pool)
    records = here.records()
    assert records["a", 2].failure.kind == "crash"
    assert {records[key].status for key in (("a", 1), ("b", 1), ("b", 2))} == {"ok"}


def test_a_model_that_cannot_be_loaded_fails_at_every_shape(site, monkeypatch):
    here = site()
    pool = FakePool(here.clock, fails={("load", "a", 1): failed("bad_model", "load")})
    here.campaign(monkeypatch, pool)
    assert {key for key, one in here.records().items() if one.status == "failed"} == {
        ("a", 1), ("a", 2),
    }  # fmt: skip


def test_out_of_memory_beside_others_gets_another_try_alone(site, monkeypatch):
    here = site(batches=(1,))
    pool = FakePool(here.clock, fails={("warmup", "a", 1): failed("out_of_memory", "warmup")})
    here.campaign(monkeypatch, pool)
    assert len(steps(pool, "warmup")) == 2 + 3  # a: beside b, then alone; b: three processes
    assert here.records()["a", 1].failure.kind == "out_of_memory"


def test_a_budget_ends_the_run_in_time_and_names_what_it_cut(site, monkeypatch):
    here = site(models=("a", "b"), batches=(1, 400))
    pool = FakePool(here.clock)
    begin = here.clock.now
    here.campaign(monkeypatch, pool, budget_s=60.0)
    assert here.clock.now - begin <= 65.0
    records = here.records()
    assert records["a", 1].status == records["b", 1].status == "ok"
    dear = [records[name, 400] for name in ("a", "b")]
    assert all(one.failure.kind == "budget" for one in dear if one.status != "ok")
    for one in dear:
        if one.status == "ok":  # of few calls, which it says
            assert 2 <= one.number("latency_calls") < 10
            assert any(
                note["code"] == "few_calls" if isinstance(note, dict) else note.code == "few_calls"
                for note in one.figures["notes"]
            )


def interrupted(here, monkeypatch, pool, rounds):
    """Kill a campaign after so many rounds; whether it came to its end before."""
    pool.kill_after = rounds
    pool.end_all()
    try:
        here.campaign(monkeypatch, pool)
    except Killed:
        return False
    return True


def test_a_run_that_is_killed_again_and_again_comes_to_its_end(site, monkeypatch):
    here = site(batches=(1, 4))
    here.campaign(monkeypatch, FakePool(here.clock))
    whole = sum(len(one.rounds) for one in here.records().values())
    again = site(batches=(1, 4))
    pool = FakePool(again.clock)
    kills = 0
    while not interrupted(again, monkeypatch, pool, 7):
        kills += 1
        assert kills < 40, "the rounds that are stored do not count"
    assert kills > 3
    records = again.records()
    assert {one.status for one in records.values()} == {"ok"}
    measured = [r for one in records.values() for r in one.rounds if r.phase == "measure"]
    assert len(measured) < 2 * whole
    assert all(one.figures["latency_calls"] >= 12 for one in records.values())


def test_a_single_process_goes_on_until_its_target(site, monkeypatch):
    wild = replace(PROCEDURE, processes=1, target=0.001)
    whole = site(models=("a",), batches=(1,), procedure=wild)
    whole.campaign(monkeypatch, FakePool(whole.clock, noise=0.2))
    here = site(models=("a",), batches=(1,), procedure=wild)
    pool = FakePool(here.clock, noise=0.2)
    assert not interrupted(here, monkeypatch, pool, 12)  # the least is nine
    assert interrupted(here, monkeypatch, pool, float("inf"))
    assert len(here.records()["a", 1].rounds) > 0.8 * len(whole.records()["a", 1].rounds) > 20


@pytest.mark.parametrize("warm", [2, 5])
def test_a_run_that_is_killed_before_all_is_warm_comes_to_its_end(site, monkeypatch, warm):
    here = site(models=("a", "b"), batches=(1, 2, 3, 4))
    pool = FakePool(here.clock)
    kills = 0
    while True:
        pool.kill_warm = warm
        if interrupted(here, monkeypatch, pool, float("inf")):
            break
        kills += 1
        assert kills < 40, "it warms up for ever"
    assert kills > 2
    records = here.records()
    assert len(records) == 8
    assert {one.status for one in records.values()} == {"ok"}
    notes = [str(note) for one in records.values() for note in one.figures["notes"]]
    assert any("the run had been interrupted before all were warm" in note for note in notes)


def test_what_is_stored_whole_is_recorded_before_anything_else_is_loaded(site, monkeypatch):
    here = site(models=("a", "b"), batches=(1,))
    pool = FakePool(here.clock, fails={("load", "b", 1): failed("bad_model", "load")})
    with monkeypatch.context() as killing:
        killing.setattr(Ending, "finish", lambda *_: (_ for _ in ()).throw(Killed))
        with pytest.raises(Killed):
            here.campaign(monkeypatch, pool)
    assert not any(one.status == "ok" for one in here.records().values())
    pool = FakePool(here.clock, kill_after=0)
    here.campaign(monkeypatch, pool)
    assert here.records()["a", 1].status == "ok"
    assert steps(pool, "round") == []
    assert steps(pool, "load") == [("a", 1)]


@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(kills=st.lists(st.integers(1, 25), max_size=12))
def test_kills_at_any_moment_lose_and_double_nothing(site, kills):
    with pytest.MonkeyPatch.context() as monkeypatch:
        here = site(models=("a", "b"), batches=(1, 2))
        pool = FakePool(here.clock)
        before = {}
        for rounds in [*kills, float("inf")]:
            interrupted(here, monkeypatch, pool, rounds)
            now = {key: one.figures for key, one in here.records().items()}
            assert {key: now[key] for key in before} == before
            before = now
        records = here.records()
    assert len(records) == 4
    indices = [done.index for one in records.values() for done in one.rounds]
    assert len(indices) == len(set(indices))


@pytest.mark.parametrize("rounds", [2, 5])
def test_both_sides_of_a_pair_keep_the_same_process_number(site, monkeypatch, rounds):
    here = site(batches=(1,), procedure=replace(PROCEDURE, pair=True, processes=2))
    pool = FakePool(here.clock)
    kills = 0
    while not interrupted(here, monkeypatch, pool, rounds):
        kills += 1
        assert kills < 200
        pool.processes.clear()
    sides = [
        {(done.process, done.pair) for done in one.rounds if done.phase == "measure"}
        for one in here.records().values()
    ]
    whole = sides[0] & sides[1]
    assert len(whole) >= 0.4 * len(sides[0] | sides[1])


def test_loading_takes_time_that_the_budget_counts(site, monkeypatch):
    here = site(models=("a",), batches=(1,))
    pool = FakePool(here.clock)
    here.campaign(monkeypatch, pool)
    assert here.clock.now - 1000.0 >= 3 * LOAD_S
