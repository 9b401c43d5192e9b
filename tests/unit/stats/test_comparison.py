"""Comparisons against SciPy's tests, and by simulation with known truth."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as oracle

from inferometer.stats.comparison import (
    Block,
    Difference,
    Error,
    Side,
    group_ratios,
    holm,
    paired,
    units_to_decide,
    unpaired,
    verdicts,
)

LOGS = st.lists(st.floats(-3, 3), min_size=2, max_size=9)


def difference(log_ratio, standard, freedom=30.0, **more):
    return Difference(
        log_ratio=log_ratio,
        errors=(Error(standard=standard, freedom=freedom),),
        **({"units": 10} | more),
    )


@given(a=LOGS, b=LOGS)
def test_two_sides_measured_apart_are_compared_by_welch(a, b):
    if np.ptp(a) < 1e-6 or np.ptp(b) < 1e-6:
        return
    sides = [
        Side(log_median=float(np.mean(x)), standard=float(oracle.sem(x)), processes=len(x))
        for x in (a, b)
    ]
    found = unpaired(*sides)
    welch = oracle.ttest_ind(b, a, equal_var=False)
    low, high = welch.confidence_interval(0.95)
    assert found.p_equal() == pytest.approx(welch.pvalue, abs=1e-9)
    assert math.log(found.interval().low) == pytest.approx(low, abs=1e-6)
    assert math.log(found.interval().high) == pytest.approx(high, abs=1e-6)


@given(means=st.lists(st.floats(-1, 1), min_size=2, max_size=8))
def test_pairs_of_processes_are_the_units(means):
    """Groups that agree within their processes leave the t-test on the processes' means."""
    if np.ptp(means) < 1e-6:
        return
    found = paired([[mean] * 12 for mean in means])
    test = oracle.ttest_1samp(means, 0.0)
    low, high = test.confidence_interval(0.95)
    assert found.p_equal() == pytest.approx(test.pvalue, abs=1e-9)
    assert math.log(found.interval().low) == pytest.approx(low, abs=1e-6)
    assert math.log(found.interval().high) == pytest.approx(high, abs=1e-6)


def test_whoever_decides_to_stop_is_not_deceived_by_processes_that_agree_by_chance():
    rng = np.random.default_rng(3)
    aligned = [list(0.1 * rng.standard_normal(20))] * 3
    assert paired(aligned).half_width(0.95) < 1e-9, "they agree to the last digit"
    found = paired(aligned, cautious=True)
    within = 1.96 * 0.1 / math.sqrt(60)
    assert found.half_width(0.95) > 0.5 * within


def test_a_spike_in_a_group_does_not_move_the_ratio():
    groups = [[0.02] * 19 + [3.0], [0.021] * 20, [0.019] * 20]
    assert paired(groups).ratio == pytest.approx(math.exp(0.02), rel=1e-6)


def test_one_pair_of_processes_knows_only_its_own_error():
    rng = np.random.default_rng(5)
    found = paired([list(0.05 + 0.01 * rng.standard_normal(40))])
    assert found.units == 1
    assert found.interval().low > 1.03
    assert paired([[0.1]]).interval() is None, "a single group has no error"
    assert paired([[0.1]]).p_equal() == 1.0


def test_without_any_group_there_is_nothing_to_compare():
    with pytest.raises(ValueError, match="both sides"):
        paired([[], []])


def test_a_group_is_the_ratio_of_the_two_sides_and_a_steady_drift_cancels():
    def block(group, at, level):
        return Block(0, group, [level * (1 + 0.01 * at)] * 4)

    base = [block(0, 0, 1.0), block(0, 3, 1.0), block(1, 5, 1.0), block(1, 6, 1.0)]
    other = [block(0, 1, 1.1), block(0, 2, 1.1), block(1, 4, 1.1), block(1, 7, 1.1)]
    ((first, second),) = group_ratios(base, other)
    assert math.exp(first) == pytest.approx(1.1, rel=2e-4)
    assert math.exp(second) == pytest.approx(1.1, rel=2e-4)


def test_groups_without_a_partner_and_empty_blocks_are_left_out():
    base = [Block(0, 0, [1.0]), Block(0, 1, [1.0]), Block(1, 0, [])]
    other = [Block(0, 0, [2.0]), Block(1, 0, [2.0]), Block(2, 0, [2.0])]
    assert group_ratios(base, other) == [[pytest.approx(math.log(2))]]
    assert group_ratios([], []) == []


@pytest.mark.parametrize(("processes", "between"), [(3, 0.0), (3, 0.02), (6, 0.02)])
def test_equal_sides_are_called_different_as_often_as_promised(processes, between):
    """Whether or not processes differ by themselves."""
    rng = np.random.default_rng([processes, round(1000 * between)])
    trials, wrong = 1000, 0
    for _ in range(trials):
        levels = between * rng.standard_normal(processes)
        groups = [list(level + 0.05 * rng.standard_normal(25)) for level in levels]
        wrong += paired(groups).p_equal() <= 0.05
    assert 0.03 <= wrong / trials <= 0.07


@pytest.mark.parametrize("between", [0.0, 0.01, 0.03])
def test_stopping_when_the_ratio_is_narrow_keeps_the_promise(between):
    """As a paired run does: three pairs of processes, then more until ± 1 % or six."""
    rng = np.random.default_rng(round(1000 * between))
    trials, wrong = 1000, 0
    for _ in range(trials):
        groups = [
            list(between * rng.standard_normal() + 0.03 * rng.standard_normal(16)) for _ in range(6)
        ]
        for n in range(3, 7):
            if paired(groups[:n], cautious=True).half_width(0.95) <= 0.01:
                break
        wrong += paired(groups[:n]).p_equal() <= 0.05
    assert 0.03 <= wrong / trials <= 0.075


def test_a_difference_of_two_per_cent_is_found():
    rng = np.random.default_rng(11)
    found = [
        paired([list(math.log(1.02) + 0.02 * rng.standard_normal(40)) for _ in range(4)])
        for _ in range(200)
    ]
    assert np.mean([verdicts([one]) == ["slower"] for one in found]) >= 0.9


def test_welch_keeps_its_promise_for_sides_of_three_processes():
    rng = np.random.default_rng(12)
    wrong = 0
    for _ in range(1500):
        sides = [0.05 * rng.standard_normal(3) for _ in range(2)]
        wrong += (
            unpaired(
                *(
                    Side(log_median=float(x.mean()), standard=float(oracle.sem(x)), processes=3)
                    for x in sides
                )
            ).p_equal()
            <= 0.05
        )
    assert 0.02 <= wrong / 1500 <= 0.065


def test_what_was_not_observed_must_be_allowed_for():
    one = Side(log_median=0.0, standard=0.01, processes=1)
    other = Side(log_median=math.log(1.2), standard=0.01, processes=3)
    found = unpaired(one, other, allowance=math.log(1.25))
    assert verdicts([found]) == ["undecided"]
    assert found.interval().low < 1 / 1.02 < 1.2 * 1.25 < found.interval().high
    assert units_to_decide(found) is None
    far = unpaired(one, Side(log_median=math.log(3), standard=0.01, processes=1), allowance=0.22)
    assert verdicts([far]) == ["slower"]
    both = unpaired(other, Side(log_median=0.0, standard=0.01, processes=3), allowance=0.22)
    assert both.allowance == 0.0, "both sides have several processes"


@given(p=st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_is_the_step_down_procedure(p):
    """Against its definition: reject while the k-th smallest is at most alpha / (m - k)."""
    for alpha in (0.01, 0.05, 0.3):
        rejected = set()
        for rank, at in enumerate(sorted(range(len(p)), key=lambda i: p[i])):
            if (len(p) - rank) * p[at] > alpha:
                break
            rejected.add(at)
        assert {i for i, q in enumerate(holm(p)) if q <= alpha} == rejected


def test_holm_of_nothing_is_nothing():
    assert holm([]) == []
    assert verdicts([]) == []


@given(log_ratio=st.floats(-0.05, 0.05), standard=st.floats(1e-5, 0.05), freedom=st.floats(1, 50))
def test_a_single_verdict_is_what_its_interval_says(log_ratio, standard, freedom):
    one = difference(log_ratio, standard, freedom)
    interval = one.interval()
    (verdict,) = verdicts([one])
    edge = math.log(1.01)
    low, high = math.log(interval.low), math.log(interval.high)
    if min(abs(low), abs(high), abs(low + edge), abs(high - edge)) < 1e-9:
        return  # at a boundary, rounding decides
    if -edge < low and high < edge:
        assert verdict == "equivalent"
    elif low > 0:
        assert verdict == "slower"
    elif high < 0:
        assert verdict == "faster"
    else:
        assert verdict == "undecided"


def test_many_comparisons_ask_for_more_evidence_than_one():
    doubtful = difference(0.021, 0.01)
    assert verdicts([doubtful]) == ["slower"]
    assert verdicts([doubtful, *[difference(0.001, 0.01)] * 9])[0] == "undecided"


def test_a_difference_without_any_spread_is_certain():
    exact = difference(0.1, 0.0)
    assert verdicts([exact, difference(0.0, 0.0)]) == ["slower", "equivalent"]


def test_as_many_units_decide_as_the_spread_asks_for():
    """A decision is expected where the interval excludes one: 1.96 s sqrt(10/n) = 2 %."""
    one = difference(math.log(1.02), 0.02, 1e9)
    wanted = units_to_decide(one)
    assert wanted == pytest.approx(10 * (1.96 * 0.02 / math.log(1.02)) ** 2, abs=1)
    near = difference(0.0, 0.02, 1e9)
    assert units_to_decide(near) == pytest.approx(10 * (1.96 * 0.02 / math.log(1.01)) ** 2, abs=1)
    assert units_to_decide(difference(0.005, 9.0)) == 100_000
    assert units_to_decide(difference(0.5, 0.001)) == 10
    assert units_to_decide(Difference(log_ratio=0.0, errors=(), units=1)) is None
