"""What ONNX Runtime computes in the precision that was asked for, and what stays in fp32.

A graph says where it is quantised; whether the runtime has a kernel for it shows only in what its
optimisation makes of the graph. Without one, it converts to fp32 and back around the operator.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from inferometer.backends.onnxruntime.providers import PROVIDERS
from inferometer.backends.onnxruntime.session import opened
from inferometer.core.shown import shown

if TYPE_CHECKING:
    from onnxruntime import SessionOptions

KINDS = {
    "convolutions": {"Conv", "FusedConv", "NhwcFusedConv"},
    "transposed convolutions": {"ConvTranspose"},
    "matrix products": {"MatMul", "FusedMatMul", "Gemm", "FusedGemm"},
    "recurrent layers": {"LSTM", "GRU", "RNN"},
    "attention layers": {"Attention"},
}
"""Operators that most of the time goes into, as they are called without quantisation."""

QUANTISED = {
    "convolutions": {"QLinearConv", "ConvInteger"},
    "matrix products": {
        "QLinearMatMul", "MatMulInteger", "MatMulIntegerToFloat", "DynamicQuantizeMatMul",
        "MatMulInteger16", "QGemm", "MatMulNBits",
    },
    "recurrent layers": {"DynamicQuantizeLSTM"},
    "attention layers": {"QAttention"},
}  # fmt: skip
"""The same as int8 kernels."""


@dataclass
class Computed:
    """How operators of one kind are computed.

    Attributes:
        asked: how many in the precision that was asked for.
        fp32: names of those that stay in fp32.
    """

    asked: int = 0
    fp32: list[str] = field(default_factory=list)


def computed(path: str, options: SessionOptions, precision: str) -> dict[str, Computed]:
    """What becomes of the heavy operators of a file on the processor, by their kind.

    Args:
        path: of the file.
        options: of the session that will run it; they are changed.
        precision: that was asked for, fp16 or int8.

    Raises:
        WorkloadError: as `opened`.
    """
    import onnx

    with TemporaryDirectory() as folder:
        optimised = Path(folder) / "optimised.onnx"
        options.optimized_model_filepath = str(optimised)
        options.add_session_config_entry(
            "session.optimized_model_external_initializers_file_name", "weights"
        )
        opened(path, options, [(PROVIDERS["cpu"].name, {})])
        graph = onnx.load(optimised, load_external_data=False).graph
    return _halves(graph) if precision == "fp16" else _integers(graph)


def _integers(graph: Any) -> dict[str, Computed]:  # noqa: ANN401 - a message of Protocol Buffers
    """Heavy operators by whether an int8 kernel has taken their place."""
    found: dict[str, Computed] = defaultdict(Computed)
    for node in nodes(graph):
        for kind, names in KINDS.items():
            if node.op_type in QUANTISED.get(kind, ()):
                found[kind].asked += 1
            elif node.op_type in names:
                found[kind].fp32.append(_name(node))
    return found


def _halves(graph: Any) -> dict[str, Computed]:  # noqa: ANN401 - a message of Protocol Buffers
    """Heavy operators by the type that their weights have by now; of others it does not show."""
    import onnx

    found: dict[str, Computed] = defaultdict(Computed)
    types = {one.name: one.data_type for one in graph.initializer}
    for node in nodes(graph):
        kind = next((kind for kind, names in KINDS.items() if node.op_type in names), None)
        weights = {types[name] for name in node.input if name in types}
        if kind is not None and onnx.TensorProto.FLOAT16 in weights:
            found[kind].asked += 1
        elif kind is not None and weights:
            found[kind].fp32.append(_name(node))
    return found


def left_in_fp32(found: Mapping[str, Computed]) -> tuple[str, ...]:
    """Sentences about operators that stay in fp32, with names where they are not all of a kind."""
    return tuple(
        f"{len(one.fp32)} of {one.asked + len(one.fp32)} {kind} stay in fp32"
        + (f": {_listed(one.fp32)}" if one.asked else "")
        for kind, one in found.items()
        if one.fp32
    )


def nodes(graph: Any) -> Iterator[Any]:  # noqa: ANN401 - messages of Protocol Buffers
    """Nodes of a graph, with those of the graphs in their attributes."""
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            for inner in (attribute.g, *attribute.graphs):
                yield from nodes(inner)


def _name(node: Any) -> str:  # noqa: ANN401 - a message of Protocol Buffers
    return str(node.name or node.output[0])


def _listed(names: list[str], most: int = 3) -> str:
    """The first few names."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(map(shown, names[:most])) + more
