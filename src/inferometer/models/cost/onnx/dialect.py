"""Puts ONNX graphs of old opsets into the words of a newer one, so that the rest knows one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from inferometer.models.cost.onnx.node import (
    Node,
    OnnxDamagedError,
    bodies,
    operator_of,
    real_inputs,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from onnx import GraphProto, ModelProto, NodeProto

OPSET = 18
"""Since it, lengths, axes and bounds are inputs wherever they were attributes before."""

FIRST = 1
"""The opset of files that are older than the field that says which."""

FORMAT = 4
"""The version of the format since which weights are not listed among the inputs."""

ALIAS = "ai.onnx"
"""The standard's domain, written out."""

_ALIGNED = "Add And Div Equal Greater Less Mul Or PRelu Pow Sub Xor"
ALIGNED = frozenset(_ALIGNED.split())
"""Before opset 7, `axis` said where the second operand's first axis lies in the first one."""

_LENGTHS = "ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin"
_AXES = f"{_LENGTHS} ReduceProd ReduceSum ReduceSumSquare Squeeze Unsqueeze"
_PLACES: dict[str, dict[str, int]] = {
    **{name: {"axes": 1} for name in _AXES.split()},
    "Clip": {"min": 1, "max": 2},
    "Pad": {"pads": 1, "paddings": 1, "value": 2},
    "Reshape": {"shape": 1},
    "Slice": {"starts": 1, "ends": 2, "axes": 3},
    "Split": {"split": 1},
    "TopK": {"k": 1},
    "Upsample": {"scales": 1},
}
"""Operator → attributes that became inputs, and which ones."""

_DROPPED = ("broadcast", "consumed_inputs", "is_test")
"""Attributes that change neither shapes nor work, and that newer operators do not have."""


def modernise(model: ModelProto) -> None:
    """Write a graph, and those in it, as a newer opset would; which one is seen from each node.

    Args:
        model: changed in place.
    """
    _rewrite(model.graph)
    _drop_listed_weights(model.graph)
    model.ir_version = max(model.ir_version, FORMAT)
    for entry in model.opset_import:
        if entry.domain == "":
            entry.version = max(entry.version, OPSET)


def agree(model: ModelProto) -> None:
    """Let a model and its functions name one opset of the standard: only then are they inlined.

    Each node tells by itself how old it is.

    Args:
        model: changed in place.
    """
    imports = [one for owner in (model, *model.functions) for one in owner.opset_import]
    standard = [one for one in imports if one.domain in ("", ALIAS)]
    if not standard:
        model.opset_import.add(domain="", version=FIRST)
    newest = max((one.version for one in standard), default=FIRST)
    for one in standard:
        one.domain, one.version = "", newest


def _drop_listed_weights(graph: GraphProto) -> None:
    """Leave those inputs that a caller gives: shapes that follow from others are not inferred."""
    kept = []
    for value in real_inputs(graph):
        kept.append(type(value)())
        kept[-1].CopyFrom(value)
    del graph.input[:]
    graph.input.extend(kept)


def _rewrite(graph: GraphProto) -> None:
    for node in graph.node:
        for body in bodies(node):
            _rewrite(body)
        operator = operator_of(node)
        if operator in _SPECIAL:
            _SPECIAL[operator](node)
        for name, place in _PLACES.get(operator, {}).items():
            value = _taken(node, name)
            if value is not None and not Node(node, {}).has(place):
                _give(graph, node, place, _constant(value, single=operator != "Clip"))
        if operator in ALIGNED or operator in ("BatchNormalization", "Dropout", "Gemm"):
            for name in _DROPPED:
                _taken(node, name)


def _taken(node: NodeProto, name: str) -> Any:  # noqa: ANN401 - a number, a text, a list
    """The value of an attribute, which the node then has no longer."""
    value = Node(node, {}).attribute(name)
    kept = [one for one in node.attribute if one.name != name]
    if len(kept) < len(node.attribute):
        copies = [type(one)() for one in kept]
        for copy, one in zip(copies, kept, strict=True):
            copy.CopyFrom(one)
        del node.attribute[:]
        node.attribute.extend(copies)
    return value


def _constant(value: Any, *, single: bool) -> NDArray[Any]:  # noqa: ANN401 - as in ONNX
    """A value as the newer operators take it: whole numbers in a list, a bound by itself."""
    import numpy as np

    if isinstance(value, float):
        return np.array(value, dtype=np.float32)
    values = value if isinstance(value, list) else [value]
    if not all(isinstance(one, int | float) for one in values) or (not single and len(values) != 1):
        raise OnnxDamagedError("an attribute of an operator is not a number")
    whole = all(isinstance(one, int) for one in values)
    made = np.array(values, dtype=np.int64 if whole else np.float32)
    return made if single else made.reshape(())


def _give(graph: GraphProto, node: NodeProto, place: int, value: NDArray[Any]) -> None:
    """Make a constant an input of a node."""
    from onnx import numpy_helper

    name = f"{next(filter(None, node.output), node.name)}:input {place}"
    graph.initializer.append(numpy_helper.from_array(value, name))
    names = [*node.input, *[""] * (place + 1 - len(node.input))]
    names[place] = name
    node.input[:] = names


def _cast(node: NodeProto) -> None:
    """The first version names its type in letters."""
    from onnx import TensorProto, helper

    kind = Node(node, {}).attribute("to")
    if isinstance(kind, str):
        _taken(node, "to")
        number = dict(TensorProto.DataType.items()).get(kind.upper(), TensorProto.UNDEFINED)
        node.attribute.append(helper.make_attribute("to", number))


def _concat(node: NodeProto) -> None:
    """The first version joins along axis 1 where nothing is said."""
    _default(node, "axis", 1)


def _split(node: NodeProto) -> None:
    """Into equal parts, where nothing is said: as many as there are results.

    The library that infers shapes would end the process where another number is said.
    """
    if not Node(node, {}).has(1) and Node(node, {}).attribute("split") is None:
        _taken(node, "num_outputs")
        _default(node, "num_outputs", len(node.output))


def _default(node: NodeProto, name: str, value: int) -> None:
    from onnx import helper

    if Node(node, {}).attribute(name) is None:
        node.attribute.append(helper.make_attribute(name, value))


def _resize(node: NodeProto) -> None:
    """Its second input was the factors; between them and the first is a region since."""
    if len(node.input) == 2:  # noqa: PLR2004 - as said
        node.input[:] = [node.input[0], "", node.input[1]]


def _upsample(node: NodeProto) -> None:
    """The first version names two factors of images."""
    from onnx import helper

    height, width = (_taken(node, f"{name}_scale") for name in ("height", "width"))
    if all(isinstance(one, int | float) for one in (height, width)):
        scales = [1.0, 1.0, float(height), float(width)]
        node.attribute.append(helper.make_attribute("scales", scales))


_SPECIAL: dict[str, Callable[[NodeProto], None]] = {
    "Cast": _cast,
    "Concat": _concat,
    "Resize": _resize,
    "Split": _split,
    "Upsample": _upsample,
}
