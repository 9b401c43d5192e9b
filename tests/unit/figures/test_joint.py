"""Records of a run, read together: from rounds to fields, use, and comparisons."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from inferometer.analysis.compare import JOINT, compare
from inferometer.analysis.matching import match_runs, match_within
from inferometer.core.procedure import Procedure
from inferometer.core.record import Record, Round
from inferometer.core.run import Run
from inferometer.core.sweep import Block, Study, Sweep
from inferometer.figures.joint import (
    completed,
    has_joint,
    joined,
    joined_across,
    lacks_joint,
    machine_state,
    relative_half_widths,
)
from inferometer.figures.summary import summarise

from ..stats.simulated_run import Machine, simulate  # noqa: TID252 - helpers of tests

MODELS = tuple("abcdef")
SWEEP = Sweep(models=MODELS, blocks=(Block(sizes=(224,), batches=(1,)),))
PROCEDURE = Procedure(target=0.1)


def run_of(procedure=PROCEDURE, run_id="11111111", device="box"):
    study = Study(name="test", sweep=SWEEP, procedure=procedure)
    document = study.to_json()
    return Run(
        id=run_id,
        study="test",
        signature="",
        document=document,
        device={"name": device},
        software={},
    )


def records_of(run, seed=1, replicates=4, begin=0.0, **more):
    """Records as a campaign writes them, from simulated rounds of five calls."""
    simulated = simulate(seed, len(MODELS), replicates, **more)
    study = Study.from_json(run.document)
    found = []
    for index, workload in enumerate(study.workloads()):
        rounds = tuple(
            Round(
                index=at,
                process=int(simulated.process[at]),
                phase="measure",
                started_at=begin + float(simulated.when_s[at]),
                calls_per_value=1,
                settle=0,
                starts_s=tuple(i * float(simulated.latency_s[at]) for i in range(5)),
                values_s=(float(simulated.latency_s[at]),) * 5,
            )
            for at in range(len(simulated.when_s))
            if simulated.workload[at] == index
        )
        latency, verdict = summarise(workload, rounds, study.procedure), {}
        figures = latency if isinstance(latency, dict) else latency.figures()
        found.append(
            Record(
                workload=workload,
                status="ok",
                figures={**figures, **verdict},
                rounds=rounds,
                run=run.row_part(),
            )
        )
    return found, simulated.truth


def test_records_get_the_fields_of_the_fit():
    run = run_of()
    before, truth = records_of(run)
    after = joined(run, before)
    for record, log in zip(after, truth, strict=True):
        row = record.row()
        median = row["latency_median_s"]
        assert row["latency_ci_low_s"] <= row["latency_relative_ci_low_s"] < median
        assert median < row["latency_relative_ci_high_s"] <= row["latency_ci_high_s"]
        assert abs(math.log(median) - log) < 0.3
        assert row["latency_undisturbed_s"] < median
        assert row["usable_for"] in ("absolute", "ranking")
        assert row["latency_ci_method"].startswith("joint fit of ")
    assert all(map(has_joint, after))
    assert completed(run, after) == after
    assert len({record.number("latency_state_half_width") for record in after}) == 1


def test_the_share_of_the_roofline_bound_goes_with_the_median_of_the_fit():
    run = run_of()
    bound = {"roof_latency_s": 1e-6, "roof_share": 0.9}
    records = [replace(one, figures={**one.figures, **bound}) for one in records_of(run)[0]]
    for one in completed(run, records):
        assert one.number("roof_share") == pytest.approx(1e-6 / one.number("latency_median_s"))


def test_reading_twice_gives_the_same():
    run = run_of()
    once = joined(run, records_of(run)[0])
    twice = joined(run, once)
    for one, other in zip(once, twice, strict=True):
        assert one.row() == other.row()


def test_comparisons_go_by_contrasts():
    """Absolute intervals that overlap widely, and ratios that are known well."""
    run = run_of()
    before, truth = records_of(run, machine=Machine(walk=0.6, fast=0.3))
    after = joined(run, before)
    found = compare(match_within(after, "model"))
    assert {one.method for one in found} == {JOINT}
    for one, log in zip(found, truth[1:], strict=True):
        interval = one.difference.interval(0.95)
        assert interval.low < math.exp(log - truth[0]) < interval.high
    apart = [one for one, log in zip(found, truth[1:], strict=True) if abs(log - truth[0]) > 0.4]
    assert {one.verdict for one in apart} <= {"faster", "slower"}
    widths = [one.difference.half_width(0.95) for one in found]
    alone = compare(match_within(before, "model"))
    assert max(widths) < 0.5 * min(one.difference.half_width(0.95) for one in alone)


def test_two_runs_of_an_hour_are_read_together():
    one, other = run_of(), run_of(run_id="22222222")
    before, _ = records_of(one)
    after, _ = records_of(other, seed=2, begin=600.0)
    sides = joined_across((one, before), (other, after))
    found = compare(match_runs(*sides))
    assert {one.method for one in found} == {JOINT}
    late = [replace(r, rounds=tuple(_later(d) for d in r.rounds)) for r in after]
    apart = joined_across((one, before), (other, late))
    assert {one.method for one in compare(match_runs(*apart))} != {JOINT}
    elsewhere = run_of(run_id="22222222", device="other")
    apart = joined_across((one, before), (elsewhere, after))
    assert {one.method for one in compare(match_runs(*apart))} != {JOINT}


def _later(done):
    return replace(done, started_at=done.started_at + 7200)


def test_a_workload_that_moved_alone_is_named():
    run = run_of()
    before, _ = records_of(
        run, replicates=6, alone=lambda w, share: 0.5 * ((w == 2) & (share > 0.5))
    )
    after = joined(run, before)
    named = [
        r.workload.variant.model for r in after if any(c.code == "moved_alone" for c in r.causes)
    ]
    assert named == ["c"]
    assert after[2].row()["verdict"] == "drifting"
    assert after[2].row()["usable_for"] == "none"
    (cause,) = [one for one in after[2].causes if one.code == "moved_alone"]
    assert "it alone was " in str(cause)


@pytest.mark.parametrize(
    "procedure", [Procedure(pair=True), Procedure(sustain_s=60.0)], ids=["paired", "sustained"]
)
def test_special_runs_stay_as_they_are(procedure):
    before, _ = records_of(run_of())
    run = run_of(procedure)
    assert joined(run, before) == before
    assert not lacks_joint(Study.from_json(run.document), before)


def test_what_has_no_replicates_stays_as_it_is():
    run = run_of()
    before, _ = records_of(run, replicates=1)
    assert joined(run, before) == before
    assert not lacks_joint(Study.from_json(run.document), before)
    assert machine_state(run, before) is None
    replicated, _ = records_of(run, replicates=2)
    assert lacks_joint(Study.from_json(run.document), replicated)
    assert joined(run, replicated[:1]) == replicated[:1]


def test_imported_runs_stay_as_they_are():
    run = replace(run_of(), origin="imported")
    before, _ = records_of(run_of())
    assert joined(run, before) == before


def test_the_state_of_the_machine_is_told():
    run = run_of()
    state = machine_state(run, records_of(run, machine=Machine(step=0.5, walk=0.0))[0])
    half = len(state.factor) // 2
    assert sorted(state.when_s) == list(state.when_s)
    assert max(state.factor[: half - 5]) < min(state.factor[half + 5 :]) * 1.4
    assert sum(state.factor[half:]) > 1.3 * sum(state.factor[:half])


def test_half_widths_while_a_run_goes_on():
    run = run_of()
    records, _ = records_of(run)
    rounds = {record.workload: record.rounds for record in records}
    found = relative_half_widths(rounds)
    assert set(found) == set(rounds)
    for record in joined(run, records):
        row = record.row()
        half = math.log(row["latency_relative_ci_high_s"] / row["latency_median_s"])
        assert found[record.workload] == pytest.approx(half, rel=0.25)  # steady states left out
    assert relative_half_widths({}) == {}
