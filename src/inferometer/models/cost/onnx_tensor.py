"""What is known of a tensor of an ONNX graph: its type and its shape."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Tensor:
    """What is known of a tensor.

    Attributes:
        kind: number of its element type in ONNX; 0 where unknown.
        dims: its shape; None where unknown.
    """

    kind: int = 0
    dims: tuple[int, ...] | None = None

    @property
    def elements(self) -> int:
        """How many elements; 0 where unknown."""
        return 0 if self.dims is None else math.prod(self.dims)

    @property
    def size_bytes(self) -> int:
        """Its bytes; two 4-bit elements share one."""
        return math.ceil(self.elements * element_bits(self.kind) / 8)


def element_bits(kind: int) -> int:
    """Bits of an element of a type; 0 for texts and for an unknown type."""
    import onnx

    name = onnx.TensorProto.DataType.Name(kind) if kind else "UNDEFINED"
    narrow = {"INT4": 4, "UINT4": 4, "FLOAT4E2M1": 4, "INT2": 2, "UINT2": 2}
    if name in narrow:
        return narrow[name]
    if name in ("UNDEFINED", "STRING"):
        return 0
    return 8 * int(onnx.helper.tensor_dtype_to_np_dtype(kind).itemsize)
