"""Limits of figures: one table, which the schema of study files and every flag keep to."""

from __future__ import annotations

import json
import math
from dataclasses import fields
from importlib.resources import files

import numpy as np
import pytest

from inferometer.core.procedure import PRESETS, Procedure, checked, within_limits
from inferometer.core.ranges import DEVICE, PROCEDURE, RANGES, Range, check_device
from inferometer.study.load import PROCEDURE_KEYS

SCHEMA = json.loads(files("inferometer.study").joinpath("schema.json").read_text("utf-8"))
RULES = SCHEMA["properties"]["procedure"]["properties"]


def limits(rules: dict, known: Range) -> list:
    """What rules of the schema say of numbers, in the terms of the table."""
    rules = rules | (SCHEMA["$defs"]["duration"] if "$ref" in rules else {})
    for choice in rules.get("anyOf", ()):
        rules = rules | limits_of_choice(choice)
    low = rules["exclusiveMinimum" if known.above else "minimum"]
    return [low, rules["exclusiveMaximum" if known.below else "maximum"]]


def limits_of_choice(choice: dict) -> dict:
    """`span` may also be 0, which is no duration elsewhere."""
    return {"minimum": choice["const"]} if "const" in choice else SCHEMA["$defs"]["duration"]


@pytest.mark.parametrize("key", [k for k, v in PROCEDURE_KEYS.items() if v.field in PROCEDURE])
def test_the_schema_and_the_table_have_the_same_limits(key):
    known = PROCEDURE[PROCEDURE_KEYS[key].field]
    assert limits(RULES[key], known) == [known.low, known.high]
    phrase = RULES[key].get("x-expected", SCHEMA["$defs"]["duration"]["x-expected"])
    assert phrase.startswith(known.words)


@pytest.mark.parametrize("axis", ["batch", "size", "threads"])
def test_so_have_the_axes(axis):
    known, rules = RANGES[axis], SCHEMA["$defs"].get(axis) or SCHEMA["properties"][axis]
    for part in (rules, rules.get("items", rules)):
        assert limits(part, known) == [known.low, known.high]
        assert part["x-expected"].startswith(known.words)


def test_a_device_has_the_form_of_the_schema():
    assert SCHEMA["properties"]["device"]["pattern"] == f"^{DEVICE}$"
    assert check_device("cuda:1") == "cuda:1"
    for wrong in ("", "CPU", "cpu\n", "/dev/x", "cuda:", "cuda:99999", "x" * 5000, "\udcff", None):
        with pytest.raises(ValueError, match="device must be one such as cpu, cuda or cuda:1"):
            check_device(wrong)


def test_every_number_of_a_procedure_has_limits_and_every_preset_is_within():
    numbers = {
        one.name
        for one in fields(Procedure)
        if not isinstance(one.default, bool) and one.name != "find_cliff"
    }
    assert numbers == set(PROCEDURE)
    for preset in PRESETS.values():
        assert within_limits(Procedure(**preset)) == Procedure(**preset)


@pytest.mark.parametrize("name", RANGES)
def test_what_is_no_number_within_is_refused_in_a_sentence(name):
    known = RANGES[name]
    beyond = [known.low - 1, known.high + 1, 10**5000, -(10**5000)]
    beyond += [known.low] * known.above + [known.high] * known.below
    for wrong in [*beyond, math.nan, math.inf, -math.inf, True, None, "5", [1], np.nan]:
        with pytest.raises(ValueError, match=f"^a figure must be {known.words}, not") as caught:
            known.check("a figure", wrong)
        assert len(str(caught.value)) < 200


@pytest.mark.parametrize("name", RANGES)
def test_the_ends_are_within(name):
    known = RANGES[name]
    ends = [known.low] * (not known.above) + [known.high] * (not known.below)
    kind = int if known.kind in ("whole", "bytes") else float
    assert all(known.check(name, kind(end)) == end for end in ends)


def test_numbers_of_numpy_become_pythons():
    for given in (np.int64(8), np.uint8(8)):
        assert type(RANGES["batch"].check("batch", given)) is int
    assert type(PROCEDURE["target"].check("target", np.float32(0.5))) is float
    with pytest.raises(ValueError, match="a whole number"):
        RANGES["batch"].check("batch", 8.0)


def test_what_may_be_absent_may_be_none():
    assert checked({"budget_s": None, "pair": True}) == {"budget_s": None, "pair": True}
    with pytest.raises(ValueError, match="seed must be a whole number from 0 to 4294967295"):
        checked({"seed": None})
