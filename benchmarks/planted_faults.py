"""Faults that are planted in an ONNX file: whether fidelity finds them, and at which operator.

Each fault is laid into a small residual network of its own (or its int8 form, or a copy in which
every name is another), and `inferometer fidelity bad.onnx --reference good.onnx` is asked. Prints
a table in Markdown. Repeat with: python benchmarks/planted_faults.py
"""

from __future__ import annotations

import platform
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from inferometer.backends.onnxruntime.convert import statically
from inferometer.core.model import Inputs
from inferometer.core.sweep import Block, Sweep
from inferometer.runner.fidelity import Compared, FidelityRequest, compare_variants

SIDE, WIDTH, HIDDEN, CLASSES = 32, 16, 32, 10
SAMPLES = 8
Fault = Callable[["Network"], None]


class Network:
    """A file that is changed by hand: its nodes by name, its weights as arrays."""

    def __init__(self, model: ModelProto) -> None:
        self.model = ModelProto()
        self.model.CopyFrom(model)

    def node(self, name: str) -> NodeProto:
        """A node by its name."""
        found: NodeProto = next(one for one in self.model.graph.node if one.name == name)
        return found

    def set(self, name: str, **attributes: Any) -> None:  # noqa: ANN401 - of any kind
        """Set attributes of a node."""
        node = self.node(name)
        kept = [one for one in node.attribute if one.name not in attributes]
        del node.attribute[:]
        node.attribute.extend(kept)
        node.attribute.extend(helper.make_attribute(*one) for one in attributes.items())

    def change(self, name: str, change: Callable[[Any], Any]) -> None:
        """Put another array in the place of weights."""
        weights = next(one for one in self.model.graph.initializer if one.name == name)
        old = numpy_helper.to_array(weights)
        new = np.ascontiguousarray(change(old.copy()), dtype=old.dtype)
        weights.CopyFrom(numpy_helper.from_array(new, name))

    def leave_out(self, name: str, keep: int = 0) -> None:
        """Remove a node; whoever reads it reads one of its inputs."""
        node = self.node(name)
        self.model.graph.node.remove(node)
        self._read(node.output[0], node.input[keep])

    def insert(self, node: NodeProto, after: str) -> None:
        """Put a node between another and those that read it."""
        output = self.node(after).output[0]
        self._read(output, node.output[0])
        node.input[0] = output
        place = list(self.model.graph.node).index(self.node(after)) + 1
        self.model.graph.node.insert(place, node)

    def rename_all(self) -> None:
        """Give all nodes and inner tensors other names."""
        graph = self.model.graph
        ends = {one.name for one in (*graph.input, *graph.output)}
        for number, node in enumerate(graph.node):
            node.name = f"n{number}"
            for names in (node.input, node.output):
                names[:] = [one if one in ends or not one else f"t.{one}" for one in names]
        for weights in graph.initializer:
            weights.name = f"t.{weights.name}"

    def _read(self, old: str, new: str) -> None:
        for node in self.model.graph.node:
            node.input[:] = [new if one == old else one for one in node.input]


def network() -> ModelProto:
    """Convolutions with and without batch normalisation, a shortcut, pools and two dense layers."""
    random, weights = np.random.default_rng(0), dict[str, Any]()
    nodes: list[NodeProto] = []

    def add(kind: str, name: str, inputs: list[str], **attributes: Any) -> str:  # noqa: ANN401
        nodes.append(helper.make_node(kind, inputs, [f"{name}.out"], name=name, **attributes))
        return f"{name}.out"

    def conv(name: str, at: str, shape: tuple[int, ...], **attributes: Any) -> str:  # noqa: ANN401
        scale = np.sqrt(2 / np.prod(shape[1:]))
        weights[f"{name}.w"] = scale * random.standard_normal(shape)
        weights[f"{name}.b"] = 0.2 * random.standard_normal(shape[0])
        return add("Conv", name, [at, f"{name}.w", f"{name}.b"], **attributes)

    def norm(name: str, at: str) -> str:
        for part, low in (("scale", 0.5), ("bias", -0.5), ("mean", -0.5), ("var", 0.5)):
            weights[f"{name}.{part}"] = random.uniform(low, low + 1, WIDTH)
        inputs = [at, *(f"{name}.{part}" for part in ("scale", "bias", "mean", "var"))]
        return add("BatchNormalization", name, inputs, epsilon=1e-5)

    square, pads = (WIDTH, WIDTH, 3, 3), {"pads": [1, 1, 1, 1]}
    at = conv("conv1", "x", (WIDTH, 3, 3, 3), **pads)
    at = add("Relu", "relu1", [norm("bn1", at)])
    shortcut = at = add("MaxPool", "pool1", [at], kernel_shape=[2, 2], strides=[2, 2])
    at = add("Relu", "relu2", [norm("bn2", conv("conv2", at, square, **pads))])
    at = add("Add", "add1", [conv("conv3", at, square, **pads), shortcut])
    at = add("Relu", "relu3", [at])
    at = add("AveragePool", "pool2", [at], kernel_shape=[2, 2], strides=[2, 2])
    at = conv("conv4", at, (WIDTH, 1, 3, 3), group=WIDTH, **pads)
    weights |= {"low": np.array(0.0), "high": np.array(6.0)}
    at = add("Clip", "clip1", [at, "low", "high"])
    at = conv("conv5", at, (HIDDEN, WIDTH, 1, 1))
    at = add("GlobalAveragePool", "pool3", [add("Relu", "relu4", [at])])
    at = add("Flatten", "flatten1", [at])
    weights["fc1.w"] = random.standard_normal((HIDDEN, HIDDEN)) / np.sqrt(HIDDEN / 8)
    weights["fc1.b"] = random.standard_normal(HIDDEN)
    at = add("Add", "fc1.bias", [add("MatMul", "fc1", [at, "fc1.w"]), "fc1.b"])
    weights["fc2.w"] = random.standard_normal((CLASSES, HIDDEN)) / np.sqrt(HIDDEN / 8)
    weights["fc2.b"] = random.standard_normal(CLASSES)
    at = add("Gemm", "fc2", [add("Relu", "relu5", [at]), "fc2.w", "fc2.b"], transB=1)
    nodes.append(helper.make_node("Softmax", [at], ["y"], name="softmax1", axis=1))
    shapes: dict[str, list[str | int | None]] = {"x": ["n", 3, SIDE, SIDE], "y": ["n", CLASSES]}
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        for name, shape in shapes.items()
    ]
    constants = [numpy_helper.from_array(v.astype(np.float32), k) for k, v in weights.items()]
    graph = helper.make_graph(nodes, "net", ends[:1], ends[1:], constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


@dataclass(frozen=True, kw_only=True)
class Case:
    """A planted fault.

    Attributes:
        says: what it is.
        plant: lays it into a network.
        at: names of the operator: where it was inserted, the next is right too.
        form: into what it is laid: `fp32`, `int8`, or `renamed`.
    """

    says: str
    plant: Fault
    at: tuple[str, ...]
    form: str = "fp32"


def _channel(value: float, channel: int) -> Callable[[Any], Any]:
    def change(weights: Any) -> Any:  # noqa: ANN401 - an array
        weights[channel] = value
        return weights

    return change


def _four_bits(weights: Any) -> Any:  # noqa: ANN401 - an array
    step = np.abs(weights).max() / 7
    return np.round(weights / step) * step


def _times(factor: float) -> Callable[[Any], Any]:
    return lambda weights: weights * factor


def _retype(name: str, kind: str) -> Fault:
    def plant(net: Network) -> None:
        net.node(name).op_type = kind

    return plant


def _without_bias(net: Network) -> None:
    del net.node("conv5").input[2]


def _twice(net: Network) -> None:
    relu = helper.make_node("Relu", [""], ["more.relu"], name="relu2.again")
    conv = helper.make_node(
        "Conv", ["", "conv2.w", "conv2.b"], ["more.conv"], name="conv2.again", pads=[1, 1, 1, 1]
    )
    net.insert(relu, "relu2")
    net.insert(conv, "relu2")


def _transposed(net: Network) -> None:
    node = helper.make_node("Transpose", [""], ["turned"], name="turned", perm=[0, 1, 3, 2])
    net.insert(node, "relu1")


CASES = (
    Case(says="scale of a batch normalisation corrupted in a channel", at=("bn1",),
         plant=lambda net: net.change("bn1.scale", _channel(9.0, 3))),
    Case(says="output channels swapped", at=("conv2",),
         plant=lambda net: net.change("conv2.w", lambda w: w[::-1])),
    Case(says="matrix transposed", at=("fc1",),
         plant=lambda net: net.change("fc1.w", np.transpose)),
    Case(says="kernel transposed", at=("conv3",),
         plant=lambda net: net.change("conv3.w", lambda w: w.transpose(0, 1, 3, 2))),
    Case(says="NaN in a channel", at=("conv2",),
         plant=lambda net: net.change("conv2.w", _channel(np.nan, 5))),
    Case(says="Add of a bias left out", at=("fc1.bias",),
         plant=lambda net: net.leave_out("fc1.bias")),
    Case(says="bias of a convolution left out", at=("conv5",), plant=_without_bias),
    Case(says="wrong padding", at=("conv2",),
         plant=lambda net: net.set("conv2", pads=[0, 0, 2, 2])),
    Case(says="wrong stride", at=("conv4",), plant=lambda net: net.set("conv4", strides=[2, 2])),
    Case(says="weights negated", at=("conv1",),
         plant=lambda net: net.change("conv1.w", np.negative)),
    Case(says="filter zeroed", at=("conv3",),
         plant=lambda net: net.change("conv3.w", _channel(0.0, 7))),
    Case(says="wrong epsilon", at=("bn2",), plant=lambda net: net.set("bn2", epsilon=0.5)),
    Case(says="wrong variance", at=("bn1",), plant=lambda net: net.change("bn1.var", _times(2))),
    Case(says="LeakyRelu in place of Relu", at=("relu2",), plant=_retype("relu2", "LeakyRelu")),
    Case(says="Clip at 1 in place of 6", at=("clip1",),
         plant=lambda net: net.change("high", lambda _: np.array(1.0))),
    Case(says="MaxPool in place of AveragePool", at=("pool2",), plant=_retype("pool2", "MaxPool")),
    Case(says="Softmax along the batch", at=("softmax1",),
         plant=lambda net: net.set("softmax1", axis=0)),
    Case(says="shortcut left out", at=("add1",), plant=lambda net: net.leave_out("add1")),
    Case(says="weights shifted by a channel", at=("conv5",),
         plant=lambda net: net.change("conv5.w", lambda w: np.roll(w, 1, axis=0))),
    Case(says="weights rounded to 4 bits", at=("conv3",),
         plant=lambda net: net.change("conv3.w", _four_bits)),
    Case(says="layer twice", at=("conv2.again", "relu2.again"), plant=_twice),
    Case(says="Transpose inserted", at=("turned", "pool1"), plant=_transposed),
    Case(says="activation left out", at=("relu5",), plant=lambda net: net.leave_out("relu5")),
    Case(says="scale of an activation off by 2", at=("conv2",), form="int8",
         plant=lambda net: net.change("relu2.out_scale", _times(2))),
    Case(says="scale of weights off by 2", at=("conv3",), form="int8",
         plant=lambda net: net.change("conv3.w_scale", _times(2))),
    Case(says="zero point off by 20", at=("conv5",), form="int8",
         plant=lambda net: net.change("relu4.out_zero_point", lambda zero: zero + 20)),
    Case(says="weights negated, all names others", at=("conv2",), form="renamed",
         plant=lambda net: net.change("conv2.w", np.negative)),
    Case(says="shortcut left out, all names others", at=("add1",), form="renamed",
         plant=lambda net: net.leave_out("add1")),
)  # fmt: skip


def judged(bad: Path, good: Path) -> Compared:
    """What the command says of a file."""
    sweep = Sweep(
        models=(str(bad),),
        backends=("onnxruntime",),
        precisions=("fp32",),
        blocks=(Block(sizes=(None,), batches=(1,)),),
        threads=1,
    )
    request = FidelityRequest(sweep=sweep, reference=str(good), samples=SAMPLES)
    return compare_variants(request)[0]


def plain(folder: Path) -> dict[str, ModelProto]:
    """The network without faults, in each form."""
    fp32, int8 = folder / "fp32.onnx", folder / "int8.onnx"
    onnx.save(network(), fp32)
    random = np.random.default_rng(1)
    shape = (1, 3, SIDE, SIDE)
    samples = [
        Inputs(args=(random.uniform(0, 1, shape).astype(np.float32),), shape="") for _ in range(8)
    ]
    statically(str(fp32), int8, apart=False, samples=samples, provider="cpu")
    return {"fp32": onnx.load(fp32), "int8": onnx.load(int8), "renamed": onnx.load(fp32)}


def row(case: Case, found: Compared) -> tuple[str, bool, bool]:
    """A row of the table, whether the fault was found, and whether it was located."""
    first = found.operators[0] if found.operators else None
    verdict = found.fidelity.fidelity_verdict
    others = max((one.relative_error for one in found.operators[1:]), default=0.0)
    named = "nothing | " if first is None else f"`{first.name}` | {first.relative_error:.2g}"
    text = f"| {case.says} | {case.form} | `{case.at[0]}` | {verdict} | {named} | {others:.1g} |"
    return text, verdict == "different", first is not None and first.name in case.at


def rows(folder: Path) -> Iterator[tuple[str, bool, bool]]:
    """Plants one fault after the other."""
    forms = plain(folder)
    good, bad = folder / "good.onnx", folder / "bad.onnx"
    for case in CASES:
        net = Network(forms[case.form])
        case.plant(net)
        if case.form == "renamed":
            net.rename_all()
        onnx.save(forms[case.form], good)
        onnx.save(net.model, bad)
        yield row(case, judged(bad, good))


def main() -> None:
    begin = time.monotonic()
    print(
        f"machine: {platform.machine()}, Python {platform.python_version()}, ONNX Runtime "
        f"{onnxruntime.__version__}, {SAMPLES} samples, one thread\n"
    )
    print("| fault | file | planted at | verdict | first operator | its error | largest other |")
    print("|---|---|---|---|---|---|---|")
    found = located = 0
    with tempfile.TemporaryDirectory() as folder:
        for text, is_found, is_located in rows(Path(folder)):
            print(text, flush=True)
            found, located = found + is_found, located + is_located
    print(f"\nfound: {found} of {len(CASES)}; located: {located} of {len(CASES)}")
    print(f"took {time.monotonic() - begin:.0f} s")


if __name__ == "__main__":
    main()
