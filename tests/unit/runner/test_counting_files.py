"""What calls of ONNX files cost, and their parameters, beside a session that hides its network."""

from __future__ import annotations

import pytest

from inferometer.core.cost import Cost
from inferometer.core.format import Format
from inferometer.core.model import LoadedModel
from inferometer.core.workload import Shape
from inferometer.host.signals import Watch
from inferometer.models.inputs import GeneratedInputs, TensorSpec
from inferometer.runner.workers.counting import count, count_all
from inferometer.runner.workers.harness import Harness
from inferometer.runner.workers.messages import Failed

pytest.importorskip("onnx")


class Hidden:
    """A session of a file: nobody sees a network in it."""

    device = "cpu"


def file_of(folder, *, length):
    """A product with a matrix of 6x4, of a batch that is open, and of a length that may be."""
    import numpy as np
    from onnx import TensorProto, helper, numpy_helper, save

    weight = numpy_helper.from_array(np.ones((6, 4), dtype=np.float32), "weight")
    taken = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", length, 6])
    given = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", length, 4])
    node = helper.make_node("MatMul", ["x", "weight"], ["y"])
    graph = helper.make_graph([node], "g", [taken], [given], [weight])
    path = folder / "model.onnx"
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)]), path)
    return str(path)


def harness(folder, *, length="size", form=Format.ONNX):
    spec = TensorSpec(shape=(5, 6), size_axes=(0,))
    model = LoadedModel(
        network=None,
        format=form,
        inputs=GeneratedInputs(tensors=(spec,)),
        source="file",
        weights="",
        files=(file_of(folder, length=length),),
    )
    return Harness(model, Hidden(), load_s=None, watch=Watch(folder, threads=1))


def test_a_file_is_counted_at_the_shape_or_at_its_own_size(tmp_path):
    loaded = harness(tmp_path)
    found = [
        count(loaded, Shape(batch_size=batch, input_size=size))
        for batch, size in ((2, 3), (1, None))
    ]
    assert [one.macs for one in found] == [2 * 3 * 6 * 4, 5 * 6 * 4]


def test_parameters_of_a_file_are_facts_of_its_variant(tmp_path):
    facts = harness(tmp_path).facts
    assert (facts["parameters"], facts["parameter_bytes"]) == (24, 96)
    assert "trainable_parameters" not in facts  # a file does not say


def test_what_a_file_was_not_made_for_says_so_and_the_rest_is_counted(tmp_path):
    shapes = [Shape(batch_size=1, input_size=size) for size in (5, 7)]
    fits, differs = count_all(harness(tmp_path, length=5), shapes).costs
    assert isinstance(fits, Cost)
    assert isinstance(differs, Failed)
    assert "one input size" in differs.message


def test_other_files_have_no_count(tmp_path):
    other = harness(tmp_path, form=Format.TFLITE)
    assert count(other, Shape(batch_size=1, input_size=None)) is None
    assert "parameters" not in other.facts
    assert count_all(other, [Shape(batch_size=1, input_size=None)]).costs == (None,)
