"""The search for cliffs: on devices whose truth is known, with and without noise."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inferometer.stats.cliffs import LARGEST, NARROW, search


@dataclass(frozen=True)
class Point:
    at: int
    rate: float | None = None
    low: float | None = None
    high: float | None = None
    allowance: float = 0.0
    failure: str = ""
    hopeful: bool = False


def point(at, rate, half=0.02, **more):
    return Point(at, rate, rate * (1 - half), rate * (1 + half), **more)


def failed(at, kind="out_of_memory", *, hopeful=True):
    return Point(at, failure=kind, hopeful=hopeful)


@dataclass(frozen=True)
class Device:
    """Rate 100 · b / (b + half), cut by a factor beyond one batch; nothing works beyond another."""

    half: float = 1.0
    collapse: int = 10**9
    factor: float = 1.0
    fails: int = 10**9
    noise: float = 0.0
    seed: int = 0

    def measure(self, at):
        if at > self.fails:
            return failed(at)
        dice = np.random.default_rng((self.seed, at))
        rate = 100 * at / (at + self.half) * (self.factor if at > self.collapse else 1.0)
        return point(at, rate * math.exp(self.noise * dice.standard_normal()), 2 * self.noise)


def run(device, start, *, most=100, **limits):
    """Search to the end; gives the end and how many points it took beyond the first."""
    points = [device.measure(at) for at in start]
    limits = {"most_s": math.inf, **limits}
    for steps in range(most):
        found = search(points, **limits)
        if not found.next:
            return found, steps
        tried = {one.at for one in points}
        assert found.next[0] not in tried
        points.append(device.measure(found.next[0]))
    raise AssertionError("the search does not end")


def test_the_example_of_the_manual():
    found, _ = run(Device(half=2, collapse=70, factor=0.58, fails=560), [1, 2, 4, 8, 512, 1024])
    assert (found.collapse.good, found.collapse.bad) == (64, 72)
    assert found.collapse.drop == pytest.approx(0.42, abs=0.01)
    assert found.collapse.is_sudden
    assert (found.failure.kind, found.failure.good, found.failure.bad) == (
        "out_of_memory",
        512,
        576,
    )


def test_without_a_cliff_it_doubles_up_to_the_largest():
    found, steps = run(Device(), [1, 2, 4])
    assert (found.collapse, found.failure) == (None, None)
    assert (found.end, found.reached, steps) == ("largest", LARGEST, 8)
    assert found.best == LARGEST
    assert found.plateau == 32  # 32/33 of the highest rate, while 16/17 is less than 95 % of it


def test_what_was_asked_for_beyond_the_largest_is_searched_all_the_same():
    found, _ = run(Device(fails=3000), [1, 4096])
    assert found.failure.good <= 3000 < found.failure.bad <= NARROW * found.failure.good


def test_a_call_that_would_take_too_long_ends_the_doubling():
    found, _ = run(Device(), [8], most_s=0.5)
    assert (found.end, found.reached) == ("slow", 32)


def test_a_dip_is_no_cliff():
    points = [point(1, 100.0), point(2, 60.0), point(4, 110.0)]
    assert search(points, most_s=math.inf).collapse is None


def test_a_failure_below_a_batch_that_works_is_not_tried_again():
    points = [point(64, 100.0), failed(96, "crash"), point(128, 50.0)]
    found = search(points, most_s=math.inf)
    assert (found.collapse.good, found.collapse.bad) == (64, 128)
    assert found.next == (256,)


def test_intervals_that_overlap_are_no_collapse():
    assert search([point(1, 100, 0.3), point(2, 70, 0.3)], most_s=1e9).collapse is None
    assert search([point(1, 100, 0.1), point(2, 70, 0.1)], most_s=1e9).collapse is not None


def test_what_a_single_process_leaves_out_is_allowed_for():
    def of(fall):
        points = [point(at, rate, allowance=0.25) for at, rate in ((1, 100), (2, 100 * (1 - fall)))]
        return search(points, most_s=1e9).collapse

    assert of(0.30) is None
    assert of(0.40) is not None


def test_without_intervals_the_fall_alone_counts():
    points = [Point(1, 100.0), Point(2, 79.0)]
    assert search(points, most_s=1e9).collapse.drop == pytest.approx(0.21)


def test_a_slow_decline_is_not_called_sudden():
    rates = {2**k: 100 * 0.93**k for k in range(9)}
    found = search([point(at, rate) for at, rate in rates.items()], most_s=1e9)
    assert found.collapse.below_best > 0.2
    assert not found.collapse.is_sudden


def test_where_the_smallest_fails_smaller_ones_are_tried_if_that_may_help():
    found, _ = run(Device(fails=3), [16, 32])
    assert (found.failure.good, found.failure.bad) == (3, 4)
    found, _ = run(Device(fails=0), [4])
    assert (found.failure.good, found.failure.bad, found.best) == (0, 1, None)
    found = search([failed(4, "crash", hopeful=False)], most_s=1e9)
    assert (found.failure, found.next, found.end) == (None, (), "nothing")


def test_nothing_is_refused():
    with pytest.raises(ValueError):
        search([], most_s=1.0)


STARTS = st.lists(st.integers(1, 600), min_size=1, max_size=8, unique=True)


@given(start=STARTS, fails=st.integers(1, 900), half=st.floats(0.5, 50))
def test_where_memory_ends_is_always_bracketed(start, fails, half):
    found, steps = run(Device(half=half, fails=fails), start)
    cliff = found.failure
    assert cliff.good <= fails < cliff.bad
    assert cliff.is_narrow
    assert steps <= 2 * math.log2(LARGEST) + 2


@given(start=STARTS, at=st.integers(1, 500), factor=st.floats(0.2, 0.6), seed=st.integers(0, 99))
def test_a_planted_collapse_is_always_bracketed(start, at, factor, seed):
    """Half of the full rate is reached at batch 0.01, so that the cliff is the only fall."""
    device = Device(half=0.01, collapse=at, factor=factor, noise=0.01, seed=seed)
    found, steps = run(device, [1, *(one for one in start if one != 1)])
    cliff = found.collapse
    assert cliff.good <= at < cliff.bad
    assert cliff.is_narrow
    assert cliff.is_sudden
    assert cliff.drop == pytest.approx(1 - factor, abs=0.08)
    assert steps <= 2 * math.log2(LARGEST) + 2


@pytest.mark.parametrize("noise", [0.03, 0.1])
def test_noise_makes_no_cliff(noise):
    """Of 2000 such searches, 1 found a cliff at the most, at any noise from 3 to 15 %."""
    lines = [run(Device(half=0.01, noise=noise, seed=seed), [1, 4, 32])[0] for seed in range(200)]
    assert sum(line.collapse is not None for line in lines) <= 1


@pytest.mark.parametrize(("factor", "noise", "least"), [(0.6, 0.05, 0.98), (0.7, 0.02, 0.98)])
def test_a_collapse_is_seen_through_noise(factor, noise, least):
    seen = 0
    for seed in range(100):
        at = 10 + 4 * seed
        device = Device(half=0.01, collapse=at, factor=factor, noise=noise, seed=seed)
        cliff = run(device, [1, 4, 32])[0].collapse
        seen += cliff is not None and cliff.good <= at < cliff.bad
    assert seen >= 100 * least


@given(data=st.data())
def test_it_ends_whatever_is_measured(data):
    """The points are drawn without any sense; the search still never repeats one, and ends."""

    class Senseless:
        def measure(self, at):
            rate = data.draw(st.one_of(st.none(), st.floats(0.1, 1e6)))
            return failed(at, hopeful=data.draw(st.booleans())) if rate is None else point(at, rate)

    _, steps = run(Senseless(), data.draw(STARTS))
    assert steps <= 2 * math.log2(LARGEST) + 2
