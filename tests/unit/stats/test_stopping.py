from __future__ import annotations

from dataclasses import replace

import pytest

from inferometer.stats.stopping import Rule

RULE = Rule(
    target=0.05, confidence=0.95, min_calls=10, min_rounds=5, max_calls=100, max_time_s=1000.0
)


def rounds(means, calls=4):
    return [mean * calls for mean in means], [calls] * len(means)


def test_never_fewer_than_the_least_number_of_calls_however_calm():
    sums, counts = rounds([1.0] * 9, calls=1)
    assert RULE.decide(sums, counts) == "more"
    assert RULE.decide([*sums, 1.0], [*counts, 1]) == "target_met"


def test_never_fewer_than_the_least_number_of_rounds():
    assert RULE.decide(*rounds([1.0] * 4, calls=20)) == "more"


def test_few_repetitions_where_the_deviation_is_low_more_where_it_is_high():
    calm = [1.0, 1.01, 0.99, 1.0, 1.01]
    wild = [1.0, 1.5, 0.7, 1.0, 1.4]
    assert RULE.decide(*rounds(calm)) == "target_met"
    assert RULE.decide(*rounds(wild)) == "more"
    assert RULE.decide(*rounds(wild * 6)) == "limit"  # 120 calls and still not there


def test_the_limit_of_time_ends_it_only_after_the_minimum():
    impatient = replace(RULE, max_time_s=2.0)
    assert impatient.decide(*rounds([1.0, 3.0], calls=2)) == "more"
    assert impatient.decide(*rounds([1.0, 1.5, 0.7, 1.0, 1.4])) == "limit"


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e4])
def test_only_the_relative_spread_matters(scale):
    means = [scale * m for m in (1.0, 1.01, 0.99, 1.0, 1.01)]
    patient = replace(RULE, max_time_s=1e9)
    assert patient.decide(*rounds(means)) == "target_met"


def test_the_time_still_needed_is_what_the_spread_asks_for_within_the_limit():
    wild = rounds([1.0, 1.5, 0.7, 1.0, 1.4])
    patient = replace(RULE, max_time_s=1e6)
    more = patient.expected_more_s(*wild)
    doubled = replace(patient, target=0.1).expected_more_s(*wild)
    assert (more + sum(wild[0])) == pytest.approx(4 * (doubled + sum(wild[0])))
    assert replace(RULE, max_time_s=sum(wild[0])).expected_more_s(*wild) == 0.0
    assert RULE.expected_more_s(*rounds([1.0, 1.0, 1.0])) == 0.0
