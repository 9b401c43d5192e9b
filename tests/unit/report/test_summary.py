from __future__ import annotations

import pytest

from inferometer.report.document.sources import RunRecords
from inferometer.report.document.summary import summary


@pytest.fixture
def answers(run, material):
    def answer(*records):
        return summary(material([RunRecords(run=run, records=records)]))

    return answer


def test_it_is_said_whether_the_fastest_is_apart_from_the_others(answers, record):
    fast, slow = record("a", latency_s=0.1, half_s=0.01), record("b", latency_s=0.2, half_s=0.01)
    apart = "The interval of the fastest overlaps none of the others."
    assert apart in answers(fast, slow).sure
    near = record("b", latency_s=0.105, half_s=0.01)
    assert apart not in answers(fast, near).sure
    assert apart not in answers(fast).sure
    assert apart not in answers(record("a", latency_s=0.1), record("b", latency_s=0.2)).sure


@pytest.mark.parametrize(
    ("one", "other", "why"),
    [
        ({"half_s": 0.01}, {"half_s": 0.01}, "as their intervals overlap"),
        ({"half_s": 0.01}, {}, "as 1 of them has an interval"),
        ({"latency_calls": 4}, {"latency_calls": 4}, "as none of them has an interval"),
        (
            {"latency_relative_ci_low_s": 0.09, "latency_relative_ci_high_s": 0.11},
            {"latency_relative_ci_low_s": 0.095, "latency_relative_ci_high_s": 0.116},
            "as the intervals of their ratios hold 1",
        ),
    ],
)
def test_it_is_said_why_the_fastest_cannot_be_told_apart(answers, record, one, other, why):
    found = answers(record("a", latency_s=0.1, **one), record("b", latency_s=0.105, **other))
    assert f"the fastest cannot be told apart, {why}: " in found.fastest[0]


def test_the_verdict_on_the_fastest_comes_with_its_worst_cause(answers, record):
    causes = ["another program ran", "the clock changed", "one process"]
    known = answers(record("a", half_s=0.001, verdict="contended", causes=causes))
    told = "The verdict on a is contended: another program ran (and 2 further remarks)."
    assert told in known.sure
    trusted = answers(record("a", half_s=0.001, verdict="trusted", causes=["one process"]))
    assert "The verdict on a is trusted (1 remark)." in trusted.sure


def test_one_verdict_on_several_that_cannot_be_told_apart_is_told_once(answers, record):
    alike = [record(name, half_s=0.01, verdict="contended", causes=["x"]) for name in "abcde"]
    told = "The verdict on a, b, c and 2 more is contended: something else used the device."
    assert answers(*alike).sure[0] == told


def test_figures_that_are_not_trusted_are_counted(answers, record):
    verdicts = ["trusted", "noisy", "noisy", "swapped", "unknown"]
    records = [
        record(batch=2**n, half_s=0.001, verdict=verdict) for n, verdict in enumerate(verdicts)
    ]
    wrong = answers(*records).wrong
    assert "3 of 5 latencies are not trusted: 2 noisy and 1 swapped (see Verdicts)." in wrong
    assert "Whether 1 of 5 latencies can be trusted is not known (see Verdicts)." in wrong
    assert not any("trusted" in line for line in answers(records[0]).wrong)


def test_the_confidence_is_that_of_the_latencies_that_have_an_interval(answers, record):
    found = answers(record(latency_s=0.04), record(batch=2, half_s=0.001))
    assert any(
        "the half-width of the 95 % intervals is 2.5 % to 2.5 %" in line for line in found.sure
    )
    assert any("of the 1 of 2 latencies that have one" in line for line in found.sure)


def test_all_that_is_said_is_in_the_lines(answers, record):
    found = answers(record("a", half_s=0.001, verdict="noisy"), record("b", failure="crash"))
    parts = (found.scope, found.fastest, found.sure, found.further, found.wrong)
    assert sorted(found.lines) == sorted(line for part in parts for line in part)
    assert all(found.lines)


RELATIVE = {"latency_relative_ci_low_s": 0.099, "latency_relative_ci_high_s": 0.101}


def test_a_joint_fit_says_what_is_common_once_and_what_its_figures_are_fit_for(answers, record):
    known = {**RELATIVE, "latency_state_half_width": 0.2, "latency_confidence": 0.95}
    found = answers(
        record("a", latency_s=0.1, verdict="contended", usable_for="ranking", half_s=0.02, **known),
        record("b", latency_s=0.1, verdict="contended", usable_for="none", half_s=0.02, **known),
    )
    assert not any("not trusted" in line for line in found.lines)
    assert sum("uncertain by ± 20 %" in line for line in found.sure) == 1
    assert any(
        "1 of 2 for ranking within the run alone; 1 of 2 for neither" in s for s in found.sure
    )
    assert any("for comparisons within the run is 1 % to 1 %" in line for line in found.sure)


def test_the_verdict_of_a_fastest_that_disturbances_made_equal_to_others_is_not_told(
    answers, record
):
    known = {**RELATIVE, "verdict": "contended", "half_s": 0.02, "causes": ["x"]}
    fit, unfit = (
        answers(record("a", latency_s=0.1, usable_for=use, **known)) for use in ("ranking", "none")
    )
    assert not any("The verdict on" in line for line in fit.sure)
    assert "The verdict on a is contended: x." in unfit.sure
