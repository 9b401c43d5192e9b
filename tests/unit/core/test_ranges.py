"""Limits of figures, and what is said of those beyond."""

from __future__ import annotations

import math
from dataclasses import fields

import numpy as np
import pytest

from inferometer.core.options import PRESETS, PROCEDURE, RANGES
from inferometer.core.procedure import Procedure, checked
from inferometer.core.ranges import check_device, written


def test_a_device_has_a_form():
    assert check_device("cuda:1") == "cuda:1"
    for wrong in ("", "CPU", "cpu\n", "/dev/x", "cuda:", "cuda:99999", "x" * 5000, "\udcff", None):
        with pytest.raises(ValueError, match="device must be one such as cpu, cuda or cuda:1"):
            check_device(wrong)


def test_every_field_of_a_procedure_has_an_option_and_every_preset_is_within():
    assert {option.field for option in PROCEDURE} == {one.name for one in fields(Procedure)}
    for preset in PRESETS.values():
        assert checked(preset) == preset


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        ("seconds", 0, "0"),
        ("seconds", 0.25, "250ms"),
        ("seconds", 90, "90s"),
        ("seconds", 180.0, "3m"),
        ("seconds", 5400, "90m"),
        ("seconds", 7200, "2h"),
        ("share", 0.025, "2.5%"),
        ("bytes", 2**50, "1024TiB"),
        ("bytes", 1, "1"),
        ("whole", 10**9, "1000000000"),
    ],
)
def test_numbers_are_written_as_a_file_writes_them(kind, value, text):
    assert written(kind, value) == text


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
    assert type(RANGES["target"].check("target", np.float32(0.5))) is float
    with pytest.raises(ValueError, match="a whole number"):
        RANGES["batch"].check("batch", 8.0)


def test_what_may_be_absent_may_be_none():
    assert checked({"budget_s": None, "pair": True}) == {"budget_s": None, "pair": True}
    with pytest.raises(ValueError, match="seed must be a whole number from 0 to 4294967295"):
        checked({"seed": None})


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"pair": 1}, "pair must be true or false, not 1"),
        ({"energy": "no"}, "energy must be true or false, not 'no'"),
        ({"roofline": None}, "roofline must be true or false, not None"),
        ({"find_cliff": "size"}, "find_cliff must be batch, not 'size'"),
    ],
)
def test_words_and_truth_values_are_checked_too(values, problem):
    with pytest.raises(ValueError, match=problem):
        checked(values)


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"pair": True, "sustain_s": 9.0}, "pair does not go with sustain"),
        ({"pair": True, "find_cliff": "batch"}, "pair does not go with find_cliff"),
        ({"sustain_s": 9.0, "find_cliff": "batch"}, "sustain does not go with find_cliff"),
        ({"find_cliff": "size"}, "find_cliff must be batch, not 'size'"),
        ({"confidence": 1.0}, "confidence must be a share of at least 50% and less than 100%"),
        ({"target": math.nan}, "target must be a share"),
    ],
)
def test_a_procedure_that_makes_no_sense_is_refused(values, problem):
    with pytest.raises(ValueError, match=problem):
        Procedure(**values)


def test_a_run_of_before_there_were_upper_limits_can_be_read():
    assert Procedure(seed=2**40, processes=1000, budget_s=1e12).seed == 2**40
    with pytest.raises(ValueError, match="seed must be"):
        checked({"seed": 2**40})
