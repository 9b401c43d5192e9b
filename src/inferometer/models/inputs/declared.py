"""Inputs as a model file declares them, and as its user completes that, as a description."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from inferometer.core.shown import shown
from inferometer.models.inputs.axes import Axis, Declared, batch_names, own_batch, shape_text
from inferometer.models.inputs.completing import Completed
from inferometer.models.inputs.generated import Fill, GeneratedInputs, Sum, TensorSpec
from inferometer.models.inputs.given import Given
from inferometer.models.inputs.roles import least_length, names_state, sized_labels, spatial

WHOLE_NOTE = "whole numbers among its inputs are 0 and 1, as the file does not say what they mean"
_PIXELS = (0.0, 255.0)
_PIXEL_AXES = 3


def declared_inputs(
    found: Sequence[Declared], given: Sequence[Given], path: Path
) -> tuple[GeneratedInputs, tuple[str, ...]]:
    """A description of a file's inputs, and notes on what had to be assumed.

    Args:
        found: what the file declares, in its order.
        given: what the user says.
        path: the file.

    Raises:
        ModelReferenceError: that does not go with the file.
        WorkloadError: (unsupported) an input is of numbers that no array holds.
    """
    file = Completed(path=path)
    file.complete(found, given)
    roles = _Roles.of(file)
    specs = tuple(roles.spec(one, file) for one in file.inputs)
    fixed = next((one for one in file.inputs if spatial(one)), None)
    why = ""
    if fixed is not None and not roles.sized:
        specs = tuple(map(_with_picture_axes, specs, file.inputs))
        why = f"the file was made for {shape_text(fixed, spatial(fixed))}"
    made = GeneratedInputs(
        tensors=specs,
        fixed_because=why,
        only_batch=roles.only,
        batch_because=roles.because,
        needs_size=_needs_size(file, roles),
    )
    return made, (*_notes(file.inputs, specs), *_axes_note(roles.assumed))


@dataclass(frozen=True, kw_only=True)
class _Roles:
    """What the open axes of a file are for.

    Attributes:
        batch: names of lengths that are the batch.
        sized: names of those that an input size sets.
        lengths: of others, and of all where no size is asked for.
        assumed: those of them that nobody gave.
        only: the batch of a file that leaves none open.
        because: why it is that one.
    """

    batch: set[str]
    sized: set[str]
    lengths: Mapping[str, int]
    assumed: Mapping[str, int]
    only: int | None
    because: str

    @classmethod
    def of(cls, file: Completed) -> _Roles:
        """As names, places and the user tell them."""
        told = {one.input for one in file.axes if one.label in file.batches}
        others_say = {one.label for one in file.axes if one.input in told}
        batch = (batch_names(file.axes) - others_say - file.fixed - file.sized) | file.batches
        rest = [one for one in file.axes if one.names - batch]
        sized = (sized_labels(rest, file.inputs, batch) | file.sized) - file.fixed - batch
        by_name = {one.name: one for one in file.inputs}
        assumed = {
            name: least_length(name, one, by_name[one.input])
            for one in rest
            for name in sorted(one.names - batch - sized - file.own.keys())
        }
        unknown = dict.fromkeys(sized, 1)  # a size has to be asked for
        only, because = (None, "") if batch else _only_batch(own_batch(file.axes))
        lengths = {**unknown, **assumed, **file.own}
        return cls(
            batch=batch, sized=sized, lengths=lengths, assumed=assumed, only=only, because=because
        )

    def spec(self, one: Declared, file: Completed) -> TensorSpec:
        """A description of an input."""
        axes = [axis for axis in file.axes if axis.input == one.name]
        place = next((axis.place for axis in axes if self._is_batch(axis, len(axes))), None)
        rest = [axis for axis in axes if axis.place != place]
        spec = TensorSpec(
            name=one.name,
            shape=tuple(self._length(axis) for axis in rest),
            dtype=one.dtype,
            batch_axis=place,
            size_axes=tuple(at for at, axis in enumerate(rest) if axis.label in self.sized),
            sums=tuple(
                self._sum(axis, at) for at, axis in enumerate(rest) if axis.follows is not None
            ),
        )
        return _filled(spec, one)

    def _is_batch(self, axis: Axis, count: int) -> bool:
        if self.only is not None:
            return axis.place == 0 and count > 1 and axis.length == self.only
        return axis.is_open and axis.label in self.batch

    def _length(self, axis: Axis) -> int:
        """Where no size is asked for."""
        return self.lengths.get(axis.label, 1) if axis.length is None else axis.length

    def _sum(self, axis: Axis, at: int) -> Sum:
        return Sum(
            axis=at,
            text=axis.name,
            own={name: self.lengths.get(name, 1) for name in sorted(axis.names)},
            batch=tuple(sorted(axis.names & self.batch)),
            sized=tuple(sorted(axis.names & self.sized)),
        )


def _needs_size(file: Completed, roles: _Roles) -> str:
    """Why a size has to be asked for; empty where it need not."""
    for one in file.axes:
        if (one.names & roles.sized) - file.own.keys():
            where = f"input {shown(one.input)} is open along {shown(one.label)}"
            return f"{shown(file.path)}: {where}; give a size"
    return ""


def _filled(spec: TensorSpec, one: Declared) -> TensorSpec:
    """With the values that it shall have."""
    if one.numbers is not None:
        return _between(spec, one.numbers)
    if names_state(one):
        return _between(spec, (0.0, 0.0))
    if spec.dtype == "uint8" and len(spec.shape) >= _PIXEL_AXES:
        return _between(spec, _PIXELS)
    if one.dtype.startswith(("int", "uint", "bool")):
        return _between(spec, (1.0, 1.0) if "mask" in one.name.lower() else (0.0, 1.0))
    is_picture = spatial(one) == (2, 3) and 0 not in spec.shape
    fill: Fill = "image" if is_picture else "normal"
    return replace(spec, fill=fill)


def _between(spec: TensorSpec, numbers: tuple[float, float]) -> TensorSpec:
    return replace(spec, fill="uniform", low=numbers[0], high=numbers[1])


def _with_picture_axes(spec: TensorSpec, one: Declared) -> TensorSpec:
    """With the axes of a picture as those of its size, so that another size is refused."""
    batch = spec.batch_axis
    axes = (axis - (batch is not None and batch < axis) for axis in spatial(one))
    return replace(spec, size_axes=tuple(axes))


def _only_batch(first: Axis | None) -> tuple[int, str]:
    """The batch of a file that leaves none open, and why it is that.

    Args:
        first: the axis that tells it.
    """
    if first is None or first.length is None:
        return 1, "no input has an axis for a batch"
    where = f"(first axis of {shown(first.input)})"
    return first.length, f"the file was made for batch {first.length} {where}"


def _notes(inputs: Sequence[Declared], specs: Sequence[TensorSpec]) -> list[str]:
    whole = [
        (one, spec)
        for one, spec in zip(inputs, specs, strict=True)
        if spec.dtype.startswith(("int", "uint"))
    ]
    unknown = [
        shown(one.name)
        for one, spec in whole
        if not one.numbers and (spec.low, spec.high) == (0, 1)
    ]
    known = [f"{shown(spec.name)} {_range(spec)}" for _, spec in whole if spec.name not in unknown]
    states = [shown(one.name) for one in inputs if names_state(one) and not one.numbers]
    return [
        *([f"whole numbers: {', '.join(known)}"] if known else []),
        *(
            [f"{WHOLE_NOTE}: {', '.join(unknown)}; input=NAME=LOW..HIGH tells others"]
            if unknown
            else []
        ),
        *([f"states are zeros: {', '.join(states)}"] if states else []),
    ]


def _range(spec: TensorSpec) -> str:
    return f"{spec.low:.0f}" if spec.low == spec.high else f"{spec.low:.0f} to {spec.high:.0f}"


def _axes_note(assumed: Mapping[str, int]) -> list[str]:
    if not assumed:
        return []
    told = ", ".join(f"{shown(name)} = {length}" for name, length in assumed.items())
    return [f"open axes that no size sets: {told}; input=AXIS=LENGTH tells others"]
