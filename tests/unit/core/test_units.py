from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inferometer.core import units
from inferometer.core.metric import Estimate


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0382, "38.2 ms"),
        (0.00099996, "1.00 ms"),
        (1.2e-5, "12.0 µs"),
        (5e-7, "0.500 µs"),
        (0.9996, "1.00 s"),
        (6976.361, "6,976 s"),
        (0.0, "0 s"),
        (None, units.ABSENT),
        (float("nan"), units.ABSENT),
    ],
)
def test_seconds(value, text):
    assert units.seconds(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1_814_073_344, "1.81 GFLOP/s"),
        (999.6e3, "1.00 MFLOP/s"),
        (12, "12.0 FLOP/s"),
        (3.2e13, "32.0 TFLOP/s"),
        (0, "0 FLOP/s"),
        (None, units.ABSENT),
    ],
)
def test_operations_have_decimal_prefixes(value, text):
    assert units.quantity(value, "FLOP/s") == text


@pytest.mark.parametrize(
    ("value", "spread", "text"),
    [
        (0.0382, 0.0009, "38.2 ± 0.9 ms"),
        (0.0382, 0.00012, "38.20 ± 0.12 ms"),
        (0.0382, 0.0354, "38 ± 35 ms"),
        (1.512, 0.0123, "1.512 ± 0.012 s"),
        (6976.3, 123.4, "6,976 ± 123 s"),
        (0.155, 0.00096, "155.0 ± 1.0 ms"),
        (0.0382, 1e-9, "38.200 ± 0.001 ms"),
        (0.0382, None, "38.2 ms"),
    ],
)
def test_digits_follow_the_spread(value, spread, text):
    assert units.plus_minus(value, spread) == text


@given(st.floats(1e-8, 1e5), st.floats(1e-12, 1e5))
def test_a_shown_spread_is_never_much_too_small(value, spread):
    shown, spread_shown = units.plus_minus(value, spread).replace(",", "").split(" ± ")
    number, unit = spread_shown.split(" ")
    scale = {"µs": 1e-6, "ms": 1e-3, "s": 1.0}[unit]
    assert float(number) * scale >= spread * 0.88  # one digit from 4 on: 4.5 becomes 4
    assert float(shown) * scale == pytest.approx(value, rel=0.06, abs=scale)


def test_latency_shows_half_of_its_interval():
    estimate = Estimate(value=0.04, low=0.038, high=0.042, confidence=0.95, method="", n=5)
    assert units.latency(estimate) == "40.0 ± 2.0 ms"
    assert units.latency(None) == units.ABSENT


@pytest.mark.parametrize(
    ("value", "low", "high", "text"),
    [
        (0.0149, 0.0142, 0.0190, "14.9 [14.2, 19.0] ms"),
        (0.0071, 3.84e-5, 1.31, "7.10 [0.0384, 1,310] ms"),  # two processes
        (0.15321, 0.15318, 0.1534, "153.21 [153.18, 153.40] ms"),
        (0.235, 0.080, 0.520, "235 [80, 520] ms"),
        (0.858, 2.67e-6, 276_032.0, "858 ms [unbounded]"),
        (1.0, 1.0, 1.2, "1.00 [1.00, 1.20] s"),
        (0.04, 0.0382, 0.0421, "40.0 ± 2.0 ms"),  # nearly even
        (0.007, -0.644, 0.658, "7.00 [-644, 658] ms"),  # even, and longer than the figure
        (0.0, 0.0, 0.1, "0 [0, 0.100] s"),
        (0.04, 0.038, float("inf"), "40.0 ms"),
    ],
)
def test_both_ends_of_an_interval_are_shown_where_half_of_it_would_mislead(value, low, high, text):
    estimate = Estimate(value=value, low=low, high=high, confidence=0.95, method="", n=5)
    assert units.latency(estimate) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.023, "2.3 %"), (1.0, "100 %"), (93.0, "over 100 %"), (None, units.ABSENT)],
)
def test_a_half_width_beyond_the_whole_figure_has_no_number(share, text):
    assert units.half_width(share) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.4, "0 s"), (59.7, "1 min 0 s"), (200, "3 min 20 s"), (3900, "1 h 5 min"), (-3, "0 s")],
)
def test_duration(value, text):
    assert units.duration(value) == text


def test_bytes_counts_and_shares():
    assert units.byte_count(512) == "512 B"
    assert units.byte_count(1023) == "1023 B"
    assert units.byte_count(1024) == "1.00 KiB"
    assert units.byte_count(2**30 - 1) == units.byte_count(2**30) == "1.00 GiB"
    assert units.byte_count(31_052_164) == "29.6 MiB"
    assert units.byte_count(None) == units.ABSENT
    assert units.count(7_763_041) == "7,763,041"
    assert units.percent(0.042) == "4.2 %"
    assert units.percent(0.05) == "5 %"
    assert units.percent(0.95) == "95 %"
    assert units.ratio(2.314) == "2.31" + units.TIMES
    assert units.joules(1.4217) == "1.42 J"


def test_round_values_of_an_axis_keep_their_digits():
    assert [units.round_seconds(v) for v in (0.0015, 0.2, 1.5, 1000)] == [
        "1.5 ms",
        "200 ms",
        "1.5 s",
        "1,000 s",
    ]
    assert [units.round_count(v) for v in (500, 1.5e6, 1e7)] == ["500", "1.5 M", "10 M"]
    assert [units.round_number(v) for v in (0.001, 1, 224, 2000)] == ["0.001", "1", "224", "2,000"]
