from __future__ import annotations

from pathlib import Path

import pytest

from inferometer.core.errors import ModelReferenceError
from inferometer.models.options import Options


def test_reserved_options_are_told_from_the_builders():
    options = Options.read({"weights": "pretrained", "input": "3x32x64", "width": 2})
    assert options.pretrained
    assert options.weights_file is None
    assert options.input_shape == (3, 32, 64)
    assert options.builder == {"width": 2}


def test_a_vector_and_a_path():
    options = Options.read({"weights": "trained.pt", "input": 10})
    assert options.weights_file == Path("trained.pt")
    assert options.input_shape == (10,)


@pytest.mark.parametrize("shape", ["3x", "x3", "0x3", "3,", "-1", "3.5", "", True])
def test_a_malformed_shape_is_refused(shape):
    with pytest.raises(ModelReferenceError, match="is not a shape; write the shape of one sample"):
        Options.read({"input": shape})


@pytest.mark.parametrize("weights", ["", True, False])
def test_malformed_weights_are_refused(weights):
    with pytest.raises(ModelReferenceError, match="takes `pretrained` or the path"):
        Options.read({"weights": weights})


def test_a_weights_file_must_be_there(tmp_path):
    with pytest.raises(ModelReferenceError, match=r"none\.pt: there is no such file"):
        Options.read({"weights": str(tmp_path / "none.pt")}).require_files()
