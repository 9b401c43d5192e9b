"""Calibration samples in batches, and what converters raise."""

from __future__ import annotations

import numpy as np
import pytest

from inferometer.backends.exported import batched, converting
from inferometer.core.errors import WorkloadError
from inferometer.core.model import Inputs


def sample(number):
    return Inputs(
        args=(np.full((1, 2), number),), kwargs={"scale": np.float32(number)}, shape="1x2"
    )


def test_each_sample_calibrates_and_the_last_batch_is_filled_up():
    found = batched([sample(number) for number in range(3)], 2)
    assert [one.args[0].tolist() for one in found] == [[[0, 0], [1, 1]], [[2, 2], [0, 0]]]
    assert [float(one.kwargs["scale"]) for one in found] == [0, 2]


def test_fewer_samples_than_a_batch_repeat():
    (found,) = batched([sample(5)], 3)
    assert found.args[0].tolist() == [[5, 5]] * 3


def test_no_samples_are_no_batches():
    assert batched([], 4) == []


@pytest.mark.parametrize(
    ("error", "kind", "said"),
    [
        (ValueError("no\nlowering"), "unsupported", "maker 1.0 cannot convert it: ValueError: no"),
        (MemoryError(), "out_of_memory", "maker 1.0 cannot convert it"),
        (ModuleNotFoundError("no maker"), "unsupported", "run inferometer backends install place"),
        (WorkloadError("bad_model", "as it was"), "bad_model", "as it was"),
    ],
)
def test_what_a_converter_raises_is_one_sentence(error, kind, said):
    with (
        pytest.raises(WorkloadError) as caught,
        converting("maker", version="1.0", install="place"),
    ):
        raise error
    assert caught.value.kind == kind
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
