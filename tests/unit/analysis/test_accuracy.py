from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binomtest
from tests.unit.figures.test_accuracy import passed

from inferometer.analysis.accuracy import NOT_JUDGED, compare_accuracies

RECORDS = ("base", "contender")  # stand for records: the passes are found by a function


def compared(one, other, margin=0.01):
    (found,) = compare_accuracies([RECORDS], {"base": one, "contender": other}.get, margin=margin)
    return found


def test_mcnemars_test_on_the_samples_that_both_judged():
    base = [1] * 80 + [1] * 15 + [0] * 5 + [1] * 50
    contender = [1] * 80 + [0] * 15 + [1] * 5
    found = compared(passed(base), passed(contender))
    assert found.accuracy_examples == 100
    assert found.accuracy_baseline == pytest.approx(0.95)
    assert found.accuracy_difference == pytest.approx(-0.10)
    assert found.accuracy_p == pytest.approx(binomtest(5, 20).pvalue)
    assert found.accuracy_difference_low < -0.10 < found.accuracy_difference_high


def test_the_verdict_follows_the_margin_that_the_user_states():
    rng = np.random.default_rng(0)
    base = rng.random(2000) < 0.9
    worse = base & (rng.random(2000) > 0.02)
    found = {
        m: compared(passed(base), passed(worse), m).accuracy_verdict for m in (0.1, 0.018, 0.001)
    }
    assert found == {0.1: "not_worse", 0.018: "worse", 0.001: "worse_than_margin"}
    same = compared(passed(base[:60]), passed(base[:60]), 0.01)
    assert same.accuracy_verdict == "undecided"
    assert same.accuracy_more_examples > 100


def test_others_than_the_same_samples_and_metric_are_not_compared():
    one = passed([1, 0] * 10)
    assert compared(one, None) is None
    assert compared(one, replace(one, metric="f1")) is None
    assert compared(one, replace(one, digest="other")) is None
    assert compared(one, replace(one, contents=one.contents[::-1])) is None
    assert set(NOT_JUDGED.values()) == {None}


def test_one_pass_behind_several_batch_sizes_is_one_test():
    one, other = passed([1] * 20 + [0] * 8), passed([0] * 8 + [1] * 20)
    passes = {"base": one, "contender": other}.get
    once = compare_accuracies([RECORDS], passes)[0].accuracy_p
    assert [one.accuracy_p for one in compare_accuracies([RECORDS] * 8, passes)] == [once] * 8


def test_a_metric_that_is_no_share_is_compared_by_the_same_resamples():
    rng = np.random.default_rng(0)
    errors = rng.gamma(2, size=200)
    base = passed(errors, metric="x.py:f", task="other", higher_is_better=False)
    better = passed(errors * 0.5, metric="x.py:f", task="other", higher_is_better=False)
    found = compared(base, better, 0.1)
    assert found.accuracy_verdict == "not_worse"
    assert found.accuracy_difference_high < 0
    assert compared(better, base, 0.1).accuracy_verdict == "worse_than_margin"
