"""Durations, shares and amounts of memory."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inferometer.study.schema import schema
from inferometer.study.units import parse_bytes, parse_duration, parse_percent


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("10m", 600),
        ("10 min", 600),
        ("90s", 90),
        ("1h30m", 5400),
        ("1h 30m 5s", 5405),
        ("500ms", 0.5),
        ("2s500ms", 2.5),
        ("1.5h", 5400),
        ("12", 12),
        (12, 12),
        (0.5, 0.5),
        (" 3m ", 180),
    ],
)
def test_durations_are_seconds(text, seconds):
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "text",
    ["", "  ", "m", "10x", "1m1m", "5s 3m", "-5s", "1,5s", "1e3", "1:30", "٣s", -1, float("nan"), float("inf"), "9" * 400, 10**400],
)  # fmt: skip
def test_what_is_no_duration_is_refused_in_a_sentence(text):
    with pytest.raises(ValueError, match="is not a duration: write it like 90s"):
        parse_duration(text)


@given(h=st.integers(0, 99), m=st.integers(0, 59), s=st.integers(0, 59), ms=st.integers(0, 999))
def test_a_written_duration_is_the_sum_of_its_parts(h, m, s, ms):
    assert parse_duration(f"{h}h{m}m{s}s{ms}ms") == pytest.approx(3600 * h + 60 * m + s + ms / 1000)


@pytest.mark.parametrize(
    ("text", "share"),
    [("2%", 0.02), ("2.5 %", 0.025), (0.02, 0.02), ("0.02", 0.02), ("150%", 1.5), (0, 0)],
)
def test_shares_are_fractions(text, share):
    assert parse_percent(text) == pytest.approx(share)


@pytest.mark.parametrize("text", [5, 1, "5", "-5%", -0.1, "five", "", "%", "5%%", float("nan"), float("inf"), 10**400, "9" * 400 + "%"])  # fmt: skip
def test_what_may_mean_two_things_is_no_share(text):
    with pytest.raises(ValueError, match="is not a share: write it like 5% or 0"):
        parse_percent(text)


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("2GiB", 2 * 1024**3),
        ("512M", 512 * 1024**2),
        ("512 MB", 512 * 1000**2),
        ("1.5GB", 1_500_000_000),
        ("64kib", 64 * 1024),
        ("100B", 100),
        ("100", 100),
        (100, 100),
    ],
)
def test_amounts_are_bytes(text, amount):
    assert parse_bytes(text) == amount


@pytest.mark.parametrize("text", ["", "GiB", "2XB", "-1", -1, 0, "0GiB", "0.1B", "2iB", "2 G i B", float("nan"), 10**400])  # fmt: skip
def test_what_is_no_amount_is_refused_in_a_sentence(text):
    with pytest.raises(ValueError, match="is not an amount of memory: write it like 2GiB"):
        parse_bytes(text)


def test_a_long_wrong_text_is_cut_in_the_message():
    with pytest.raises(ValueError) as caught:
        parse_duration("x" * 1000)
    assert len(str(caught.value)) < 150


VALUES = schema()["properties"]["procedure"]["properties"]
GRAMMARS = {"budget": parse_duration, "target": parse_percent, "memory_limit": parse_bytes}


@pytest.mark.parametrize("key", GRAMMARS)
@given(text=st.text("0159. hmsinkKMGTBb%", max_size=9))
def test_an_editor_that_uses_the_schema_lets_through_all_that_is_read(key, text):
    try:
        GRAMMARS[key](text)
    except ValueError:
        return
    assert re.search(VALUES[key]["pattern"], text)
