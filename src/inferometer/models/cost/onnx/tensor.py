"""What is known of a tensor of an ONNX graph: its type and its shape."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from onnx import SparseTensorProto

_WIDTHS = {
    128: "COMPLEX128",
    64: "INT64 UINT64 DOUBLE COMPLEX64",
    32: "INT32 UINT32 FLOAT",
    16: "INT16 UINT16 FLOAT16 BFLOAT16",
    8: "BOOL INT8 UINT8 FLOAT8E4M3FN FLOAT8E4M3FNUZ FLOAT8E5M2 FLOAT8E5M2FNUZ FLOAT8E8M0",
    6: "FLOAT6E2M3 FLOAT6E3M2",
    4: "INT4 UINT4 FLOAT4E2M1",
    2: "INT2 UINT2",
}
_BITS = {name: bits for bits, names in _WIDTHS.items() for name in names.split()}
"""Of an element as it is stored: the types that older releases of onnx give are wider."""


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
        """Its bytes; narrow elements share one."""
        return -(-self.elements * element_bits(self.kind) // 8)


def kind_name(kind: int) -> str:
    """Name of an element type in ONNX; `UNDEFINED` for a number that is none."""
    import onnx

    known = onnx.TensorProto.DataType
    return str(known.Name(kind)) if kind in known.values() else "UNDEFINED"


def element_bits(kind: int) -> int:
    """Bits of an element of a type; 0 for texts and for an unknown type."""
    return _BITS.get(kind_name(kind), 0)


def sparse_bytes(sparse: SparseTensorProto) -> int:
    """Bytes of a sparse tensor as it is stored: its values, and where they lie."""
    parts = (sparse.values, sparse.indices)
    return sum(Tensor(one.data_type, tuple(one.dims)).size_bytes for one in parts)
