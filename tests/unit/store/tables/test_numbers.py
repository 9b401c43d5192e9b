from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inferometer.store.tables.numbers import amount, has_decimal_comma


@pytest.mark.parametrize(
    ("cell", "value", "unit"),
    [
        ("21.3", "21.3", ""),
        (21.3, "21.3", ""),
        (7, "7", ""),
        ("21.3 ms", "21.3", "ms"),
        ("21.3ms", "21.3", "ms"),
        ("11.7M", "11.7", "M"),
        ("1,234.5", "1234.5", ""),
        ("1,234,567", "1234567", ""),
        ("1 234", "1234", ""),
        ("1\u202f234.5", "1234.5", ""),
        ("1'234", "1234", ""),
        ("69.8%", "69.8", "%"),
        ("**21.3**", "21.3", ""),
        ("`21.3`", "21.3", ""),
        ("[21.3](https://x.y/z)", "21.3", ""),
        ("21.3*", "21.3", ""),
        ("~21.3 ms", "21.3", "ms"),
        ("-0.5", "-0.5", ""),
        ("5e-1", "0.5", ""),
        (".5", "0.5", ""),
    ],
)
def test_numbers_as_people_write_them(cell, value, unit):
    found = amount(cell)
    assert found is not None
    assert (found.value, found.unit.text if found.unit else "") == (Decimal(value), unit)


@pytest.mark.parametrize(
    "cell", ["21.3 ± 0.4 ms", "21.3±0.4ms", "21.3 (±0.4) ms", "21.3 +/- 0.4 ms"]
)
def test_a_deviation_may_follow(cell):
    found = amount(cell)
    assert found is not None
    assert (found.value, found.spread) == (Decimal("21.3"), Decimal("0.4"))


@pytest.mark.parametrize(
    "cell",
    ["", "fast", "1_0", "0x10", "inf", "nan", "1.5x", "<1", "1,5", "1,2,3", True, None, [1], {}, "1" * 300,
     "12:30:01", "2026-11-30", "1e99999999", "3x224x224"],
)  # fmt: skip
def test_what_is_no_number(cell):
    assert amount(cell) is None


@pytest.mark.parametrize(
    ("cells", "comma"),
    [
        (["21,3", "80,1"], True),
        (["0,123"], True),
        (["1.234,5"], True),
        (["1,234.5"], False),
        (["21.3", "1,5"], None),
        (["1,234"], None),
        (["1,234,567"], False),
        (["a,b", ""], None),
    ],
)
def test_commas_before_decimals_are_told_by_the_cells(cells, comma):
    assert has_decimal_comma(cells) is comma


def test_a_decimal_comma_turns_the_signs_round():
    assert [amount(cell, decimal_comma=True).value for cell in ("1,5", "1.234,5", "1.5")] == [
        Decimal("1.5"),
        Decimal("1234.5"),
        Decimal("1.5"),
    ]


@given(st.floats(1e-30, 1e30) | st.integers(-(2**63), 2**63))
def test_every_number_of_an_export_is_read_as_it_is(number):
    found = amount(str(number))
    assert found is not None
    assert found.value == Decimal(str(number))


@given(st.text(max_size=300))
def test_no_text_is_a_fault(text):
    amount(text)
    has_decimal_comma([text])
