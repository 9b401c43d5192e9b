"""The race against simulated candidates whose costs are known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from inferometer.runner.tuning.race import HEATS, Contrast, Seen, against, race


class Machine:
    """Rounds of candidates on a machine that drifts, in processes that differ."""

    def __init__(self, costs, *, between=0.02, noise=0.02, slow=0.1, seed=0, last=None):
        self.costs, self.last = costs, last
        self.between, self.noise, self.slow = between, noise, slow
        self.random = np.random.default_rng(seed)
        self.now_s, self.state, self.processes = 0.0, 0.0, 0
        self.ran = []

    @property
    def is_over(self):
        return self.last is not None and len(self.ran) >= self.last

    def heat(self, candidates):
        self.ran.append(list(candidates))
        numbers, effects = {}, {}
        for one in candidates:
            numbers[one], self.processes = self.processes, self.processes + 1
            effects[one] = self.random.normal(0, self.between)
        found = {one: [] for one in candidates}
        for _ in range(4):
            for one in candidates:
                self.now_s += 0.3
                decay = math.exp(-0.3 / 60)
                drift = self.random.normal(0, self.slow * math.sqrt(1 - decay**2))
                self.state = decay * self.state + drift
                logarithm = self.state + effects[one] + self.random.normal(0, self.noise)
                call_s = self.costs[one] * math.exp(logarithm)
                found[one].append(Seen(numbers[one], self.now_s, call_s))
        return {one: rounds for one, rounds in found.items() if self.costs[one] < math.inf}


def run(machine, samples=lambda _: 1.0, **options):
    return race(list(machine.costs), machine, samples, **options)


def test_the_best_wins_and_the_others_leave_early():
    machine = Machine({"a": 0.010, "b": 0.014, "c": 0.018, "d": 0.025})
    found = run(machine)
    assert found.winner == "a"
    assert set(found.left) == {"b", "c", "d"}
    assert found.tied == []
    assert "d" not in machine.ran[-1]
    assert found.heats < HEATS
    assert found.contrasts["b"].low > 1


def test_what_is_hopeless_gets_one_process():
    machine = Machine({"a": 0.010, "b": 0.011, "slow": 0.5})
    found = run(machine)
    assert found.left["slow"] == "hopeless"
    assert len({one.process for one in found.seen["slow"]}) == 1


def test_one_process_alone_decides_nothing_that_is_near():
    machine = Machine({"a": 0.010, "b": 0.016}, last=1)
    found = run(machine)
    assert {found.winner, *found.tied} == {"a", "b"}


def test_twins_are_tied():
    found = run(Machine({"a": 0.010, "b": 0.010, "c": 0.020}, between=0.01))
    assert {found.winner, *found.tied} == {"a", "b"}


def test_throughput_counts_samples():
    costs = {1: 0.010, 2: 0.014, 8: 0.120}
    found = run(Machine(costs), samples=float)
    assert found.winner == 2


def test_those_that_fail_are_out():
    found = run(Machine({"a": 0.010, "broken": math.inf}))
    assert found.winner == "a"
    assert "broken" not in found.contrasts
    found = run(Machine({"broken": math.inf}))
    assert (found.winner, found.tied, found.heats) == (None, [], 1)


def test_a_single_candidate_wins():
    found = run(Machine({"a": 0.01}))
    assert (found.winner, found.tied, found.heats) == ("a", [], 1)


def test_nobody_and_no_time():
    assert run(Machine({})).winner is None
    found = run(Machine({"a": 0.01, "b": 0.02}, last=0))
    assert (found.winner, found.heats) == (None, 0)


def test_against_a_given_one():
    machine = Machine({"a": 0.010, "b": 0.020})
    seen = {}
    for _ in range(3):
        for one, rounds in machine.heat(["a", "b"]).items():
            seen.setdefault(one, []).extend(rounds)
    found = against("b", seen, seen, lambda _: 1.0)
    assert found["b"] == Contrast(ratio=1.0, low=1.0, high=1.0)
    assert found["a"].low < 0.5 < found["a"].high
    assert found["a"].high < 0.7


@pytest.mark.parametrize("seed", range(8))
def test_the_true_best_is_the_winner_or_tied(seed):
    random = np.random.default_rng(seed)
    costs = dict(enumerate(0.02 * np.exp(random.normal(0, 0.3, 8))))
    found = run(Machine(costs, seed=seed))
    assert min(costs, key=costs.get) in {found.winner, *found.tied}
