"""Shapes that follow through an ONNX graph, the graphs in it, and those that do not hold."""

from __future__ import annotations

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")

from onnx import TensorProto, helper, numpy_helper  # noqa: E402 - after the skip

from inferometer.core.errors import WorkloadError  # noqa: E402
from inferometer.models.cost.onnx import walk as onnx_walk  # noqa: E402
from inferometer.models.cost.onnx.walk import DEEPEST, module_of  # noqa: E402

FLOAT, BOOL = TensorProto.FLOAT, TensorProto.BOOL


def weight(name, *shape):
    return numpy_helper.from_array(np.zeros(shape, dtype=np.float32), name)


def constant(name, value):
    return numpy_helper.from_array(np.array(value), name)


def tensor(name, *shape, kind=FLOAT):
    return helper.make_tensor_value_info(name, kind, None if shape == (None,) else shape)


def node(operator, inputs, *outputs, **attributes):
    names = ["" if name == "_" else name for name in inputs.split()]
    return helper.make_node(operator, names, outputs or ["y"], **attributes)


def graph(*nodes, weights=(), result="o"):
    return helper.make_graph(list(nodes), "inner", [], [tensor(result, None)], list(weights))


def test_what_a_file_tells_of_another_batch_is_not_believed(counted):
    """Exporters write down the shapes of their example, and leave the input's batch open."""
    nodes = [node("Relu", "x", "a"), node("MatMul", "a w")]
    found = counted(nodes, [tensor("x", "N", 4)], [weight("w", 4, 3)], [tensor("y", 1, 3)],
                    batch=5, told=[tensor("a", 1, 4)])  # fmt: skip
    assert found.cost.macs == 5 * 4 * 3
    assert found.cost.elementwise_flops == 5 * 4
    assert found.cost.output_bytes == 4 * 5 * 3


def test_a_file_whose_shapes_hold_at_another_size_only(counted):
    """What `view(10, -1, 4)` leaves behind."""
    nodes = [node("Reshape", "x shape", "a"), node("MatMul", "a w")]
    weights = [constant("shape", [2, 10, 4]), weight("w", 4, 3)]
    inputs = [tensor("x", "batch", "length", 4)]
    assert counted(nodes, inputs, weights, batch=2, size=10).cost.macs == 2 * 10 * 4 * 3
    with pytest.raises(WorkloadError, match="at another shape only: a Reshape makes 80") as caught:
        counted(nodes, inputs, weights, batch=2, size=12)
    assert caught.value.kind == "unsupported"


def test_a_long_chain_of_shapes_that_follow_from_each_other(counted):
    """Each link needs the shape before it, and a division that only we compute."""
    nodes, current = [], "x"
    for place in range(40):
        names = {name: f"{name}{place}" for name in ("shape", "n", "half", "all", "view", "made")}
        nodes += [
            node("Shape", current, names["shape"]),
            node("Gather", f"{names['shape']} zero", names["n"]),
            node("Div", f"{names['n']} one", names["half"]),
            node("Concat", f"{names['half']} rest", names["all"], axis=0),
            node("Reshape", f"{current} {names['all']}", names["view"]),
            node("MatMul", f"{names['view']} w", names["made"]),
        ]
        current = names["made"]
    weights = [constant("zero", [0]), constant("one", [1]), constant("rest", [-1])]
    found = counted(nodes, [tensor("x", "N", 4)], [*weights, weight("w", 4, 4)],
                    [tensor(current, None)], batch=3)  # fmt: skip
    assert found.cost.macs == 40 * 3 * 4 * 4
    assert found.cost.unknown_operators == []


def test_a_first_axis_without_a_name_beside_one_that_is_called_batch(counted):
    inputs = [tensor("x", "batch", "time", 4), tensor("z", "?", 1, 4)]
    found = counted([node("Add", "x z")], inputs, batch=3, size=5)
    assert found.input_shape == "x=3x5x4, z=3x1x4"


def test_an_input_without_an_axis_for_the_batch(counted):
    assert counted([node("Relu", "x")], [tensor("x", 5)]).input_shape == "5"
    with pytest.raises(WorkloadError, match="no input has an axis for a batch"):
        counted([node("Relu", "x")], [tensor("x", 5)], batch=7)


@pytest.mark.parametrize("length", [2**40, 2**62])
def test_shapes_that_no_machine_has(counted, length):
    with pytest.raises(WorkloadError, match="larger than any machine") as caught:
        counted([node("Relu", "x")], [tensor("x", 1, length, length, *[length] * 18)])
    assert caught.value.kind == "bad_model"


@pytest.mark.parametrize("place", ["input", "constant"])
def test_a_list_that_is_absurdly_long(counted, place):
    """The library that infers shapes would follow each of its elements."""
    long = TensorProto(name="long", data_type=TensorProto.INT64, dims=[2**40])
    given = [tensor("x", 1, 4)]
    if place == "input":
        given.append(tensor("long", 2**40, kind=TensorProto.INT64))
    nodes = [
        node("Shape", "x", "n"),
        node("Gather", "n zero", "first"),
        node("Mul", "first long", "all"),
        node("Concat", "all zero", "list", axis=0),
        node("Relu", "x"),
    ]
    weights = [constant("zero", [0]), *([long] if place == "constant" else [])]
    assert counted(nodes, given, weights).cost.unknown_operators == []


def test_a_window_of_negative_length(counted):
    found = counted([node("MaxPool", "x", kernel_shape=[-9, 2])], [tensor("x", 1, 1, 5, 5)])
    assert found.cost.unknown_operators == ["MaxPool (1)"]


def test_a_layer_whose_first_output_nobody_wants(counted):
    made = node("LSTM", "x w r", "", "y", hidden_size=6)
    found = counted([made], [tensor("x", 10, 2, 4)], [weight("w", 1, 24, 4), weight("r", 1, 24, 6)],
                    batch=10)  # fmt: skip
    assert found.cost.macs == 10 * 2 * 24 * (4 + 6)


def test_operators_of_others_that_are_called_as_the_standards(counted):
    made = helper.make_node("Constant", ["x"], ["y"], domain="mine")
    found = counted([made], [tensor("x", 1, 4)], more=(helper.make_opsetid("mine", 1),))
    assert found.cost.unknown_operators == ["mine.Constant (1)"]


def test_a_grid_of_the_same_size_still_interpolates(counted):
    inputs = [tensor("x", 1, 3, 8, 8), tensor("grid", 1, 8, 8, 2)]
    found = counted([node("GridSample", "x grid")], inputs)
    assert found.cost.elementwise_flops == 8 * 3 * 64


def test_a_path_that_is_too_deep_for_modules():
    assert module_of(node("Relu", "x", name="a/" * DEEPEST + "Relu")) == ".".join("a" * DEEPEST)
    assert module_of(node("Relu", "x", name="a/" * 3000 + "Relu")) == ""


class TestBranches:
    def test_those_side_by_side_may_use_the_same_names(self, counted):
        """Of constants, of parameters, and of what is read."""
        narrow, wide = (
            graph(node("MatMul", "x w", "o"), weights=[weight("w", 4, columns)])
            for columns in (2, 16)
        )
        nodes = [
            node("If", "c", "a", then_branch=narrow, else_branch=wide),
            node("If", "d", "b", then_branch=narrow, else_branch=wide),
            node("Concat", "a b", axis=1),
        ]
        conditions = [constant("c", value=True), constant("d", value=False)]
        found = counted(nodes, [tensor("x", 1, 4)], conditions)
        assert found.cost.macs == 4 * 2 + 4 * 16
        assert (found.notes, found.cost.unknown_operators) == ((), [])
        assert found.cost.weight_bytes == 4 * (4 * 2 + 4 * 16)
        assert found.parameters["parameters"] == 2 * (4 * 2 + 4 * 16)

    def test_each_is_looked_at_once_however_deep(self, counted, monkeypatch):
        visits = []
        inside = onnx_walk.inside
        monkeypatch.setattr(onnx_walk, "inside", lambda *given: visits.append(1) or inside(*given))
        deep = graph(node("MatMul", "x w", "o"))
        for _ in range(8):
            other = graph(node("Identity", "x", "o"))
            deep = graph(node("If", "c", "o", then_branch=deep, else_branch=other))
        inputs = [tensor("x", 1, 4), tensor("c", kind=BOOL)]
        found = counted(deep.node, inputs, [weight("w", 4, 4)], [tensor("o", None)])
        assert found.cost.macs == 16
        assert len(visits) == 2 * 8

    def test_what_one_gives_is_alive_once(self, counted):
        branch = graph(node("MatMul", "x w", "o"))
        inputs = [tensor("x", 1, 4), tensor("c", kind=BOOL)]
        made = node("If", "c", then_branch=branch, else_branch=branch)
        found = counted([made], inputs, [weight("w", 4, 8)])
        assert found.cost.activation_peak_bytes == 4 * 8


def test_the_names_of_axes_hold_in_the_body_of_a_loop(counted):
    body = helper.make_graph(
        [node("Identity", "go", "on"), node("MatMul", "h w", "k")], "body",
        [tensor("i", kind=TensorProto.INT64), tensor("go", kind=BOOL), tensor("h", "N", 4)],
        [tensor("on", kind=BOOL), tensor("k", "N", 4)],
    )  # fmt: skip
    weights = [weight("w", 4, 4), constant("times", 7)]
    found = counted([node("Loop", "times _ x", body=body)], [tensor("x", "N", 4)], weights, batch=3)
    assert found.cost.macs == 3 * 16
