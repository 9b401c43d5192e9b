"""The page on study files keeps its word."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from inferometer.core.errors import StudyError
from inferometer.core.options import PRESETS, PROCEDURE
from inferometer.core.procedure import Procedure
from inferometer.core.ranges import Range
from inferometer.study import builtin_studies, parse_study
from inferometer.study.schema import schema
from inferometer.study.units import READERS

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "study-files.md"
TEXT = PAGE.read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
ROWS = {
    name: [cell.strip() for cell in line.strip("|").split("|")[2:]]
    for line in TEXT.splitlines()
    for name in re.findall("`([a-z_]+)`", line.split("|")[1] if line.startswith("|") else "")
}


def test_the_first_example_is_a_study():
    study = parse_study(EXAMPLES[0], name_of_file="example")
    assert [w.batch_size for w in study.workloads()] == [1, 2, 4, 8] * 2


def test_the_full_example_uses_every_key():
    study = parse_study(EXAMPLES[1], name_of_file="example")
    for key in [*schema()["properties"], *(option.key for option in PROCEDURE)]:
        assert re.search(rf"\b{key}:", EXAMPLES[1]), key
        assert key in ROWS
    given = {"memory_limit_bytes": 2 * 1024**3, "budget_s": 600.0}
    assert study.procedure == Procedure(**PRESETS["standard"], **given)


@pytest.mark.parametrize("column", range(3))
def test_the_table_of_presets(column):
    preset = ["standard", "quick", "publish"][column]
    procedure = Procedure(**PRESETS[preset])
    for option in PROCEDURE:
        cell = ROWS[option.key][column] or ROWS[option.key][0]
        if getattr(Procedure(), option.field) is not None:
            is_number = isinstance(option.takes, Range)
            said = READERS[option.takes.kind](cell) if is_number else cell == "true"
            assert said == pytest.approx(getattr(procedure, option.field)), option.key


def test_the_built_in_studies_are_named():
    for study in builtin_studies():
        assert f"`{study.name}`" in TEXT


def test_the_message_that_is_shown():
    (text,) = (example for example in EXAMPLES if "modles" in example)
    with pytest.raises(StudyError) as caught:
        parse_study(text, name_of_file="wrong.yaml")
    assert f"\nError: {caught.value}\n```" in TEXT
