"""Levels of a series over many runs, and where they changed."""

from __future__ import annotations

import math
from itertools import combinations, pairwise

import numpy as np
import pytest
import ruptures
from hypothesis import given, settings
from hypothesis import strategies as st

from inferometer.stats.history.changes import FEWEST, course, penalty
from inferometer.stats.history.noise import first_guess, first_offsets
from inferometer.stats.history.steps import CAP, first_of_each


def nights(count, sd=0.018, seed=0, **slower):
    """Log-ratios of nights, and slower ones from some on: `at_100=1.05`."""
    values = np.random.default_rng(seed).normal(0, sd, count)
    for name, ratio in slower.items():
        values[int(name.removeprefix("at_")) :] += math.log(ratio)
    return values


def starts(values, **options):
    return [change.at for change in course(values, **options).changes]


def test_a_slower_level_is_found_dated_and_sized():
    known = course(nights(120, at_100=1.06))
    (change,) = known.changes
    half = change.shift.half_width(0.95)
    assert abs(change.at - 100) <= 2
    assert change.earliest <= 100 <= change.latest
    assert abs(change.shift.log_ratio - math.log(1.06)) < half < 0.02
    assert [(one.first, one.last) for one in known.levels] == [
        (0, change.at - 1),
        (change.at, 119),
    ]
    assert known.noise
    assert known.noise.scale == pytest.approx(0.018, rel=0.2)


def test_levels_may_be_compared_beyond_neighbours():
    known = course(nights(240, sd=0.01, at_80=0.8, at_160=1.1))
    assert [one.shift.log_ratio > 0 for one in known.changes] == [False, True]
    assert known.shift(0, 2).log_ratio == pytest.approx(math.log(0.88), abs=0.01)
    assert known.shift(2, 0).log_ratio == -known.shift(0, 2).log_ratio


def test_nothing_is_said_of_a_few_runs():
    assert course(nights(FEWEST - 1, at_5=2.0)).levels == ()
    assert len(course(nights(FEWEST)).levels) == 1


def test_a_series_of_one_value_has_one_level():
    known = course([0.5] * 30)
    assert known.changes == ()
    assert known.levels[0].mean == pytest.approx(0.5)


@pytest.mark.parametrize("off", [[60], [60, 61], [10, 50, 51, 90]])
def test_outliers_are_no_change_and_move_no_level(off):
    values = nights(120)
    values[off] += 0.4
    known = course(values)
    assert known.changes == ()
    assert set(off) <= set(known.outliers)
    assert abs(known.levels[0].mean) < 0.005


def test_the_last_two_runs_alone_are_no_change_yet():
    assert starts(nights(120, at_118=1.3)) == []
    assert starts(nights(120, at_115=1.3)) == [115]


def test_devices_that_differ_are_no_change_and_hide_none():
    device = np.random.default_rng(5).integers(0, 4, 200)
    values = nights(200, at_150=1.06) + np.array([0.0, 0.3, -0.2, 0.1])[device]
    known = course(values, groups=[f"device {one}" for one in device])
    assert len(known.changes) == 1
    assert abs(known.changes[0].at - 150) <= 3
    offsets = dict(known.offsets)
    assert offsets["device 1"] - offsets["device 2"] == pytest.approx(0.5, abs=0.01)


def test_devices_that_are_unevenly_spread_about_a_change_hide_it_not():
    device = np.array([0] * 50 + [1] * 5 + [0] * 10 + [1] * 40)
    device = device[
        np.r_[
            np.random.default_rng(1).permutation(55), 55 + np.random.default_rng(2).permutation(50)
        ]
    ]
    values = nights(105, at_55=1.1) + 0.2 * device
    assert [abs(at - 55) <= 2 for at in starts(values, groups=device.tolist())] == [True]


def test_a_new_device_that_took_over_is_not_told_from_a_change():
    values = nights(100, at_60=1.2)
    assert starts(values) == [60]
    assert starts(values, groups=["old"] * 60 + ["new"] * 40) == []


def test_imprecise_runs_count_less():
    values = nights(100)
    values[40:60] += np.random.default_rng(3).normal(0, 0.15, 20)
    errors = np.where((np.arange(100) >= 40) & (np.arange(100) < 60), 0.15, 0.005)
    known = course(values, errors)
    assert known.changes == ()
    assert known.levels[0].standard < 0.004


def test_errors_that_are_not_known_are_as_usual_ones():
    values = nights(100, at_70=1.06)
    assert starts(values, errors=[math.inf] * 100) == starts(values)


def test_a_drift_that_passes_widens_what_is_usual():
    random = np.random.default_rng(7)
    values = np.zeros(300)
    for night in range(1, 300):
        values[night] = 0.6 * values[night - 1] + random.normal(0, 0.015)
    known = course(values)
    assert known.noise
    assert known.noise.unit > 1.4 * known.noise.scale


def test_a_change_must_be_worth_more_in_short_series_and_among_many():
    assert penalty(15) > penalty(50) > penalty(365) > CAP**2
    assert penalty(365, 2) - penalty(365) == pytest.approx(2 * math.log(2), rel=0.2)


def test_steps_agree_with_another_program():
    values = nights(200, sd=0.01, at_60=1.1, at_130=0.9)
    found = ruptures.Pelt(model="l2", jump=1, min_size=3).fit(values[:, None])
    assert starts(values) == found.predict(pen=24 * 0.01**2)[:-1]


def cost_of(values, variances, bounds, penalty_of_one):
    """What levels between bounds cost at best, over all levels there might be, tried one by one."""
    grid = np.linspace(values.min(), values.max(), 400)
    total = penalty_of_one * (len(bounds) - 2)
    for a, b in pairwise(bounds):
        apart = (values[a:b, None] - grid) ** 2 / variances[a:b, None]
        total += np.minimum(apart, CAP**2).sum(0).min()
    return total


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.floats(-30, 30), min_size=2, max_size=7),
    st.lists(st.floats(0.5, 4), min_size=7, max_size=7),
)
def test_no_other_steps_cost_less(drawn, variances):
    values, spread = np.array(drawn), np.array(variances[: len(drawn)])
    found = [*first_of_each(values, spread, 12.0), len(values)]
    best = min(
        cost_of(values, spread, (0, *inner, len(values)), 12.0)
        for many in range(len(values))
        for inner in combinations(range(1, len(values)), many)
    )
    # Levels are on a grid a tenth of a deviation apart.
    assert cost_of(values, spread, found, 12.0) <= best + 0.05 * len(values) * 9


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 50), st.floats(-3, 3))
def test_a_unit_changes_no_change(seed, log_unit):
    values = nights(60, seed=seed, at_40=1.08)
    moved = course(values + log_unit)
    assert [one.at for one in moved.changes] == starts(values)
    assert [one.mean - log_unit for one in moved.levels] == pytest.approx(
        [one.mean for one in course(values).levels], abs=2e-3
    )


def test_the_first_guess_does_not_mind_a_change():
    assert first_guess(nights(200, at_100=3.0)).scale == pytest.approx(0.018, rel=0.3)


def test_offsets_come_from_neighbours():
    group = np.array([0, 1] * 30)
    values = np.where(group == 1, 0.2, 0.0) + np.where(np.arange(60) >= 30, 1.0, 0.0)
    low, high = first_offsets(values, group)
    assert high - low == pytest.approx(0.2, abs=0.02)


def test_slowdowns_are_found_and_nothing_else():
    """Roughly: `benchmarks/history.py` does it for 200 series and every night of a year."""
    random = np.random.default_rng(0)
    found = {0.05: 0, 0.10: 0}
    for _ in range(12):
        own = random.normal(0, 0.01, 8)[random.integers(8, size=364)]
        values = own + random.normal(0, 0.015, 364)
        values[random.random(364) < 0.02] += 0.3
        assert not any(starts(values[:until]) for until in (12, 30, 60, 120, 240, 350))
        for slower in found:
            moved = values.copy()
            moved[350:] += math.log1p(slower)
            found[slower] += any(abs(at - 350) <= 7 for at in starts(moved))
    assert found[0.05] >= 10
    assert found[0.10] == 12
