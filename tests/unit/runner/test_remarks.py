"""What a runtime did in another way than was asked for becomes a note, or a refusal."""

from __future__ import annotations

import pytest

from inferometer.backends.python.session import PythonSession
from inferometer.core.errors import WorkloadError
from inferometer.core.format import Format
from inferometer.core.model import LoadedModel
from inferometer.core.statement import text
from inferometer.core.workload import Shape
from inferometer.models.inputs import GeneratedInputs, TensorSpec
from inferometer.runner.workers.harness import Harness
from inferometer.runner.workers.loading import watch_of

SHAPE = Shape(batch_size=2, input_size=None)


def double(x):
    return 2 * x


class Remarking(PythonSession):
    def remarks(self, inputs):
        return (f"ran in another way at {inputs.shape}",)


class Refusing(PythonSession):
    def remarks(self, inputs):
        raise WorkloadError("unsupported", "gives other outputs")


def harness(session):
    model = LoadedModel(
        network=double,
        format=Format.CALLABLE,
        inputs=GeneratedInputs(tensors=(TensorSpec(shape=(3,)),)),
        source="python",
        weights="none",
    )
    return Harness(model, session, load_s=None, watch=watch_of(session, threads=1))


def test_remarks_are_notes_of_the_variant():
    warmed = harness(Remarking(double)).warm_up(SHAPE)
    assert warmed.variant_notes == (text("ran in another way at 2x3"),)


def test_a_session_without_remarks_has_none():
    assert harness(PythonSession(double)).warm_up(SHAPE).variant_notes == ()


def test_figures_that_would_mean_nothing_are_a_failure():
    with pytest.raises(WorkloadError, match="other outputs"):
        harness(Refusing(double)).warm_up(SHAPE)
