"""Findings in words: nothing is told twice."""

from __future__ import annotations

from inferometer.analysis import findings as analysed
from inferometer.analysis.grid import build
from inferometer.core.statement import Statement
from inferometer.report.document import findings
from inferometer.report.document.wording import notes

REFUTED = analysed.Tested(
    text="x",
    outcome="refuted",
    sentence="Refuted: a beats b. Over all, 3 of 4.",
    counterexamples=("a beats b", "c beats d", "e beats f", "g beats h"),
    effects=(analysed.Effect(name="slope", value=-0.5, low=-1.5, high=0.5, method="Theil"),),
    limits=("6 of 44 figures are odd.", "Few models."),
)


def test_the_evidence_of_the_first_screen_is_not_told_again():
    said = findings.told(analysed.Findings(hypotheses=(REFUTED,)), {"x"})["hypotheses"][0]
    assert said["sentence"] == "Over all, 3 of 4."
    assert said["lines"][1:] == ["Against it: c beats d.", "Against it: e beats f."]
    alone = findings.told(analysed.Findings(hypotheses=(REFUTED,)), ())["hypotheses"][0]
    assert alone["sentence"] == "A beats b. Over all, 3 of 4."


def test_an_effect_below_zero_has_a_minus():
    (line, *_) = findings.hypothesis_lines(REFUTED)
    assert line == "Slope \N{MINUS SIGN}0.500 [\N{MINUS SIGN}1.50, 0.500] (Theil)."


def test_limits_that_differ_in_figures_alone_are_told_once():
    other = analysed.Tested(
        text="y", outcome="mixed", sentence="", limits=("5 of 40 figures are odd.",)
    )
    assert findings.limits(analysed.Findings(hypotheses=(REFUTED, other))) == list(REFUTED.limits)


def test_notes_that_differ_in_figures_alone_are_told_once(record):
    few = [
        record(batch=b, notes=[Statement("few_calls", {"calls": b, "wanted": 12})])
        for b in (1, 2, 4)
    ]
    (line,) = notes(build(few))
    assert line.startswith("resnet18 224/1: the budget left time for 1 timed calls in place of at")
    assert line.endswith("likewise, with other figures, 2 other workloads")
    beside = {"processes": 3, "lowest_bytes": 1e8, "highest_bytes": 2e8}
    assert notes(build([record(notes=[Statement("peaks_apart", beside)])])) == []
