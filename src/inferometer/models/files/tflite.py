"""Inputs of a TFLite file: a flatbuffer, after TensorFlow's schema.fbs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from inferometer.models.files.flatbuffer import Flatbuffer, opened
from inferometer.models.inputs.axes import Declared

_CODES, _SUBGRAPHS, _BUFFERS, _SIGNATURES = 1, 2, 4, 7
_TENSORS, _INPUTS, _OPERATORS = 0, 1, 3
_SHAPE, _TYPE, _BUFFER, _NAME, _QUANTIZATION, _SIGNATURE = 0, 1, 2, 3, 4, 7
_SCALES = 2
_OPEN = -1

_DTYPES = (
    "float32", "float16", "int32", "uint8", "int64", "text", "bool", "int16", "complex64", "int8",
    "float64", "complex128", "uint64", "resource", "variant", "uint32", "uint16", "int4",
    "bfloat16",
)  # fmt: skip
_EMBEDDING, _GATHER = 7, 36
_PASSED = {53, 22, 43, 70, 39, 114}
"""Cast, Reshape, Squeeze, ExpandDims, Transpose and Quantize leave numbers what they are."""


def inputs_of(path: Path) -> list[Declared]:
    """Inputs of the first subgraph, by the names of its signature where it has one.

    Whole numbers with a scale stand for others, in which the inputs are given.

    Raises:
        EOFError: the file is damaged.
    """
    with opened(path) as found:
        model = found.target(0)
        graph = next(iter(found.tables(model, _SUBGRAPHS)), None)
        if graph is None:
            return []
        tensors = found.tables(graph, _TENSORS)
        names = _names(found, model)
        below = dict(_indices(found, model, graph, tensors))
        return [
            replace(
                _declared(found, tensors[at]),
                name=names.get(at) or found.text(tensors[at], _NAME),
                numbers=(0.0, below[at] - 1.0) if at in below else None,
            )
            for at in found.wholes(graph, _INPUTS)
        ]


def _names(found: Flatbuffer, model: int) -> dict[int, str]:
    """Names of the first signature by the numbers of tensors, where that is of the first graph."""
    first = next(iter(found.tables(model, _SIGNATURES)), None)
    if first is None or found.whole(first, 4, "I"):
        return {}
    return {found.whole(one, 1, "I"): found.text(one, 0) for one in found.tables(first, 0)}


def _declared(found: Flatbuffer, tensor: int) -> Declared:
    shape, open_too = found.wholes(tensor, _SHAPE), found.wholes(tensor, _SIGNATURE)
    lengths = open_too if len(open_too) == len(shape) else shape
    kind = found.whole(tensor, _TYPE, "b")
    dtype = _DTYPES[kind] if 0 <= kind < len(_DTYPES) else f"type {kind}"
    quantization = found.table(tensor, _QUANTIZATION)
    scales = 0 if quantization is None else len(found.vector(quantization, _SCALES))
    is_scaled = scales == 1 and dtype in ("int8", "uint8", "int16", "int32")
    return Declared(
        name="",
        axes=tuple("" if length == _OPEN else length for length in lengths),
        dtype="float32" if is_scaled else dtype,
    )


def _indices(
    found: Flatbuffer, model: int, graph: int, tensors: list[int]
) -> Iterator[tuple[int, int]]:
    """Inputs that are indices into constant tables, and how many rows those have."""
    codes = [_code(found, one) for one in found.tables(model, _CODES)]
    buffers = found.tables(model, _BUFFERS)
    origin = {at: at for at in found.wholes(graph, _INPUTS)}
    for one in found.tables(graph, _OPERATORS):
        code = codes[found.whole(one, 0, "I")]
        takes, gives = found.wholes(one, 1), found.wholes(one, 2)
        if code in _PASSED and takes and gives and takes[0] in origin:
            origin[gives[0]] = origin[takes[0]]
        table, index = _lookup(code, takes)
        if index in origin and _is_constant(found, tensors, buffers, table):
            axis = _axis(found, one) if code == _GATHER else 0
            shape = found.wholes(tensors[table], _SHAPE)
            if -len(shape) <= axis < len(shape):
                yield origin[index], shape[axis]


def _lookup(code: int, takes: tuple[int, ...]) -> tuple[int, int]:
    """Numbers of the table and of the index among what an operator takes; -1 where it has none."""
    if code == _GATHER and len(takes) > 1:
        return takes[0], takes[1]
    return (takes[1], takes[0]) if code == _EMBEDDING and len(takes) > 1 else (_OPEN, _OPEN)


def _is_constant(found: Flatbuffer, tensors: list[int], buffers: list[int], at: int) -> bool:
    buffer = found.whole(tensors[at], _BUFFER, "I")
    return 0 < buffer < len(buffers) and found.field(buffers[buffer], 0) is not None


def _axis(found: Flatbuffer, operator: int) -> int:
    options = found.table(operator, 4)
    return 0 if options is None else found.whole(options, 0)


def _code(found: Flatbuffer, table: int) -> int:
    """The number of an operator; old files have it in a byte."""
    return max(found.whole(table, 0, "b"), found.whole(table, 3))
