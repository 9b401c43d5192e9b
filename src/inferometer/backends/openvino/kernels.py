"""What OpenVINO computes in the precision that was asked for, and what stays in fp32.

A file says where it is quantised, and a property what to compute in; whether there is a kernel for
it shows only in the compiled model.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from inferometer.core.shown import shown

if TYPE_CHECKING:
    from openvino import CompiledModel

KINDS = {
    "Convolution": "convolutions",
    "Deconvolution": "transposed convolutions",
    "FullyConnected": "matrix products",
    "MatMul": "matrix products",
    "RNNCell": "recurrent layers",
    "RNNSeq": "recurrent layers",
    "ScaledDotProductAttention": "attention layers",
}
"""Operators of a compiled model that most of the time goes into."""

TYPES = {"int8": ("i8", "u8"), "bf16": ("bf16",), "fp16": ("f16",)}
"""Precision → types that say of an operator that it is computed so."""

MOST_NAMES = 3


@dataclass
class Computed:
    """How operators of one kind are computed.

    Attributes:
        asked: how many in the precision that was asked for.
        others: names of those in another.
    """

    asked: int = 0
    others: list[str] = field(default_factory=list)


def computed(compiled: CompiledModel, precision: str) -> dict[str, Computed]:
    """What became of the heavy operators of a model, by their kind."""
    found: dict[str, Computed] = defaultdict(Computed)
    for operator in compiled.get_runtime_model().get_ordered_ops():
        facts = operator.get_rt_info()
        kind = KINDS.get(facts["layerType"].astype(str))
        if kind is None:
            continue
        if facts["runtimePrecision"].astype(str) in TYPES[precision]:
            found[kind].asked += 1
        else:
            found[kind].others.append(operator.get_friendly_name())
    return found


def left_in_fp32(found: dict[str, Computed]) -> tuple[str, ...]:
    """Sentences about operators that stay in fp32."""
    return tuple(
        f"{len(one.others)} of {one.asked + len(one.others)} {kind} stay in fp32: "
        f"{_listed(one.others)}"
        for kind, one in found.items()
        if one.others
    )


def _listed(names: list[str]) -> str:
    """The first few names."""
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return ", ".join(map(shown, names[:MOST_NAMES])) + more
