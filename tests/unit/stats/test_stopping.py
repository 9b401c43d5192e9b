"""The rule of stopping: its conditions one by one, and by simulation with known truth."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inferometer.stats.intervals import quantile_interval
from inferometer.stats.stopping import Rule, expected_more_s, look

RULE = Rule(
    target=0.05,
    confidence=0.95,
    min_calls=100,
    min_rounds=20,
    min_span_s=10.0,
    max_calls=20_000,
    max_time_s=1e6,
)


def noisy(spread, rounds=40, calls=10, seed=1):
    return list(np.exp(spread * np.random.default_rng(seed).standard_normal((rounds, calls))))


def test_a_calm_process_meets_the_target():
    seen = look(noisy(0.02), RULE)
    assert seen.decision == "target_met"
    assert seen.rounds == 40
    assert 0 < seen.half_width <= RULE.target


def test_never_fewer_than_the_least_number_of_rounds_or_calls_however_calm():
    assert look([], RULE).decision == "more"
    assert look(noisy(0.001, rounds=19), RULE).decision == "more"
    assert look(noisy(0.001, rounds=20, calls=4), RULE).decision == "more"
    assert look(noisy(0.001, rounds=20, calls=5), RULE).decision == "target_met"


def test_calls_are_counted_behind_values_that_are_means_of_several():
    rounds = noisy(0.001, rounds=70, calls=1)
    assert look(rounds, RULE).decision == "more"
    assert look(rounds, RULE, calls_per_value=2).decision == "target_met"


def test_calm_moments_close_together_are_not_enough():
    rounds = noisy(0.02)
    seen = look(rounds, RULE, span_s=5.0)
    assert seen.decision == "more"
    assert seen.rounds == 80  # at the same pace, ten seconds
    assert look(rounds, RULE, span_s=10.0).decision == "target_met"


def test_a_narrow_interval_on_few_effective_values_is_not_enough():
    rounds = noisy(0.001, rounds=20, calls=5)
    assert look(rounds, replace(RULE, min_effective=101)).decision == "more"


def test_it_goes_on_where_the_spread_is_high_until_a_limit():
    wild = noisy(1.0)
    assert look(wild, RULE).decision == "more"
    assert look(wild, replace(RULE, max_calls=400)).decision == "limit"
    spent_s = sum(map(sum, wild))
    assert look(wild, replace(RULE, max_time_s=spent_s * 0.99)).decision == "limit"
    assert look(wild, replace(RULE, max_time_s=spent_s * 1.01)).decision == "more"


def test_the_least_comes_before_the_limit():
    impatient = replace(RULE, max_time_s=0.1, max_calls=10)
    assert look(noisy(1.0, rounds=19), impatient).decision == "more"
    assert look(noisy(1.0, rounds=20), impatient, span_s=1.0).decision == "more"
    assert look(noisy(1.0, rounds=20), impatient).decision == "limit"


@given(
    spread=st.floats(0.0, 2.0),
    rounds=st.integers(20, 60),
    calls=st.integers(5, 20),
    seed=st.integers(0, 99),
)
def test_the_next_look_is_15_percent_to_four_times_as_far(spread, rounds, calls, seed):
    seen = look(noisy(spread, rounds, calls, seed), RULE)
    if seen.decision == "more":
        assert math.ceil(1.15 * rounds) <= seen.rounds <= 4 * rounds
    else:
        assert seen.rounds == rounds


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e4])
def test_only_the_relative_spread_matters(scale):
    patient = replace(RULE, max_time_s=math.inf)
    for spread in (0.1, 1.0):
        plain = look(noisy(spread), patient)
        scaled = look([scale * part for part in noisy(spread)], patient)
        assert scaled.decision == plain.decision
        assert scaled.half_width == pytest.approx(plain.half_width)


def test_it_plans_at_a_higher_confidence_than_it_reports():
    assert RULE.planning == pytest.approx(0.97)
    rounds = noisy(0.3)
    reported = quantile_interval(rounds, 0.5, 0.95)
    assert look(rounds, RULE).half_width > (reported.high - reported.low) / 2 / reported.value


def test_the_time_still_needed_is_that_to_the_next_look_within_the_limit():
    wild = noisy(1.0)
    spent_s = sum(map(sum, wild))
    seen = look(wild, RULE)
    more_s = expected_more_s(wild, RULE)
    assert more_s == pytest.approx(spent_s * (seen.rounds / 40 - 1))
    short = replace(RULE, max_time_s=spent_s * 1.1)
    assert expected_more_s(wild, short) == pytest.approx(spent_s * 0.1)
    assert expected_more_s(noisy(0.02), RULE) == 0.0
    assert expected_more_s([], RULE) == 0.0


def test_at_the_stop_it_covers_the_truth_and_seldom_claims_what_is_false():
    rng = np.random.default_rng(17)
    rule = replace(RULE, target=0.03)
    covered = false = 0
    trials = 200
    for _ in range(trials):
        values = np.exp(0.2 * rng.standard_normal((rule.max_calls // 20, 20)))
        due = rule.min_rounds
        while (seen := look(list(values[:due]), rule)).decision == "more":
            due = min(seen.rounds, len(values))
        found = quantile_interval(list(values[:due]))
        covered += found.low <= 1.0 <= found.high
        false += seen.decision == "target_met" and abs(1 / found.value - 1) > rule.target
    assert covered / trials >= 0.91
    assert false / trials <= 0.05
