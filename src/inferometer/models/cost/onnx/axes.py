"""Sets the open axes of an ONNX file's inputs to a batch and an input size."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from inferometer.core.errors import WorkloadError
from inferometer.core.shown import shown
from inferometer.models.cost.onnx.node import bodies, real_inputs
from inferometer.models.inputs.axes import Axis, Length, axes_of, batch_names, own_batch
from inferometer.models.inputs.expressions import expression

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, ValueInfoProto

Shapes = Sequence[tuple[str, tuple[int, ...]]]
"""Of inputs with their names; those without come in the order of the file."""


class Setting(NamedTuple):
    """How open axes were set.

    Attributes:
        batch_size: samples in the call.
        notes: on the lengths of open axes, for people.
    """

    batch_size: int
    notes: tuple[str, ...]


def lengths_of(value: ValueInfoProto) -> tuple[Length, ...]:
    """The axes of an input as the file has them; negative lengths are open."""
    return tuple(
        int(one.dim_value) if one.HasField("dim_value") and one.dim_value >= 0 else one.dim_param
        for one in value.type.tensor_type.shape.dim
    )


def set_axes(
    model: ModelProto,
    path: Path,
    *,
    batch_size: int | None,
    input_size: int | None,
    shapes: Shapes | None = None,
) -> Setting:
    """Set open axes to the batch or to the size; those that are sums of others follow from them.

    Args:
        model: changed in place.
        path: its file, for messages.
        batch_size: samples in the call; None is as many as the file was made for, 1 where it
            leaves that open.
        input_size: length of the axes that are open besides; None where none is.
        shapes: of all inputs, where they are known; nothing is then set to a size.

    Raises:
        WorkloadError: (unsupported) the file is for another shape, or open where nothing was said.
    """
    inputs = {
        value.name: value
        for value in real_inputs(model.graph)
        if value.type.HasField("tensor_type")
    }
    axes = axes_of({name: lengths_of(value) for name, value in inputs.items()})
    known = _known(axes, list(inputs), shapes or ())
    batch = batch_names(axes)
    own = 1 if batch else _own_batch(path, axes, batch_size)
    samples = own if batch_size is None else batch_size
    lengths = known or _lengths(path, axes, batch, samples, input_size)
    used: dict[str, int] = {}
    for one in axes:
        if one.names:
            length = known[one.label] if known else _length(one, lengths, path)
            used[one.label] = length
            inputs[one.input].type.tensor_type.shape.dim[one.place].dim_value = length
    if not used:
        return Setting(samples, ())
    _tell(model.graph, used, lengths)
    notes = ", ".join(f"{shown(name)} = {length}" for name, length in used.items())
    return Setting(samples, (f"open axes: {notes}",))


def _known(axes: Sequence[Axis], names: Sequence[str], shapes: Shapes) -> dict[str, int]:
    """Lengths by labels of axes, out of shapes; none where those are not of these inputs."""
    by_place = dict(zip(names, (shape for name, shape in shapes if not name), strict=False))
    found = by_place | {name: shape for name, shape in shapes if name}
    depth = {one.input: one.place + 1 for one in axes}
    if any(len(found.get(name, ())) != depth.get(name, 0) for name in names):
        return {}
    if any(one.length not in (None, found[one.input][one.place]) for one in axes):
        return {}
    return {one.label: found[one.input][one.place] for one in axes}


def _lengths(
    path: Path, axes: Sequence[Axis], batch: set[str], samples: int, input_size: int | None
) -> dict[str, int]:
    """Lengths by the names of open axes.

    Raises:
        WorkloadError: as `set_axes`.
    """
    lengths: dict[str, int] = {}
    for one in axes:
        for name in one.names:
            if name not in batch and input_size is None:
                raise WorkloadError(
                    "unsupported",
                    f"{shown(path)}: input {shown(one.input)} is open along {shown(one.label)}; "
                    "give a size",
                )
            lengths[name] = samples if name in batch else int(input_size or 0)
    sized = {lengths[name] for name in lengths if name not in batch}
    sized |= {one.length for one in axes if one.place and one.length is not None}
    if input_size is not None and input_size not in sized:
        raise WorkloadError(
            "unsupported", f"{shown(path)} was made for one input size, not for {input_size}"
        )
    return lengths


def _length(one: Axis, lengths: Mapping[str, int], path: Path) -> int:
    """The length of an open axis.

    Raises:
        WorkloadError: (unsupported) it has none.
    """
    found = lengths[one.label] if one.follows is None else one.follows.value(lengths)
    if found is None or found < 0:
        known = ", ".join(f"{shown(name)} = {lengths[name]}" for name in sorted(one.names))
        raise WorkloadError(
            "unsupported",
            f"{shown(path)}: input {shown(one.input)} has no length along "
            f"{shown(one.label)} where {known}",
        )
    return found


def _tell(graph: GraphProto, used: Mapping[str, int], lengths: Mapping[str, int]) -> None:
    """Write lengths wherever the graph, or one in it, names them."""
    for value in _values(graph):
        for axis in value.type.tensor_type.shape.dim:
            follows = expression(axis.dim_param)
            if axis.dim_param in used:
                axis.dim_value = used[axis.dim_param]
            elif follows is not None and follows.names <= set(lengths):
                length = follows.value(lengths)
                if length is not None and length >= 0:
                    axis.dim_value = length


def _values(graph: GraphProto) -> Iterator[ValueInfoProto]:
    """What a graph tells of its tensors, and the graphs in it of theirs."""
    yield from [*graph.input, *graph.output, *graph.value_info]
    for node in graph.node:
        for body in bodies(node):
            yield from _values(body)


def _own_batch(path: Path, axes: Sequence[Axis], batch_size: int | None) -> int:
    """The batch that a file is for.

    Raises:
        WorkloadError: (unsupported) another one is asked for.
    """
    first = own_batch(axes)
    if first is None:
        if batch_size not in (None, 1):
            raise WorkloadError("unsupported", f"{shown(path)}: no input has an axis for a batch")
        return 1
    if first.length is None:  # what it is made of is no batch
        return batch_size or 1
    if batch_size not in (None, first.length):
        raise WorkloadError(
            "unsupported",
            f"{shown(path)} was made for batch {first.length} (first axis of "
            f"{shown(first.input)}), not {batch_size}",
        )
    return first.length
