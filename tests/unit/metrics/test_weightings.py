"""Weights say how often each sample counts: the value is that of the samples repeated."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inferometer.core.dataset import Kept
from inferometer.metrics import NAMES, SumsUp, metric_for, values

CLASSES = ("background", "a", "b", "c", "d", "e")
METRICS = [(task, name) for task, names in NAMES.items() for name in names]
SAMPLES = 12


def random_samples(task, rng, samples=SAMPLES):
    """Outputs and labels of a batch, with ties among the scores."""
    several = len(CLASSES)
    if task == "classification":
        return rng.integers(0, 4, (samples, several)) / 4, rng.integers(0, several, samples)
    if task == "segmentation":
        return rng.random((samples, several, 3, 4)), rng.integers(0, several, (samples, 3, 4))
    if task == "detection":
        return [boxes(rng, scored=True) for _ in range(samples)], [
            boxes(rng) for _ in range(samples)
        ]
    if task == "transcription":
        texts = ["".join(rng.choice(list("ab "), 6)) for _ in range(2 * samples)]
        return texts[:samples], texts[samples:]
    if task == "frames":
        return rng.random((samples, 5)), rng.integers(-1, 2, (samples, 5))
    return rng.integers(0, 5, samples) / 4, rng.integers(0, 5, samples).astype(float)


def boxes(rng, *, scored=False):
    number = int(rng.integers(0, 6))
    corner = rng.integers(0, 6, (number, 2))
    found = {
        "boxes": np.concatenate([corner, corner + rng.integers(1, 6, (number, 2))], 1).astype(
            float
        ),
        "labels": rng.integers(0, 3, number),
    }
    return found | ({"scores": rng.integers(0, 4, number) / 4} if scored else {})


def kept_of(task, name, seed, samples=SAMPLES):
    metric = metric_for(task, name, () if task == "transcription" else CLASSES)
    return metric, metric.keep(*random_samples(task, np.random.default_rng(seed), samples))


def one_by_one(kept):
    ends = np.cumsum(kept.lengths)
    parts = zip(ends - kept.lengths, ends, strict=True)
    return [
        Kept(rows=kept.rows[begin:end], lengths=kept.lengths[i : i + 1])
        for i, (begin, end) in enumerate(parts)
    ]


def nan_equal(one, other):
    return one == pytest.approx(other, rel=1e-9, abs=1e-12, nan_ok=True)


@pytest.mark.parametrize(("task", "name"), METRICS)
@settings(deadline=None, max_examples=40)
@given(
    seed=st.integers(0, 2**31),
    counts=st.lists(st.integers(0, 4), min_size=SAMPLES, max_size=SAMPLES).filter(any),
)
def test_a_weighted_value_is_that_of_repeated_samples(task, name, seed, counts):
    metric, kept = kept_of(task, name, seed)
    parts = one_by_one(kept)
    repeated = Kept.join(
        [part for part, times in zip(parts, counts, strict=True) for _ in range(times)]
    )
    weights = np.array(counts, dtype=float)
    value = metric.value(kept, weights)
    assert nan_equal(value, metric.value(repeated))
    assert nan_equal(float(values(metric, kept, weights[None])[0]), value)


@pytest.mark.parametrize(("task", "name"), METRICS)
def test_a_common_factor_of_the_weights_changes_nothing(task, name):
    metric, kept = kept_of(task, name, 3)
    thirds = np.full(SAMPLES, 1 / 3)
    if name != "map":  # there ties in one picture are in another order
        assert nan_equal(metric.value(kept, thirds), metric.value(kept))
    weights = np.random.default_rng(0).random(SAMPLES)
    assert nan_equal(metric.value(kept, weights / 7), metric.value(kept, weights))


@pytest.mark.parametrize(("task", "name"), METRICS)
def test_without_a_sample_the_value_is_not_defined(task, name):
    metric, kept = kept_of(task, name, 0)
    none = Kept(rows=kept.rows[:0], lengths=kept.lengths[:0])
    assert math.isnan(metric.value(none))
    assert math.isnan(metric.value(kept, np.zeros(SAMPLES)))
    assert np.isnan(values(metric, kept, np.zeros((2, SAMPLES)))).all()


@pytest.mark.parametrize(("task", "name"), METRICS)
def test_batches_make_no_difference(task, name):
    metric, whole = kept_of(task, name, 5)
    outputs, labels = random_samples(task, np.random.default_rng(5))
    parts = [metric.keep(outputs[at : at + 5], labels[at : at + 5]) for at in range(0, SAMPLES, 5)]
    joined = Kept.join(parts)
    assert np.array_equal(joined.rows, whole.rows, equal_nan=True)
    assert np.array_equal(joined.lengths, whole.lengths)


@pytest.mark.parametrize(("task", "name"), METRICS)
def test_it_says_what_it_is(task, name):
    metric, kept = kept_of(task, name, 1)
    assert metric.name == name
    assert metric.higher_is_better == (name not in ("wer", "cer"))
    assert metric.is_share == (name in ("top1", "top5"))
    if metric.is_share:
        assert kept.rows.shape == (SAMPLES, 1)
        assert set(kept.rows.ravel()) <= {0.0, 1.0}
    value = metric.value(kept)
    assert metric.low <= value <= (np.inf if metric.high is None else metric.high)


def test_what_sums_up_is_a_matrix_product():
    sums_up = {name for task, name in METRICS if isinstance(kept_of(task, name, 0)[0], SumsUp)}
    assert sums_up == {"top1", "top5", "dice", "iou", "wer", "cer", "frame_f1"}


def test_weights_of_another_number_of_samples_are_a_mistake_of_the_caller():
    metric, kept = kept_of("classification", "top1", 0)
    with pytest.raises(ValueError, match="12 samples"):
        metric.value(kept, np.ones(3))
