from __future__ import annotations

from typing import get_args

import pytest

from inferometer.core.record import FailureKind
from inferometer.report.document import marks


@pytest.mark.parametrize("kind", get_args(FailureKind))
def test_each_kind_of_failure_has_its_own_mark_with_a_meaning(record, kind):
    cell = marks.cell(record(failure=kind), "interval")
    assert cell.text == marks.MARKS[kind]
    assert cell.legend
    assert len(set(marks.MARKS.values())) == len(marks.MARKS)


@pytest.mark.parametrize("kind", marks.NOT_TRIED)
def test_what_was_skipped_is_not_shown_as_what_failed(record, kind):
    tried = marks.cell(record(failure=kind), "none")
    skipped = marks.cell(record(failure=kind, skipped=True), "none")
    assert skipped.text == f"({tried.text})"
    assert skipped.legend == marks.NOT_TRIED[kind]


def test_a_cell_shows_the_kind_of_spread_that_is_asked_for(record):
    one = record(latency_s=0.04, half_s=0.002)
    assert marks.cell(one, "interval").text == "40.0 ± 2.0 ms"
    assert marks.cell(one, "std").text == "40 ± 4 ms"
    assert marks.cell(one, "none").text == "40.0 ms"


def test_a_missed_target_is_marked_only_beside_an_interval(record):
    missed = record(half_s=0.01, latency_target_met=False)
    assert marks.cell(missed, "interval").mark == marks.WIDE
    assert marks.cell(missed, "interval").text.endswith(marks.WIDE)
    assert not marks.cell(missed, "none").mark
    assert not marks.cell(record(half_s=0.01, latency_target_met=True), "interval").mark


@pytest.mark.parametrize("verdict", list(marks.VERDICTS))
def test_a_verdict_is_one_mark_beside_the_figure(record, verdict):
    cell = marks.cell(record(half_s=0.001, verdict=verdict), "interval")
    mark, meaning = marks.VERDICTS[verdict]
    assert cell.text.endswith(mark)
    assert marks.meanings([cell]) == {mark: meaning}


def test_a_trusted_figure_has_no_mark(record):
    assert marks.cell(record(half_s=0.001, verdict="trusted"), "interval").mark == ""


def test_what_is_not_there_is_not_blank(record):
    assert marks.cell(None, "none").legend
    assert marks.cell(record(latency_s=None), "none").legend


def test_spread_is_the_best_that_any_record_has(record):
    plain, std = record(), record(latency_std_s=0.1)
    assert marks.spread_of([plain]) == "none"
    assert marks.spread_of([plain, std]) == "std"
    assert marks.spread_of([plain, std, record(half_s=0.1)]) == "interval"


def test_a_judged_figure_without_an_interval_keeps_its_mark(record):
    one = record(latency_median_s=0.04, latency_std_s=0.01, verdict="drifting")
    assert marks.spread_of([one]) == "interval"
    assert marks.cell(one, "interval").text.endswith(" d")


def test_plain_text_obeys_nothing():
    assert marks.plain("a\n b\t\x1b[31mred\u202e") == r"a b \x1b[31mred\u202e"
    assert marks.shorten("word " * 10, 12) == "word word w…"
    assert marks.shorten("short", 12) == "short"
