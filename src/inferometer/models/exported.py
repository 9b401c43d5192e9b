"""Load what `torch.export.save` wrote: a program with example inputs and the shapes it takes."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inferometer.core.errors import WorkloadError
from inferometer.core.format import Format
from inferometer.core.model import Inputs, LoadedModel
from inferometer.core.shown import shown
from inferometer.host.userfiles import importable
from inferometer.models.building import checked_parameters
from inferometer.models.failures import building
from inferometer.models.guards.exported import check_exported
from inferometer.models.guards.refusal import blaming
from inferometer.models.inputs import ExampleInputs

_UNCHECKED = 2
"""A least length that torch assumes by itself, and does not check in a call."""


@dataclass(frozen=True, kw_only=True)
class Range:
    """Lengths that an axis of an exported program takes, both ends included."""

    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class ExportedInputs:
    """Inputs like a program's example, of the shapes that it takes.

    Attributes:
        example: the program's example.
        taken: for each tensor, in the order of the arguments, what each of its axes takes.
        file: name of the file, for messages.
    """

    example: ExampleInputs
    taken: tuple[tuple[Range, ...], ...]
    file: str

    @property
    def batch_size(self) -> int:
        """That of the example inputs in the file."""
        return self.example.batch_size

    def make(self, *, batch_size: int, input_size: int | None, seed: int) -> Inputs:
        """Inputs of one call.

        Raises:
            WorkloadError: (unsupported) the program was exported for other shapes.
        """
        from torch.utils._pytree import tree_leaves

        inputs = self.example.make(batch_size=batch_size, input_size=input_size, seed=seed)
        tensors = [
            leaf for leaf in tree_leaves((inputs.args, dict(inputs.kwargs))) if _shaped(leaf)
        ]
        for tensor, taken in zip(tensors, self.taken, strict=True):
            for axis, (length, span) in enumerate(zip(tensor.shape, taken, strict=True)):
                if not span.low <= length <= span.high:
                    raise WorkloadError("unsupported", self._refusal(inputs, axis, span))
        return inputs

    def _refusal(self, inputs: Inputs, axis: int, span: Range) -> str:
        wanted = f"{span.low:g}" if span.low == span.high else f"{span.low:g} to {span.high:g}"
        return (
            f"{self.file} was exported for {wanted} along axis {axis}, not for {inputs.shape}; "
            "export it with dynamic_shapes to run others"
        )


def load_exported(path: Path, *, trusted: bool) -> LoadedModel:
    """Load an exported program.

    Args:
        path: its archive.
        trusted: whether code in the file may run.

    Raises:
        WorkloadError: (bad_model) it is damaged, or could run code and is not trusted;
            (unsupported) it holds no example inputs.
    """
    import torch

    if trusted:
        importable(path.parent)  # classes of its inputs may lie beside it
    else:
        check_exported(path)
    reading = nullcontext() if trusted else blaming(path, "cannot be loaded")
    with building(str(path)), reading:
        program = torch.export.load(path)
        network = program.module()
    if program.example_inputs is None:
        raise WorkloadError(
            "unsupported", f"{shown(path)} holds no example inputs; export it with them"
        )
    args, kwargs = program.example_inputs
    return LoadedModel(
        network=network,
        format=Format.EXPORTED_PROGRAM,
        inputs=ExportedInputs(
            example=ExampleInputs(args=tuple(args), kwargs=dict(kwargs)),
            taken=_taken(program),
            file=path.name,
        ),
        source="file",
        weights=f"file {path.name}",
        notes=checked_parameters(network, str(path)),
        files=(str(path),),
    )


def _taken(program: Any) -> tuple[tuple[Range, ...], ...]:  # noqa: ANN401 - an exported program
    """What each axis of each tensor among the program's own inputs takes."""
    wanted = set(program.graph_signature.user_inputs)
    values = [
        node.meta.get("val")
        for node in program.graph.nodes
        if node.op == "placeholder" and node.name in wanted
    ]
    return tuple(
        _ranges(value.shape, program.range_constraints) for value in values if _shaped(value)
    )


def _ranges(shape: Sequence[Any], constraints: Any) -> tuple[Range, ...]:  # noqa: ANN401 - sympy's
    spans = []
    for length in shape:
        if isinstance(length, int):
            spans.append(Range(low=length, high=length))
            continue
        found = constraints.get(length.node.expr)
        low = _bound(found, "lower", 0)
        low = 1 if low == _UNCHECKED else low
        spans.append(Range(low=low, high=_bound(found, "upper", None)))
    return tuple(spans)


def _bound(constraint: Any, end: str, otherwise: float | None) -> float:  # noqa: ANN401 - sympy's
    """An end of a range; where it is not a number, there is no limit."""
    try:
        return float(int(getattr(constraint, end)))
    except (AttributeError, TypeError, ValueError, OverflowError):
        return float("inf") if otherwise is None else otherwise


def _shaped(value: object) -> bool:
    return hasattr(value, "shape")
