from __future__ import annotations

import itertools
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inferometer.stats.alignment import View, _has_rival, align

START_S = 1_714_557_600.0


def plan(rng, gap_s):
    """Idle, warm-up, five windows with random gaps, idle: as an energy measurement is run."""
    at = START_S
    idles, loads = [(at, at + 20)], [(at + 20, at + 30)]
    at += 30
    for _ in range(5):
        at += rng.uniform(0, gap_s)
        loads.append((at, at + 10))
        at += 10
    return loads, [*idles, (at, at + 20)]


def exact_load_s(loads, at):
    """Seconds of load before a time; worked out apart from the code under test."""
    return sum(np.clip(at, start, end) - start for start, end in loads)


def record(
    rng, loads, *, period_s, noise_w=0.4, window=1.0, step_w=4.0, margin_s=70.0, jitter=0.02
):
    """A log on our clock, of a sensor that averages over the last `window` periods."""
    first, last = loads[0][0] - 20 - margin_s, loads[-1][1] + 20 + margin_s
    times = np.arange(first + rng.uniform(0, period_s), last, period_s)
    times += rng.uniform(-jitter, jitter, times.size) * period_s
    width = max(window * period_s, 1e-6)
    share = (exact_load_s(loads, times) - exact_load_s(loads, times - width)) / width
    watts = 3 + step_w * share + rng.normal(0, noise_w, times.size)
    return times, np.round(watts, 1)


@pytest.mark.parametrize("period_s", [0.1, 0.5, 1.0, 2.0])
def test_the_offset_is_found_to_within_a_period(period_s):
    """Whether the sensor tells the moment, averages over its period, or over three."""
    seeds, near, covered = 24, 0, 0
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        loads, idles = plan(rng, period_s)
        times, watts = record(rng, loads, period_s=period_s, window=(0.0, 1.0, 3.0)[seed % 3])
        offset = rng.uniform(-30, 30)
        found = align(times - offset, watts, loads, idles)
        if found is None:
            continue
        error = abs(found.offset_s - offset)
        near += error <= period_s
        covered += error <= 2 * found.uncertainty_s
    assert near >= 0.95 * seeds
    assert covered >= 0.9 * seeds


def with_pauses(loads):
    """What an energy measurement knows: in the pauses between windows nothing runs."""
    return [(end, start) for (_, end), (start, _) in itertools.pairwise(loads)]


@pytest.mark.parametrize("window", [0.0, 1.0, 3.0])
@pytest.mark.parametrize("rate_hz", [0.5, 1, 10, 100])
def test_a_log_with_pauses_is_found_to_a_tenth_of_its_period(rate_hz, window):
    """At no side, by a meter of the moment or one that averages, by a clock that drifts."""
    errors, covered = [], 0
    for seed in range(5):
        rng = np.random.default_rng(seed)
        loads, idles = plan(rng, 1.0)
        times, watts = record(rng, loads, period_s=1 / rate_hz, window=window, noise_w=0.2)
        offset_s, drift = rng.uniform(-30, 30), rng.uniform(-1e-4, 1e-4)
        middle_s = (loads[0][0] + loads[-1][1]) / 2
        log_s = times - offset_s - drift * (times - middle_s)
        found = align(log_s, watts, loads, [*idles, *with_pauses(loads)])
        errors.append((found.offset_s - offset_s) * rate_hz)
        covered += abs(errors[-1]) <= 2 * found.uncertainty_s * rate_hz
    assert np.median(np.abs(errors)) <= 0.13
    assert abs(np.mean(errors)) <= 0.15
    assert covered >= 3


@pytest.mark.parametrize("rate_hz", [1, 4, 20])
@pytest.mark.parametrize("through", [False, True])
def test_edges_in_other_places_are_found_where_they_are_a_view(rate_hz, through):
    """Else they look like a sensor that averages for long, and move the offset to one side."""
    rng = np.random.default_rng(11)
    loads, idles = plan(rng, 1.0)
    shown = [(loads[0][0], loads[-1][1])] if through else loads
    shown = [(start + 1.2, end - 1.2) for start, end in shown]
    first, last = idles[0][0], idles[1][1]
    edges = [first, *itertools.chain.from_iterable(shown), last]
    other = View(loads=shown, idles=list(zip(edges[::2], edges[1::2], strict=True)))
    times, watts = record(rng, shown, period_s=1 / rate_hz, noise_w=0.05)
    found = align(times + 7, watts, loads, [*idles, *with_pauses(loads)], others=[other])
    assert found.offset_s == pytest.approx(-7, abs=(0.3 if through else 0.15) / rate_hz)


def test_a_log_of_a_part_is_found_where_that_is_allowed():
    rng = np.random.default_rng(12)
    loads, idles = plan(rng, 1.0)
    times, watts = record(rng, loads, period_s=0.25)
    part = times < loads[4][0] + 3
    idles += with_pauses(loads)
    assert align(times[part] + 2, watts[part], loads, idles) is None
    found = align(times[part] + 2, watts[part], loads, idles, least_share=0.5)
    assert found.offset_s == pytest.approx(-2, abs=0.1)


def test_work_of_different_powers_is_no_noise():
    rng = np.random.default_rng(13)
    loads, idles = plan(rng, 1.0)
    times, watts = record(rng, loads, period_s=0.25, noise_w=0.02)
    for number, (start, end) in enumerate(loads):
        watts[(times > start) & (times <= end + 0.25)] += number
    found = align(times + 3, watts, loads, [*idles, *with_pauses(loads)])
    assert found.offset_s == pytest.approx(-3, abs=0.05)


def test_the_levels_are_those_of_the_device():
    rng = np.random.default_rng(1)
    loads, idles = plan(rng, 0.5)
    times, watts = record(rng, loads, period_s=0.5, noise_w=0.1)
    found = align(times - 7, watts, loads, idles)
    assert found is not None
    assert found.idle_w == pytest.approx(3, abs=0.1)
    assert found.load_w == pytest.approx(7, abs=0.2)  # the gaps between windows are in it
    assert found.explained > 0.9


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000), st.floats(-40, 40), st.floats(0.5, 500), st.sampled_from([0.2, 1.0]))
def test_a_shift_or_another_unit_changes_nothing_else(seed, shift_s, scale, period_s):
    rng = np.random.default_rng(seed)
    loads, idles = plan(rng, period_s)
    times, watts = record(rng, loads, period_s=period_s, margin_s=50)
    plain = align(times, watts, loads, idles)
    other = align(times - shift_s, scale * watts, loads, idles)
    assert plain is not None
    assert other is not None
    assert other.offset_s - shift_s == pytest.approx(plain.offset_s, abs=0.6 * period_s)
    assert other.load_w == pytest.approx(scale * plain.load_w, rel=0.05)


@pytest.mark.parametrize("kind", ["white", "slow", "rising"])
def test_noise_without_a_step_is_refused(kind):
    seeds, found = 60, 0
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        loads, idles = plan(rng, 0.5)
        times, watts = record(rng, loads, period_s=0.5, step_w=0.0, noise_w=0.5)
        if kind == "slow":
            wave = rng.uniform(50, 300)
            watts += np.sin(2 * np.pi * times / wave + rng.uniform(0, 6))
        if kind == "rising":
            watts += np.linspace(0, 1, times.size)
        found += align(times, watts, loads, idles) is not None
    assert found <= (0.03 if kind != "slow" else 0.3) * seeds


def test_many_windows_take_no_memory_of_their_own():
    """Hours of work under a fast meter: samples times windows would be gigabytes."""
    rng = np.random.default_rng(10)
    loads, idles, at = [], [], START_S
    for _ in range(100):
        for kind in (idles, loads):
            length_s = rng.uniform(5, 40)
            kind.append((at, at + length_s))
            at += length_s + rng.uniform(0, 1)
    times, watts = record(rng, loads, period_s=0.1)
    tracemalloc.start()
    found = align(times - 3.3, watts, loads, idles)
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found is not None
    assert found.offset_s == pytest.approx(3.3, abs=0.1)
    assert peak_bytes < 25 * times.nbytes


def test_a_load_that_lowers_the_power_is_not_the_load():
    rng = np.random.default_rng(3)
    loads, idles = plan(rng, 0.5)
    times, watts = record(rng, loads, period_s=0.5, step_w=-2.0, noise_w=0.1)
    found = align(times, watts, loads, idles, max_offset_s=20)
    assert found is None


def test_periodic_windows_are_ambiguous():
    rng = np.random.default_rng(4)
    loads = [(START_S + 10 * k, START_S + 10 * k + 5) for k in range(30)]
    idles = [(START_S + 10 * k + 5, START_S + 10 * k + 10) for k in range(30)]
    times, watts = record(rng, loads, period_s=0.5)
    assert align(times, watts, loads, idles) is None


@pytest.mark.parametrize(("at_s", "height", "found"), [(0.0, 0.0, False), (3.0, 0.95, True)])
def test_a_wiggle_on_the_flank_is_not_a_second_place(at_s, height, found):
    """Seen of a meter whose load had short pauses: the flank crossed the limit three times."""
    offsets = np.linspace(-5, 5, 401)
    wiggle = 0.008 * (-1) ** np.arange(offsets.size)
    flank = 0.992 - 0.25 * np.abs(offsets) + wiggle
    other = height - 0.25 * np.abs(offsets - at_s)
    assert _has_rival(offsets, np.maximum(flank, other), 200, 0.26) is found


def test_unequal_windows_are_not():
    rng = np.random.default_rng(5)
    edges = START_S + np.cumsum(rng.uniform(4, 15, 20))
    pairs = list(itertools.pairwise(edges))
    loads, idles = pairs[1::2], pairs[0::2]
    times, watts = record(rng, loads, period_s=0.5)
    found = align(times - 12.3, watts, loads, idles)
    assert found is not None
    assert found.offset_s == pytest.approx(12.3, abs=0.5)


def test_an_offset_beyond_the_limit_is_refused():
    rng = np.random.default_rng(6)
    loads, idles = plan(rng, 0.5)
    times, watts = record(rng, loads, period_s=0.5, margin_s=200)
    assert align(times - 30, watts, loads, idles, max_offset_s=10) is None
    assert align(times - 30, watts, loads, idles, max_offset_s=60) is not None


def test_a_log_that_covers_too_little_is_refused():
    rng = np.random.default_rng(7)
    loads, idles = plan(rng, 0.5)
    times, watts = record(rng, loads, period_s=0.5)
    half = times < START_S + 45
    assert align(times[half], watts[half], loads, idles, max_offset_s=20) is None
    assert align(times[:5], watts[:5], loads, idles) is None
    assert align(times, watts, [], idles) is None
    assert align(times, watts, loads, []) is None
    assert align(np.zeros(50), np.arange(50.0), loads, idles) is None


def test_a_log_of_constant_power_is_refused():
    rng = np.random.default_rng(8)
    loads, idles = plan(rng, 0.5)
    times, _ = record(rng, loads, period_s=0.5)
    assert align(times, np.full(times.size, 5.0), loads, idles) is None


def test_unknown_time_between_load_and_idle_widens_the_uncertainty():
    rng = np.random.default_rng(9)
    loads, idles = (
        [(START_S + 20, START_S + 60)],
        [(START_S, START_S + 20), (START_S + 60, START_S + 80)],
    )
    times, watts = record(rng, loads, period_s=0.5, noise_w=0.05)
    sharp = align(times, watts, loads, idles)
    vague = align(
        times,
        watts,
        [(START_S + 22, START_S + 58)],
        [(START_S, START_S + 18), (START_S + 62, START_S + 80)],
    )
    assert sharp is not None
    assert vague is not None
    assert abs(sharp.offset_s) <= 2 * sharp.uncertainty_s
    assert abs(vague.offset_s) <= 2 * vague.uncertainty_s
    assert vague.uncertainty_s > 2 * sharp.uncertainty_s
