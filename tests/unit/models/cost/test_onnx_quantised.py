"""Quantised and fused graphs as ONNX Runtime writes them: shapes, operations, what is a weight."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")

from onnx import TensorProto, helper, numpy_helper  # noqa: E402 - after the skip

from inferometer.models.cost.onnx.tensor import element_bits  # noqa: E402

MICROSOFT = (helper.make_opsetid("com.microsoft", 1),)
FLOAT, UINT8 = TensorProto.FLOAT, TensorProto.UINT8


def weight(name, *shape, dtype=np.float32):
    return numpy_helper.from_array(np.zeros(shape, dtype=dtype), name)


def tensor(name, *shape, kind=FLOAT):
    return helper.make_tensor_value_info(name, kind, shape)


def node(operator, inputs, *outputs, domain="", **attributes):
    names = ["" if name == "_" else name for name in inputs.split()]
    return helper.make_node(operator, names, outputs or ["y"], domain=domain, **attributes)


def fused(operator, inputs, *outputs, **attributes):
    return node(operator, inputs, *outputs, domain="com.microsoft", **attributes)


SCALE, ZERO = weight("s"), weight("o", dtype=np.uint8)


def narrow(name, *shape, dtype=np.uint8):
    return weight(name, *shape, dtype=dtype)


GIVES = {
    "sum": (
        fused("QLinearAdd", "q s o w s o s o"), (2, 3, 4, 4), [narrow("w", 3, 1, 1)], (2, 3, 4, 4),
    ),
    "product, spread": (
        fused("QLinearMul", "q s o w s o s o"), (2, 3, 1, 1), [narrow("w", 1, 3, 4, 4)],
        (2, 3, 4, 4),
    ),
    "convolution": (
        fused("QLinearConv", "q s o w s o s o", strides=[2, 2], auto_pad="SAME_UPPER"),
        (2, 3, 5, 5), [narrow("w", 4, 3, 3, 3)], (2, 4, 3, 3),
    ),
    "convolution, channels last": (
        fused("QLinearConv", "q s o w s o s o", channels_last=1, kernel_shape=[3, 3]),
        (2, 6, 5, 3), [narrow("w", 4, 3, 3, 3)], (2, 4, 3, 4),
    ),
    "pooling, channels last": (
        fused("NhwcMaxPool", "q", kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1),
        (2, 5, 7, 3), [], (2, 3, 4, 3),
    ),
    "mean of windows": (
        fused("QLinearAveragePool", "q s o s o", kernel_shape=[2, 2]), (2, 3, 5, 7), [],
        (2, 3, 4, 6),
    ),
    "mean of all": (
        fused("QLinearGlobalAveragePool", "q s o s o"), (2, 3, 5, 7), [], (2, 3, 1, 1),
    ),
    "mean of all, channels last": (
        fused("QLinearGlobalAveragePool", "q s o s o", channels_last=1), (2, 5, 7, 3), [],
        (2, 1, 1, 3),
    ),
    "general product": (
        fused("QGemm", "q s o w s o _ s o", transB=1), (2, 3), [narrow("w", 5, 3)], (2, 5),
    ),
    "joined": (fused("QLinearConcat", "s o q s o q s o", axis=1), (2, 3), [], (2, 6)),
    "chosen": (fused("QLinearWhere", "c q s o w s o s o"), (2, 3), [
        weight("c", 2, 1, dtype=bool), narrow("w", 3)], (2, 3)),
    "quantised once more": (fused("QuantizeLinear", "x s o"), (2, 3), [], (2, 3)),
    "activation": (fused("QLinearSigmoid", "q s o s o"), (2, 3), [], (2, 3)),
    "softmax": (fused("QLinearSoftmax", "q s o s o"), (2, 3), [], (2, 3)),
}  # fmt: skip


@pytest.mark.parametrize("name", GIVES)
def test_shapes_of_quantised_operators(counted, name):
    made, shape, weights, result = GIVES[name]
    inputs = [tensor("q", *shape, kind=UINT8), tensor("x", *shape)]
    found = counted([made], inputs, [*weights, SCALE, ZERO], batch=2, more=MICROSOFT)
    assert found.cost.unknown_operators == []
    assert found.cost.output_bytes == math.prod(result)


@pytest.mark.parametrize(
    "made",
    [
        fused("QGemm", "q s o w s o"),
        fused("MatMulIntegerToFloat", "q w s s o o"),
        fused("DynamicQuantizeMatMul", "x w s o"),
    ],
    ids=lambda made: made.op_type,
)
def test_quantised_products_that_give_floating_numbers(counted, made):
    weights = [narrow("w", 3, 5), SCALE, ZERO]
    inputs = [tensor("q", 2, 3, kind=UINT8), tensor("x", 2, 3)]
    found = counted([made], inputs, weights, batch=2, more=MICROSOFT)
    assert (found.cost.macs, found.cost.output_bytes) == (2 * 3 * 5, 4 * 2 * 5)


def test_a_residual_block_of_quantised_operators(counted):
    """One operator whose shape nobody tells would hide all that follows."""
    nodes = [
        node("QLinearConv", "q s o w s o s o b", "a", pads=[1, 1, 1, 1]),
        fused("QLinearAdd", "a s o q s o s o", "c"),
        fused("QLinearGlobalAveragePool", "c s o s o", "p"),
        node("Flatten", "p", "f"),
        fused("QGemm", "f s o v s o _ s o"),
    ]
    weights = [
        narrow("w", 3, 3, 3, 3), narrow("v", 3, 7), weight("b", 3, dtype=np.int32), SCALE, ZERO,
    ]  # fmt: skip
    found = counted(nodes, [tensor("q", "N", 3, 8, 8, kind=UINT8)], weights, batch=2,
                    more=MICROSOFT)  # fmt: skip
    assert found.cost.macs == 2 * (3 * 64 * 27 + 3 * 7)
    assert found.cost.unknown_operators == []
    assert found.parameters["parameters"] == 81 + 21 + 3
    assert found.parameters["parameters_by_dtype"] == {"uint8": 102, "int32": 3}
    assert found.parameters["buffers"] == 2
    assert found.precision == "int8"


def test_a_quantised_recurrent_layer(counted):
    made = fused("DynamicQuantizeLSTM", "x w r _ _ _ _ _ s o s o", "", "h", hidden_size=6)
    weights = [narrow("w", 1, 4, 24), narrow("r", 1, 6, 24), SCALE, ZERO]
    found = counted([made], [tensor("x", 10, 2, 4)], weights, [tensor("h", 1, 2, 6)], batch=10,
                    more=MICROSOFT)  # fmt: skip
    assert found.cost.macs == 10 * 2 * 24 * (4 + 6)
    assert found.cost.elementwise_flops == 13 * 10 * 2 * 6
    assert found.cost.output_bytes == 4 * 2 * 6


def test_embeddings_and_sums_that_are_normalised(counted):
    """What its transformer optimiser makes of BERT's beginning; the sum goes on as a residual."""
    nodes = [
        fused("EmbedLayerNormalization", "ids _ words places _ g g", "e", ""),
        fused("SkipLayerNormalization", "e e g", "n", "", "", "sum"),
        node("MatMul", "sum w"),
    ]
    weights = [weight("words", 100, 8), weight("places", 16, 8), weight("g", 8), weight("w", 8, 5)]
    ids = tensor("ids", "batch", 4, kind=TensorProto.INT32)
    found = counted(nodes, [ids], weights, batch=2, more=MICROSOFT)
    assert found.cost.macs == 2 * 4 * 8 * 5
    assert found.cost.output_bytes == 4 * 2 * 4 * 5
    assert found.cost.weight_bytes == 4 * (2 * 4 * 8 + 2 * 4 * 8 + 8 + 8 * 5)


PRESENT = {
    "together": (
        fused("Attention", "x w _ _ p", "y", "k", num_heads=2),
        [weight("w", 8, 24), weight("p", 2, 2, 2, 3, 4)], [(2, 5, 8), (2, 2, 2, 8, 4)],
    ),
    "apart": (
        fused("MultiHeadAttention", "x x x _ _ _ p p", "y", "k", "v", num_heads=2),
        [weight("p", 2, 2, 3, 4)], [(2, 5, 8), (2, 2, 8, 4), (2, 2, 8, 4)],
    ),
    "shared": (
        fused("GroupQueryAttention", "x s s p p", "y", "k", "v", num_heads=4, kv_num_heads=2),
        [weight("s", 2, 5, 4), weight("p", 2, 2, 3, 2)],
        [(2, 5, 8), (2, 2, 8, 2), (2, 2, 8, 2)],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PRESENT)
def test_what_attention_keeps_for_the_next_call(counted, name):
    made, weights, results = PRESENT[name]
    outputs = [helper.make_tensor_value_info(one, FLOAT, None) for one in made.output]
    found = counted([made], [tensor("x", 2, 5, 8)], weights, outputs, batch=2, more=MICROSOFT)
    assert found.cost.output_bytes == 4 * sum(math.prod(dims) for dims in results)


def test_quantised_attention_gives_floating_numbers(counted):
    made = fused("QAttention", "q w b s s", num_heads=2)
    weights = [narrow("w", 8, 24), weight("b", 24), SCALE]
    found = counted([made], [tensor("q", 2, 5, 8, kind=UINT8)], weights, batch=2, more=MICROSOFT)
    assert found.cost.output_bytes == 4 * 2 * 5 * 8
    assert found.cost.macs == 2 * 5 * 8 * 24 + 2 * 2 * 5 * 5 * (4 + 4)
    assert (found.parameters["parameters"], found.parameters["buffers"]) == (8 * 24 + 24, 1)


def test_layer_normalisation_before_the_standard_had_it(counted):
    nodes = [node("LayerNormalization", "x g", "n"), node("MatMul", "n w")]
    weights = [weight("g", 8), weight("w", 8, 5)]
    found = counted(nodes, [tensor("x", 2, 8)], weights, batch=2, opset=14)
    assert found.cost.macs == 2 * 8 * 5


class TestWeightsThatAreUnpacked:
    """`DequantizeLinear` before each operator, as in every QDQ file."""

    @pytest.fixture
    def found(self, counted):
        nodes = [
            node("DequantizeLinear", "wq ws wz", "w", axis=0),
            node("DequantizeLinear", "bq ws bz", "b", axis=0),
            node("Conv", "x w b"),
        ]
        weights = [
            narrow("wq", 4, 3, 3, 3, dtype=np.int8), narrow("wz", 4, dtype=np.int8),
            weight("ws", 4), weight("bq", 4, dtype=np.int32), weight("bz", 4, dtype=np.int32),
        ]  # fmt: skip
        return counted(nodes, [tensor("x", 1, 3, 6, 6)], weights)

    def test_they_are_no_activations(self, found):
        assert found.cost.activation_bytes == found.cost.activation_peak_bytes == 4 * 4 * 16
        assert [one.operator for one in found.cost.operators] == ["Conv"]
        assert found.cost.elementwise_flops == 0

    def test_they_are_read_as_they_are_stored(self, found):
        assert found.cost.weight_bytes == (108 + 16 + 4) + 16
        assert found.cost.operator_bytes == found.cost.compulsory_bytes

    def test_they_and_their_biases_are_the_parameters(self, found):
        assert found.parameters["parameters_by_dtype"] == {"int8": 108, "int32": 4}
        assert found.parameters["buffer_bytes"] == 4 + 16 + 16
        assert found.precision == "int8"


def test_what_is_chosen_of_a_constant_is_what_is_read(counted):
    nodes = [node("Gather", "table rows", "t"), node("Add", "x t")]
    weights = [weight("table", 1000, 8), weight("rows", 4, dtype=np.int64)]
    found = counted(nodes, [tensor("x", 4, 8)], weights, batch=4)
    assert found.cost.weight_bytes == 4 * 4 * 8
    assert found.cost.activation_bytes == 4 * 4 * 8


def test_narrow_weights_of_which_several_share_a_byte(counted):
    made = fused("MatMulNBits", "x w scales", K=64, N=8, bits=4, block_size=32)
    weights = [narrow("w", 8, 2, 16), weight("scales", 16)]
    found = counted([made], [tensor("x", 1, 64)], weights, more=MICROSOFT)
    assert found.cost.macs == 64 * 8
    assert found.parameters["parameters_by_dtype"] == {"uint4": 64 * 8}
    assert found.parameters["parameter_bytes"] == 256
    assert (found.parameters["buffers"], found.precision) == (16, "int4")


def test_a_weight_under_another_name_is_still_one(counted):
    nodes = [node("Identity", "w", "v"), node("MatMul", "x v", "a"), node("MatMul", "a w")]
    found = counted(nodes, [tensor("x", 1, 4)], [weight("w", 4, 4)])
    assert found.cost.weight_bytes == 64
    assert found.parameters["parameters"] == 16
    assert found.parameters["parameters_with_duplicates"] == 32


def test_constants_that_follow_from_shapes_are_no_parameters(counted):
    """Positions, as some networks compute them from the length of what they get."""
    nodes = [
        node("Shape", "x", "shape"), node("Gather", "shape one", "n"),
        node("Range", "zero n one", "r"), node("Cast", "r", "f", to=FLOAT), node("Add", "x f"),
    ]  # fmt: skip
    numbers = [
        numpy_helper.from_array(np.array(0), "zero"), numpy_helper.from_array(np.array(1), "one"),
    ]  # fmt: skip
    found = counted(nodes, [tensor("x", "batch", 6)], numbers)
    assert found.parameters["parameters"] == 0
    assert [one.operator for one in found.cost.operators] == ["Add"]


def test_widths_of_element_types():
    """Their names say it: `BFLOAT16`, `FLOAT8E4M3FN`, `INT4`; not what NumPy makes of them."""
    others = {"UNDEFINED": 0, "STRING": 0, "BOOL": 8, "FLOAT": 32, "DOUBLE": 64}
    for name, number in TensorProto.DataType.items():
        said = re.search(r"\d+", name)
        assert element_bits(number) == (int(said[0]) if said else others[name]), name
