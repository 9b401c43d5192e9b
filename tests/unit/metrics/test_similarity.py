"""Spearman's and Pearson's correlation, against SciPy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import pearsonr, spearmanr
from sklearn.metrics.pairwise import cosine_similarity

from inferometer.core.errors import WorkloadError
from inferometer.metrics import metric_for

numbers = st.integers(0, 5).map(float)


def judge(name, outputs, labels):
    metric = metric_for("similarity", name)
    kept = metric.keep(outputs, labels)
    return metric.value(kept), kept


@settings(deadline=None)
@given(pairs=st.lists(st.tuples(numbers, numbers), min_size=3, max_size=20))
def test_values_are_those_of_scipy_with_ties_too(pairs):
    model, human = np.array(pairs).T
    for name, oracle in (("spearman", spearmanr), ("pearson", pearsonr)):
        value, _ = judge(name, model, human)
        if len(set(model)) == 1 or len(set(human)) == 1:
            assert math.isnan(value)
        else:
            assert value == pytest.approx(oracle(model, human).statistic, abs=1e-12)


def test_tiny_scores_have_a_correlation_too():
    model = np.array([1.0, 2.0, 4.0]) * 1e-200
    assert judge("pearson", model, [1.0, 2.0, 4.0])[0] == pytest.approx(1.0)


@pytest.mark.parametrize(
    "nest",
    [
        lambda a, b: (a, b),
        lambda a, b: {"first": a, "second": b, "tokens": np.zeros((6, 3, 9))},
        lambda a, b: np.stack([a, b], axis=1),
        lambda a, b: np.stack([a, b], axis=1).reshape(12, 4),
        lambda a, b: {
            "last_hidden_state": np.zeros((12, 3, 4)),
            "pooler_output": np.stack([a, b], axis=1).reshape(12, 4),
        },
    ],
)
def test_the_score_of_two_embeddings_is_their_cosine(nest):
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=(2, 6, 4)).astype(np.float32)
    _, kept = judge("spearman", nest(first, second), np.arange(6.0))
    assert kept.rows[:, 0] == pytest.approx(np.diag(cosine_similarity(first, second)), abs=1e-6)


def test_an_embedding_of_zeros_is_like_nothing():
    _, kept = judge("pearson", (np.zeros((2, 3)), np.ones((2, 3))), [0.0, 1.0])
    assert kept.rows[:, 0].tolist() == [0.0, 0.0]


@pytest.mark.parametrize(
    ("outputs", "labels", "says"),
    [
        (np.zeros(3), [1.0, 2.0], "a score for each sample"),
        (np.zeros((2, 9)), [1.0, 2.0], "two embeddings of each"),
        (np.array([0.1, np.nan]), [1.0, 2.0], "NaN"),
        ((np.full((2, 3), np.nan), np.zeros((2, 3))), [1.0, 2.0], "NaN"),
        (np.zeros(2), [1.0, np.nan], "a similarity is NaN"),
        (np.zeros(2), ["a", "b"], "must be one number"),
        (np.zeros((4, 7, 9)), [1.0, 2.0], "one after the other"),
    ],
)
def test_what_does_not_fit_is_refused_in_a_sentence(outputs, labels, says):
    with pytest.raises(WorkloadError, match=says):
        judge("spearman", outputs, labels)
