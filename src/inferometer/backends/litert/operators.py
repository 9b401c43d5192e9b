"""Which operators of a loaded TFLite file run where, and in which type."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ai_edge_litert.interpreter import Interpreter

WEIGHTED = frozenset(
    {"CONV_2D", "CONV_3D", "DEPTHWISE_CONV_2D", "TRANSPOSE_CONV", "FULLY_CONNECTED"}
)
"""Operators whose second operand are weights."""

IN_FP32 = {"fp16": "in fp16", "weights": "in int8"}
"""What of a file is not in single precision where only its weights are not."""

_DELEGATE = "DELEGATE"

Operator = dict[str, Any]
"""What the interpreter tells of one: `op_name`, `inputs`, `outputs`, `operand_types` …"""


def notes_of(interpreter: Interpreter, *, kind: str, delegate: str) -> tuple[str, ...]:
    """What is to be said of the operators of a converted file.

    Args:
        interpreter: with its tensors in place.
        kind: `fp32`, `fp16`, or how int8 was made.
        delegate: what runs the operators.
    """
    # There is no public way to the operators; the version is locked.
    found: list[Operator] = interpreter._get_ops_details()  # noqa: SLF001
    operators = [one for one in found if one["op_name"] != _DELEGATE]
    notes = [_layout(operators)]
    if kind in IN_FP32:
        notes.append(f"its weights are kept {IN_FP32[kind]}; it computes in fp32")
    elif kind != "fp32":
        notes.append(_in_fp32(operators))
    if delegate != "none":
        notes.append(_outside(found, operators))
    return tuple(filter(None, notes))


def outside(found: Sequence[Operator]) -> list[str]:
    """Names of the operators that no delegate runs.

    The interpreter keeps those that a delegate has taken: they lie on the ways back from the
    outputs of the delegate to its inputs.
    """
    maker = {
        int(tensor): number
        for number, one in enumerate(found)
        if one["op_name"] != _DELEGATE
        for tensor in one["outputs"]
    }
    taken: set[int] = set()
    for one in found:
        if one["op_name"] == _DELEGATE:
            limits, ways = _numbers(one["inputs"]), list(_numbers(one["outputs"]))
            while ways:
                number = maker.get(ways.pop())
                if number is not None and number not in taken:
                    taken.add(number)
                    ways += _numbers(found[number]["inputs"]) - limits
    return [
        str(one["op_name"])
        for number, one in enumerate(found)
        if one["op_name"] != _DELEGATE and number not in taken
    ]


def _numbers(tensors: Iterable[int]) -> set[int]:
    return {int(one) for one in tensors}


def _outside(found: Sequence[Operator], operators: Sequence[Operator]) -> str:
    left = Counter(outside(found))
    if not left:
        return ""
    named = ", ".join(f"{count} {name}" for name, count in left.most_common())
    return (
        f"{left.total()} of {len(operators)} operators run outside of XNNPACK, on LiteRT's own "
        f"kernels: {named}"
    )


def _in_fp32(operators: Sequence[Operator]) -> str:
    import numpy as np

    kinds = [
        np.dtype(one["operand_types"][1]).kind for one in operators if one["op_name"] in WEIGHTED
    ]
    left = kinds.count("f")
    return f"{left} of {len(kinds)} convolutions and linear layers stay in fp32" if left else ""


def _layout(operators: Sequence[Operator]) -> str:
    count = sum(one["op_name"] == "TRANSPOSE" for one in operators)
    if not count:
        return ""
    return (
        f"inputs keep the order of axes that torch has: {count} of {len(operators)} operators "
        "transpose, in each call"
    )
