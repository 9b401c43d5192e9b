from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inferometer.core.errors import WorkloadError
from inferometer.models.inputs import GeneratedInputs, TensorSpec, images, shaped


@settings(max_examples=25, deadline=None)
@given(
    batch=st.integers(1, 20),
    size=st.integers(1, 24),
    channels=st.integers(1, 4),
    seed=st.integers(0, 9),
)
def test_images_have_the_shape_asked_for_and_are_reproducible(batch, size, channels, seed):
    spec = images(channels=channels, size=8)
    inputs = spec.make(batch_size=batch, input_size=size, seed=seed)
    (array,) = inputs.args
    assert array.shape == (batch, channels, size, size)
    assert array.dtype == np.float32
    assert np.isfinite(array).all()
    assert inputs.shape == f"{batch}x{channels}x{size}x{size}"
    assert inputs.size_applied
    again = spec.make(batch_size=batch, input_size=size, seed=seed)
    np.testing.assert_array_equal(array, again.args[0])


def test_another_seed_gives_other_inputs():
    spec = images(size=8)
    first, second = (spec.make(batch_size=1, input_size=None, seed=seed).args[0] for seed in (0, 1))
    assert not np.array_equal(first, second)


def test_images_are_normalised_and_smooth_like_photographs():
    (batch,) = images(size=64).make(batch_size=4, input_size=None, seed=0).args
    np.testing.assert_allclose(batch.mean(axis=(-2, -1)), 0, atol=1e-4)
    np.testing.assert_allclose(batch.std(axis=(-2, -1)), 1, rtol=1e-4)
    left, right = batch[..., :-1].ravel(), batch[..., 1:].ravel()
    assert np.corrcoef(left, right)[0, 1] > 0.7  # white noise has 0


def test_large_batches_repeat_their_rows():
    (batch,) = images(size=8).make(batch_size=10, input_size=None, seed=0).args
    assert np.array_equal(batch[0], batch[8])
    assert not np.array_equal(batch[0], batch[1])


def test_a_vector_has_no_size_to_set():
    inputs = shaped((10,)).make(batch_size=3, input_size=224, seed=0)
    assert inputs.args[0].shape == (3, 10)
    assert not inputs.size_applied


@pytest.mark.parametrize(
    ("shape", "made"), [((1, 8, 16), (2, 1, 12, 12)), ((3, 4, 8, 8), (2, 3, 4, 12, 12))]
)
def test_images_and_videos_of_a_given_shape_take_a_size(shape, made):
    inputs = shaped(shape).make(batch_size=2, input_size=12, seed=0)
    assert inputs.args[0].shape == made


def test_tokens_and_their_mask():
    ids = TensorSpec(shape=(6,), name="input_ids", fill="ids", size_axes=(0,), vocabulary=50)
    mask = TensorSpec(shape=(6,), name="attention_mask", fill="ones", size_axes=(0,))
    spec = GeneratedInputs(tensors=(ids, mask), largest=100)
    inputs = spec.make(batch_size=9, input_size=100, seed=3)
    assert inputs.args == ()
    assert inputs.shape == "input_ids=9x100, attention_mask=9x100"
    found = inputs.kwargs["input_ids"]
    assert found.dtype == np.int64
    assert found.min() >= 0
    assert 25 < found.max() < 50
    assert (inputs.kwargs["attention_mask"] == 1).all()


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"fixed_because": "it is built for 224"}, "input size 96: it is built for 224"),
        ({"multiple_of": 64}, "input size 96: it must be a multiple of 64"),
        ({"largest": 64}, "input size 96: the model takes 64 at the most"),
    ],
)
def test_sizes_that_a_model_cannot_take_are_unsupported(change, problem):
    spec = replace(images(), **change)
    with pytest.raises(WorkloadError, match=problem) as caught:
        spec.make(batch_size=1, input_size=96, seed=0)
    assert caught.value.kind == "unsupported"


def test_a_fixed_size_may_be_asked_for():
    spec = replace(images(size=16), fixed_because="fixed")
    assert spec.make(batch_size=1, input_size=16, seed=0).shape == "1x3x16x16"


def test_arrays_and_lists_of_them():
    (batch,) = images(size=8).make(batch_size=2, input_size=None, seed=0).args
    assert isinstance(batch, np.ndarray)
    detector = replace(images(size=8), as_list=True).make(batch_size=2, input_size=None, seed=0)
    assert [tuple(image.shape) for image in detector.args[0]] == [(3, 8, 8)] * 2
    assert detector.shape == "2x3x8x8"
