"""The analytical cost of a call: operations and bytes, by operator and by module.

One multiply-accumulate (MAC) is two floating-point operations (FLOPs). Both count convolutions,
matrix products, attention and recurrent cells; element-wise work is counted apart.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal[
    "convolution",
    "matrix product",
    "attention",
    "recurrent",
    "normalisation",
    "pooling",
    "element-wise",
    "reduction",
    "data movement",
    "unknown",
]
"""What an operator does. `unknown`: the counter does not know it, and says so."""

FLOPS_PER_MAC = 2


@dataclass(frozen=True, kw_only=True)
class OperatorCost:
    """All calls of one operator in one module, added up.

    Attributes:
        operator: its name in the runtime, such as `aten.convolution` or, in ONNX, `Conv`.
        kind: what it does.
        module: dotted path of the innermost module that called it; empty for the network itself.
        calls: how often.
        macs: multiply-accumulates; 0 for an operator that has none, and for an unknown one.
        elementwise_flops: additions, multiplications, comparisons and function values that are no
            multiply-accumulates, one for each element.
        bytes_read: bytes of its inputs, weights included.
        bytes_written: bytes of its outputs; 0 for a view.
        depthwise: whether it convolves each channel alone; False where the counter does not tell.
    """

    operator: str
    kind: Kind
    module: str
    calls: int
    macs: int
    elementwise_flops: int
    bytes_read: int
    bytes_written: int
    depthwise: bool = False

    @property
    def flops(self) -> int:
        """Floating-point operations of the multiply-accumulates."""
        return FLOPS_PER_MAC * self.macs


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What one call of a network costs, whatever it runs on.

    Attributes:
        operators: by operator and module, in the order of their first call.
        input_bytes: bytes of the call's inputs.
        output_bytes: bytes of its outputs.
        weight_bytes: bytes of the distinct parameters and buffers that the call read.
        activation_bytes: bytes of everything that operators wrote, outputs included.
        activation_peak_bytes: most bytes of such results alive at a time, where each is given up
            as soon as nobody needs it; inputs and weights are not among them.
        method: how it was counted, for people.
    """

    operators: tuple[OperatorCost, ...]
    input_bytes: int
    output_bytes: int
    weight_bytes: int
    activation_bytes: int
    activation_peak_bytes: int
    method: str

    @property
    def macs(self) -> int:
        """Multiply-accumulates of the known operators: where others are unknown, a lower bound."""
        return sum(one.macs for one in self.operators)

    @property
    def flops(self) -> int:
        """Floating-point operations of these: two for each."""
        return FLOPS_PER_MAC * self.macs

    @property
    def elementwise_flops(self) -> int:
        """Operations that are no multiply-accumulates."""
        return sum(one.elementwise_flops for one in self.operators)

    @property
    def operator_calls(self) -> int:
        """Calls of operators that write something; a view costs nothing but its bookkeeping."""
        return sum(one.calls for one in self.operators if one.bytes_written)

    @property
    def operator_bytes(self) -> int:
        """Bytes moved where each operator reads its inputs and writes its outputs once."""
        return sum(one.bytes_read + one.bytes_written for one in self.operators)

    @property
    def compulsory_bytes(self) -> int:
        """Bytes moved at least: inputs and weights read once, outputs written once."""
        return self.input_bytes + self.weight_bytes + self.output_bytes

    @property
    def unknown_operators(self) -> list[str]:
        """Operators whose operations are not in the sums, with how often they were called.

        Where there are any, no intensity, share or roofline follows from the sums.
        """
        calls: Counter[str] = Counter()
        for one in self.operators:
            if one.kind == "unknown":
                calls[one.operator] += one.calls
        return [f"{name} ({times})" for name, times in calls.items()]

    def figures(self) -> dict[str, Any]:
        """The fields of the exported record that follow from it."""
        return {
            "macs": self.macs,
            "flops": self.flops,
            "elementwise_flops": self.elementwise_flops,
            "activation_bytes": self.activation_bytes,
            "activation_peak_bytes": self.activation_peak_bytes,
            "compulsory_bytes": self.compulsory_bytes,
            "operator_bytes": self.operator_bytes,
            "operator_calls": self.operator_calls,
            "unknown_operators": self.unknown_operators,
            "operations_method": self.method,
        }
