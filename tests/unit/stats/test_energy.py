from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inferometer.stats.energy import energy_per_sample, windows_would_help
from inferometer.stats.energy_windows import (
    Readings,
    Sensor,
    Window,
    WithheldError,
    edge_w,
    mean_power_w,
    needed_warm_up_s,
    needed_window_s,
    piece_powers_w,
    why_too_short,
)
from inferometer.stats.expanded import Part, combined, expanded

COUNTER = Sensor(quantity="energy", period_s=1e-3, gain=0.0, offset_w=0.0)
SAMPLES = Sensor(quantity="power", period_s=0.1, polling_s=0.1, gain=0.0, offset_w=0.0)


def windows(count=5, length=10.0, start=30.0, inputs=1000):
    return [
        Window(start_s=start + k * (length + 0.1), end_s=start + k * (length + 0.1) + length, inputs=inputs)
        for k in range(count)
    ]  # fmt: skip


BEFORE = Window(start_s=0.0, end_s=10.0)
LOAD = windows()
AFTER = Window(start_s=100.4, end_s=110.4)  # as far from the work as before it
AT = np.arange(0, 120, 0.1)


def power_at(at, levels=(20, 20.1, 19.9, 20.05, 19.95), idle=5.0):
    power = np.full(at.size, idle)
    for window, level in zip(LOAD, levels, strict=True):
        power[(at >= window.start_s) & (at <= window.end_s)] = level
    return power


def measured(sensor=SAMPLES, values=None, **options):
    values = power_at(AT) if values is None else values
    return energy_per_sample(
        sensor, AT, values, options.pop("load", LOAD), **{"idle": (BEFORE, AFTER), **options}
    )  # fmt: skip


# Windows.


def test_a_counter_is_interpolated_at_the_edges():
    at = np.array([0.0, 3.0, 10.0, 20.0])
    joules = at**2  # power 2t: the mean over a stretch is that of its middle, but for the chords
    power = mean_power_w(
        replace(COUNTER, period_s=1.0), Readings.of(at, joules), Window(start_s=2, end_s=20)
    )
    assert power == pytest.approx((400 - 9) / 17)


def test_the_power_before_the_window_does_not_reach_into_it():
    sensor = Sensor(quantity="power", period_s=0.1, polling_s=0.1, window_s=1.0)
    at = np.arange(0, 30, 0.1)
    true = np.where(at < 10, 5.0, 50.0)
    averaged = np.convolve(true, np.full(10, 0.1))[: at.size]
    averaged[:10] = 5.0
    window = Window(start_s=10, end_s=25)
    assert mean_power_w(sensor, Readings.of(at, averaged), window) == pytest.approx(50)


def test_a_counter_that_lags_is_not_biased_by_what_was_before():
    rng = np.random.default_rng(0)
    sensor = Sensor(quantity="energy", period_s=0.1)
    powers = []
    for _ in range(400):
        phase = rng.uniform(0, 0.1)
        end = 20 + rng.uniform(0, 0.1)  # windows do not end in step with the sensor
        at = np.concatenate([[10.0, 10.1], np.arange(11.0, 20, 1.0), [end]])
        seen = np.floor((at - phase) / 0.1) * 0.1 + phase
        powers.append(
            mean_power_w(
                sensor,
                Readings.of(at, np.where(seen < 10, 5 * seen, 50 + 100 * (seen - 10))),
                Window(start_s=10, end_s=end),
            )
        )
    expected = edge_w(sensor, 100, 10)
    assert np.mean(powers) == pytest.approx(100, abs=4 * expected / 20)
    assert np.std(powers) == pytest.approx(expected, rel=0.15)


@given(
    times=st.lists(st.floats(0, 100), min_size=3, max_size=30, unique=True),
    level=st.floats(0.1, 1e3),
)
def test_constant_power_is_found_whenever_it_is_read(times, level):
    at = np.array([0.0, *sorted(times), 100.0])
    window = Window(start_s=0, end_s=100)
    counter = Sensor(quantity="energy", period_s=1.0)
    assert mean_power_w(counter, Readings.of(at, level * at), window) == pytest.approx(level)
    slow = Sensor(quantity="power", period_s=50.0, polling_s=50.0)
    if (at > 50).sum() > 1 and np.ptp(at[at > 50]) > 0:
        readings = Readings.of(at, np.full(at.size, level))
        assert mean_power_w(slow, readings, window) == pytest.approx(level)


def test_pieces_average_to_the_whole():
    readings = Readings.of(AT, np.cumsum(np.random.default_rng(1).uniform(1, 2, AT.size)))
    pieces = piece_powers_w(COUNTER, readings, BEFORE, 5)
    assert pieces.mean() == pytest.approx(mean_power_w(COUNTER, readings, BEFORE))


@pytest.mark.parametrize("quantity", ["energy", "power"])
def test_readings_that_do_not_cover_a_window_give_nothing(quantity):
    sensor = Sensor(quantity=quantity, period_s=0.1)
    for start, end in ((-20, -5), (112, 130), (-5, 5), (200, 300)):
        with pytest.raises(WithheldError):
            mean_power_w(sensor, Readings.of(AT, AT), Window(start_s=start, end_s=end))


def test_a_silence_within_a_window_is_told():
    kept = (AT < 33) | (AT > 36)
    found = energy_per_sample(SAMPLES, AT[kept], power_at(AT)[kept], LOAD)
    assert found.gross_j is None
    assert "no reading for 3.2 s" in found.reason


@pytest.mark.parametrize(
    ("sensor", "needed", "warm_up", "word"),
    [
        (Sensor(quantity="energy", period_s=1e-3), 1, 10, "moments"),
        (Sensor(quantity="energy", period_s=0.1), 4.1, 10, "every 0.1 s"),
        (Sensor(quantity="power", period_s=0.1, window_s=5.0), 20.1, 15, "averages over 5 s"),
        (Sensor(quantity="power", period_s=0.1, polling_s=2.0), 20.1, 10, "every 2 s"),
        (Sensor(quantity="power", period_s=3.0), 33, 10, "every 3 s"),
    ],
)
def test_how_long_a_window_must_be(sensor, needed, warm_up, word):
    assert needed_window_s(sensor) == pytest.approx(needed)
    assert needed_window_s(sensor, publish=True) == pytest.approx(max(60, needed))
    assert needed_warm_up_s(sensor) == warm_up
    assert why_too_short(sensor, needed) is None
    assert word in why_too_short(sensor, needed * 0.9)


# Uncertainty.


def drawn(parts, rng, n):
    total = np.zeros(n)
    for part in parts:
        if part.shape == "student":
            total += part.standard * rng.standard_t(part.freedom, n)
        elif part.shape == "uniform":
            total += part.standard * rng.uniform(-(3**0.5), 3**0.5, n)
        else:
            half = 6**0.5 / 2
            total += part.standard * (rng.uniform(-half, half, n) + rng.uniform(-half, half, n))
    return total


def part(standard, shape, freedom=4.0):
    return Part(name="x", standard=standard, shape=shape, freedom=freedom)


@pytest.mark.parametrize(
    "parts",
    [
        [part(1, "student"), part(1, "uniform")],
        [part(0.02, "student"), part(1, "uniform"), part(0.3, "triangular")],
        [part(3, "student"), part(0.1, "uniform"), part(2, "student", 8), part(1, "triangular")],
        [part(1, "uniform"), part(1, "uniform")],
        [part(1, "student", 1.0), part(0.1, "uniform")],
    ],
)
def test_the_convolution_agrees_with_drawing(parts):
    drawings = np.abs(drawn(parts, np.random.default_rng(3), 400_000))
    assert expanded(parts) == pytest.approx(np.quantile(drawings, 0.95), rel=0.02)


def test_factors_that_are_printed_in_books():
    assert expanded([part(1, "student")]) == pytest.approx(2.776, abs=1e-3)  # GUM, table G.2
    assert expanded([part(1, "student", 1e6)]) == pytest.approx(1.960, abs=1e-3)
    assert expanded([part(1, "uniform")]) == pytest.approx(1.645, abs=1e-3)  # GUM, G.1.3
    assert expanded([part(1, "triangular")]) == pytest.approx(1.902, abs=1e-3)
    two = [part(1, "uniform")] * 2
    assert expanded(two) == pytest.approx(12**0.5 * (1 - 0.05**0.5), rel=2e-3)
    assert expanded([]) == 0
    assert combined([part(3, "uniform"), part(4, "student")]) == pytest.approx(5)


@given(
    scale=st.floats(1e-9, 1e9),
    sizes=st.tuples(*[st.floats(1e-3, 1)] * 3),
)
def test_the_interval_scales_and_grows(scale, sizes):
    shapes = ("student", "uniform", "triangular")
    parts = [part(size, shape) for size, shape in zip(sizes, shapes, strict=True)]
    half = expanded(parts)
    assert expanded([part(p.standard * scale, p.shape) for p in parts]) == pytest.approx(
        half * scale, rel=1e-6
    )
    assert half >= max(expanded([p]) for p in parts) * 0.99


def test_the_figures_and_their_parts_by_hand():
    values = power_at(AT) + np.where(AT > 95, 0.2, 0.0)
    sensor = replace(SAMPLES, gain=0.02, offset_w=0.3, resolution=0.01)
    found = measured(sensor, values)
    power = np.array([20, 20.1, 19.9, 20.05, 19.95])
    assert found.mean_w.value == pytest.approx(20)
    assert found.gross_j.value == pytest.approx(0.2)
    assert found.idle_w.value == pytest.approx(5.1)
    assert found.net_j.value == pytest.approx(0.149)
    gross = {p.name: p.standard for p in found.gross_j.parts}
    assert gross["windows"] == pytest.approx(np.std(power, ddof=1) / 5**0.5 * 0.01)
    assert gross["gain"] == pytest.approx(0.02 * 0.2 / 3**0.5)
    assert gross["offset"] == pytest.approx(0.3 * 0.01 / 3**0.5)
    net = {p.name: p.standard for p in found.net_j.parts}
    assert net["idle drift"] == pytest.approx(0.2 * ((1 + 1 / 5) / 12) ** 0.5 * 0.01)
    assert net["gain"] == pytest.approx(0.02 * 0.149 / 3**0.5)
    assert "offset" not in net
    assert found.gross_j.standard == pytest.approx(combined(found.gross_j.parts))
    assert found.reason is None
    assert found.net_reason is None
    assert found.windows == 5


def test_steps_count_once_where_noise_does_not_move_the_readings():
    quiet = measured(replace(SAMPLES, resolution=1.0))
    steps = {p.name: p.standard for p in quiet.mean_w.parts}["steps"]
    assert steps == pytest.approx(1 / 12**0.5)
    noise = np.random.default_rng(5).normal(0, 1, AT.size)
    noisy = measured(replace(SAMPLES, resolution=1.0), power_at(AT) + noise)
    assert {p.name: p.standard for p in noisy.mean_w.parts}["steps"] < 0.02


def test_unknown_accuracy_is_said():
    assert "statistical only" in measured(replace(SAMPLES, gain=None)).method
    found = measured(replace(SAMPLES, offset_w=None))
    assert "without the offset" in found.method
    assert found.gross_j.unknown == ("offset",)
    assert found.net_j.unknown == ()
    assert "statistical" not in found.method


# Reasons.


def test_what_cannot_be_told_from_rest_has_a_bound():
    rng = np.random.default_rng(4)
    levels = 5.01 + rng.normal(0, 0.05, 5)
    found = measured(values=power_at(AT, levels) + rng.normal(0, 0.01, AT.size))
    assert found.net_j is None
    assert found.gross_j is not None
    assert found.net_reason.startswith("not distinguishable from idle, < ")
    assert found.net_below_j > 0.01 * 0.01


def test_rest_that_moved_more_than_the_work_added():
    values = power_at(AT) + np.where(AT > 95, 12.0, 0.0) + 0.01 * (AT % 0.3)
    found = measured(values=values)
    assert found.net_j is None
    assert "moved by" in found.net_reason
    assert found.gross_j is not None


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"load": LOAD[:4]}, "fewer than 5"),
        ({"load": windows(length=0.9)}, "lasted 0.9 s"),
        ({"publish": True}, "of 60 s"),
        ({"load": windows(inputs=0)}, "nothing was inferred"),
        ({"lost": "the file is gone"}, "the file is gone"),
        ({"values": np.where(AT == 40, np.nan, power_at(AT))}, "finite"),
        ({"values": np.zeros(AT.size)}, "no power"),
        ({"values": -power_at(AT)}, "no power"),
        ({"values": np.full(AT.size, 7.0)}, "did not change"),
        ({"values": np.where(AT > 72, 20.5, power_at(AT))}, "did not change"),
        ({"values": np.where(AT > 5, 5.0, power_at(AT))}, "did not change"),
        (
            {"values": np.where(AT < 20, 5 + 0.1 * np.sin(AT), power_at(AT, idle=9.0))},
            "stood still",
        ),
    ],
)
def test_no_figure_without_ground(options, word):
    found = measured(**options)
    assert word in found.reason
    assert found.net_reason == found.reason
    for estimate in (found.gross_j, found.net_j, found.mean_w, found.idle_w, found.net_below_j):
        assert estimate is None


@pytest.mark.parametrize(
    ("fault", "word"),
    [
        (lambda j: np.where(AT > 50, 0.0, j), "backwards"),
        (lambda j: np.where(AT > 50, j + 65_000, j), "leapt"),
        (lambda j: np.minimum(j, j[500]), "frozen"),
        (lambda j: np.minimum(j, j[1050]), "frozen"),
        (lambda j: np.minimum(j, j[990]), "frozen"),
        (lambda j: 0 * j, "frozen"),
    ],
)
def test_counters_that_failed(fault, word):
    joules = np.concatenate([[0.0], np.cumsum(power_at(AT)[:-1] * np.diff(AT))])
    assert measured(COUNTER, joules).gross_j.value == pytest.approx(0.2, rel=1e-3)
    found = measured(COUNTER, fault(joules))
    assert word in found.reason
    assert found.gross_j is None


def test_idle_power_is_interpolated_at_the_time_of_each_window():
    """It rises by a watt a window; the work adds 10 W throughout."""
    load = windows(count=5)
    at = np.arange(0, 200, 0.1)
    idle_w = 5 + at / 20
    worked = np.zeros(at.size, bool)
    for window in load:
        worked |= (at >= window.start_s) & (at < window.end_s)
    values = idle_w + 10 * worked
    later = Window(start_s=150.0, end_s=160.0)
    found = energy_per_sample(SAMPLES, at, values, load, idle=(BEFORE, later))
    assert found.net_j.value == pytest.approx(10 * 0.01, rel=2e-2)
    half_way = Window(start_s=81.0, end_s=91.0)
    again = energy_per_sample(SAMPLES, at, values, load, idle=(BEFORE, half_way, later))
    parts = [{p.name: p.standard for p in one.net_j.parts} for one in (found, again)]
    assert parts[1]["idle drift"] < parts[0]["idle drift"]


def test_windows_beyond_the_first_sharpen_the_mean_but_give_no_degrees_of_freedom():
    levels = (20, 23, 17, 21, 19) * 3
    load = windows(count=15)
    at = np.arange(0, 260, 0.1)
    values = np.full(at.size, 5.0)
    for window, level in zip(load, levels, strict=True):
        values[(at >= window.start_s) & (at < window.end_s)] = level
    few = energy_per_sample(SAMPLES, at, values, load[:5]).gross_j
    many = energy_per_sample(SAMPLES, at, values, load).gross_j
    assert many.half < 0.6 * few.half
    assert [p.freedom for p in many.parts if p.name == "windows"] == [4]
    assert windows_would_help(few, 0.05)
    assert not windows_would_help(few, 0.2)


def test_windows_do_not_mend_what_the_sensor_is_off_by():
    off = measured(replace(SAMPLES, gain=0.2)).gross_j
    assert off.half > 0.05 * off.value
    assert not windows_would_help(off, 0.05)


def test_without_rest_there_is_a_gross_figure_only():
    for rest in ({"idle": (BEFORE,)}, {"idle": ()}, {"idle": (AFTER,)}):
        found = measured(**rest)
        assert found.gross_j is not None
        assert found.net_j is None
        assert found.idle_w is None
        assert "before and after" in found.net_reason
    short = measured(idle=(BEFORE, Window(start_s=100, end_s=105)))
    assert short.net_reason.startswith("idle: the window lasted 5 s")


@given(data=st.data())
def test_figures_are_never_nan_nor_zero_for_missing(data):
    at = np.sort(data.draw(st.lists(st.floats(0, 120), max_size=60)))
    values = data.draw(
        st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=len(at), max_size=len(at))
    )
    sensor = data.draw(st.sampled_from([COUNTER, SAMPLES]))
    with np.errstate(all="ignore"):
        found = energy_per_sample(sensor, at, values, LOAD, idle=(BEFORE, AFTER))
    assert (found.gross_j is None) == (found.reason is not None)
    for estimate in (found.gross_j, found.mean_w):
        assert estimate is None or (np.isfinite(estimate.value) and estimate.value > 0)
