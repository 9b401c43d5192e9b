"""Sets the open axes of an ONNX file's inputs to a batch and an input size."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from inferometer.core.errors import WorkloadError
from inferometer.core.shown import shown
from inferometer.models.cost.onnx.expressions import Expression, expression
from inferometer.models.cost.onnx.node import bodies, real_inputs

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, ValueInfoProto

BATCH_NAMES = ("n", "b", "bs")
"""Names of an axis, besides those with `batch` in them, that say it is the batch."""

NAMELESS = ("", "?")
"""Names of axes that are none."""


class Setting(NamedTuple):
    """How open axes were set.

    Attributes:
        batch_size: samples in the call.
        notes: on the lengths of open axes, for people.
    """

    batch_size: int
    notes: tuple[str, ...]


def own_batch(model: ModelProto, path: Path) -> int:
    """Samples that a file was made for; 1 where it leaves that open."""
    axes = _axes(model.graph)
    return 1 if _batch_names(axes) else _own_batch(path, axes, None)


def set_axes(
    model: ModelProto, path: Path, *, batch_size: int | None, input_size: int | None
) -> Setting:
    """Set open axes to the batch or to the size; those that are sums of others follow from them.

    Args:
        model: changed in place.
        path: its file, for messages.
        batch_size: samples in the call; None is as many as the file was made for, 1 where it
            leaves that open.
        input_size: length of the axes that are open besides; None where none is.

    Raises:
        WorkloadError: (unsupported) the file is for another shape, or open where nothing was said.
    """
    axes = _axes(model.graph)
    batch = _batch_names(axes)
    own = 1 if batch else _own_batch(path, axes, batch_size)
    samples = own if batch_size is None else batch_size
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
    used = {one.label: one.set(lengths, path) for one in axes if one.names}
    sized = {lengths[name] for name in lengths if name not in batch}
    sized |= {one.axis.dim_value for one in axes if one.place and not one.names}
    if input_size is not None and input_size not in sized:
        raise WorkloadError(
            "unsupported", f"{shown(path)} was made for one input size, not for {input_size}"
        )
    if not used:
        return Setting(samples, ())
    _tell(model.graph, used, lengths)
    notes = ", ".join(f"{shown(name)} = {length}" for name, length in used.items())
    return Setting(samples, (f"open axes: {notes}",))


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


@dataclass(kw_only=True)
class _Axis:
    """An axis of an input, as the file has it.

    Attributes:
        input: name of the input.
        place: number of the axis.
        axis: its length or its name; set in place.
        label: what it is called.
        is_open: whether the file leaves its length to the caller; 0 is a length.
        follows: how its length follows from others; None where it has a name of its own.
    """

    input: str
    place: int
    axis: Any
    label: str = field(init=False)
    is_open: bool = field(init=False)
    follows: Expression | None = None

    def __post_init__(self) -> None:
        name = self.axis.dim_param
        self.label = name if name not in NAMELESS else f"{self.input}[{self.place}]"
        self.is_open = not self.axis.HasField("dim_value") or self.axis.dim_value < 0

    @property
    def names(self) -> frozenset[str]:
        """Lengths that must be known before its own is."""
        if not self.is_open:
            return frozenset()
        return frozenset([self.label]) if self.follows is None else self.follows.names

    def set(self, lengths: Mapping[str, int], path: Path) -> int:
        """Its length, which is written down.

        Raises:
            WorkloadError: (unsupported) it has none.
        """
        found = lengths[self.label] if self.follows is None else self.follows.value(lengths)
        if found is None or found < 0:
            known = ", ".join(f"{shown(name)} = {lengths[name]}" for name in sorted(self.names))
            raise WorkloadError(
                "unsupported",
                f"{shown(path)}: input {shown(self.input)} has no length along "
                f"{shown(self.label)} where {known}",
            )
        self.axis.dim_value = found
        return found


def _axes(graph: GraphProto) -> list[_Axis]:
    axes = [
        _Axis(input=value.name, place=place, axis=axis)
        for value in real_inputs(graph)
        if value.type.HasField("tensor_type")
        for place, axis in enumerate(value.type.tensor_type.shape.dim)
    ]
    found = {one.label: expression(one.label) for one in axes if one.axis.dim_param}
    plain = {label for label, follows in found.items() if follows is None}
    for one in axes:
        follows = found.get(one.label) if one.is_open else None
        # `batch-size` is a name, unless something else is called `batch` or `size`.
        if follows is not None and (not follows.is_hyphenated or follows.names & plain):
            one.follows = follows
    return axes


def _batch_names(axes: list[_Axis]) -> set[str]:
    """Open lengths that are the batch: those that are called so, else the first of each input.

    A first axis without a name is the batch beside those that are called so.
    """
    names = {name for one in axes for name in one.names}
    first = [one for one in axes if one.place == 0]
    named = {name for name in names if _says_batch(name)}
    if not named:
        return {name for one in first if len(one.names) == 1 for name in one.names}
    return named | {one.label for one in first if one.is_open and one.axis.dim_param in NAMELESS}


def _says_batch(name: str) -> bool:
    return "batch" in name.lower() or name.lower() in BATCH_NAMES


def _own_batch(path: Path, axes: list[_Axis], batch_size: int | None) -> int:
    """The batch that a file is for: the first axis of the first input that has several.

    One without rows, such as an empty past, tells only where no other does.

    Raises:
        WorkloadError: (unsupported) another one is asked for.
    """
    deep = {one.input for one in axes if one.place == 1}
    rows = [one for one in axes if one.input in deep and one.place == 0]
    rows.sort(key=lambda one: not one.is_open and one.axis.dim_value == 0)
    first = next(iter(rows), None)
    if first is None:
        if batch_size not in (None, 1):
            raise WorkloadError("unsupported", f"{shown(path)}: no input has an axis for a batch")
        return 1
    if first.is_open:  # what it is made of is no batch
        return batch_size or 1
    own = int(first.axis.dim_value)
    if batch_size not in (None, own):
        raise WorkloadError(
            "unsupported",
            f"{shown(path)} was made for batch {own} (first axis of {shown(first.input)}), "
            f"not {batch_size}",
        )
    return own
