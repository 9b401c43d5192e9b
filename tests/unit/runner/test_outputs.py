"""Samples of a loaded model and what it gives for them, in this process."""

from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import pytest

from inferometer.core.errors import WorkloadError
from inferometer.core.model import Inputs, PlacedInputs
from inferometer.core.workload import Shape
from inferometer.models.inputs import GeneratedInputs
from inferometer.models.inputs.generated import TensorSpec
from inferometer.runner.workers import outputs
from inferometer.runner.workers.messages import GiveOutputs, MakeSamples
from inferometer.runner.workers.preparing import CALIBRATION_SEED
from inferometer.runner.workers.samples import load_samples, save_samples


class Session:
    """Calls a function of NumPy."""

    device = "cpu"

    def __init__(self, function):
        self.function = function

    def running(self):
        return nullcontext()

    def place(self, inputs):
        return PlacedInputs(**vars(inputs))

    def bind(self, inputs):
        return partial(self.function, *inputs.args, **inputs.kwargs)


@dataclass
class Model:
    inputs: GeneratedInputs
    preprocessing: object = None


@dataclass
class Harness:
    model: Model = field(
        default_factory=lambda: Model(GeneratedInputs(tensors=(TensorSpec(shape=(3,)),)))
    )


@pytest.fixture
def made(tmp_path):
    def make(calls=4, batch=1, data=None):
        request = MakeSamples(
            shape=Shape(batch_size=batch, input_size=None),
            calls=calls,
            seed=0,
            data=data,
            into=str(tmp_path / "samples.npz"),
        )
        return outputs.make_samples(Harness(), request).calls

    return make


def give(tmp_path, function, seconds=60.0, batch=1):
    into = tmp_path / "outputs.npz"
    request = GiveOutputs(inputs=str(tmp_path / "samples.npz"), into=str(into), seconds=seconds)
    calls = outputs.give_outputs(Session(function), request).calls
    return calls, outputs.load_outputs(into, batch)


def test_samples_are_the_same_each_time_and_none_calibrates(tmp_path, made):
    assert made() == 4
    first = [one.args[0] for one in load_samples(tmp_path / "samples.npz")]
    made()
    again = [one.args[0] for one in load_samples(tmp_path / "samples.npz")]
    assert np.array_equal(first, again)
    assert len({one.tobytes() for one in first}) == 4
    calibrating = {
        Harness().model.inputs.make(batch_size=1, input_size=None, seed=seed).args[0].tobytes()
        for start in (0, CALIBRATION_SEED)
        for seed in range(start, start + 200)
    }
    assert not calibrating & {one.tobytes() for one in first}


def test_outputs_come_in_the_order_of_the_model(tmp_path, made):
    made()
    calls, found = give(tmp_path, lambda x: {"b": 2 * x, "a": (x.sum(), None, "text")})
    samples = [one.args[0] for one in load_samples(tmp_path / "samples.npz")]
    assert calls == 4
    for sample, (double, total) in zip(samples, found, strict=True):
        assert np.array_equal(double, 2 * sample)
        assert total == pytest.approx(sample.sum())


def test_a_batch_comes_apart_into_its_samples(tmp_path, made):
    made(calls=2, batch=3)
    _, found = give(tmp_path, lambda x: x + 1, batch=3)
    assert [one[0].shape for one in found] == [(1, 3)] * 6
    _, whole = give(tmp_path, lambda x: (x + 1, x.sum()), batch=3)
    assert len(whole) == 2


def test_time_ends_it_after_two_calls(tmp_path, made):
    made()
    assert give(tmp_path, lambda x: x, seconds=0.0)[0] == 2


def test_a_runtime_may_use_the_memory_of_its_output_again(tmp_path, made):
    made()
    kept = np.zeros((1, 3))

    def function(x):
        kept[:] = x
        return kept

    _, found = give(tmp_path, function)
    assert not np.array_equal(found[0][0], found[1][0])


def test_what_gives_no_numbers_is_refused(tmp_path, made):
    made()
    with pytest.raises(WorkloadError, match="no numbers"):
        give(tmp_path, lambda _: "words")


def test_inputs_that_are_no_arrays_are_refused(tmp_path):
    with pytest.raises(WorkloadError, match="not an array"):
        save_samples([Inputs(args=("text",), shape="")], tmp_path / "x.npz")


def test_data_gives_test_samples(tmp_path, made):
    random = np.random.default_rng(0)
    path = tmp_path / "data.npz"
    np.savez(path, x=random.random((60, 3)).astype(np.float32), y=np.arange(60) % 2)
    made(calls=5, data=str(path))
    from inferometer.datasets import open_roles

    roles = open_roles(str(path))
    values = {role: {np.float32(one.input).tobytes() for one in roles[role]} for role in roles}
    judged = {one.args[0].tobytes() for one in load_samples(tmp_path / "samples.npz")}
    assert len(judged) == 5
    assert judged <= values["test"]
    assert not judged & values["calibration"]
