"""Inputs of rounds: fresh in each, without the noise being made in each."""

from __future__ import annotations

import numpy as np
import pytest

from inferometer.backends.python.session import PythonSession
from inferometer.core.format import Format
from inferometer.core.model import LoadedModel
from inferometer.core.workload import Shape
from inferometer.models.inputs import GeneratedInputs, TensorSpec
from inferometer.runner.workers.harness import Harness, RoundPlan
from inferometer.runner.workers.loading import watch_of

SMALL, LARGE = (Shape(batch_size=b, input_size=None) for b in (2, 4))
PLAN = RoundPlan(values=3)


class Counted(GeneratedInputs):
    """Generated inputs that count how often their noise is made."""

    made = 0

    def rows(self, **shape):
        type(self).made += 1
        return super().rows(**shape)


@pytest.fixture
def measured():
    """Makes a harness of a function of one array."""

    def make(network):
        Counted.made = 0
        spec = Counted(tensors=(TensorSpec(shape=(3,)),))
        model = LoadedModel(
            network=network, format=Format.CALLABLE, inputs=spec, source="python", weights="none"
        )
        session = PythonSession(network)
        return Harness(model, session, load_s=None, watch=watch_of(session, threads=1))

    return make


def test_rounds_make_noise_once_until_another_shape_is_warmed_up(measured):
    harness = measured(lambda x: x * 2)
    harness.warm_up(SMALL)
    assert Counted.made == 1
    for _ in range(3):
        harness.run_round(SMALL, PLAN)
    assert Counted.made == 2
    harness.warm_up(LARGE)  # its memory is watched: nothing of the other shape is held
    for _ in range(2):
        harness.run_round(SMALL, PLAN)
        harness.run_round(LARGE, PLAN)
    assert Counted.made == 2 + 1 + 2


def test_a_model_that_changes_its_inputs_finds_the_same_in_each_round(measured):
    seen = []

    def grow(x):
        seen.append(x.copy())
        x += 1
        return x

    harness = measured(grow)
    harness.warm_up(SMALL)
    for _ in range(2):
        harness.run_round(SMALL, PLAN)
    assert all(np.array_equal(one, seen[0]) for one in seen)
