from __future__ import annotations

from dataclasses import replace

import pytest

from inferometer.analysis import findings as analysed
from inferometer.analysis.findings import Anomaly, Findings
from inferometer.core.record import Round
from inferometer.report.document.headline import MOST_CHIPS, headline
from inferometer.report.document.sources import RunRecords

RELATIVE = {"latency_relative_ci_low_s": 0.099, "latency_relative_ci_high_s": 0.101}


@pytest.fixture
def first(run, material):
    def made(*records, findings=None, planned=0):
        one = RunRecords(run=replace(run, planned=planned or len(records)), records=records)
        return headline(material([one], findings=findings))

    return made


def fact(found, name):
    return next(one for one in found.facts if one.name == name)


def test_the_fastest_is_named_with_how_far_it_is_ahead(first, record):
    found = first(record("a", latency_s=0.1, half_s=0.01), record("b", latency_s=0.2, half_s=0.01))
    assert found.answer == "a is fastest: 100 ± 10 ms a call, 2.00 times as fast as b."
    assert found.scope.startswith("At input size 224 and batch size 1. Measured: 2 variants, input")


def test_a_joint_fit_gives_the_lead_an_interval(first, record):
    fits = [
        {"latency_relative_ci_low_s": one, "latency_relative_ci_high_s": other}
        for one, other in ((0.09, 0.11), (0.19, 0.21))
    ]
    found = first(record("a", latency_s=0.1, **fits[0]), record("b", latency_s=0.2, **fits[1]))
    assert (
        found.answer
        == "a is fastest: 100 ± 10 ms a call, 2.00 times as fast as b (95 % interval 1.79 "
        "to 2.24)."
    )


@pytest.mark.parametrize(
    ("one", "other", "why"),
    [
        ({"half_s": 0.01}, {"half_s": 0.01}, ""),
        ({"half_s": 0.01}, {}, ", as 1 of them has no interval"),
        ({"latency_calls": 4}, {"latency_calls": 4}, ", as 2 of them have no interval"),
    ],
)
def test_it_is_said_why_the_fastest_cannot_be_told_apart(first, record, one, other, why):
    found = first(record("a", latency_s=0.1, **one), record("b", latency_s=0.105, **other))
    assert found.answer.startswith("No single fastest: a (")
    assert found.answer.endswith(f"cannot be told apart{why}.")


def test_of_many_that_are_alike_three_are_named(first, record):
    found = first(*(record(name, half_s=0.01) for name in "abcde"))
    assert "c (40 ± 10 ms) and 2 more cannot be told apart" in found.answer


def test_one_variant_is_not_called_the_fastest(first, record):
    found = first(record("a", latency_s=0.1, half_s=0.001))
    assert found.answer == "a takes 100.0 ± 1.0 ms a call."
    assert found.step.command == "inferometer profile a"


def test_a_winner_whose_outputs_differ_is_no_plain_winner(first, record):
    found = first(
        record("a", latency_s=0.1, half_s=0.01, fidelity_verdict="different"),
        record("b", latency_s=0.2, half_s=0.01),
    )
    assert found.answer.endswith("Its outputs differ from the reference's (see Fidelity).")


def test_nothing_measured_is_said(first, record):
    found = first(record("a", failure="crash"), planned=44)
    assert found.answer == "No latency was measured."
    assert fact(found, "Precision").note == "nothing was measured."
    assert fact(found, "Missing").value == "44 of 44"
    assert found.step.command.startswith("inferometer run --resume ")


def test_the_precision_is_that_of_the_latencies_that_have_an_interval(first, record):
    told = fact(first(record(latency_s=0.04), record(batch=2, half_s=0.001)), "Precision")
    assert told.value == "± 2.5 %"
    assert told.note.startswith("the 95 % interval, which 1 of 2 latencies has")
    known = {**RELATIVE, "latency_state_half_width": 0.2, "latency_confidence": 0.95}
    joint = fact(first(record(latency_s=0.1, half_s=0.02, **known)), "Precision")
    assert (joint.value, "for comparisons within the run" in joint.note) == ("± 1 %", True)


def test_missed_targets_are_counted_and_met_ones_are_good(first, record):
    missed = record("a", half_s=0.01, latency_target_met=False)
    met = record("b", half_s=0.001, latency_target_met=True)
    assert "1 of 2 missed the target of ± 5 %" in fact(first(missed, met), "Precision").note
    good = fact(first(met), "Precision")
    assert good.is_good
    assert good.note == "the 95 % interval; within the target of ± 5 %."


def test_figures_that_are_not_trusted_are_counted(first, record):
    verdicts = ["trusted", "noisy", "noisy", "swapped", "unknown"]
    records = [
        record(batch=2**n, half_s=0.001, verdict=verdict) for n, verdict in enumerate(verdicts)
    ]
    told = fact(first(*records), "Disturbed")
    assert (told.value, told.is_good) == ("3 of 5", False)
    assert told.note.startswith("2 noisy (")
    assert fact(first(records[0]), "Disturbed").is_good
    assert fact(first(record(half_s=0.001)), "Disturbed").value == "not known"


def test_what_is_common_and_what_figures_are_fit_for_is_said_once(first, record):
    known = {**RELATIVE, "latency_state_half_width": 0.2, "latency_confidence": 0.95}
    told = fact(
        first(
            record("a", latency_s=0.1, verdict="contended", usable_for="ranking", **known),
            record("b", latency_s=0.1, verdict="contended", usable_for="none", **known),
        ),
        "Disturbed",
    ).note
    assert "Of 2, 1 can be used for comparisons within this run only and 1 for nothing." in told
    assert told.count("up to ± 20 %") == 1


def test_what_is_missing_is_told_by_its_kind(first, record):
    cut = record("a", failure="budget", skipped=True)
    found = first(cut, record("b", failure="crash"), record("c", half_s=0.001), planned=44)
    told = fact(found, "Missing")
    assert told.value == "43 of 44"
    assert "1 cut by the time budget; 1 failed or could not be tried (crash)" in told.note
    assert "41 not reached" in told.note


def test_the_next_step_mends_before_it_chooses(run, material, record):
    def step(*records, planned=2, anomalies=(), document=run.document):
        known = replace(run, planned=planned, document=document)
        one = RunRecords(run=known, records=records)
        found = Findings(anomalies=anomalies)
        return headline(material([one], findings=found)).step.command

    fine = [record(name, half_s=0.001) for name in "ab"]
    odd = Anomaly(
        kind="jump", sentence="It jumps.", cells=(), size=None, causes=(), rerun="inferometer again"
    )
    assert step(*fine, planned=3) == f"inferometer run --resume {run.id}"
    assert step(fine[0], record("b", failure="crash")) == f"inferometer show {run.id}"
    assert step(*fine, anomalies=(odd,)) == "inferometer again"
    ends = fine[0], record("b", failure="oom")
    assert step(*ends) == f"inferometer show {run.id}"
    searches = {**run.document, "procedure": {**run.document["procedure"], "find_cliff": "batch"}}
    assert step(*ends, document=searches) == "inferometer profile a"
    left_out = record("b", failure="unsupported", skipped=True)
    assert step(fine[0], left_out) == "inferometer profile a"
    assert step(*fine).startswith(f"inferometer recommend {run.id}")


def test_a_hypothesis_is_a_chip_with_its_strongest_evidence(first, record):
    tested = analysed.Tested(
        text="x", outcome="refuted", sentence="Refuted: a beats b. Over all, 3 of 4."
    )
    found = first(record(half_s=0.001), findings=Findings(hypotheses=(tested,) * 20))
    assert len(found.chips) == MOST_CHIPS
    assert (found.chips[0].outcome, found.chips[0].evidence) == ("refuted", "a beats b")


class TestPairs:
    """What the answer of a paired run goes by."""

    @pytest.fixture
    def answer(self, run, material, record):
        def told(ratio, spread=0.001, groups=12):
            steps = [0.01 * (1 + spread * (-1) ** n) for n in range(groups)]
            records = [
                replace(
                    record(model, latency_s=scale * 0.01, half_s=0.005),
                    rounds=tuple(
                        make_round(2 * n + side, n, scale * step) for n, step in enumerate(steps)
                    ),
                )
                for side, (model, scale) in enumerate((("a", 1.0), ("b", ratio)))
            ]
            one = RunRecords(run=replace(run, planned=2), records=tuple(records))
            return headline(material([one])).answer

        return told

    def test_the_faster_side_is_named_though_the_latencies_overlap(self, answer):
        assert answer(1.5).startswith("a is faster: 1.500 times as fast as b (95 % interval ")
        assert answer(0.5).startswith("b is faster: 2.000 times as fast as a (")
        assert answer(0.5).endswith(", in pairs).")

    def test_a_draw_is_one(self, answer):
        assert "cannot be told apart: b took 1.040 times as long (95 %" in answer(1.04)


def make_round(index, group, level):
    return Round(
        index=index,
        process=0,
        phase="measure",
        started_at=float(index),
        calls_per_value=1,
        settle=0,
        starts_s=(0.0, 0.1),
        values_s=(level, level),
        pair=group,
    )


def test_a_suggested_limit_is_round_and_can_be_kept(first, record):
    def limit(latency_s):
        two = [record(name, latency_s=latency_s, half_s=latency_s / 9) for name in "ab"]
        return first(*two).step.command.rpartition(" ")[2]

    assert [limit(one) for one in (0.0065, 0.04, 0.29, 0.9, 2e-5)] == [
        "10ms",
        "100ms",
        "500ms",
        "2s",
        "0.05ms",
    ]


def test_what_cannot_be_tested_is_no_chip(first, record):
    tested = analysed.Tested(text="x", outcome="untestable", sentence="Untestable: no pair.")
    assert first(record(), findings=Findings(hypotheses=(tested,))).chips == ()
