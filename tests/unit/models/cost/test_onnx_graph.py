"""ONNX graphs whose cost is known by hand, one that torch counts too, and files that are none."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")

from hypothesis import given, settings  # noqa: E402 - after the skip
from hypothesis import strategies as some  # noqa: E402
from onnx import TensorProto, helper, numpy_helper  # noqa: E402

from inferometer.core.errors import (  # noqa: E402
    MissingExtraError,
    ModelReferenceError,
    WorkloadError,
)
from inferometer.models.cost.onnx import file as onnx_file  # noqa: E402
from inferometer.models.cost.onnx.file import onnx_path  # noqa: E402
from inferometer.models.cost.onnx.graph import count_onnx  # noqa: E402
from inferometer.models.cost.onnx.walk import module_of  # noqa: E402

FLOAT = TensorProto.FLOAT


def weight(name, *shape, dtype=np.float32):
    return numpy_helper.from_array(np.zeros(shape, dtype=dtype), name)


def ints(name, *values):
    return numpy_helper.from_array(np.array(values, dtype=np.int64), name)


def tensor(name, *shape, kind=FLOAT):
    return helper.make_tensor_value_info(name, kind, None if shape == (None,) else shape)


def node(operator, inputs, outputs=("y",), **attributes):
    return helper.make_node(operator, inputs.split(), list(outputs), **attributes)


MICROSOFT = (helper.make_opsetid("com.microsoft", 1),)

PRODUCTS = {
    "convolution": (
        node("Conv", "x w b", strides=[2, 2], pads=[1, 1, 1, 1], group=2),
        [(1, 4, 8, 8)], [weight("w", 6, 2, 3, 3), weight("b", 6)], 6 * 4 * 4 * 2 * 9,
    ),
    "transposed convolution": (
        node("ConvTranspose", "x w", strides=[2, 2]),
        [(1, 4, 8, 8)], [weight("w", 4, 3, 2, 2)], 4 * 8 * 8 * 3 * 4,
    ),
    "one-dimensional convolution": (
        node("Conv", "x w", dilations=[2]), [(1, 3, 20)], [weight("w", 5, 3, 4)], 5 * 14 * 3 * 4,
    ),
    "general product": (
        node("Gemm", "x w b", transA=1, transB=1),
        [(7, 3)], [weight("w", 5, 7), weight("b", 5)], 3 * 5 * 7,
    ),
    "matrices of a batch": (node("MatMul", "x z"), [(2, 3, 4, 5), (3, 5, 6)], [], 2 * 3 * 4 * 6 * 5),
    "matrix and vector": (node("MatMul", "x w"), [(4, 5)], [weight("w", 5)], 4 * 5),
    "sum over two letters": (
        node("Einsum", "x z", equation="bhqd,bhkd->bhqk"), [(2, 3, 5, 7), (2, 3, 4, 7)], [],
        2 * 3 * 5 * 4 * 7,
    ),
    "three operands": (
        node("Einsum", "x z w", equation="ij,jk,kl->il"),
        [(2, 3), (3, 4)], [weight("w", 4, 5)], 2 * 3 * 4 + 2 * 4 * 5,
    ),
    "an implied result": (node("Einsum", "x z", equation="ij,jk"), [(2, 3), (3, 4)], [], 24),
    "dots": (
        node("Einsum", "x w", equation="...i,ij->...j"), [(2, 3, 4)], [weight("w", 4, 5)], 120,
    ),
    "no sum": (node("Einsum", "x z", equation="i,j->ij"), [(3,), (4,)], [], 0),
    "attention": (
        node("Attention", "x z w"), [(2, 3, 5, 8), (2, 3, 7, 8)], [weight("w", 2, 3, 7, 6)],
        2 * 3 * 5 * 7 * (8 + 6),
    ),
    "attention, heads side by side": (
        node("Attention", "x z z", q_num_heads=4, kv_num_heads=2), [(2, 5, 32), (2, 7, 16)], [],
        2 * 4 * 5 * 7 * (8 + 8),
    ),
    "quantised convolution": (
        node("QLinearConv", "q s o w s o s o"), [],
        [weight("q", 1, 3, 6, 6, dtype=np.uint8), weight("w", 4, 3, 3, 3, dtype=np.uint8),
         weight("s"), weight("o", dtype=np.uint8)], 4 * 16 * 27,
    ),
    "quantised product": (
        node("MatMulInteger", "q w"), [],
        [weight("q", 3, 4, dtype=np.uint8), weight("w", 4, 5, dtype=np.uint8)], 60,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PRODUCTS)
def test_products_that_are_known(counted, name):
    made, shapes, weights, macs = PRODUCTS[name]
    inputs = [tensor(letter, *shape) for letter, shape in zip("xz", shapes, strict=False)]
    batch = shapes[0][0] if shapes and len(shapes[0]) > 1 else 1
    found = counted([made], inputs, weights, batch=batch, opset=23)
    assert found.cost.macs == macs
    assert found.cost.unknown_operators == []


@pytest.mark.parametrize(("operator", "gates"), [("LSTM", 4), ("GRU", 3), ("RNN", 1)])
@pytest.mark.parametrize("directions", [1, 2])
def test_recurrent_layers(counted, operator, gates, directions):
    way = "bidirectional" if directions == 2 else "forward"
    made = node(operator, "x w r", hidden_size=6, direction=way)
    weights = [weight("w", directions, gates * 6, 4), weight("r", directions, gates * 6, 6)]
    found = counted([made], [tensor("x", 10, 2, 4)], weights, batch=10)
    assert found.cost.macs == 10 * 2 * directions * gates * 6 * (4 + 6)
    assert found.cost.operators[0].kind == "recurrent"


FUSED = {
    "projected": (
        node("Attention", "x w", num_heads=2, domain="com.microsoft"),
        [(2, 5, 8)], [weight("w", 8, 24)], 2 * 5 * 8 * 24 + 2 * 2 * 5 * 5 * (4 + 4), (2, 5, 8),
    ),
    "many heads": (
        node("MultiHeadAttention", "x z z", num_heads=2, domain="com.microsoft"),
        [(2, 5, 8), (2, 7, 8)], [], 2 * 2 * 5 * 7 * (4 + 4), (2, 5, 8),
    ),
    "packed": (
        node("MultiHeadAttention", "x", num_heads=2, domain="com.microsoft"),
        [(2, 5, 2, 3, 4)], [], 2 * 2 * 5 * 5 * (4 + 4), (2, 5, 8),
    ),
    "grouped": (
        node("GroupQueryAttention", "x z z", num_heads=4, kv_num_heads=2, domain="com.microsoft"),
        [(2, 5, 16), (2, 5, 8)], [], 2 * 4 * 5 * 5 * (4 + 4), (2, 5, 16),
    ),
    "product": (
        node("FusedMatMul", "x w", transB=1, domain="com.microsoft"),
        [(2, 3, 4)], [weight("w", 5, 4)], 2 * 3 * 4 * 5, (2, 3, 5),
    ),
    "convolution": (
        node("FusedConv", "x w", activation="Relu", pads=[1, 1, 1, 1], domain="com.microsoft"),
        [(2, 3, 6, 6)], [weight("w", 4, 3, 3, 3)], 2 * 4 * 36 * 27, (2, 4, 6, 6),
    ),
    "narrow": (
        node("MatMulNBits", "x w", K=4, N=5, domain="com.microsoft"),
        [(2, 3, 4)], [weight("w", 5, 1, 2, dtype=np.uint8)], 2 * 3 * 4 * 5, (2, 3, 5),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FUSED)
def test_operators_of_onnx_runtime_and_what_follows_them(counted, name):
    made, shapes, weights, macs, result = FUSED[name]
    inputs = [tensor(letter, *shape) for letter, shape in zip("xz", shapes, strict=False)]
    nodes = [made, node("Relu", "y", ("z2",))]
    found = counted(nodes, inputs, weights, [tensor("z2", None)], batch=2, more=MICROSOFT)
    assert found.cost.macs == macs
    assert found.cost.unknown_operators == []
    assert found.cost.output_bytes == 4 * math.prod(result)


def test_element_wise_work_is_apart_and_views_cost_nothing(counted):
    nodes = [
        node("Relu", "x", ("a",)),
        node("Reshape", "a s", ("b",)),
        node("Softmax", "b", ("c",)),
        node("Transpose", "c", ("y",)),
    ]
    found = counted(nodes, [tensor("x", 1, 4, 6)], [ints("s", 4, 6)])
    assert found.cost.macs == 0
    assert found.cost.elementwise_flops == 24 + 5 * 24
    kinds = {one.operator: (one.kind, one.bytes_written) for one in found.cost.operators}
    assert kinds["Reshape"] == ("data movement", 0)
    assert kinds["Transpose"] == ("data movement", 96)
    assert found.cost.activation_bytes == 3 * 96


def test_what_is_alive_at_a_time(counted):
    """A residual keeps the first result until it is added: three of 96 bytes meet there."""
    nodes = [
        node("Relu", "x", ("a",)),
        node("Neg", "a", ("b",)),
        node("Abs", "b", ("c",)),
        node("Add", "a c"),
    ]
    found = counted(nodes, [tensor("x", 1, 4, 6)])
    assert found.cost.activation_peak_bytes == 3 * 96
    straight = counted([node("Relu", "x", ("a",)), node("Neg", "a")], [tensor("x", 1, 4, 6)])
    assert straight.cost.activation_peak_bytes == 2 * 96


def test_a_view_keeps_what_it_looks_at(counted):
    nodes = [
        node("Relu", "x", ("a",)),
        node("Reshape", "a s", ("v",)),
        node("Neg", "a", ("b",)),
        node("Abs", "b", ("c",)),
        node("Add", "v c"),
    ]
    found = counted(nodes, [tensor("x", 1, 4, 6)], [ints("s", 1, 4, 6)])
    assert found.cost.activation_peak_bytes == 3 * 96


def test_bytes_and_intensity(counted):
    found = counted([node("MatMul", "x w")], [tensor("x", 1, 64)], [weight("w", 64, 32)])
    cost = found.cost
    assert (cost.input_bytes, cost.weight_bytes, cost.output_bytes) == (256, 8192, 128)
    assert cost.compulsory_bytes == cost.operator_bytes == 256 + 8192 + 128


@settings(max_examples=20, deadline=None)
@given(batch=some.integers(1, 9), size=some.integers(3, 40))
def test_open_axes_take_the_batch_and_the_size(tmp_path_factory, batch, size):
    graph = helper.make_graph(
        [node("Conv", "x w")], "g", [tensor("x", "N", 3, "H", "W")], [tensor("y", None)],
        [weight("w", 4, 3, 3, 3)],
    )  # fmt: skip
    path = tmp_path_factory.mktemp("onnx") / "m.onnx"
    onnx.save(helper.make_model(graph, ir_version=10), path)
    found = count_onnx(path, batch_size=batch, input_size=size)
    assert found.cost.macs == batch * 4 * (size - 2) ** 2 * 27
    assert found.input_shape == f"{batch}x3x{size}x{size}"
    assert found.notes == (f"open axes: N = {batch}, H = {size}, W = {size}",)


def test_the_names_of_axes_hold_in_the_whole_file(counted):
    """A shape that only the file tells, of an operator that nobody knows."""
    nodes = [node("Twist", "x", domain="mine")]
    mine = (helper.make_opsetid("mine", 1),)
    outputs = [tensor("y", "N", 7, "H")]
    found = counted(nodes, [tensor("x", "N", "H")], (), outputs, batch=2, size=3, more=mine)
    assert found.cost.output_bytes == 4 * 2 * 7 * 3


def test_an_axis_that_is_called_batch_is_it_wherever_it_is(counted):
    found = counted([node("Relu", "x")], [tensor("x", "length", "batch", 8)], batch=3, size=5)
    assert found.input_shape == "5x3x8"


@pytest.mark.parametrize(
    ("shape", "batch", "size", "problem"),
    [
        (("N", 3, "H", "W"), 1, None, "input x is open along H; give a size"),
        (("N", 3, "?", "?"), 1, None, r"open along x\[2\]; give a size"),
        ((4, 3, 8, 8), 1, None, "made for batch 4"),
        ((1, 3, 8, 8), 1, 9, "made for one input size, not for 9"),
    ],
)
def test_shapes_that_a_file_does_not_take(counted, shape, batch, size, problem):
    with pytest.raises(WorkloadError, match=problem) as caught:
        counted([node("Relu", "x")], [tensor("x", *shape)], batch=batch, size=size)
    assert caught.value.kind == "unsupported"


def test_shapes_that_are_computed_from_shapes(counted):
    """What exporters write for `x.view(x.shape[0], -1)`, with a division that only we compute."""
    nodes = [
        node("Shape", "x", ("s",)),
        node("Gather", "s zero", ("n",)),
        node("Div", "n one", ("m",)),
        node("Concat", "m rest", ("t",), axis=0),
        node("Reshape", "x t", ("f",)),
        node("MatMul", "f w"),
    ]
    weights = [ints("zero", 0), ints("one", 1), ints("rest", -1), weight("w", 12, 5)]
    found = counted(nodes, [tensor("x", "N", 3, 4)], weights, batch=2)
    assert found.cost.macs == 2 * 12 * 5
    assert [one.operator for one in found.cost.operators] == ["Reshape", "MatMul"]


def test_constants_that_are_no_tensors(counted):
    nodes = [
        helper.make_node("Constant", [], ["a"], value_ints=[2, 2]),
        helper.make_node("Constant", [], ["b"], value_int=3),
        node("Mul", "a b", ("t",)),
        node("Reshape", "x t", ("f",)),
        node("MatMul", "f w"),
    ]
    found = counted(nodes, [tensor("x", 1, 4, 9)], [weight("w", 6, 5)])
    assert found.cost.macs == 6 * 6 * 5
    assert found.cost.unknown_operators == []


def test_unknown_operators_are_named(counted):
    nodes = [node("Twist", "x", ("a",), domain="mine"), node("MatMul", "a w")]
    mine = (helper.make_opsetid("mine", 1),)
    found = counted(nodes, [tensor("x", 1, 4)], [weight("w", 4, 4)], more=mine)
    assert found.cost.macs == 0
    assert found.cost.unknown_operators == ["mine.Twist (1)", "MatMul (1)"]


def branch(name, *nodes, weights=()):
    return helper.make_graph(list(nodes), name, [], [tensor("o", None)], list(weights))


THEN = branch("then", node("MatMul", "x w1", ("o",)), weights=[weight("w1", 4, 8)])
ELSE = branch("else", node("MatMul", "x w2", ("o",)), weights=[weight("w2", 4, 2)])


def test_a_constant_condition_takes_its_branch(counted):
    for value, macs in ((True, 32), (False, 8)):
        condition = numpy_helper.from_array(np.array(value), "c")
        made = node("If", "c", then_branch=THEN, else_branch=ELSE)
        found = counted([made], [tensor("x", 1, 4)], [condition])
        assert (found.cost.macs, found.notes) == (macs, ())


def test_of_a_condition_that_a_call_decides_the_dearer_branch_counts(counted):
    inputs = [tensor("x", 1, 4), tensor("c", kind=TensorProto.BOOL)]
    found = counted([node("If", "c", then_branch=THEN, else_branch=ELSE)], inputs)
    assert found.cost.macs == 32
    assert "the branch that multiplies more" in found.notes[0]


def test_the_body_of_a_loop_counts_once_and_says_so(counted):
    body = helper.make_graph(
        [node("Identity", "go", ("on",)), node("MatMul", "h w", ("k",))], "body",
        [tensor("i", kind=TensorProto.INT64), tensor("go", kind=TensorProto.BOOL), tensor("h", 1, 4)],
        [tensor("on", kind=TensorProto.BOOL), tensor("k", 1, 4)],
    )  # fmt: skip
    weights = [weight("w", 4, 4), numpy_helper.from_array(np.array(7), "times")]
    found = counted(
        [node("Loop", "times  x".replace("  ", " _ "), body=body)], [tensor("x", 1, 4)], weights
    )
    assert found.cost.macs == 16
    assert found.cost.unknown_operators == ["Loop (1)"]
    assert "counted once" in found.notes[0]


def test_shapes_that_a_branch_computes_are_known_in_it(counted):
    nodes = [
        node("Shape", "x", ("s",)), node("Gather", "s zero", ("n",)),
        node("Concat", "n rest", ("t",), axis=0), node("Reshape", "x t", ("f",)),
        node("MatMul", "f w", ("o",)),
    ]  # fmt: skip
    weights = [ints("zero", 0), ints("rest", -1), weight("w", 12, 5)]
    deep = branch("then", *nodes, weights=weights)
    shallow = branch("else", node("Flatten", "x", ("o",)))
    inputs = [tensor("x", "N", 3, 4), tensor("c", kind=TensorProto.BOOL)]
    found = counted([node("If", "c", then_branch=deep, else_branch=shallow)], inputs, batch=2)
    assert found.cost.macs == 2 * 12 * 5
    assert found.cost.unknown_operators == []
    assert found.cost.weight_bytes == 4 * 12 * 5


def test_functions_of_the_file_are_written_out(tmp_path):
    double = helper.make_function(
        "mine", "Twice", ["a", "b"], ["y"],
        [node("MatMul", "a b", ("c",)), node("MatMul", "c b")], [helper.make_opsetid("", 21)],
    )  # fmt: skip
    graph = helper.make_graph(
        [node("Twice", "x w", domain="mine")], "g", [tensor("x", 1, 4)], [tensor("y", None)],
        [weight("w", 4, 4)],
    )  # fmt: skip
    imports = [helper.make_opsetid("", 21), helper.make_opsetid("mine", 1)]
    model = helper.make_model(graph, functions=[double], opset_imports=imports, ir_version=10)
    onnx.save(model, tmp_path / "m.onnx")
    assert count_onnx(tmp_path / "m.onnx", batch_size=1, input_size=None).cost.macs == 32


def test_functions_that_grow_beyond_all_bounds(tmp_path):
    """Each calls the one before it twice: a few kilobytes, and a thousand million operators."""
    imports = [helper.make_opsetid("", 21), helper.make_opsetid("mine", 1)]
    functions = [
        helper.make_function("mine", "F0", ["a"], ["b"], [node("Relu", "a", "b")], imports)
    ]
    for number in range(1, 31):
        calls = [
            node(f"F{number - 1}", given, [made], domain="mine")
            for given, made in (("a", "c"), ("c", "b"))
        ]
        made = helper.make_function("mine", f"F{number}", ["a"], ["b"], calls, imports)
        functions.append(made)
    graph = helper.make_graph(
        [node("F30", "x", domain="mine")], "g", [tensor("x", 1, 4)], [tensor("y", None)]
    )
    model = helper.make_model(graph, functions=functions, opset_imports=imports, ir_version=10)
    onnx.save(model, tmp_path / "m.onnx")
    with pytest.raises(WorkloadError, match="over 1,000,000 operators"):
        count_onnx(tmp_path / "m.onnx", batch_size=1, input_size=None)


def test_parameters_and_buffers(counted):
    nodes = [
        node("Conv", "x w b", ("a",)),
        node("BatchNormalization", "a scale shift mean var", ("n",)),
        node("Mul", "n half", ("h",)),
        node("Reshape", "h s"),
    ]
    weights = [
        weight("w", 4, 3, 1, 1),
        *(weight(n, 4) for n in ("b", "scale", "shift", "mean", "var")),
    ]
    weights += [weight("half"), ints("s", 1, -1)]
    found = counted(nodes, [tensor("x", 1, 3, 2, 2)], weights)
    assert found.parameters["parameters"] == 12 + 4 + 4 + 4
    assert found.parameters["buffer_bytes"] == 2 * 4 * 4
    assert found.parameters["parameters_by_dtype"] == {"float32": 24}
    assert "trainable_parameters" not in found.parameters


def test_a_weight_that_is_used_twice(counted):
    nodes = [node("MatMul", "x w", ("a",)), node("MatMul", "a w")]
    found = counted(nodes, [tensor("x", 1, 4)], [weight("w", 4, 4)])
    assert found.parameters["parameters"] == 16
    assert found.parameters["parameters_with_duplicates"] == 32
    assert found.cost.weight_bytes == 64


def test_of_a_table_only_the_rows_that_are_taken_are_read(counted):
    ids = tensor("x", 1, 3, kind=TensorProto.INT64)
    found = counted([node("Gather", "t x")], [ids], [weight("t", 1000, 8)])
    assert found.cost.weight_bytes == 4 * 3 * 8
    assert found.cost.operator_bytes == 2 * 4 * 3 * 8 + 3 * 8
    assert found.parameters["parameters"] == 8000


def test_precision_is_that_of_the_weights(counted):
    inputs = [tensor("x", 1, 4, kind=TensorProto.FLOAT16)]
    found = counted([node("MatMul", "x w")], inputs, [weight("w", 4, 4, dtype=np.float16)])
    assert found.precision == "fp16"
    assert found.parameters["parameter_bytes"] == 32


@pytest.mark.parametrize(
    ("name", "module"),
    [
        ("/layer1/layer1.0/conv1/Conv", "layer1.0.conv1"),
        ("model/block/conv2d", "model.block"),
        ("/Conv", ""),
        ("Conv_3", ""),
        ("", ""),
    ],
)
def test_names_that_look_like_paths_tell_the_module(name, module):
    assert module_of(helper.make_node("Conv", ["x"], ["y"], name=name)) == module


def test_scopes_of_the_newer_exporter():
    made = helper.make_node("Conv", ["x"], ["y"], name="node_conv2d")
    entry = made.metadata_props.add()
    entry.key, entry.value = "pkg.torch.onnx.name_scopes", "['', 'layer1', 'layer1.0', 'conv2d']"
    assert module_of(made) == "layer1.0"
    entry.value = "__import__('os').system('false')"
    assert module_of(made) == ""


def test_it_agrees_with_the_count_of_the_network_that_it_was_exported_from(tmp_path):
    torch = pytest.importorskip("torch")
    from inferometer.models.cost import count_operations

    network = torch.nn.Sequential(
        torch.nn.Conv2d(3, 8, 3, padding=1, stride=2),
        torch.nn.ReLU(),
        torch.nn.Conv2d(8, 8, 3, groups=4, dilation=2),
        torch.nn.ConvTranspose2d(8, 6, 2, stride=2),
        torch.nn.Sigmoid(),
        torch.nn.AdaptiveAvgPool2d(1),
        torch.nn.Flatten(),
        torch.nn.Linear(6, 5),
    ).eval()
    inputs = torch.zeros(2, 3, 20, 24)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter without further packages is the old one
        try:
            torch.onnx.export(network, (inputs,), tmp_path / "m.onnx", dynamo=False)
        except Exception as error:  # noqa: BLE001 - a torch that has none
            pytest.skip(f"this torch exports no ONNX here: {error}")
    ours = count_onnx(tmp_path / "m.onnx", batch_size=2, input_size=None)
    theirs = count_operations(network, (inputs,), {})
    assert ours.cost.macs == theirs.macs
    assert ours.cost.elementwise_flops == theirs.elementwise_flops
    assert ours.cost.compulsory_bytes == theirs.compulsory_bytes
    assert ours.parameters["parameters"] == sum(p.numel() for p in network.parameters())


class TestFiles:
    def save(self, path, *, location=None):
        """A product with a matrix of 4096 numbers, which may lie in a file of its own."""
        matrix = weight("w", 64, 64)
        if location is not None:
            onnx.external_data_helper.set_external_data(matrix, location=location)
            matrix.ClearField("raw_data")
            matrix.data_location = TensorProto.EXTERNAL
        graph = helper.make_graph(
            [node("MatMul", "x w")], "g", [tensor("x", 1, 64)], [tensor("y", None)], [matrix]
        )
        path.write_bytes(helper.make_model(graph, ir_version=10).SerializeToString())
        return path

    def count(self, path):
        return count_onnx(path, batch_size=1, input_size=None)

    def test_weights_in_a_file_of_their_own(self, tmp_path):
        (tmp_path / "w.bin").write_bytes(bytes(4 * 64 * 64))
        found = self.count(self.save(tmp_path / "m.onnx", location="w.bin"))
        assert found.cost.macs == 4096
        assert found.files == (str(tmp_path / "m.onnx"), str(tmp_path / "w.bin"))

    @pytest.mark.parametrize("location", ["../w.bin", "/etc/passwd", "link"])
    def test_weights_outside_of_the_folder_are_refused(self, tmp_path, location):
        (tmp_path / "inside").mkdir()
        (tmp_path / "w.bin").write_bytes(bytes(10))
        (tmp_path / "inside" / "link").symlink_to(tmp_path / "w.bin")
        with pytest.raises(WorkloadError, match="outside of its folder"):
            self.count(self.save(tmp_path / "inside" / "m.onnx", location=location))

    def test_weights_that_are_missing(self, tmp_path):
        with pytest.raises(WorkloadError, match="no such file"):
            self.count(self.save(tmp_path / "m.onnx", location="w.bin"))

    def reshape(self, path, entries, dims=(2,)):
        """A reshape whose shape lies in a file of its own."""
        shape = TensorProto(name="s", data_type=TensorProto.INT64, dims=dims)
        shape.data_location = TensorProto.EXTERNAL
        for key, value in entries.items():
            shape.external_data.add(key=key, value=value)
        graph = helper.make_graph(
            [node("Reshape", "x s")], "g", [tensor("x", 1, 4)], [tensor("y", None)], [shape]
        )
        path.write_bytes(helper.make_model(graph, ir_version=10).SerializeToString())
        return path

    @pytest.mark.parametrize("length", [{}, {"length": "16"}, {"length": "-1"}])
    def test_of_a_file_of_weights_a_shape_is_read_and_no_more(self, tmp_path, length):
        np.array([7, 2, 2, 9, 9]).tofile(tmp_path / "s.bin")
        entries = {"location": "s.bin", "offset": "8", **length}
        found = self.count(self.reshape(tmp_path / "m.onnx", entries))
        assert found.cost.output_bytes == 16
        assert found.cost.unknown_operators == []

    @pytest.mark.parametrize(
        ("offset", "problem"),
        [("32", "ends before s of"), ("-1", "where s lies"), (str(2**70), "where s lies")],
    )
    def test_a_place_that_a_file_of_weights_has_not(self, tmp_path, offset, problem):
        np.array([7, 2, 2, 9, 9]).tofile(tmp_path / "s.bin")
        path = self.reshape(tmp_path / "m.onnx", {"location": "s.bin", "offset": offset})
        with pytest.raises(WorkloadError, match=problem):
            self.count(path)

    def test_a_negative_length(self, tmp_path):
        path = self.reshape(tmp_path / "m.onnx", {"location": "s.bin"}, dims=(-2,))
        with pytest.raises(WorkloadError, match="s has a negative length"):
            self.count(path)

    @pytest.mark.parametrize(
        ("content", "problem"),
        [
            (b"", "holds no graph"),
            (b"hello, world, this is text", "damaged|holds no graph"),
            (b"\x08\x0a", "holds no graph"),
            (bytes(range(256)) * 20, "damaged|holds no graph"),
        ],
    )
    def test_what_is_no_model(self, tmp_path, content, problem):
        (tmp_path / "m.onnx").write_bytes(content)
        with pytest.raises(WorkloadError, match=problem) as caught:
            self.count(tmp_path / "m.onnx")
        assert caught.value.kind == "bad_model"
        assert "\n" not in str(caught.value)

    @pytest.mark.parametrize("kept", [0.01, 0.5, 0.99])
    def test_a_file_that_is_cut_short(self, tmp_path, kept):
        whole = self.save(tmp_path / "m.onnx").read_bytes()
        (tmp_path / "m.onnx").write_bytes(whole[: int(len(whole) * kept)])
        with pytest.raises(WorkloadError) as caught:
            self.count(tmp_path / "m.onnx")
        assert caught.value.kind == "bad_model"
        assert "m.onnx" in str(caught.value)

    def test_a_file_that_is_too_large(self, tmp_path):
        with (tmp_path / "m.onnx").open("wb") as file:
            file.truncate(2**31)  # holds nothing: takes no space
        with pytest.raises(WorkloadError, match="larger than 2 GiB"):
            self.count(tmp_path / "m.onnx")

    def test_shapes_that_contradict_each_other_leave_an_operator_unknown(self, counted):
        made = [node("MatMul", "x w")]
        found = counted(made, [tensor("x", 1, 4)], [weight("w", 5, 4)])
        assert found.cost.unknown_operators == ["MatMul (1)"]

    def test_references(self, tmp_path, monkeypatch):
        path = self.save(tmp_path / "m.onnx")
        assert onnx_path(str(path)) == path
        assert onnx_path("resnet18") is None
        assert onnx_path("./weights.pt") is None
        with pytest.raises(ModelReferenceError, match="no option 'width'"):
            onnx_path(f"{path}?width=2")
        with pytest.raises(ModelReferenceError, match="no such file"):
            onnx_path(str(tmp_path / "none.onnx"))
        monkeypatch.setattr(onnx_file, "find_spec", lambda name: None)
        with pytest.raises(MissingExtraError, match=r"inferometer\[onnx\]"):
            onnx_path(str(path))
