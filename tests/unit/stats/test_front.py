"""The front against loops over pairs and closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy.stats import multivariate_normal, norm

from inferometer.stats.front import Axis, Shared, draw_points, front

LATENCY = Axis(name="latency", higher_is_better=False, scale="positive")
ACCURACY = Axis(name="accuracy", higher_is_better=True, scale="share")
SCORE = Axis(name="score", higher_is_better=True, scale="any")


def beats(one, other, higher):
    signed = [(a, b) if up else (-a, -b) for a, b, up in zip(one, other, higher, strict=True)]
    return all(a >= b for a, b in signed) and any(a > b for a, b in signed)


@given(data=st.data())
@settings(max_examples=60)
def test_it_is_what_loops_over_draws_and_pairs_find(data):
    shape = data.draw(array_shapes(min_dims=3, max_dims=3, max_side=4))
    draws = data.draw(arrays(float, shape, elements=st.integers(0, 3).map(float)))
    higher = data.draw(st.lists(st.booleans(), min_size=shape[2], max_size=shape[2]))
    found = front(draws, higher)
    points = range(shape[1])
    for i in points:
        free = [not any(beats(draw[j], draw[i], higher) for j in points) for draw in draws]
        assert found.on_front[i] == pytest.approx(np.mean(free))
        for j in points:
            wins = [beats(draw[j], draw[i], higher) for draw in draws]
            assert found.dominates[j, i] == pytest.approx(np.mean(wins))


def test_blocks_of_draws_add_up():
    draws = np.random.default_rng(1).random((5000, 30, 3))
    whole = front(draws, [True, False, True])
    parts = [front(part, [True, False, True]) for part in np.split(draws, 10)]
    assert whole.on_front == pytest.approx(np.mean([part.on_front for part in parts], axis=0))
    assert whole.dominates == pytest.approx(np.mean([part.dominates for part in parts], axis=0))
    assert whole.better == pytest.approx(np.mean([part.better for part in parts], axis=0))


def test_no_order_of_points_or_metrics_matters():
    draws = np.random.default_rng(2).random((300, 5, 2))
    order = [3, 1, 4, 0, 2]
    found, other = front(draws, [True, False]), front(draws[:, order, ::-1], [False, True])
    assert other.on_front == pytest.approx(found.on_front[order])


def test_there_is_always_someone_on_the_front():
    draws = np.random.default_rng(3).integers(0, 2, (400, 6, 2))
    assert front(draws, [True, True]).on_front.sum() >= 1


@pytest.mark.parametrize("draws", [np.full((3, 2, 1), np.nan), np.empty((0, 2, 1))])
def test_draws_that_are_missing_are_refused(draws):
    with pytest.raises(ValueError, match="needs a draw"):
        front(draws, [True])


def drawn(values, low, high, axes, **more):
    names = [f"m{at}" for at in range(len(values))]
    return draw_points(names, axes, values, low, high, draws=40_000, **more)


def test_the_chance_to_be_better_is_that_of_normal_errors():
    found = drawn([[0.0], [1.0]], [[-1.96], [1 - 1.96]], [[1.96], [1 + 1.96]], [SCORE])
    better = front(found.draws, [True])
    expected = norm.cdf(1 / np.sqrt(2))
    assert better.dominates[1, 0] == pytest.approx(expected, abs=0.01)
    assert better.better[0, 1, 0] == pytest.approx(expected, abs=0.01)
    assert better.on_front[0] == pytest.approx(1 - expected, abs=0.01)


@pytest.mark.parametrize(
    ("axis", "value", "low", "high"),
    [
        (LATENCY, 2.0, 1.0, 4.0),
        (LATENCY, 2.0, 1.9, 8.0),
        (LATENCY, 0.5, -1.0, 2.0),
        (ACCURACY, 0.9, 0.8, 0.95),
        (ACCURACY, 1.0, 0.9, 1.0),
        (SCORE, -3.0, -4.0, 0.0),
    ],
)
def test_draws_have_the_interval_that_they_come_from(axis, value, low, high):
    """Half is on each side of the value, and 2.5 % beyond each end that is no bound."""
    draws = drawn([[value]], [[low]], [[high]], [axis]).draws[:, 0, 0]
    assert np.quantile(draws, 0.025) == pytest.approx(low, abs=0.04)
    assert np.quantile(draws, 0.975) == pytest.approx(high, rel=0.04, abs=0.04)
    assert np.median(draws) == pytest.approx(value, abs=0.02)
    assert axis is not ACCURACY or draws.max() <= 1


def test_an_exact_metric_does_not_vary():
    draws = drawn([[3.0], [0.5]], [[3.0], [0.5]], [[3.0], [0.5]], [LATENCY]).draws
    assert np.ptp(draws, axis=0).max() < 1e-12


def test_points_without_a_metric_are_left_out_by_name():
    found = drawn(
        [[1.0, 0.9], [2.0, np.nan], [np.nan, 0.8], [1.5, 0.7]],
        [[0.9, 0.8], [1.9, np.nan], [np.nan, np.nan], [1.4, np.nan]],
        [[1.1, 0.95], [2.1, np.nan], [np.nan, np.nan], [1.6, 0.8]],
        [LATENCY, ACCURACY],
    )
    assert found.points == ("m0",)
    assert found.draws.shape[1:] == (1, 2)
    assert [(one.point, one.metrics) for one in found.left_out] == [
        ("m1", ("accuracy",)),
        ("m2", ("latency", "accuracy")),
        ("m3", ("accuracy",)),
    ]


def test_errors_that_points_share_cancel():
    values = [[1.0], [1.05]]
    low, high = [[0.8], [0.84]], [[1.25], [1.3125]]
    common = Shared(between_points={"latency": np.ones((2, 2))})
    alone = front(drawn(values, low, high, [LATENCY]).draws, [False])
    together = front(drawn(values, low, high, [LATENCY], shared=common).draws, [False])
    assert alone.on_front[1] > 0.3
    assert together.on_front[1] == 0


def test_errors_that_metrics_share():
    """Two equal points and two metrics: dominated where both metrics fall the same way."""
    values, low, high = np.zeros((2, 2)), np.full((2, 2), -1.0), np.full((2, 2), 1.0)
    axes = [SCORE, Axis(name="other", higher_is_better=True, scale="any")]
    matrix = np.array([[1.0, 0.8], [0.8, 1.0]])
    found = drawn(values, low, high, axes, shared=Shared(between_metrics=matrix))
    expected = multivariate_normal(cov=matrix).cdf([0.0, 0.0])
    assert front(found.draws, [True, True]).dominates[0, 1] == pytest.approx(expected, abs=0.01)


def test_joint_draws_stand_as_they_are():
    joint = np.random.default_rng(4).random((50, 2))
    found = draw_points(
        ["a", "b"],
        [ACCURACY],
        [[0.5], [0.5]],
        [[np.nan], [np.nan]],
        [[np.nan], [np.nan]],
        shared=Shared(joint={"accuracy": joint}),
        draws=50,
    )
    assert (found.draws[:, :, 0] == joint).all()


def test_points_within_their_intervals_cannot_be_told_apart():
    values = [[1.0, 0.9], [1.01, 0.905], [2.0, 0.9]]
    low = [[0.97, 0.87], [0.98, 0.875], [1.95, 0.87]]
    high = [[1.03, 0.92], [1.04, 0.925], [2.05, 0.92]]
    alike = front(drawn(values, low, high, [LATENCY, ACCURACY]).draws, [False, True]).alike()
    assert alike[0, 1] > 0.5
    assert alike[0, 2] < 0.001
    assert alike.diagonal() == pytest.approx(np.ones(3))


def test_equal_points_are_told_apart_in_at_most_5_percent():
    rng = np.random.default_rng(5)
    apart = 0
    for _ in range(300):
        seen = rng.standard_normal((2, 2))
        draws = draw_points(
            ["a", "b"],
            [SCORE, Axis(name="other", higher_is_better=True, scale="any")],
            seen,
            seen - 1.96,
            seen + 1.96,
            draws=1000,
        ).draws
        apart += front(draws, [True, True]).alike()[0, 1] <= 0.05
    assert apart <= 25


def test_what_is_said_of_the_front_is_what_happens():
    """Points that differ by five standard errors, of which each is 1."""
    rng = np.random.default_rng(6)
    axes = [SCORE, Axis(name="other", higher_is_better=True, scale="any")]
    said, true = [], []
    for seed in range(300):
        truth = 5 * rng.standard_normal((6, 2))
        seen = truth + rng.standard_normal((6, 2))
        names = [str(at) for at in range(6)]
        drawn = draw_points(names, axes, seen, seen - 1.96, seen + 1.96, draws=300, seed=seed)
        said.append(front(drawn.draws, [True, True]).on_front)
        true.append(front(truth[None], [True, True]).on_front)
    probability, happened = np.concatenate(said), np.concatenate(true)
    for low, high in ((0.0, 0.1), (0.1, 0.5), (0.5, 0.9), (0.9, 1.01)):
        inside = (probability >= low) & (probability < high)
        assert happened[inside].mean() == pytest.approx(probability[inside].mean(), abs=0.1)
