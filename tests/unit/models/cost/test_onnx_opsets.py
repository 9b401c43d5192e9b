"""Graphs as old opsets write them cost what the same ones of today do, which others confirm."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")

from hypothesis import given, settings  # noqa: E402 - after the skip
from hypothesis import strategies as some  # noqa: E402
from onnx import TensorProto, helper, numpy_helper  # noqa: E402
from onnx.reference import ReferenceEvaluator  # noqa: E402

from inferometer.models.cost.onnx.graph import count_onnx  # noqa: E402

FLOAT, INT64 = TensorProto.FLOAT, TensorProto.INT64
LIGHT = Path(onnx.__file__).parent / "backend" / "test" / "data" / "light"


def weight(name, *shape):
    return numpy_helper.from_array(np.ones(shape, dtype=np.float32), name)


def constant(name, value, dtype=None):
    return numpy_helper.from_array(np.array(value, dtype=dtype), name)


def tensor(name, *shape, kind=FLOAT):
    return helper.make_tensor_value_info(name, kind, None if shape == (None,) else shape)


def node(operator, inputs, *outputs, **attributes):
    names = ["" if name == "_" else name for name in inputs.split()]
    return helper.make_node(operator, names, outputs or ["y"], **attributes)


def listed(weights):
    """What a file of the third version of the format must say of its weights."""
    return [tensor(one.name, *one.dims, kind=one.data_type) for one in weights]


def test_a_small_network_of_the_third_opset(counted):
    """4·3·3·3·8·8 + 64·10 multiplications; every weight is listed as an input."""
    nodes = [
        node("Conv", "x w", "c", kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
        node("MaxPool", "c", "p", kernel_shape=[2, 2], strides=[2, 2]),
        node("Reshape", "p", "r", shape=[1, 64]),
        node("Gemm", "r b c0", transB=1, broadcast=1),
    ]
    weights = [weight("w", 4, 3, 3, 3), weight("b", 10, 64), weight("c0", 10)]
    inputs = [tensor("x", 1, 3, 8, 8), *listed(weights)]
    found = counted(nodes, inputs, weights, opset=3, ir=3)
    assert found.cost.macs == 4 * 27 * 64 + 64 * 10
    assert found.parameters["parameters"] == 4 * 27 + 640 + 10
    assert found.cost.unknown_operators == []
    assert found.input_shape == "1x3x8x8"


IMAGE = (2, 6, 8, 10)
OLD = {
    "reshape": (node("Reshape", "x", shape=[2, -1]), (2, 480)),
    "reshape, kept": (node("Reshape", "x", shape=[0, 0, -1]), (2, 6, 80)),
    "squeeze": (node("Squeeze", "one", axes=[1]), (2, 8)),
    "squeeze, all": (node("Squeeze", "one"), (2, 8)),
    "unsqueeze": (node("Unsqueeze", "x", axes=[0, 5]), (1, 2, 6, 8, 10, 1)),
    "slice": (node("Slice", "x", axes=[1, 3], starts=[1, -4], ends=[5, 2**31]), (2, 4, 8, 4)),
    "slice, first axes": (node("Slice", "x", starts=[0, 2], ends=[1, 4]), (1, 2, 8, 10)),
    "split": (node("Split", "x", "y", "z", axis=1, split=[2, 4]), (2, 2, 8, 10)),
    "split, equal": (node("Split", "x", "y", "z", axis=1), (2, 3, 8, 10)),
    "pad": (node("Pad", "x", pads=[0, 0, 1, 2, 0, 0, 3, 4], value=0.5), (2, 6, 12, 16)),
    "pad, the first": (node("Pad", "x", paddings=[0, 0, 1, 2, 0, 0, 3, 4]), (2, 6, 12, 16)),
    "clip": (node("Clip", "x", min=0.0, max=6.0), IMAGE),
    "clip, above": (node("Clip", "x", max=6.0), IMAGE),
    "upsample": (node("Upsample", "x", scales=[1.0, 1.0, 2.0, 3.0]), (2, 6, 16, 30)),
    "upsample, the first": (
        node("Upsample", "x", height_scale=2.0, width_scale=1.5, mode="bilinear"), (2, 6, 16, 15),
    ),
    "upsample, ninth": (node("Upsample", "x scales"), (2, 6, 16, 20)),
    "resize, tenth": (node("Resize", "x scales", mode="linear"), (2, 6, 16, 20)),
    "top": (node("TopK", "x", "y", "z", k=3, axis=1), (2, 3, 8, 10)),
    "sum": (node("ReduceSum", "x", axes=[2, 3], keepdims=0), (2, 6)),
    "mean": (node("ReduceMean", "x", axes=[-1]), (2, 6, 8, 1)),
    "mean of all": (node("ReduceMean", "x", keepdims=0), ()),
    "cast": (node("Cast", "x", to="FLOAT"), IMAGE),
    "concat": (node("Concat", "x x"), (2, 12, 8, 10)),
    "add, at an axis": (node("Add", "x channels", broadcast=1, axis=1), IMAGE),
    "multiply, two axes": (node("Mul", "x middle", broadcast=1, axis=1), IMAGE),
    "compare, at an axis": (node("Greater", "x channels", broadcast=1, axis=1), IMAGE),
    "subtract the last": (node("Sub", "x row", broadcast=1), IMAGE),
    "slope": (node("PRelu", "x channels"), IMAGE),
    "dropout": (node("Dropout", "x", "y", "mask", is_test=1, ratio=0.1), IMAGE),
    "norm": (
        node("BatchNormalization", "x channels channels channels channels", is_test=1, spatial=1,
             consumed_inputs=[0, 0, 0, 1, 1]), IMAGE,
    ),
    "norm, each place": (
        node("BatchNormalization", "x place place place place", is_test=1, spatial=0), IMAGE,
    ),
    "norm, five results": (
        node("BatchNormalization", "x channels channels channels channels", "y", "m", "v", "a", "b"),
        IMAGE,
    ),
    "instance norm": (node("InstanceNormalization", "x channels channels"), IMAGE),
    "mean and variance": (node("MeanVarianceNormalization", "x"), IMAGE),
    "scatter": (node("Scatter", "x places x", axis=0), IMAGE),
    "affine": (node("Affine", "x", alpha=2.0, beta=1.0), IMAGE),
    "scaled": (node("ImageScaler", "x", scale=2.0, bias=[0.0] * 6), IMAGE),
    "softmax": (node("Softmax", "x"), IMAGE),
    "largest": (node("Max", "x x x", consumed_inputs=[0, 0, 0]), IMAGE),
    "norm of windows": (node("LpPool", "x", kernel_shape=[2, 2], p=2.0), (2, 6, 7, 9)),
}  # fmt: skip


@pytest.mark.parametrize("name", OLD)
def test_shapes_of_operators_as_old_opsets_write_them(counted, name):
    made, shape = OLD[name]
    weights = [
        weight("channels", 6), weight("middle", 6, 8), weight("row", 10), weight("place", 6, 8, 10),
        constant("scales", [1, 1, 2, 2], np.float32), constant("places", np.zeros(IMAGE, np.int64)),
    ]  # fmt: skip
    inputs = [tensor("x", *IMAGE), tensor("one", 2, 1, 8)]
    found = counted([made], [*inputs, *listed(weights)], weights, batch=2, opset=6, ir=3)
    assert found.cost.unknown_operators == []
    width = 1 if made.op_type == "Greater" else 4
    assert found.cost.output_bytes == width * math.prod(shape)


def test_in_the_branches_of_a_condition(counted):
    branch = helper.make_graph(
        [node("Unsqueeze", "x", "u", axes=[1]), node("ReduceSum", "u", "o", axes=[2])],
        "b", [], [tensor("o", None)],
    )  # fmt: skip
    made = node("If", "c", then_branch=branch, else_branch=branch)
    inputs = [tensor("x", 2, 5), tensor("c", kind=TensorProto.BOOL)]
    found = counted([made], inputs, batch=2, opset=9, ir=4)
    assert (found.cost.elementwise_flops, found.cost.unknown_operators) == (10, [])


def test_a_file_from_before_opsets_had_numbers(tmp_path):
    graph = helper.make_graph(
        [node("Reshape", "x", "r", shape=[3, 4]), node("MatMul", "r w")], "g",
        [tensor("x", 12), tensor("w", 4, 5)], [tensor("y", 3, 5)], [weight("w", 4, 5)],
    )  # fmt: skip
    model = helper.make_model(graph, ir_version=2)
    del model.opset_import[:]
    (tmp_path / "m.onnx").write_bytes(model.SerializeToString())
    found = count_onnx(tmp_path / "m.onnx", batch_size=None, input_size=None)
    assert (found.cost.macs, found.cost.unknown_operators) == (3 * 4 * 5, [])


PUBLISHED = {
    "bvlc_alexnet": (654_560_384, 60_965_224),
    "densenet121": (2_834_161_664, 7_978_856 + 256),
    "resnet50": (4_089_184_256, 25_557_032),
    "squeezenet": (349_151_936, 1_235_496),
    "vgg19": (19_632_062_464, 143_667_240),
}
"""MACs and parameters of networks whose weights are made by operators, as in torchvision's tables.

AlexNet has two towers here; SqueezeNet is version 1.1. DenseNet scales and shifts once more after
each normalisation; what it stores of that, 4 * 64 numbers, is counted.
"""


class Steps:
    """A chain of operators in the words of the third opset and of a newer one."""

    def __init__(self, channels, height, width):
        self.old, self.new, self.weights, self.macs = [], [], [], 0
        self.shape = (2, channels, height, width)
        self.name, self.count = "x", 0

    def add(self, old, new, weights=()):
        """A step: an operator's name, what it takes besides, and its attributes, both ways."""
        result = f"r{self.count}"
        for nodes, (operator, more, attributes) in ((self.old, old), (self.new, new)):
            names = [self.name, *more]
            nodes.append(helper.make_node(operator, names, [result], **attributes))
        self.weights += weights
        self.name, self.count = result, self.count + 1

    def new_name(self):
        return f"w{self.count}"

    def conv(self, outputs):
        name, (_, channels, height, width) = self.new_name(), self.shape
        step = ("Conv", [name], {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]})
        self.add(step, step, [weight(name, outputs, channels, 3, 3)])
        self.shape = (2, outputs, height, width)
        self.macs += 2 * outputs * height * width * channels * 9

    def bias(self, _):
        name, channels = self.new_name(), self.shape[1]
        self.weights += [weight(f"{name}old", channels), weight(f"{name}new", channels, 1, 1)]
        self.add(("Add", [f"{name}old"], {"broadcast": 1, "axis": 1}), ("Add", [f"{name}new"], {}))

    def norm(self, _):
        name = self.new_name()
        weights = [weight(f"{name}{letter}", self.shape[1]) for letter in "abcd"]
        names = [one.name for one in weights]
        old = {"is_test": 1, "consumed_inputs": [0, 0, 0, 1, 1]}
        self.add(("BatchNormalization", names, old), ("BatchNormalization", names, {}), weights)

    def pad(self, by):
        name, pads = self.new_name(), [0, 0, by, 0, 0, 0, 0, by]
        self.add(("Pad", [], {"pads": pads}), ("Pad", [name], {}), [constant(name, pads)])
        two, channels, height, width = self.shape
        self.shape = (two, channels, height + by, width + by)

    def grow(self, by):
        name, scales = self.new_name(), [1.0, 1.0, float(by), float(by)]
        self.add(("Upsample", [], {"scales": scales}), ("Resize", ["", name], {"mode": "nearest"}),
                 [constant(name, scales, np.float32)])  # fmt: skip
        two, channels, height, width = self.shape
        self.shape = (two, channels, height * by, width * by)

    def cut(self, to):
        name, (two, channels, height, width) = self.new_name(), self.shape
        to = min(to, height)
        weights = [
            constant(f"{name}{letter}", [end])
            for letter, end in zip("abc", (0, to, 2), strict=True)
        ]
        old = {"starts": [0], "ends": [to], "axes": [2]}
        self.add(("Slice", [], old), ("Slice", [one.name for one in weights], {}), weights)
        self.shape = (two, channels, to, width)

    def clip(self, _):
        name = self.new_name()
        weights = [constant(f"{name}a", 0, np.float32), constant(f"{name}b", 6, np.float32)]
        self.add(
            ("Clip", [], {"min": 0.0, "max": 6.0}),
            ("Clip", [one.name for one in weights], {}),
            weights,
        )

    def end(self, outputs):
        """Rows, their sums, and a product."""
        name, (two, *rest) = self.new_name(), self.shape
        size = math.prod(rest)
        self.add(("Reshape", [], {"shape": [two, size]}), ("Reshape", [f"{name}s"], {}),
                 [constant(f"{name}s", [two, size])])  # fmt: skip
        step = {"transB": 1}
        self.add(("Gemm", [f"{name}g", f"{name}b"], {**step, "broadcast": 1}),
                 ("Gemm", [f"{name}g", f"{name}b"], step),
                 [weight(f"{name}g", outputs, size), weight(f"{name}b", outputs)])  # fmt: skip
        self.macs += two * size * outputs
        self.add(
            ("Unsqueeze", [], {"axes": [2]}),
            ("Unsqueeze", [f"{name}u"], {}),
            [constant(f"{name}u", [2])],
        )
        self.add(("ReduceSum", [], {"axes": [1], "keepdims": 0}),
                 ("ReduceSum", [f"{name}r"], {"keepdims": 0}), [constant(f"{name}r", [1])])  # fmt: skip
        self.shape = (two, 1)

    def model(self, nodes, first, opset, ir):
        taken = {name for one in nodes for name in one.input}
        weights = [one for one in self.weights if one.name in taken]
        inputs = [first, *(listed(weights) if ir < 4 else [])]
        graph = helper.make_graph(nodes, "g", inputs, [tensor(self.name, None)], weights)
        imports = [helper.make_opsetid("", opset)]
        return helper.make_model(graph, opset_imports=imports, ir_version=ir)


STEPS = some.tuples(
    some.sampled_from(["conv", "bias", "norm", "pad", "grow", "cut", "clip"]), some.integers(1, 3)
)


@settings(max_examples=40, deadline=None)
@given(
    shape=some.tuples(some.integers(1, 4), some.integers(2, 5), some.integers(2, 5)),
    steps=some.lists(STEPS, max_size=6),
    newer=some.sampled_from([13, 15, 18, 21]),
)
def test_a_random_network_costs_the_same_in_old_words(tmp_path_factory, shape, steps, newer):
    """Its shape is what the standard's own evaluator gives; its MACs follow from closed formulas."""
    chain = Steps(*shape)
    for name, number in steps:
        getattr(chain, name)(number)
    chain.end(3)
    first = tensor("x", 2, *shape)
    old, new = chain.model(chain.old, first, 6, 3), chain.model(chain.new, first, newer, 8)
    (result,) = ReferenceEvaluator(new).run(None, {"x": np.ones((2, *shape), np.float32)})
    folder = tmp_path_factory.mktemp("onnx")
    counts = []
    for model in (old, new):
        (folder / "m.onnx").write_bytes(model.SerializeToString())
        counts.append(count_onnx(folder / "m.onnx", batch_size=2, input_size=None))
    ours, theirs = counts
    assert result.shape == chain.shape
    assert ours.cost.output_bytes == theirs.cost.output_bytes == 4 * result.size
    assert ours.cost.macs == theirs.cost.macs == chain.macs
    assert ours.cost.elementwise_flops == theirs.cost.elementwise_flops
    assert ours.cost.compulsory_bytes == theirs.cost.compulsory_bytes
    assert ours.cost.unknown_operators == theirs.cost.unknown_operators == []
    assert ours.parameters == theirs.parameters


@pytest.mark.skipif(not LIGHT.is_dir(), reason="this release of onnx brings no networks")
@pytest.mark.parametrize("name", PUBLISHED)
def test_networks_whose_weights_operators_make(name):
    found = count_onnx(LIGHT / f"light_{name}.onnx", batch_size=None, input_size=None)
    assert (found.cost.macs, found.parameters["parameters"]) == PUBLISHED[name]
    assert (found.batch_size, found.cost.unknown_operators) == (1, [])
