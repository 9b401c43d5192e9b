"""What follows from constants costs a call nothing, and what it was made of stays a parameter."""

from __future__ import annotations

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")

from hypothesis import given, settings  # noqa: E402 - after the skip
from hypothesis import strategies as some  # noqa: E402
from onnx import TensorProto, helper, numpy_helper  # noqa: E402
from onnx.reference import ReferenceEvaluator  # noqa: E402

from inferometer.models.cost.onnx.graph import count_onnx  # noqa: E402

FLOAT, BOOL, INT64 = TensorProto.FLOAT, TensorProto.BOOL, TensorProto.INT64
RANDOM = np.random.default_rng(0)


def weight(name, *shape, dtype=np.float32):
    return numpy_helper.from_array(RANDOM.standard_normal(shape).astype(dtype), name)


def constant(name, value, dtype=None):
    return numpy_helper.from_array(np.array(value, dtype=dtype), name)


def tensor(name, *shape, kind=FLOAT):
    return helper.make_tensor_value_info(name, kind, None if shape == (None,) else shape)


def node(operator, inputs, *outputs, **attributes):
    names = ["" if name == "_" else name for name in inputs.split()]
    return helper.make_node(operator, names, outputs or ["y"], **attributes)


def filled(shape, name, value=0.5):
    return node("ConstantOfShape", shape, name, value=helper.make_tensor("v", FLOAT, [1], [value]))


def names(found):
    return [one.operator for one in found.cost.operators]


def parameters(found):
    return found.parameters["parameters"]


class TestFolding:
    def test_weights_that_are_a_sum_with_a_product_of_low_rank(self, counted):
        """Wide enough that no value is computed: 64 * 64 = 4,096 numbers are left to read."""
        nodes = [node("MatMul", "b a", "ba"), node("Add", "w ba", "m"), node("MatMul", "x m")]
        weights = [weight("w", 64, 64), weight("b", 64, 4), weight("a", 4, 64)]
        found = counted(nodes, [tensor("x", 1, 64)], weights)
        assert (found.cost.macs, found.cost.elementwise_flops) == (64 * 64, 0)
        assert names(found) == ["MatMul"]
        assert parameters(found) == 64 * 64 + 2 * 4 * 64
        assert found.cost.weight_bytes == 4 * 64 * 64

    @pytest.mark.parametrize("width", [4, 64], ids=["small", "large"])
    @pytest.mark.parametrize(
        "nodes",
        [
            [node("Transpose", "w", "m", perm=[1, 0])],
            [node("Softmax", "w", "m")],
            [node("Gemm", "w w", "m")],
            [node("Einsum", "w w", "m", equation="ij,jk->ik")],
            [node("LayerNormalization", "w row", "m")],
            [node("Reshape", "w flat", "f"), node("Reshape", "f square", "m")],
            [node("Split", "wide", "m", "rest", axis=1, num_outputs=2)],
            [node("TopK", "w all", "m", "places")],
            [node("ReduceSum", "w ones", "r", keepdims=1), node("Div", "w r", "m")],
            [node("Conv", "images w4", "c"), node("Reshape", "c square", "m")],
        ],
        ids=lambda nodes: nodes[0].op_type,
    )
    def test_whatever_the_operators(self, counted, nodes, width):
        weights = [
            weight("w", width, width), weight("row", width),
            weight("wide", width, 2 * width), weight("images", 1, width, width, 1),
            weight("w4", width, width, 1, 1), constant("flat", [-1]), constant("all", [width]),
            constant("square", [width, width]), constant("ones", [1]),
        ]  # fmt: skip
        found = counted([*nodes, node("MatMul", "x m")], [tensor("x", 1, width)], weights)
        assert (found.cost.macs, found.cost.elementwise_flops) == (width * width, 0)
        assert names(found) == ["MatMul"]
        assert found.cost.activation_bytes == found.cost.activation_peak_bytes == 4 * width

    def test_narrow_weights_that_are_unpacked_by_hand(self, counted):
        """They are read as they are stored."""
        nodes = [
            node("Cast", "w", "f", to=FLOAT), node("Mul", "f scale", "m"), node("MatMul", "x m"),
        ]  # fmt: skip
        weights = [weight("w", 64, 64, dtype=np.int8), constant("scale", 0.5, np.float32)]
        found = counted(nodes, [tensor("x", 1, 64)], weights)
        assert found.parameters["parameters_by_dtype"] == {"int8": 64 * 64}
        assert found.cost.weight_bytes == 64 * 64 + 4
        assert found.cost.elementwise_flops == 0

    def test_whole_numbers_that_are_multiplied_with(self, counted):
        nodes = [node("Cast", "w", "m", to=FLOAT), node("MatMul", "x m")]
        weights = [constant("w", np.arange(64 * 64).reshape(64, 64))]
        found = counted(nodes, [tensor("x", 1, 64)], weights)
        assert found.parameters["parameters_by_dtype"] == {"int64": 64 * 64}

    def test_a_weight_that_is_turned_for_each_use_is_one(self, counted):
        nodes = [
            node("Transpose", "w", "a", perm=[1, 0]), node("Transpose", "w", "b", perm=[1, 0]),
            node("MatMul", "x a", "h"), node("MatMul", "h b"),
        ]  # fmt: skip
        found = counted(nodes, [tensor("x", 1, 64)], [weight("w", 64, 64)])
        assert parameters(found) == 64 * 64
        assert found.parameters["parameters_with_duplicates"] == 2 * 64 * 64
        assert found.cost.weight_bytes == 4 * 64 * 64

    def test_a_table_that_is_also_the_last_layer(self, counted):
        nodes = [
            node("Gather", "table ids", "h"), node("Transpose", "table", "t", perm=[1, 0]),
            node("MatMul", "h t"),
        ]  # fmt: skip
        found = counted(nodes, [tensor("ids", 1, 3, kind=INT64)], [weight("table", 100, 16)])
        assert parameters(found) == 1600
        assert found.parameters["parameters_with_duplicates"] == 3200
        assert found.cost.macs == 3 * 16 * 100

    @pytest.mark.parametrize("is_known", [True, False])
    def test_in_branches(self, counted, is_known):
        """Both branches' weights are the file's; the other has as many in a narrower product."""
        then = helper.make_graph(
            [node("MatMul", "b a", "ba"), node("Add", "w ba", "m"), node("MatMul", "x m", "o")],
            "then", [], [tensor("o", None)], [weight("b", 64, 4), weight("a", 4, 64)],
        )  # fmt: skip
        other = helper.make_graph(
            [node("Transpose", "v", "m", perm=[1, 0]), node("MatMul", "x m", "o")],
            "else", [], [tensor("o", None)], [weight("v", 8, 64)],
        )  # fmt: skip
        made = node("If", "c", then_branch=then, else_branch=other)
        inputs, weights = [tensor("x", 1, 64)], [weight("w", 64, 64)]
        if is_known:
            weights.append(constant("c", value=True))
        else:
            inputs.append(tensor("c", kind=BOOL))
        found = counted([made], inputs, weights)
        assert (found.cost.macs, found.cost.elementwise_flops) == (64 * 64, 0)
        assert parameters(found) == 64 * 64 + 2 * 4 * 64 + 8 * 64

    def test_a_weight_that_a_branch_gives(self, counted):
        branch = helper.make_graph(
            [node("Transpose", "w", "o", perm=[1, 0])], "b", [], [tensor("o", None)]
        )
        nodes = [
            node("If", "c", "m", then_branch=branch, else_branch=branch),
            node("MatMul", "x m"),
        ]
        inputs = [tensor("x", 1, 64), tensor("c", kind=BOOL)]
        assert parameters(counted(nodes, inputs, [weight("w", 64, 64)])) == 64 * 64

    @pytest.mark.parametrize("older", [13, 21], ids=["another opset", "the same opset"])
    def test_in_functions(self, counted, older):
        """A function may name another opset than the file that calls it."""
        imports = [helper.make_opsetid("", older)]
        merged = helper.make_function(
            "mine", "Merged", ["x", "w", "b", "a"], ["y"],
            [node("MatMul", "b a", "ba"), node("ReduceMax", "ba", "top", keepdims=1),
             node("Sub", "ba top", "s"), node("Add", "w s", "m"), node("MatMul", "x m")], imports,
        )  # fmt: skip
        called = helper.make_node("Merged", ["x", "w", "b", "a"], ["y"], domain="mine")
        weights = [weight("w", 64, 64), weight("b", 64, 4), weight("a", 4, 64)]
        found = counted([called], [tensor("x", 1, 64)], weights, functions=[merged],
                        more=[helper.make_opsetid("mine", 1)])  # fmt: skip
        assert (found.cost.macs, found.cost.elementwise_flops) == (64 * 64, 0)
        assert parameters(found) == 64 * 64 + 2 * 4 * 64

    def test_weights_larger_than_the_machine(self, tmp_path):
        """A terabyte that is read from nowhere, turned, cut and multiplied with itself."""
        length = 500_000
        (tmp_path / "w.bin").touch()
        big = TensorProto(name="w", data_type=FLOAT, dims=[length, length])
        big.data_location = TensorProto.EXTERNAL
        big.external_data.add(key="location", value="w.bin")
        nodes = [
            node("Transpose", "w", "t", perm=[1, 0]), node("MatMul", "t w", "p"),
            node("Exp", "p", "e"), node("Slice", "e zero eight one", "m"), node("MatMul", "x m"),
        ]  # fmt: skip
        weights = [big, constant("zero", [0]), constant("eight", [8]), constant("one", [1])]
        graph = helper.make_graph(
            nodes, "g", [tensor("x", 1, length)], [tensor("y", None)], weights
        )
        path = tmp_path / "m.onnx"
        path.write_bytes(helper.make_model(graph, ir_version=10).SerializeToString())
        found = count_onnx(path, batch_size=1, input_size=None)
        assert (found.cost.macs, parameters(found)) == (8 * length, length**2)
        assert found.cost.weight_bytes == 4 * 8 * length

    def test_random_numbers_are_drawn_in_each_call(self, counted):
        nodes = [
            node("RandomNormal", "", "r", shape=[1, 64]),
            node("RandomUniformLike", "w", "u"),
            node("Add", "x r", "a"), node("Mul", "a u"),
        ]  # fmt: skip
        found = counted(nodes, [tensor("x", 1, 64)], [weight("w", 1, 64)])
        assert names(found) == ["RandomNormal", "RandomUniformLike", "Add", "Mul"]
        assert found.cost.elementwise_flops == 4 * 64
        assert found.cost.unknown_operators == []

    def test_what_operators_of_others_do_nobody_knows(self, counted):
        nodes = [node("Twist", "w", "m", domain="mine"), node("MatMul", "x m")]
        found = counted(nodes, [tensor("x", 1, 64)], [weight("w", 64, 64)],
                        more=[helper.make_opsetid("mine", 1)])  # fmt: skip
        assert found.cost.unknown_operators == ["mine.Twist (1)", "MatMul (1)"]

    def test_what_follows_from_the_shape_of_what_a_call_finds_is_not_constant(self, counted):
        nodes = [
            node("NonZero", "x", "found"), node("Shape", "found", "n", start=1, end=2),
            node("ConstantOfShape", "n", "c"), node("Exp", "c"),
        ]  # fmt: skip
        found = counted(nodes, [tensor("x", 1, 64)])
        assert "Exp (1)" in found.cost.unknown_operators

    def test_constants_that_are_overridable_inputs_are_constants(self, counted):
        """Of new files, too, where a caller may give another value."""
        nodes = [node("Reshape", "x shape", "f"), node("MatMul", "f w")]
        weights = [constant("shape", [2, 64]), weight("w", 64, 8)]
        inputs = [tensor("x", 1, 128), tensor("w", 64, 8), tensor("shape", 2, kind=INT64)]
        found = counted(nodes, inputs, weights)
        assert (found.cost.macs, parameters(found)) == (2 * 64 * 8, 64 * 8)
        assert found.input_shape == "1x128"


def test_constants_that_are_written_without_a_tensor(counted):
    nodes = [
        helper.make_node("Constant", [], ["b"], value_floats=[1.0, 2.0, 3.0, 4.0]),
        helper.make_node("Constant", [], ["s"], value_float=2.0),
        node("Add", "x b", "a"), node("Mul", "a s"),
    ]  # fmt: skip
    assert parameters(counted(nodes, [tensor("x", 1, 4)])) == 4


@pytest.mark.parametrize(
    "made",
    [
        node("RotaryEmbedding", "x cos sin"),
        node("RotaryEmbedding", "x places cos sin", domain="com.microsoft"),
    ],
    ids=["standard", "of ONNX Runtime"],
)
def test_tables_of_positions_that_turn_are_buffers(counted, made):
    weights = [
        weight("cos", 1, 3, 4), weight("sin", 1, 3, 4), constant("places", np.arange(3)[None]),
    ]  # fmt: skip
    found = counted([made], [tensor("x", 1, 2, 3, 8)], weights, opset=23,
                    more=[helper.make_opsetid("com.microsoft", 1)])  # fmt: skip
    assert (parameters(found), found.cost.unknown_operators) == (0, [])


class TestMadeWeights:
    """8 * 3 * 3 * 3 = 216 numbers at 16 * 16 places."""

    INPUTS = (tensor("x", 1, 3, 16, 16),)
    CONV = node("Conv", "x w", pads=[1, 1, 1, 1])
    SHAPE = constant("shape", [8, 3, 3, 3])

    @pytest.mark.parametrize(
        "nodes",
        [
            [filled("shape", "w")],
            [filled("shape", "f"), node("Mul", "f half", "w")],
            [filled("flat", "f"), node("Reshape", "f shape", "w")],
            [filled("turned", "f"), node("Transpose", "f", "w", perm=[3, 2, 0, 1])],
            [node("RandomNormal", "", "w", shape=[8, 3, 3, 3])],
            [node("RandomUniform", "", "r", shape=[216]), node("Reshape", "r shape", "w")],
            [node("Range", "zero end one", "r"), node("Cast", "r", "c", to=FLOAT),
             node("Reshape", "c shape", "w")],
            [node("Expand", "half shape", "w")],
            [node("Tile", "single shape", "w")],
            [node("EyeLike", "table", "e"), node("Reshape", "e shape", "w")],
        ],
        ids=["filled", "scaled", "reshaped", "turned", "random", "reshaped random", "counted",
             "expanded", "tiled", "diagonal"],
    )  # fmt: skip
    def test_what_operators_make_of_a_shape_may_be_weights(self, counted, nodes):
        weights = [
            self.SHAPE, constant("half", 0.5, np.float32), constant("flat", [216]),
            constant("turned", [3, 3, 3, 8]), constant("zero", 0), constant("end", 216),
            constant("one", 1), constant("single", [[[[0.5]]]], np.float32),
            constant("table", np.zeros((8, 27), np.float32)),
        ]  # fmt: skip
        found = counted([*nodes, self.CONV], self.INPUTS, weights)
        assert found.cost.macs == 16 * 16 * 216
        assert (found.cost.elementwise_flops, found.cost.unknown_operators) == (0, [])
        assert parameters(found) == 216
        assert found.parameters["parameters_by_dtype"] == {"float32": 216}
        assert found.cost.weight_bytes == 4 * 216
        assert found.cost.activation_bytes == 4 * 8 * 16 * 16

    def test_in_a_file_of_the_third_version(self, counted):
        """Its shapes are listed among the inputs, and no result of an operator is."""
        inputs = [*self.INPUTS, tensor("shape", 4, kind=INT64)]
        found = counted([filled("shape", "w"), self.CONV], inputs, [self.SHAPE], opset=9, ir=3)
        assert (found.cost.macs, parameters(found)) == (16 * 16 * 216, 216)
        assert found.input_shape == "1x3x16x16"

    @pytest.mark.parametrize("operator", ["ConstantFill", "GivenTensorFill"])
    def test_by_operators_that_only_old_opsets_have(self, counted, operator):
        nodes = [node(operator, "", "w", shape=[8, 3, 3, 3]), self.CONV]
        found = counted(nodes, self.INPUTS, opset=3, ir=3)
        assert (found.cost.macs, parameters(found)) == (16 * 16 * 216, 216)
        assert found.cost.unknown_operators == []

    def test_a_whole_layer(self, counted):
        """Weights and biases, scales and shifts; means and variances are buffers."""
        nodes = [
            filled("shape", "w"), filled("eight", "b"), filled("eight", "s"), filled("eight", "m"),
            node("Conv", "x w b", "c"), node("BatchNormalization", "c s s m m"),
        ]  # fmt: skip
        found = counted(nodes, self.INPUTS, [self.SHAPE, constant("eight", [8])])
        assert parameters(found) == 216 + 8 + 8
        assert found.parameters["parameters_with_duplicates"] == 216 + 8 + 2 * 8
        assert (found.parameters["buffers"], found.parameters["buffer_bytes"]) == (8, 32)

    def test_three_cut_from_one(self, counted):
        nodes = [
            filled("shape", "all"), node("Split", "all", "q", "k", "v", axis=1, num_outputs=3),
            node("MatMul", "x q", "a"), node("MatMul", "a k", "b"), node("MatMul", "b v"),
        ]  # fmt: skip
        found = counted(nodes, [tensor("x", 1, 16)], [constant("shape", [16, 48])])
        assert (found.cost.macs, parameters(found)) == (3 * 16 * 16, 16 * 48)

    def test_an_embedding(self, counted):
        nodes = [filled("shape", "table"), node("Gather", "table x")]
        ids = tensor("x", 1, 5, kind=INT64)
        assert parameters(counted(nodes, [ids], [constant("shape", [100, 8])])) == 800

    @pytest.mark.parametrize(
        "nodes",
        [
            [filled("square", "f"), node("Trilu", "f", "t", upper=0), node("Cast", "t", "c", to=BOOL),
             node("Where", "c x low")],
            [filled("square", "f"), node("Trilu", "f", "t"), node("Add", "x t", "a"),
             node("Softmax", "a")],
            [node("Range", "zero eight one", "r"), node("Cast", "r", "f", to=FLOAT),
             node("Sin", "f", "s"), node("Add", "x s")],
            [filled("square", "f"), node("Mul", "x f")],
            [filled("square", "f"), node("Concat", "x f", axis=0)],
            [node("Shape", "x", "n"), filled("n", "f"), node("Add", "x f")],
            [node("Range", "zero eight one", "r"), node("Cast", "r", "f", to=FLOAT),
             node("Unsqueeze", "f axes", "u"), node("MatMul", "u x", "a"), node("Cos", "a")],
        ],
        ids=["causal", "added", "positions", "multiplied", "joined", "of a shape", "frequencies"],
    )  # fmt: skip
    def test_masks_and_positions_are_none(self, counted, nodes):
        weights = [
            constant("square", [8, 8]), constant("low", -1e9, np.float32), constant("zero", 0),
            constant("eight", 8), constant("one", 1), constant("axes", [0]),
        ]  # fmt: skip
        found = counted(nodes, [tensor("x", 8, 8)], weights, batch=8)
        assert parameters(found) == 0
        assert found.cost.unknown_operators == []

    def test_a_mask_that_operators_make_on_stored_weights(self, counted):
        nodes = [
            filled("square", "f"), node("Trilu", "f", "t"), node("Mul", "w t", "m"),
            node("MatMul", "x m"),
        ]  # fmt: skip
        found = counted(
            nodes, [tensor("x", 1, 64)], [weight("w", 64, 64), constant("square", [64, 64])]
        )
        assert parameters(found) == 64 * 64
        assert found.cost.elementwise_flops == 0

    def test_what_a_recurrent_layer_starts_from_is_none(self, counted):
        nodes = [filled("shape", "h"), node("GRU", "x w r _ _ h", hidden_size=6)]
        weights = [weight("w", 1, 18, 4), weight("r", 1, 18, 6), constant("shape", [1, 2, 6])]
        found = counted(nodes, [tensor("x", 10, 2, 4)], weights, batch=10)
        assert parameters(found) == 18 * (4 + 6)


def tril(length, dtype=np.float32):
    return np.tril(np.ones((length, length))).astype(dtype)


class TestMasks:
    """Masks that a file stores: some exporters write down what the network only computes."""

    @pytest.mark.parametrize("length", [8, 64], ids=["small", "large"])
    @pytest.mark.parametrize(
        ("nodes", "mask"),
        [
            ([node("Cast", "mask", "c", to=BOOL), node("Where", "c x low")], "uint8"),
            ([node("Where", "mask x low")], "bool"),
            ([node("Equal", "mask zero", "c"), node("Where", "c low x")], "float32"),
            ([node("Mul", "x mask")], "float32"),
            ([node("Mul", "x mask")], "float16"),
            ([node("Add", "x hidden", "s"), node("Softmax", "s")], "float32"),
            ([node("Add", "x hundred", "s"), node("Softmax", "s")], "float32"),
        ],
        ids=["uint8", "bool", "compared", "multiplied", "half", "minus infinity", "minus 100"],
    )
    def test_they_are_no_weights(self, counted, nodes, mask, length):
        shown = tril(length, mask)
        weights = [
            constant("mask", shown), constant("low", -1e9, np.float32),
            constant("zero", 0, np.float32),
            constant("hidden", np.where(shown > 0, 0, -np.inf).astype(np.float32)),
            constant("hundred", np.where(shown > 0, 0, -100).astype(np.float32)),
        ]  # fmt: skip
        kind = TensorProto.FLOAT16 if mask == "float16" else FLOAT
        inputs = [tensor("x", length, length, kind=kind)]
        assert parameters(counted(nodes, inputs, weights, batch=length)) == 0

    def test_a_part_that_a_call_chooses(self, counted):
        """What GPT-2 keeps of 1,024 positions, and a call needs of its own."""
        nodes = [
            node("Shape", "x", "n", start=1, end=2), node("Slice", "mask zero n one", "part"),
            node("Cast", "part", "c", to=BOOL), node("Where", "c x low"),
        ]  # fmt: skip
        weights = [
            constant("mask", tril(1024, np.uint8)), constant("zero", [0]), constant("one", [1]),
            constant("low", -1e9, np.float32),
        ]  # fmt: skip
        found = counted(nodes, [tensor("x", 1, "length")], weights, size=1024)
        assert (parameters(found), found.parameters["buffers"]) == (0, 1024 * 1024)
        assert found.cost.unknown_operators == []

    def test_one_that_is_computed_with(self, counted):
        """What GPT-2's first exporters wrote: scores times it, less the rest times 10,000."""
        nodes = [
            node("Cast", "mask", "f", to=FLOAT), node("Mul", "x f", "shown"),
            node("Sub", "one f", "rest"), node("Mul", "rest big", "low"), node("Sub", "shown low"),
        ]  # fmt: skip
        weights = [
            constant("mask", tril(64, np.uint8)), constant("one", 1, np.float32),
            constant("big", 1e4, np.float32),
        ]  # fmt: skip
        found = counted(nodes, [tensor("x", 1, 64, 64)], weights)
        assert (parameters(found), found.parameters["buffers"]) == (0, 64 * 64)
        assert found.cost.elementwise_flops == 2 * 64 * 64

    def test_a_mask_on_weights(self, counted):
        """Pruned ones, where both are stored."""
        nodes = [node("Mul", "w mask", "m"), node("MatMul", "x m")]
        weights = [weight("w", 64, 64), constant("mask", tril(64))]
        found = counted(nodes, [tensor("x", 1, 64)], weights)
        assert (parameters(found), found.parameters["buffers"]) == (64 * 64, 64 * 64)

    def test_a_mask_that_is_an_input(self, counted):
        nodes = [node("Add", "x mask", "s"), node("Softmax", "s")]
        inputs = [tensor("x", 1, 8, 8), tensor("mask", 1, 8, 8)]
        found = counted(nodes, inputs)
        assert (parameters(found), found.cost.weight_bytes) == (0, 0)
        assert found.cost.input_bytes == 2 * 4 * 64

    @pytest.mark.parametrize("value", [0, 1])
    def test_weights_of_one_value_are_weights(self, counted, value):
        """Freshly made scales and shifts."""
        table = constant("w", np.full((64,), value, np.float32))
        assert parameters(counted([node("Mul", "x w")], [tensor("x", 1, 64)], [table])) == 64

    def test_zeros_and_ones_that_are_multiplied_with_are_weights(self, counted):
        found = counted([node("MatMul", "x w")], [tensor("x", 1, 64)], [constant("w", tril(64))])
        assert parameters(found) == 64 * 64


class TestSparse:
    """Five numbers at 64 * 64 places: 20 bytes, and 40 for where they lie."""

    def make(self, name="w", dims=(64, 64)):
        values = numpy_helper.from_array(np.arange(1, 6, dtype=np.float32), name)
        places = numpy_helper.from_array(np.array([3, 70, 700, 2000, 4000]), f"{name}_places")
        return helper.make_sparse_tensor(values, places, dims)

    def check(self, found):
        assert found.cost.macs == 64 * 64
        assert found.cost.unknown_operators == []
        assert (parameters(found), found.parameters["parameter_bytes"]) == (5, 20 + 40)
        assert found.cost.weight_bytes == 60
        assert "5 numbers for 4,096 places" in found.notes[0]

    def test_an_initializer(self, counted):
        self.check(counted([node("MatMul", "x w")], [tensor("x", 1, 64)], sparse=[self.make()]))

    def test_a_constant_among_the_operators(self, counted):
        made = helper.make_node("Constant", [], ["w"], sparse_value=self.make())
        self.check(counted([made, node("MatMul", "x w")], [tensor("x", 1, 64)]))

    def test_one_that_is_turned(self, counted):
        nodes = [node("Transpose", "w", "t", perm=[1, 0]), node("MatMul", "x t")]
        self.check(counted(nodes, [tensor("x", 1, 64)], sparse=[self.make()]))

    @pytest.mark.parametrize("is_known", [True, False])
    def test_one_in_a_branch(self, counted, is_known):
        branch = helper.make_graph(
            [node("MatMul", "x w", "o")], "b", [], [tensor("o", None)],
            sparse_initializer=[self.make()],
        )  # fmt: skip
        other = helper.make_graph([node("Identity", "x", "o")], "c", [], [tensor("o", None)])
        made = node("If", "c", then_branch=branch, else_branch=other)
        given = [] if is_known else [tensor("c", kind=BOOL)]
        weights = [constant("c", value=True)] if is_known else []
        self.check(counted([made], [tensor("x", 1, 64), *given], weights))


EXPRESSIONS = some.recursive(
    some.sampled_from(["w0", "w1", "w2"]),
    lambda inner: some.one_of(
        some.tuples(some.sampled_from(["Tanh", "Transpose", "Identity"]), inner),
        some.tuples(some.sampled_from(["Add", "MatMul", "Mul"]), inner, inner),
    ),
    max_leaves=6,
)


def written(expression, nodes):
    """Write the nodes of an expression; gives the name of its result, and the leaves in it."""
    if isinstance(expression, str):
        return expression, {expression}
    operator, *operands = expression
    names, leaves = zip(*(written(one, nodes) for one in operands), strict=True)
    nodes.append(node(operator, " ".join(names), f"n{len(nodes)}"))
    return nodes[-1].output[0], set().union(*leaves)


@settings(max_examples=40, deadline=None)
@given(expression=EXPRESSIONS, length=some.sampled_from([3, 40]))
def test_any_expression_over_constants_costs_what_its_value_costs(
    tmp_path_factory, expression, length
):
    """The standard's own evaluator gives the value; the graph with it is counted beside."""
    nodes = []
    name, leaves = written(expression, nodes)
    stored = [weight(leaf, length, length) for leaf in sorted(leaves)]
    first, result = tensor("x", 1, length), tensor("y", None)
    whole = helper.make_graph([*nodes, node("MatMul", f"x {name}")], "g", [first], [result], stored)
    imports = [helper.make_opsetid("", 17)]
    alone = helper.make_graph(
        [*nodes, node("Identity", name, "v")], "v", [], [tensor("v", None)], stored
    )
    (value,) = ReferenceEvaluator(helper.make_model(alone, opset_imports=imports)).run(None, {})
    merged = helper.make_graph(
        [node("MatMul", "x m")], "m", [first], [result], [numpy_helper.from_array(value, "m")]
    )
    found = []
    for graph in (whole, merged):
        path = tmp_path_factory.mktemp("onnx") / "m.onnx"
        onnx.save(helper.make_model(graph, opset_imports=imports, ir_version=8), path)
        found.append(count_onnx(path, batch_size=1, input_size=None))
    ours, theirs = found
    assert ours.cost.operators == theirs.cost.operators
    assert ours.cost.compulsory_bytes == theirs.cost.compulsory_bytes
    assert ours.cost.activation_peak_bytes == theirs.cost.activation_peak_bytes == 4 * length
    assert parameters(ours) == len(leaves) * length**2
