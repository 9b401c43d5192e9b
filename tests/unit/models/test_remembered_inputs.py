"""Inputs that are made again and again: the same values, new memory, and no noise anew."""

from __future__ import annotations

import numpy as np
import pytest

from inferometer.models.inputs import ExampleInputs, GeneratedInputs, RememberedInputs, TensorSpec
from inferometer.models.inputs import remembered as remembered_module
from inferometer.models.inputs.generated import DISTINCT

SPECS = (
    TensorSpec(shape=(3, 8, 8), fill="image", size_axes=(1, 2)),
    TensorSpec(shape=(5,), name="ids", fill="ids", vocabulary=9),
    TensorSpec(shape=(5,), name="mask", fill="ones"),
    TensorSpec(shape=(2,), name="x"),
)


class Counted(GeneratedInputs):
    """Generated inputs that count how often their noise is made."""

    made = 0

    def rows(self, **shape):
        type(self).made += 1
        return super().rows(**shape)


@pytest.fixture
def spec():
    Counted.made = 0
    return Counted(tensors=SPECS)


def arrays(inputs):
    return [*inputs.args, *inputs.kwargs.values()]


@pytest.mark.parametrize("batch", [1, DISTINCT - 1, DISTINCT, DISTINCT + 1, 3 * DISTINCT])
@pytest.mark.parametrize("size", [None, 16])
def test_they_are_what_the_spec_makes_though_the_model_changes_them(spec, batch, size):
    again, shape = RememberedInputs(spec), {"batch_size": batch, "input_size": size, "seed": 3}
    wanted = spec.make(**shape)
    for _ in range(3):
        made = again.make(**shape)
        assert made.shape == wanted.shape
        for mine, right in zip(arrays(made), arrays(wanted), strict=True):
            assert mine.dtype == right.dtype
            assert mine.strides == right.strides
            assert np.array_equal(mine, right)
            mine[...] = 0
    assert Counted.made == 2


def test_noise_is_shared_by_batches_with_the_same_rows_and_by_nothing_else(spec):
    again = RememberedInputs(spec)
    for batch, size, seed in [(8, None, 0), (16, None, 0), (8, 16, 0), (8, None, 1), (2, None, 0)]:
        again.make(batch_size=batch, input_size=size, seed=seed)
    assert Counted.made == 4


def test_what_is_forgotten_is_made_anew(spec):
    again = RememberedInputs(spec)
    for _ in range(2):
        again.make(batch_size=2, input_size=None, seed=0)
        again.forget()
    assert Counted.made == 2


def test_no_more_is_kept_than_there_is_room_for(spec, monkeypatch):
    first = sum(part.nbytes for part in spec.rows(batch_size=2, input_size=None, seed=0))
    monkeypatch.setattr(remembered_module, "KEPT_BYTES", first)
    again, Counted.made = RememberedInputs(spec), 0
    for _ in range(3):
        for batch in (2, 3):
            again.make(batch_size=batch, input_size=None, seed=0)
    assert Counted.made == 1 + 3


def test_other_specs_make_theirs_every_time():
    example = ExampleInputs(args=(np.ones((2, 3)),))
    again = RememberedInputs(example)
    assert again.batch_size == 2
    made = [again.make(batch_size=4, input_size=None, seed=0).args[0] for _ in range(2)]
    assert made[0] is not made[1]
    assert made[0].shape == (4, 3)
