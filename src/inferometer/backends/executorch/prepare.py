"""Make a file of ExecuTorch of a program of torch, lowered to XNNPACK as far as that goes."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inferometer.backends.executorch.session import PACKAGE, is_dynamic
from inferometer.backends.exported import ExportedModel, batched, converting, read_exported
from inferometer.backends.tensors import as_tensor
from inferometer.core.artifact import Artifact
from inferometer.core.format import Format
from inferometer.core.model import Inputs, LoadedModel
from inferometer.core.workload import Variant
from inferometer.host.software import installed_version

if TYPE_CHECKING:
    import torch

_WEIGHTED = re.compile(r"convolution|linear|addmm|\bmm\b|conv\dd")
_NO_WORK = re.compile(r"getitem|executorch_call_delegate|quantized_decomposed")
"""Parts of a graph that are no operators of the model."""


def prepare(
    model: LoadedModel,
    variant: Variant,
    *,
    samples: Sequence[Inputs],
    threads: int,
    into: Path,
) -> Artifact:
    """The file, the names of its inputs, and what is to be said of its operators.

    Raises:
        WorkloadError: as `ExecuTorchBackend.prepare`.
    """
    import torch

    torch.set_num_threads(threads)
    made, named = into / "model.pte", into / "inputs.json"
    with converting(PACKAGE, version=installed_version(PACKAGE) or "", install="executorch"):
        exported = read_exported(model)
        batches = batched(samples, exported.batch_size)
        program = _in_precision(exported, variant, batches)
        notes = _lower(program, made, quantised=variant.precision == "int8")
    named.write_text(json.dumps(_names(exported)))
    return Artifact(format=Format.EXECUTORCH, files=(str(made), str(named)), notes=notes)


def _names(exported: ExportedModel) -> list[str]:
    """Names of the inputs in the order of the program; positional ones by their numbers."""
    return [*(f"input{at}" for at in range(len(exported.args))), *exported.kwargs]


def _in_precision(
    exported: ExportedModel, variant: Variant, batches: list[Inputs]
) -> torch.export.ExportedProgram:
    """The program in a precision."""
    if variant.precision == "int8":
        return _int8(exported, batches, dynamic=is_dynamic(variant))
    if variant.precision == "fp16":
        return _fp16(exported)
    return exported.program


def _fp16(exported: ExportedModel) -> torch.export.ExportedProgram:
    import torch

    def half(one: torch.Tensor) -> torch.Tensor:
        return one.half() if one.is_floating_point() else one

    module = exported.program.module().half()
    kwargs = {name: half(one) for name, one in exported.kwargs.items()}
    return torch.export.export(module, tuple(map(half, exported.args)), kwargs)


def _int8(
    exported: ExportedModel, batches: list[Inputs], *, dynamic: bool
) -> torch.export.ExportedProgram:
    """Weights in int8 for each channel, activations for each tensor."""
    import torch
    from executorch.backends.xnnpack.quantizer.xnnpack_quantizer import (
        XNNPACKQuantizer,
        get_symmetric_quantization_config,
    )
    from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e

    how = get_symmetric_quantization_config(is_per_channel=True, is_dynamic=dynamic)
    watched = prepare_pt2e(exported.program.module(), XNNPACKQuantizer().set_global(how))
    with torch.no_grad():
        for batch in batches:
            args = (as_tensor(one) for one in batch.args)
            watched(*args, **{name: as_tensor(one) for name, one in batch.kwargs.items()})
    return torch.export.export(convert_pt2e(watched), exported.args, exported.kwargs)


def _lower(program: torch.export.ExportedProgram, to: Path, *, quantised: bool) -> tuple[str, ...]:
    """Write the file; gives notes on its operators."""
    from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
    from executorch.exir import to_edge_transform_and_lower

    edge = to_edge_transform_and_lower(program, partitioner=[XnnpackPartitioner()])
    graph = edge.exported_program().graph_module
    outside = list(_operators(graph))
    inside = [one for part in _delegated(graph) for one in _operators(part)]
    to.write_bytes(edge.to_executorch().buffer)
    left = Counter(map(_name, outside))
    notes = []
    if left:
        named = ", ".join(f"{count} {name}" for name, count in left.most_common())
        notes.append(
            f"{left.total()} of {len(inside) + len(outside)} operators run outside of XNNPACK, on "
            f"ExecuTorch's own kernels: {named}"
        )
    weighted = [one for one in (*inside, *outside) if _WEIGHTED.search(_name(one))]
    in_fp32 = sum(not _has_int8_weights(one) for one in weighted)
    if quantised and in_fp32:
        notes.append(f"{in_fp32} of {len(weighted)} convolutions and linear layers stay in fp32")
    return tuple(notes)


def _delegated(graph: Any) -> Iterator[Any]:  # noqa: ANN401 - a graph module
    """Graphs of the parts that XNNPACK runs."""
    for node in graph.graph.nodes:
        part = getattr(graph, node.target, None) if node.op == "get_attr" else None
        if part is not None and hasattr(part, "original_module"):
            yield part.original_module.graph_module


def _operators(graph: Any) -> Iterator[Any]:  # noqa: ANN401 - as above
    """Nodes that are operators of the model."""
    for node in graph.graph.nodes:
        if node.op == "call_function" and not _NO_WORK.search(str(node.target)):
            yield node


def _name(node: Any) -> str:  # noqa: ANN401 - a node
    """What an operator is called, without its namespace and its overload."""
    whole = str(node.target).split(">")[0].removeprefix("<EdgeOpOverload: ")
    parts = whole.split(".")
    return parts[1] if len(parts) > 1 else whole


def _has_int8_weights(node: Any) -> bool:  # noqa: ANN401 - as above
    return any("dequantize_per_channel" in str(one.target) for one in node.all_input_nodes)
