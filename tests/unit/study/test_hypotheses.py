"""One line of text → a hypothesis, or a sentence that helps."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inferometer.core.errors import StudyError
from inferometer.core.hypothesis import FACTORS, FIGURES, THE_LABS
from inferometer.core.sweep import Study
from inferometer.study import parse_study
from inferometer.study.hypotheses import parse_hypothesis

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "study-files.md"


@pytest.mark.parametrize("verb", ["increases", "rises", "grows"])
def test_a_rising_trend(verb):
    found = parse_hypothesis(f" latency {verb} with  batch_size. ")
    assert (found.kind, found.figure, found.factor) == ("trend", "latency", "batch_size")
    assert found.rises


def test_a_falling_trend():
    found = parse_hypothesis("Energy per input decreases with Batch Size")
    assert (found.figure, found.factor, found.rises) == ("energy per input", "batch_size", False)


@given(st.sampled_from(sorted(FIGURES)), st.sampled_from(FACTORS))
def test_every_figure_scales_with_every_factor(figure, factor):
    found = parse_hypothesis(f"{figure} scales linearly with {factor}")
    assert (found.kind, found.figure, found.factor) == ("linear", figure, factor)


@pytest.mark.parametrize(
    ("text", "left", "right", "bound", "at_most"),
    [
        ("a is faster than b", "a", "b", 1.0, True),
        ("a is slower than b", "a", "b", 1.0, False),
        ("a is faster than b by at least 20%", "a", "b", 0.8, True),
        ("a is slower than b by at least 20 %", "a", "b", 1.2, False),
        ("timm:a is at least 4 times as fast as lib/b.py:c", "timm:a", "lib/b.py:c", 0.25, True),
        ("a is at least twice as fast as b", "a", "b", 0.5, True),
        ("latency at int8 is at most half of fp32", "int8", "fp32", 0.5, True),
        ("latency at int8 is at most a third of fp32", "int8", "fp32", 1 / 3, True),
        ("latency at fp32 is at least twice int8", "fp32", "int8", 2.0, False),
        ("latency at fp32 is at least 1.5 times that of int8", "fp32", "int8", 1.5, False),
        ("latency at int8 is at most 80% of fp32", "int8", "fp32", 0.8, True),
    ],
)  # fmt: skip
def test_ratios(text, left, right, bound, at_most):
    found = parse_hypothesis(text)
    assert (found.kind, found.figure) == ("ratio", "latency")
    assert (found.left, found.right, found.at_most) == (left, right, at_most)
    assert found.bound == pytest.approx(bound)


def test_energy_and_memory_are_compared_too():
    found = parse_hypothesis("a uses less energy than b")
    assert (found.figure, found.left, found.right, found.at_most) == ("energy", "a", "b", True)
    assert not parse_hypothesis("a needs more memory than b").at_most


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("the moon is made of cheese", "the forms are"),
        ("latency increases with parameter", "did you mean parameters"),
        ("latenzy increases with parameters", "did you mean latency"),
        ("latency at a is at most 0% of b", "amount of 0%"),
        ("a is at least " + 400 * "9" + " times as fast as b", "amount of 99999999999999999999…"),
        ("a is faster than b by at least 100%", "it would take no time; write"),
        ("a is faster than b by at least 120 %", "nothing is faster by 120 %"),
        ("a is faster than a", "'a' cannot be compared with itself"),
        ("", "the forms are"),
    ],
)
def test_what_cannot_be_read_is_said(text, says):
    with pytest.raises(ValueError, match=re.escape(says)):
        parse_hypothesis(text)


@given(st.text(max_size=80))
def test_any_text_is_read_or_refused(text):
    with suppress(ValueError):
        assert parse_hypothesis(text).text == text


def test_a_study_without_hypotheses_has_the_labs():
    assert parse_study("name: a\nmodels: b\n", name_of_file="x").hypotheses == THE_LABS
    for text in THE_LABS:
        assert parse_hypothesis(text).kind == "trend"


def test_a_wrong_line_of_a_study_is_pointed_at():
    text = "name: a\nmodels: b\nhypotheses:\n  - latency rises with flops\n  - cheese\n"
    with pytest.raises(StudyError, match=r"mine.yaml:5: hypotheses\[1\]: 'cheese' is not"):
        parse_study(text, name_of_file="mine.yaml")


def test_hypotheses_do_not_tell_runs_apart_and_older_studies_have_the_labs():
    text = "name: a\nmodels: b\nhypotheses: latency rises with flops\n"
    study = parse_study(text, name_of_file="x")
    plain = parse_study("name: a\nmodels: b\n", name_of_file="x")
    assert study.hypotheses == ("latency rises with flops",)
    assert study.signature == plain.signature
    assert Study.from_json(study.to_json()) == study
    older = {name: value for name, value in study.to_json().items() if name != "hypotheses"}
    assert Study.from_json(older).hypotheses == THE_LABS


def test_the_forms_of_the_page_can_be_read():
    (example,) = re.findall(r"```yaml\n(name: expected.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    assert len(parse_study(example, name_of_file="page").hypotheses) == 7
