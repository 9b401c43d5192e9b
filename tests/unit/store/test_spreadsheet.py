"""Text that a spreadsheet would take for a formula."""

from __future__ import annotations

import csv
import io
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from inferometer.store.spreadsheet import neutralised, restored

FORMULAS = ["=1", "+1", "-1", "@SUM(1)", "\t=1", "\rx", "\n=1", " =1", "\u00a0=1", "\ufeff=1"]
FORMULAS += ["\uff1d1", "\uff0b1", "\uff0d1", "\uff201", '"=1', " \t-1", "\u200b=1", "'=1"]
HARMLESS = ["", "resnet18", "a=b", "x-1", "'", "''", "'quoted'", "3 - 1", "[1]", "e@mail"]

texts = st.text() | st.text(alphabet="'=+-@\t\r\n \"x\uff1d")


@pytest.mark.parametrize("text", FORMULAS)
def test_what_begins_like_a_formula_begins_with_an_apostrophe_instead(text):
    assert neutralised(text) == "'" + text


@pytest.mark.parametrize("text", HARMLESS)
def test_other_text_stays_as_it_is(text):
    assert neutralised(text) == text
    assert restored(text) == text


@given(texts)
@example("'=1")
@example("''\t=1")
def test_restoring_gives_back_exactly_what_was_there(text):
    assert restored(neutralised(text)) == text


@given(texts)
def test_no_cell_begins_with_a_sign_that_is_run(text):
    assert not re.match(r"\s*[=+\-@\uff1d\uff0b\uff0d\uff20]|[\t\r]", neutralised(text))


@given(st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))))
def test_it_survives_a_file_of_csv(row):
    stream = io.StringIO(newline="")
    csv.writer(stream).writerow(["x", *map(neutralised, row)])
    (cells,) = csv.reader(io.StringIO(stream.getvalue(), newline=""))
    assert list(map(restored, cells[1:])) == row
