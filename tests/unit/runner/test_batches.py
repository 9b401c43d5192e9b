"""Inputs and outputs that are not of the batch that was asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pytest

from inferometer.backends.python.session import PythonSession
from inferometer.core.errors import WorkloadError
from inferometer.core.format import Format
from inferometer.core.model import Inputs, LoadedModel
from inferometer.core.workload import Shape
from inferometer.models.inputs import ExampleInputs, GeneratedInputs, TensorSpec, images
from inferometer.runner.workers.batches import batch_remark
from inferometer.runner.workers.harness import Harness
from inferometer.runner.workers.loading import watch_of


@dataclass(frozen=True)
class Fixed:
    """Makes the same inputs whatever is asked for."""

    array: np.ndarray

    def make(self, *, batch_size, input_size, seed):
        return Inputs(args=(self.array,), shape="x".join(map(str, self.array.shape)))


def warm(network, *, batch=4, inputs=None, source="python"):
    """The notes of the first calls of a network."""
    spec = inputs or GeneratedInputs(tensors=(TensorSpec(shape=(3,)),))
    model = LoadedModel(
        network=network, format=Format.CALLABLE, inputs=spec, source=source, weights="none"
    )
    session = PythonSession(network)
    harness = Harness(model, session, load_s=None, watch=watch_of(session, threads=1))
    return harness.warm_up(Shape(batch_size=batch, input_size=None)).notes


def refusal(*args, **kwargs):
    with pytest.raises(WorkloadError) as caught:
        warm(*args, **kwargs)
    return caught.value.kind, str(caught.value)


def test_empty_inputs_fail():
    kind, message = refusal(lambda x: x, inputs=Fixed(np.ones((0, 3))), batch=8)
    assert kind == "unsupported"
    assert message.startswith("batch size 8: the inputs are empty (0x3)")


def test_an_empty_part_beside_others_is_well():
    """A cache of past tokens begins with none."""
    inputs = ExampleInputs(args=(np.ones((2, 3)), np.ones((2, 4, 0, 8))))
    assert warm(lambda x, past: x + past.sum(), inputs=inputs, batch=2) == ()


@pytest.mark.parametrize("source", ["catalogue", "torchvision", "timm"])
def test_known_models_fail_where_the_output_is_of_another_batch(source):
    for network in (lambda x: x[:1], lambda x: x[:0], lambda x: [x[:2]], lambda x: {"a": x.T}):
        kind, message = refusal(network, source=source)
        assert kind == "unsupported"
        assert "shows nothing of the batch of 4" in message


class Pair(NamedTuple):
    """Two outputs with names."""

    out: np.ndarray
    features: np.ndarray


@pytest.mark.parametrize(
    "network",
    [
        lambda x: x,
        lambda x: {"out": x, "aux": x[:1]},
        lambda x: [x[:0] for _ in x],
        lambda x: Pair(x, x.T),
        lambda x: x.sum(),
    ],
)
def test_known_models_pass_with_rows_lists_and_single_numbers(network):
    assert warm(network, source="timm") == ()


@pytest.mark.parametrize(
    "network",
    [
        lambda x: x.sum(),  # a loss
        lambda x: x.sum(keepdims=True),
        lambda x: None,
        lambda x: 3.0,
        lambda x: x.T,  # sequence first
        lambda x: np.ones((9, len(x), 2)),
        lambda x: x.repeat(5, 0),  # samples in parts
        lambda x: [{"boxes": x[:0]} for _ in x],  # nothing found in any
        lambda x: np.zeros((0, 6)),  # nothing found in all
    ],
)
def test_models_of_users_pass_without_a_word_where_the_batch_may_stand_elsewhere(network):
    assert warm(network) == ()


def test_a_batch_that_shows_nowhere_is_a_note_on_models_of_users():
    """Instances of a bag may be pooled into one answer."""
    [note] = warm(lambda x: x.mean(0, keepdims=True))
    assert str(note) == (
        "the output (1x3) shows nothing of the batch of 4: figures for a sample count the whole "
        "batch"
    )


def test_of_many_outputs_the_first_are_named():
    remark = batch_remark({n: np.ones((3, 5)) for n in range(9)}, 4, first=False)
    assert remark == "the output (3x5, 3x5, 3x5, …) shows nothing of the batch of 4"


@pytest.mark.parametrize("batch", [2**63 - 1, 10**18, 2**60])
def test_generated_inputs_that_no_memory_holds_are_not_made(batch):
    with pytest.raises(WorkloadError, match="not enough memory for inputs of") as caught:
        images(size=64).make(batch_size=batch, input_size=None, seed=0)
    assert caught.value.kind == "out_of_memory"


class Stubborn(np.ndarray):
    """An array that gives all of its rows, whichever are asked for."""

    def __getitem__(self, rows):
        return self


def test_an_example_whose_rows_do_not_follow_the_batch_is_refused():
    inputs = ExampleInputs(args=(np.ones((2, 3)).view(Stubborn),))
    with pytest.raises(WorkloadError, match="batch size 4: rows of a Stubborn") as caught:
        inputs.make(batch_size=4, input_size=None, seed=0)
    assert caught.value.kind == "unsupported"
