"""The least time of a call, against closed answers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inferometer.stats.roofline import Rates, Work, bound, operator_bound

RATES = Rates(flops_per_s=100e9, memory_per_s=20e9, cache_per_s=80e9, cache_bytes=1_000_000)

amounts = st.floats(0, 1e12)
rates = st.builds(
    Rates,
    flops_per_s=st.floats(1e6, 1e15),
    memory_per_s=st.floats(1e6, 1e13),
    cache_per_s=st.none() | st.floats(1e6, 1e13),
    cache_bytes=st.none() | st.integers(1, 1 << 32),
)
works = st.lists(
    st.builds(Work, flops=amounts, moved=amounts, calls=st.integers(1, 100)), max_size=8
)


@pytest.mark.parametrize(
    ("flops", "moved", "latency_s", "limit"),
    [
        (1e9, 1e6, 10e-3, "compute"),
        (0, 800_000, 10e-6, "memory"),  # all of it in the caches: 80 GB/s
        (0, 3_000_000, 100e-6, "memory"),  # 2 MB from memory, at 20 GB/s
        (0, 1_100_000, 13.75e-6, "memory"),  # a little from memory, meanwhile the rest
        (0, 0, 0, "compute"),
    ],
)
def test_closed_answers(flops, moved, latency_s, limit):
    least = bound(flops, moved, RATES)
    assert least.latency_s == pytest.approx(latency_s)
    assert least.limit == limit


def test_without_caches_all_comes_from_memory():
    plain = Rates(flops_per_s=100e9, memory_per_s=20e9)
    assert bound(0, 800_000, plain).memory_s == pytest.approx(40e-6)
    assert plain.ridge == 5


def test_caches_of_unknown_size_may_hold_everything():
    unknown = Rates(flops_per_s=100e9, memory_per_s=20e9, cache_per_s=80e9)
    assert bound(0, 8e9, unknown).memory_s == pytest.approx(0.1)


def test_operators_one_by_one():
    found = operator_bound(
        [
            Work(flops=1e9, moved=1e5),  # 10 ms of arithmetic
            Work(flops=0, moved=4e6, calls=5),  # 0.8 MB each, from the caches: 50 µs
            Work(flops=0, moved=4e6, calls=2),  # 2 MB each, from memory: 200 µs
        ],
        5e5,
        RATES,
    )
    assert found.latency_s == pytest.approx(10.25e-3)
    assert found.memory_bound_s == pytest.approx(0.25e-3)
    assert found.memory_bound_share == pytest.approx(0.25 / 10.25)


def test_weights_that_no_cache_holds_come_from_memory_however_small_each_is():
    layers = [Work(flops=1e6, moved=8e5)] * 10
    assert operator_bound(layers, 8e6, RATES).latency_s == pytest.approx(8e6 / 20e9)
    assert operator_bound(layers, 8e5, RATES).latency_s == pytest.approx(8e6 / 80e9)


def test_nothing_to_do_has_no_share():
    assert operator_bound([], 0, RATES).memory_bound_share is None


@given(amounts, amounts, rates, st.floats(1, 100))
def test_a_latency_at_or_above_the_roofline_reaches_at_most_all_of_it(flops, moved, at, slower):
    least = bound(flops, moved, at)
    if least.latency_s:
        assert 0 < least.share(slower * least.latency_s) <= 1 + 1e-12


@given(amounts, amounts, amounts, rates)
def test_more_work_never_takes_less_time(flops, moved, more, at):
    least = bound(flops, moved, at).latency_s
    assert bound(flops + more, moved, at).latency_s >= least
    assert bound(flops, moved + more, at).latency_s >= least * (1 - 1e-12)


@given(amounts, amounts, rates, st.floats(1, 10))
def test_a_faster_device_never_takes_longer(flops, moved, at, faster):
    better = Rates(
        flops_per_s=at.flops_per_s * faster,
        memory_per_s=at.memory_per_s * faster,
        cache_per_s=None if at.cache_per_s is None else at.cache_per_s * faster,
        cache_bytes=at.cache_bytes,
    )
    assert bound(flops, moved, better).latency_s <= bound(flops, moved, at).latency_s * (1 + 1e-12)


@given(works, amounts, rates)
def test_operators_are_bounded_by_their_sums(work, moved, at):
    found = operator_bound(work, moved, at)
    flops, total = sum(one.flops for one in work), sum(one.moved for one in work)
    assert found.latency_s >= flops / at.flops_per_s * (1 - 1e-9)
    assert found.latency_s >= total / at.fastest_per_s * (1 - 1e-9)
    slowest = flops / at.flops_per_s + total / at.memory_per_s
    if at.cache_per_s is None or at.cache_per_s >= at.memory_per_s:
        assert found.latency_s <= slowest * (1 + 1e-9)
    assert found.memory_bound_share is None or 0 <= found.memory_bound_share <= 1
