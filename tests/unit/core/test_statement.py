"""Statements: codes with values, put into words by one catalogue."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from string import Formatter

import pytest

import inferometer
from inferometer.core.catalogue import EARLIER, TEMPLATES, UNSEEN
from inferometer.core.record import Record
from inferometer.core.statement import TEXT, Statement, statements, text
from inferometer.core.workload import Shape, Target, Variant, Workload

WORKLOAD = Workload(
    variant=Variant(model="a", backend="torch", precision="fp32"),
    target=Target(device="cpu", threads=1),
    shape=Shape(batch_size=1, input_size=None),
)


def parts(code):
    template = TEMPLATES[code]
    return (template,) if isinstance(template, str) else template


@pytest.mark.parametrize("code", sorted(TEMPLATES))
def test_every_code_is_worded_with_all_of_its_values(code):
    names = [name for part in parts(code) for _, name, _, _ in Formatter().parse(part) if name]
    shown = [spec for part in parts(code) for _, _, spec, _ in Formatter().parse(part) if spec]
    values = {one: 7 for name in names for one in name.split("±")}
    if "words" in shown:
        values |= {name: "swap" for name in ("kernel", "unit", "signal", "groups") if name in names}
    said = str(Statement(code, values))
    assert said
    assert "{" not in said


def test_every_code_that_the_program_says_is_in_the_catalogue():
    said = set()
    for path in Path(inferometer.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            named = isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
            if named and node.func.id == "Statement" and node.args:
                said |= set(re.findall(r"'([a-z_]+)'", ast.unparse(node.args[0])))
    said -= {"code"}  # read from the store, of whatever version
    assert said <= TEMPLATES.keys()
    assert len(said) > 40


def test_numbers_are_kept_whole_and_rounded_in_words():
    cause = Statement("run_delay", {"share": 0.0321456})
    assert cause.values["share"] == 0.0321456
    said = "its threads waited for a processor 3.2% of the time (run_delay_s)"
    assert str(cause) == said


@pytest.mark.parametrize(("pages", "said"), [(1.0, "1 page had"), (3.0, "3 pages had")])
def test_things_are_counted_in_the_singular_and_the_plural(pages, said):
    assert str(Statement("major_faults", {"pages": pages, "rounds": 9})).startswith(said)


def test_a_part_whose_values_are_not_known_is_left_out():
    source = {"source": "psys", "scope": "psys", "method": "measured", "gross_j": 1.42}
    assert str(Statement("other_source", source)) == "psys (psys, measured): 1.42 J per sample"
    more = source | {"gross_half_j": 0.05, "net_j": 0.3, "mean_w": 14.2}
    assert str(Statement("other_source", more)) == (
        "psys (psys, measured): 1.42 ± 0.05 J per sample, 300 mJ above idle, 14.2 W"
    )


def test_a_value_without_which_nothing_can_be_said_must_be_there():
    with pytest.raises(KeyError, match="share"):
        str(Statement("run_delay"))


def test_a_code_of_a_newer_version_is_shown_with_its_values():
    assert str(Statement("moon_phase", {"share": 0.5})) == "moon_phase: share 0.5"


def test_a_sentence_is_a_statement_and_reads_as_it_was():
    said = text("the model said so: {share}")
    assert (said.code, str(said)) == (TEXT, "the model said so: {share}")
    assert statements(["a", Statement("stolen", {"share": 0.1})])[0] == text("a")
    assert statements(None) == []


@pytest.mark.parametrize("beginning", EARLIER)
def test_sentences_of_earlier_versions_have_the_codes_that_are_decided_by(beginning):
    said = text(f"{beginning} and more")
    assert (said.code, str(said)) == (EARLIER[beginning], f"{beginning} and more")
    assert all(str(part).startswith(beginning) for part in parts(said.code))


def test_a_row_has_the_words_and_the_codes_of_the_same_causes():
    causes = [Statement("stolen", {"share": 0.25}), "a sentence", Statement("one_process")]
    record = Record(workload=WORKLOAD, status="ok", figures={"causes": causes})
    row = record.row()
    assert row["causes"] == [
        "the host gave 25.0% of the processor time to others (steal_s)",
        "a sentence",
        "one process: how much a fresh process differs was not observed",
    ]
    assert row["cause_codes"] == ["stolen", TEXT, "one_process"]
    assert list(row)[list(row).index("pending") + 1] == "cause_codes"


def test_what_is_unseen_is_in_the_catalogue():
    assert TEMPLATES.keys() >= UNSEEN
