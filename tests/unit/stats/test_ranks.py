from __future__ import annotations

from itertools import combinations
from math import factorial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kendalltau

from inferometer.stats.ranks import agreement


def every_pair(n):
    return list(combinations(range(n), 2))


@pytest.mark.parametrize("n", [2, 3, 4, 5])
def test_a_full_agreement_is_one_order_of_all(n):
    found = agreement(range(n), every_pair(n))
    assert (found.concordant, found.discordant) == (found.pairs, 0)
    assert found.chance == pytest.approx(1 / factorial(n))


@given(st.permutations(range(6)))
def test_it_is_kendalls_statistic_with_its_exact_distribution(values):
    found = agreement(values, every_pair(6))
    tau, p = kendalltau(np.arange(6), values, alternative="greater", method="exact")
    assert (found.concordant - found.discordant) / found.pairs == pytest.approx(tau)
    assert found.chance == pytest.approx(p)


def test_ties_and_undecided_pairs_agree_with_nothing():
    found = agreement([1, 1, 2], [(0, 1), (0, 2)])
    assert (found.concordant, found.discordant, found.pairs) == (1, 0, 2)
    assert found.chance == pytest.approx(4 / 6)
    assert agreement([1, 2], []).chance == 1


def test_many_things_have_no_enumerated_chance():
    assert agreement(range(8), every_pair(8)).chance is None
