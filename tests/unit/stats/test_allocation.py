"""Rounds per process, from variances and costs."""

from __future__ import annotations

import numpy as np
import pytest

from inferometer.stats.allocation import LEAST_BETWEEN, Spread, best_rounds, spread_of


def variance_of_mean(spread: Spread, rounds: int, *, process_s: float, round_s: float) -> float:
    processes = 1000.0 / (process_s + rounds * round_s)
    return (spread.between**2 + spread.within**2 / rounds) / processes


@pytest.mark.parametrize(("process_s", "round_s"), [(5.0, 0.25), (1.0, 0.1), (2.0, 4.0)])
def test_no_other_number_of_rounds_is_much_better_for_the_same_time(process_s, round_s):
    spread = Spread(within=0.115, between=0.075)
    chosen = best_rounds(spread, process_s=process_s, round_s=round_s)
    costs = {"process_s": process_s, "round_s": round_s}
    best = min(variance_of_mean(spread, rounds, **costs) for rounds in range(1, 200))
    assert variance_of_mean(spread, chosen, **costs) <= 1.1 * best


def test_about_seven_rounds_suit_the_lab():
    assert best_rounds(Spread(), process_s=5.0, round_s=0.25) == 7


def test_variances_come_from_the_rounds_once_there_are_many():
    rng = np.random.default_rng(1)
    workloads = [
        [list(rng.normal(process, 0.05, 8)) for process in rng.normal(0, 0.2, 6)] for _ in range(40)
    ]
    found = spread_of(workloads)
    assert found.within == pytest.approx(0.05, rel=0.15)
    assert found.between == pytest.approx(0.2, rel=0.15)


def test_nothing_seen_is_what_is_expected():
    assert spread_of([]).within == pytest.approx(Spread().within)
    assert spread_of([[[0.0]]]).between == pytest.approx(Spread().between)


def test_processes_that_are_all_alike_do_not_get_all_rounds():
    alike = [[[0.1, -0.1], [0.1, -0.1], [0.1, -0.1]]] * 40
    found = spread_of(alike)
    assert found.between == LEAST_BETWEEN
    assert best_rounds(found, process_s=5.0, round_s=0.25) < 100
