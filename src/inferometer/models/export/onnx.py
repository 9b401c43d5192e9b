"""From an exported program, or a trace, to an ONNX file with names and open axes of ours."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inferometer.core.errors import MissingExtraError
from inferometer.models.export.call import Call
from inferometer.models.export.capture import Axes, symbols_of

if TYPE_CHECKING:
    import torch
    from onnx import GraphProto, ModelProto
    from torch.export import ExportedProgram

OPSET = 18
"""What torch's exporter writes by itself, without a conversion; every runtime here reads it."""

LARGEST_FILE = 1_800_000_000
"""Bytes of weights that are kept in the file itself; a message of protobuf ends at two gigabytes.
Larger ones lie beside it."""


def require_exporter() -> None:
    """See that what torch's exporter needs is there.

    Raises:
        MissingExtraError: it is not installed.
    """
    for name in ("onnx", "onnxscript"):
        if find_spec(name) is None:
            raise MissingExtraError(f"an export to ONNX needs {name}, which", "onnx")


@dataclass(frozen=True, kw_only=True)
class Place:
    """What a file is to look like.

    Attributes:
        path: its own.
        call: how it is called.
        tensors: arrays of the example.
        axes: those that stay open.
        outputs: how many tensors it gives.
    """

    path: Path
    call: Call
    tensors: Sequence[torch.Tensor]
    axes: Axes
    outputs: int

    @property
    def output_names(self) -> list[str]:
        """Names of the tensors that it gives."""
        return [f"output{index}" for index in range(self.outputs)]


def write_program(program: ExportedProgram, place: Place) -> tuple[str, ...]:
    """Write an exported program; gives the paths of its files."""
    import torch

    made: Any = torch.onnx.export(
        program,
        dynamo=True,
        verbose=False,
        opset_version=OPSET,
        input_names=list(place.call.names),
        output_names=place.output_names,
    )
    tensors = (*program.state_dict.values(), *program.constants.values())
    stored = sum(one.nbytes for one in tensors if isinstance(one, torch.Tensor))
    made.save(str(place.path), external_data=stored > LARGEST_FILE)
    symbols = symbols_of(program, place.call)
    names = {
        str(symbols[name][axis]): what
        for name, found in place.axes.items()
        for axis, what in found.items()
    }
    return _finish(place, names)


def write_trace(script: torch.jit.ScriptModule, place: Place) -> tuple[str, ...]:
    """Write a trace with torch's older exporter; gives the paths of its files."""
    import torch

    torch.onnx.export(
        script,
        tuple(place.tensors),
        str(place.path),
        dynamo=False,
        verbose=False,
        opset_version=OPSET,
        dynamic_axes={name: dict(found) for name, found in place.axes.items() if found},
        input_names=list(place.call.names),
        output_names=place.output_names,
    )
    return _finish(place, {})


def _finish(place: Place, names: Mapping[str, str]) -> tuple[str, ...]:
    """Name the open axes, and let the file take every input, in order, used or not.

    Exporters name axes by numbers, and the older one leaves out what is not used, after which
    positional inputs would go to the wrong places.
    """
    import onnx

    path = place.path
    model: ModelProto = onnx.load(str(path), load_external_data=False)
    graph = model.graph
    if names:
        symbol = re.compile(rf"\b({'|'.join(map(re.escape, names))})\b")
        for value in (*graph.input, *graph.output, *graph.value_info):
            for axis in value.type.tensor_type.shape.dim:
                if axis.dim_param:
                    axis.dim_param = symbol.sub(lambda found: names[found[1]], axis.dim_param)
    _order_inputs(graph, place)
    for value in graph.input:
        for number, what in place.axes.get(value.name, {}).items():
            value.type.tensor_type.shape.dim[number].dim_param = what
    onnx.save(model, str(path))
    beside = sorted(str(one) for one in path.parent.glob(f"{path.name}*") if one != path)
    return (str(path), *beside)


def _order_inputs(graph: GraphProto, place: Place) -> None:
    """Inputs in the order of the call; one that was left out is put back."""
    there = {value.name: value for value in graph.input}
    ordered = [
        there[name].SerializeToString() if name in there else _absent(name, tensor)
        for name, tensor in zip(place.call.names, place.tensors, strict=True)
    ]
    del graph.input[:]
    for one in ordered:
        graph.input.add().ParseFromString(one)


def _absent(name: str, tensor: torch.Tensor) -> bytes:
    """An input that no operator takes."""
    from onnx import helper

    kind = helper.np_dtype_to_tensor_dtype(tensor.detach().numpy().dtype)
    made: bytes = helper.make_tensor_value_info(name, kind, tensor.shape).SerializeToString()
    return made
