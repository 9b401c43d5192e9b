"""Inputs of an ONNX file, and the whole numbers that they take, as its graph shows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from inferometer.core.errors import WorkloadError
from inferometer.core.shown import shown
from inferometer.models.cost.onnx.axes import lengths_of
from inferometer.models.cost.onnx.node import bodies, operator_of, real_inputs
from inferometer.models.inputs.axes import Declared

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray
    from onnx import GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto

_NAMES = (
    "Cast Clip Expand Flatten Gather Identity Reshape Slice Squeeze Tile Transpose Unsqueeze Where"
)
_PASSED = frozenset(_NAMES.split())
"""Operators that leave whole numbers what they are, as far as ranges go."""

_TABLES = frozenset(["Cast", "DequantizeLinear", "Identity"])
"""Operators between a constant table and where it is looked up."""

_FACTORS = {"Resize": (2, 3), "Upsample": (1,)}
_ONES = _FACTORS | {
    "ConstantOfShape": (0,), "Div": (1,), "Expand": (1,), "Mod": (1,), "OneHot": (1,),
    "Reshape": (1,), "Slice": (4,), "Tile": (1,), "TopK": (1,),
}  # fmt: skip
"""Operators, and which of their inputs are shapes, counts or divisors: ones make sense of them."""

_EMBEDDED = {0: 2, 1: 4}
"""Of EmbedLayerNormalization: places of indices, and of the tables that they are of."""

Numbers = tuple[float, float]


def inputs_of(model: ModelProto, path: Path) -> list[Declared]:
    """Inputs as the file declares them.

    Args:
        model: what `open_onnx` gave.
        path: its file, for messages.

    Raises:
        WorkloadError: (unsupported) an input is no tensor.
    """
    found = real_inputs(model.graph)
    for one in found:
        if one.type.WhichOneof("value") != "tensor_type":
            kind = (one.type.WhichOneof("value") or "unknown").removesuffix("_type")
            raise WorkloadError(
                "unsupported",
                f"{shown(path)}: input {shown(one.name)} is not a tensor of numbers but a {kind}; "
                "none can be made",
            )
    graph = _Graph(model.graph)
    return [_declared(one, graph) for one in found]


def _declared(value: ValueInfoProto, graph: _Graph) -> Declared:
    dtype, kind = _dtype(value), value.type.tensor_type
    axes = lengths_of(value) if kind.HasField("shape") else None
    is_whole = dtype.startswith(("int", "uint"))
    return Declared(
        name=value.name,
        axes=axes,
        dtype=dtype,
        numbers=graph.numbers(value.name, is_one=axes in ((), (1,)))
        if is_whole
        else graph.factor(value.name),
    )


def _dtype(value: ValueInfoProto) -> str:
    """The type of an input's elements: NumPy's name for it, or where it has none, the file's.

    In the place of bfloat16 a backend takes single precision, or refuses it.
    """
    from onnx import TensorProto

    names = {"float": "float32", "double": "float64", "float16": "float16", "bfloat16": "float32"}
    found = value.type.tensor_type.elem_type
    if found not in TensorProto.DataType.values():
        return f"type {found}"
    name: str = TensorProto.DataType.Name(found).lower()
    return names.get(name, name)


class _Graph:
    """What takes each value, here and in the graphs inside of nodes."""

    def __init__(self, graph: GraphProto) -> None:
        self.takers: dict[str, list[tuple[NodeProto, int]]] = {}
        self.makers: dict[str, NodeProto] = {}
        self.constants: dict[str, TensorProto] = {}
        self._add(graph)

    def numbers(self, name: str, *, is_one: bool) -> Numbers | None:
        """The whole numbers that make sense of a value; None where nothing tells.

        Args:
            name: of the value.
            is_one: whether it is a single number.
        """
        seen, waiting = {name}, [name]
        rows: list[int] = []
        others: list[Numbers] = []
        while waiting:
            for node, place in self.takers.get(waiting.pop(), []):
                count = self._rows(node, place)
                if count is not None:
                    rows.append(count)
                others += self._compared(node, place, is_one=is_one)
                if _passes(node, place):
                    waiting += [one for one in node.output if one and one not in seen]
                    seen.update(node.output)
        if rows:
            return 0.0, max(min(rows) - 1.0, 0.0)
        return others[0] if others else None

    def factor(self, name: str) -> Numbers | None:
        """The number that makes sense of a floating value that scales shapes; None of others."""
        takers = self.takers.get(name, [])
        is_factor = any(place in _FACTORS.get(operator_of(node), ()) for node, place in takers)
        return (1.0, 1.0) if is_factor else None

    def _rows(self, node: NodeProto, place: int) -> int | None:
        """Rows of the table that a value is looked up in; None where it is not."""
        operator = operator_of(node)
        if operator in ("Gather", "com.microsoft.GatherBlockQuantized") and place == 1:
            dims = self._table(node.input[0])
            axis = next((one.i for one in node.attribute if one.name == "axis"), 0)
            return dims[axis] if -len(dims) <= axis < len(dims) else None
        if operator == "com.microsoft.EmbedLayerNormalization" and place in _EMBEDDED:
            other = _EMBEDDED[place]
            dims = self._table(node.input[other]) if other < len(node.input) else ()
            return dims[0] if dims else None
        if operator == "OneHot" and place == 0:
            depth = self._values(node.input[1])
            return None if depth is None else int(depth.max())
        if operator == "Equal":  # with 0, 1, 2 …: a one-hot code by hand
            other_one = self._values(node.input[1 - place])
            if other_one is not None and other_one.size > 1:
                return int(other_one.max()) + 1
        return None

    def _compared(self, node: NodeProto, place: int, *, is_one: bool) -> Iterator[Numbers]:
        """What a value is compared with, and whether it is a mask or a shape."""
        operator = operator_of(node)
        if operator == "Equal" and is_one:
            other = self._values(node.input[1 - place])
            if other is not None and other.size == 1:
                yield float(other.max()), float(other.max())
        if place in _ONES.get(operator, ()):
            yield 1.0, 1.0
        if operator == "Sub" and place == 1:  # 1 - mask
            other = self._values(node.input[0])
            if other is not None and other.size == 1 and other.max() == 1:
                yield 1.0, 1.0

    def _table(self, name: str) -> tuple[int, ...]:
        """The shape of a constant table; of what is none, no shape."""
        for _ in range(4):
            if name in self.constants:
                return tuple(self.constants[name].dims)
            node = self.makers.get(name)
            if node is None or operator_of(node) not in _TABLES:
                break
            name = node.input[0]
        return ()

    def _values(self, name: str) -> NDArray[Any] | None:
        """Values of a small constant of numbers; None of anything else."""
        from onnx import numpy_helper

        tensor = self.constants.get(name)
        if tensor is None:
            return None
        try:
            found: NDArray[Any] = numpy_helper.to_array(tensor)
        except (ValueError, TypeError, KeyError):  # large ones were dropped
            return None
        return found if found.size and found.dtype.kind in "iuf" else None

    def _add(self, graph: GraphProto) -> None:
        self.constants |= {one.name: one for one in graph.initializer}
        for node in graph.node:
            for place, name in enumerate(node.input):
                self.takers.setdefault(name, []).append((node, place))
            self.makers.update(dict.fromkeys(node.output, node))
            if node.op_type == "Constant":
                for one in node.attribute:
                    if one.HasField("t"):
                        self.constants[node.output[0]] = one.t
            for body in bodies(node):
                self._add(body)


def _passes(node: NodeProto, place: int) -> bool:
    """Whether a node gives on what it takes at a place."""
    operator = operator_of(node)
    if operator == "Where":
        return place > 0
    return operator in _PASSED and place == 0
