"""Continuous inference: windows of one workload after the other, and what they show."""

from __future__ import annotations

from dataclasses import replace

import pytest

from inferometer.core.procedure import Procedure
from inferometer.core.record import Round
from inferometer.core.sweep import Block, Study, Sweep
from inferometer.runner.journal import Journal
from inferometer.runner.phases.latency.apparatus import Apparatus
from inferometer.runner.phases.latency.sustained import SustainedCampaign, sustained_figures
from inferometer.runner.run import missing_workloads
from inferometer.store import open_store

from .fakepool import FakeClock, FakePool, Killed, failed


def windows(latencies, window_s=1.0):
    return [
        Round(
            index=i, process=0, phase="measure", started_at=100.0 + i * window_s, calls_per_value=1,
            settle=0, starts_s=tuple(k * s for k in range(int(window_s / s))),
            values_s=(s,) * int(window_s / s),
        )
        for i, s in enumerate(latencies)
    ]  # fmt: skip


def test_the_first_minute_is_set_against_the_last():
    found = sustained_figures(windows([0.1] * 60 + [0.15] * 120 + [0.2] * 60))
    assert found["sustained_first_s"] == pytest.approx(0.1)
    assert found["sustained_last_s"] == pytest.approx(0.2)
    assert found["sustained_span_s"] == pytest.approx(240.0)


def test_of_a_short_run_the_halves_are_compared():
    found = sustained_figures(windows([0.1] * 5 + [0.2] * 5))
    assert (found["sustained_first_s"], found["sustained_last_s"]) == (0.1, 0.2)


def test_a_single_window_is_both_ends():
    found = sustained_figures(windows([0.25]))
    assert found["sustained_first_s"] == found["sustained_last_s"] == 0.25


@pytest.fixture
def sustained(tmp_path, monkeypatch):
    """Sustains what is missing of a run; gives its records by model."""
    sweep = Sweep(
        models=("a", "b"), backends=("python",), threads=1,
        blocks=(Block(sizes=(None,), batches=(1,)),),
    )  # fmt: skip
    procedure = Procedure(sustain_s=5.0, min_calls=10, min_rounds=5, span_s=0.0, max_time_s=30.0)
    study = Study(name="fake", sweep=sweep, procedure=procedure)
    with open_store(tmp_path / "s.db") as store:
        run = store.create_run(study, planned=2, device={"name": "fake"}, software={})

        def measure(pool, **changes):
            pool.stand_in(monkeypatch)
            journal = Journal(store=store, run=run, done=0, listener=lambda _: None)
            made = Apparatus(replace(procedure, **changes), journal, constants={})
            campaign = SustainedCampaign(made)
            done = store.records(run.id)
            campaign.execute(missing_workloads(study, done, retry_failed=False))
            found = store.records(run.id, with_rounds=True)
            return {one.workload.variant.model: one for one in found}

        yield measure


def test_each_workload_works_for_the_whole_time_alone(sustained):
    pool = FakePool(FakeClock())
    records = sustained(pool)
    assert [model for step, model, _ in pool.log if step == "load"] == ["a", "b"]
    order = [model for step, model, _ in pool.log if step == "round"]
    assert order == sorted(order)
    for record in records.values():
        assert record.status == "ok"
        assert 5.0 <= record.figures["sustained_span_s"] < 6.1
        assert record.figures["sustained_last_s"] == pytest.approx(0.01, rel=0.01)


def test_what_was_interrupted_begins_anew(sustained):
    pool = FakePool(FakeClock(), kill_after=3)
    with pytest.raises(Killed):
        sustained(pool)
    records = sustained(FakePool(pool.clock))
    windows = [done for done in records["a"].rounds if done.phase == "measure"]
    assert {done.process for done in windows} <= {0, 1}
    assert records["a"].figures["sustained_span_s"] >= 5.0


def test_a_failure_ends_one_workload_and_the_next_begins(sustained):
    pool = FakePool(FakeClock(), fails={("round", "a", 1): failed("crash")})
    records = sustained(pool)
    assert records["a"].failure.kind == "crash"
    assert records["b"].status == "ok"


def test_a_workload_whose_warm_up_takes_all_the_time_is_cut(sustained):
    pool = FakePool(FakeClock(), call_s={"a": 1.0})
    records = sustained(pool, budget_s=5.5)
    assert records["a"].failure.kind == records["b"].failure.kind == "budget"
    assert "0 calls were timed" in records["a"].failure.message
