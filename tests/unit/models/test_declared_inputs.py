"""Inputs that are made as an ONNX file declares them."""

from __future__ import annotations

import pytest

onnx = pytest.importorskip("onnx")

import numpy as np  # noqa: E402 - after the skip
from onnx import TensorProto, helper, numpy_helper  # noqa: E402

from inferometer.core.errors import ModelReferenceError, WorkloadError  # noqa: E402
from inferometer.core.format import Format  # noqa: E402
from inferometer.models import load  # noqa: E402


@pytest.fixture
def saved(tmp_path):
    """Save a model of given inputs, name → (type, axes); gives its reference."""

    def save(weights=(), **inputs):
        declared = [
            helper.make_tensor_value_info(name, kind, axes) for name, (kind, axes) in inputs.items()
        ]
        first = next(iter(inputs))
        graph = helper.make_graph(
            [helper.make_node("Identity", [first], ["out"])],
            "g",
            declared,
            [helper.make_tensor_value_info("out", declared[0].type.tensor_type.elem_type, None)],
            list(weights),
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        onnx.save(model, tmp_path / "m.onnx")
        return str(tmp_path / "m.onnx")

    return save


def made(reference, *, batch_size=1, input_size=None, seed=0):
    inputs = load(reference, seed=0).inputs
    return inputs.make(batch_size=batch_size, input_size=input_size, seed=seed)


def test_what_the_source_says_of_it(saved):
    reference = saved(x=(TensorProto.FLOAT, [2, 3, 8, 8]))
    model = load(reference, seed=0)
    assert (model.network, model.format, model.source) == (None, Format.ONNX, "file")
    assert (model.weights, model.files, model.notes) == ("file m.onnx", (reference,), ())
    assert model.inputs.batch_size == 2


def test_names_types_and_open_axes(saved):
    reference = saved(
        input_ids=(TensorProto.INT64, ["batch", "sequence"]),
        mask=(TensorProto.BOOL, ["batch", "sequence"]),
        image=(TensorProto.FLOAT16, ["batch", 3, 4, 4]),
        scale=(TensorProto.DOUBLE, []),
    )
    found = made(reference, batch_size=10, input_size=7)
    assert found.args == ()
    assert {name: (one.dtype.name, one.shape) for name, one in found.kwargs.items()} == {
        "input_ids": ("int64", (10, 7)),
        "mask": ("bool", (10, 7)),
        "image": ("float16", (10, 3, 4, 4)),
        "scale": ("float64", ()),
    }
    assert all(isinstance(one, np.ndarray) for one in found.kwargs.values())
    assert set(np.unique(found.kwargs["input_ids"])) == {0, 1}
    assert found.shape == "input_ids=10x7, mask=10x7, image=10x3x4x4, scale=scalar"
    assert "whole numbers among its inputs are 0 and 1" in load(reference, seed=0).notes[0]


def test_the_same_for_the_same_seed(saved):
    reference = saved(x=(TensorProto.FLOAT, ["n", 3]))
    first, same, other = (made(reference, seed=seed).kwargs["x"] for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, same)
    assert not np.array_equal(first, other)


def test_weights_among_the_inputs_are_none(saved):
    weight = numpy_helper.from_array(np.zeros(3, "float32"), "w")
    reference = saved([weight], x=(TensorProto.FLOAT, [1, 3]), w=(TensorProto.FLOAT, [3]))
    assert list(made(reference).kwargs) == ["x"]


@pytest.mark.parametrize(
    ("axes", "asked", "problem"),
    [
        ([2, 3], {"batch_size": 4}, "was made for batch 2"),
        (["n", 3, "h", "w"], {}, "is open along h; give a size"),
        (["n", 3, 8, 8], {"input_size": 9}, "was made for one input size, not for 9"),
    ],
)
def test_shapes_that_it_was_not_made_for(saved, axes, asked, problem):
    reference = saved(x=(TensorProto.FLOAT, axes))
    with pytest.raises(WorkloadError, match=problem) as caught:
        made(reference, **asked)
    assert caught.value.kind == "unsupported"


def test_elements_that_are_no_numbers(saved):
    with pytest.raises(WorkloadError, match="input x is no tensor of numbers") as caught:
        load(saved(x=(TensorProto.STRING, [1])), seed=0)
    assert caught.value.kind == "unsupported"


class TestAShapeOfTheUsers:
    def test_fills_open_axes_where_no_size_is_asked_for(self, saved):
        reference = saved(x=(TensorProto.FLOAT, ["n", 3, "h", "w"]))
        assert made(f"{reference}?input=3x6x5", batch_size=2).shape == "x=2x3x6x5"
        assert made(f"{reference}?input=3x6x5", input_size=4).shape == "x=1x3x4x4"

    @pytest.mark.parametrize("shape", ["4x6x6", "3x6"])
    def test_has_to_go_with_the_file(self, saved, shape):
        reference = saved(x=(TensorProto.FLOAT, ["n", 3, "h", "w"]))
        with pytest.raises(ModelReferenceError, match=f"takes no input of {shape}"):
            load(f"{reference}?input={shape}", seed=0)

    def test_goes_with_one_input(self, saved):
        reference = saved(x=(TensorProto.FLOAT, [1, 3]), y=(TensorProto.FLOAT, [1, 3]))
        with pytest.raises(ModelReferenceError, match="has 2 inputs; input= goes with one"):
            load(f"{reference}?input=3", seed=0)


def test_weights_outside_of_its_folder_are_refused(saved, tmp_path):
    """The runtime that gets the file might read them."""
    (tmp_path / "secret").write_bytes(bytes(4000))
    folder = tmp_path / "models"
    folder.mkdir()
    model = onnx.load(saved(x=(TensorProto.FLOAT, [1, 3])))
    tensor = TensorProto(name="w", dims=[1000], data_type=TensorProto.FLOAT)
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "../secret"
    model.graph.initializer.append(tensor)
    (folder / "m.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(WorkloadError, match="outside of its folder"):
        load(str(folder / "m.onnx"), seed=0)
    (folder / "secret").write_bytes(bytes(4000))
    entry.value = "secret"
    model.graph.initializer[0].CopyFrom(tensor)
    (folder / "m.onnx").write_bytes(model.SerializeToString())
    found = load(str(folder / "m.onnx"), seed=0)
    assert found.files == (str(folder / "m.onnx"), str(folder / "secret"))
