"""Which constants of an ONNX graph are parameters, and which are not."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from inferometer.models.cost.onnx.sources import MadeWeight, Source, Trace
from inferometer.models.cost.onnx.tensor import Tensor, kind_name

if TYPE_CHECKING:
    from onnx import GraphProto, TensorProto

PRECISIONS = {
    "float32": "fp32",
    "float16": "fp16",
    "bfloat16": "bf16",
    "float64": "fp64",
    "int8": "int8",
    "uint8": "int8",
    "int16": "int16",
    "uint16": "int16",
    "int4": "int4",
    "uint4": "int4",
    "int2": "int2",
    "uint2": "int2",
    "float8e4m3fn": "fp8",
    "float8e4m3fnuz": "fp8",
    "float8e5m2": "fp8",
    "float8e5m2fnuz": "fp8",
    "float4e2m1": "fp4",
}
"""Types that weights have, and what their precision is called."""

DEFAULT_PRECISION = "fp32"

_BIASED = frozenset({"QLinearConv", "com.microsoft.QLinearConv", "com.microsoft.QGemm"})
"""Operators whose biases are 32-bit integers."""

_ASIDE = frozenset({"buffer", "shape", "mask"})
"""Roles of constants that are no parameters."""

_KEPT = frozenset({"buffer", "mask"})
"""Roles of constants that are buffers: numbers that a model keeps, and that nobody trained."""


@dataclass(frozen=True, kw_only=True)
class Constants:
    """What a file's constants are.

    Attributes:
        count: fields of `ParameterCount` that a graph tells.
        made: results of operators that make weights.
    """

    count: Mapping[str, Any]
    made: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class _Parameter:
    type_name: str
    elements: int
    size_bytes: int
    uses: int


def count_tensors(graph: GraphProto, tensors: Mapping[str, Tensor]) -> Constants:
    """Tell the parameters and the buffers of a file; which ones are trained it does not say.

    Parameters are constants of a floating or a narrow type with at least one axis that end in an
    operator which computes with them, the biases of quantised layers, and what operators make of
    shapes where it takes a weight's place. Means, variances, scales, zero points and masks are
    buffers. Of a sparse tensor the numbers that are stored count.

    Args:
        graph: as the file has it: constants that follow from shapes would be taken for parameters.
        tensors: what is known of its tensors, to tell how large those are that operators make.
    """
    trace = Trace(tensors=tensors)
    trace.graph(graph)
    made = list(_made(trace.made))
    parameters = [*_stored(trace.sources), *made]
    buffers = [one for one in trace.sources if _is_buffer(one)]
    buffers += _made_buffers(trace)
    by_type: Counter[str] = Counter()
    bytes_by_type: Counter[str] = Counter()
    for one in parameters:
        by_type[one.type_name] += one.elements
        bytes_by_type[one.type_name] += one.size_bytes
    count = {
        "parameters": by_type.total(),
        "parameters_with_duplicates": sum(one.elements * one.uses for one in parameters),
        "parameter_bytes": bytes_by_type.total(),
        "buffers": sum(_elements(one) for one in buffers),
        "buffer_bytes": sum(one.size_bytes for one in buffers),
        "parameters_by_dtype": dict(by_type),
        "parameter_bytes_by_dtype": dict(bytes_by_type),
    }
    weights = {source.made for one in trace.made for source in one.sources}
    return Constants(count=count, made=frozenset(weights))


def precision_of(by_type: Mapping[str, int]) -> str:
    """What the type of most of the parameters' elements is called; fp32 where there are none."""
    elements: Counter[str] = Counter()
    for name, count in by_type.items():
        if name in PRECISIONS:
            elements[PRECISIONS[name]] += count
    return elements.most_common(1)[0][0] if elements else DEFAULT_PRECISION


def stored_precisions(tensors: Iterable[TensorProto]) -> Counter[str]:
    """How many numbers a file stores in each precision; those that shapes are made of left out."""
    elements: Counter[str] = Counter()
    for one in tensors:
        precision = PRECISIONS.get(_type_name(one.data_type))
        if precision is not None:
            elements[precision] += math.prod(one.dims)
    return elements


def _stored(sources: Iterable[Source]) -> Iterator[_Parameter]:
    """Parameters that the file holds."""
    for one in sources:
        if _is_parameter(one):
            yield _Parameter(
                type_name=_type_name(one.kind, one.bits),
                elements=_elements(one),
                size_bytes=one.size_bytes,
                uses=one.uses,
            )


def _made(found: Iterable[MadeWeight]) -> Iterator[_Parameter]:
    """Parameters that operators make: those made of the same are one."""
    together: dict[frozenset[Source], list[MadeWeight]] = {}
    for one in found:
        together.setdefault(one.sources, []).append(one)
    for alike in together.values():
        largest = max(alike, key=lambda one: one.elements)
        if not largest.elements:
            continue  # where its shape is not known, what takes it is named as unknown
        size_bytes = Tensor(largest.kind, (largest.elements,)).size_bytes
        yield _Parameter(
            type_name=_type_name(largest.kind),
            elements=largest.elements,
            size_bytes=size_bytes,
            uses=len(alike),
        )


def _made_buffers(trace: Trace) -> list[Source]:
    """Means and variances that operators make."""
    return [one for one in trace.made_sources if one.roles == {"buffer"} and one.rank]


def _is_parameter(one: Source) -> bool:
    roles = one.roles - _ASIDE
    name = _type_name(one.kind, one.bits)
    if not roles or not one.rank:
        return False
    if name in ("int32", "int64"):
        return one.unpacked or one.multiplied or bool(roles & _BIASED)
    if name not in PRECISIONS:
        return False
    if one.is_mask:
        return one.multiplied
    return "int" not in name or one.unpacked or one.multiplied or _takes_narrow(roles)


def _is_buffer(one: Source) -> bool:
    if one.roles == {"buffer"}:
        return True
    name = _type_name(one.kind)
    narrow = name == "bool" or (name in PRECISIONS and "int" in name)
    if not (one.roles & _KEPT or one.is_mask or narrow):
        return False
    numbers = narrow or name in PRECISIONS  # of wider integers, shapes are made
    return bool(numbers and one.rank and one.roles - {"shape"} and not _is_parameter(one))


def _takes_narrow(operators: set[str]) -> bool:
    """Whether narrow integers are weights in one of these; in others they are masks, or numbers."""
    return any(one == "Gather" or "." in one for one in operators)


def _elements(one: Source) -> int:
    return one.elements * (8 // one.bits if one.bits else 1)


def _type_name(kind: int, bits: int | None = None) -> str:
    """Name of an element type, as torch writes it where both have it."""
    if bits:
        return f"uint{bits}"
    name = kind_name(kind)
    return {"FLOAT": "float32", "DOUBLE": "float64"}.get(name, name.lower())
