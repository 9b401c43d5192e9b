"""Inputs of a file as their user completes them: lengths, types and values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from inferometer.core.errors import ModelReferenceError, WorkloadError
from inferometer.core.references import did_you_mean
from inferometer.core.shown import shown
from inferometer.models.inputs.axes import Axis, Declared, Length, axes_of, batch_names, shape_text
from inferometer.models.inputs.given import BATCH, SIZE, Given

NUMBERS = frozenset(
    {"bool", "float16", "float32", "float64", "complex64", "complex128"}
    | {f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)}
)
"""Types of elements that NumPy has, under its names."""

_PICTURE_AXES = 4


@dataclass(kw_only=True)
class Completed:
    """The inputs of a file with what their user says of them.

    Attributes:
        path: of the file.
        own: lengths of open axes that were given, by their labels.
        fixed: labels of those that no input size sets.
        sized: labels of those that one does, as the user says.
        batches: labels of those that are the batch, as the user says.
        axes: of all inputs.
        inputs: as the file declares them, with types, values and shapes that it does not tell.
    """

    path: Path
    own: dict[str, int] = field(default_factory=dict)
    fixed: set[str] = field(default_factory=set)
    sized: set[str] = field(default_factory=set)
    batches: set[str] = field(default_factory=set)
    axes: list[Axis] = field(default_factory=list)
    inputs: list[Declared] = field(default_factory=list)

    def complete(self, found: Sequence[Declared], given: Sequence[Given]) -> None:
        """Take what a user says of inputs.

        Raises:
            ModelReferenceError: it does not go with them.
        """
        said = {one.name: one for one in given}
        if "" in said:
            said = {self._only(found).name: said[""]}
        known = {one.name for one in found}
        labels = {a.label for a in axes_of({i.name: i.axes or () for i in found}) if a.is_open}
        for name in said.keys() - known:
            self._name_axis(said[name], known, labels)
        self.inputs = [_with(one, said.get(one.name), self.path) for one in found]
        self.axes = axes_of({one.name: one.axes or () for one in self.inputs})
        batch = batch_names(self.axes)
        for one in self.inputs:
            if one.name in said and (shape := said[one.name].shape) is not None:
                self._fill(one, shape, batch)

    def _only(self, found: Sequence[Declared]) -> Declared:
        if len(found) != 1:
            names = ", ".join(shown(one.name) for one in found) or "none"
            raise ModelReferenceError(
                f"{shown(self.path)} has {len(found)} inputs; input= goes with one, or names each, "
                f"as in input=NAME:1x512,OTHER=1; they are: {names}"
            )
        return found[0]

    def _name_axis(self, one: Given, known: set[str], labels: set[str]) -> None:
        """Take the length of an open axis.

        Raises:
            ModelReferenceError: there is no such axis, nor such an input.
        """
        low, high = one.numbers or (0.5, 0.5)
        if one.name not in labels or one.shape is not None or low != high or low != int(low):
            names = ", ".join(map(shown, sorted(known))) or "none"
            raise ModelReferenceError(
                f"{shown(self.path)} has no input {shown(one.name)!r}"
                f"{did_you_mean(one.name, known | labels)}; its inputs: {names}"
            )
        self.own[one.name] = int(low)
        self.fixed.add(one.name)

    def _fill(self, one: Declared, shape: tuple[int | str, ...], batch: set[str]) -> None:
        """Give open axes of an input the lengths of a shape.

        Raises:
            ModelReferenceError: the shape differs from what the file has.
        """
        axes = [axis for axis in self.axes if axis.input == one.name]
        place = next((axis.place for axis in axes if {axis.label} & batch), 0)
        if len(shape) == len(axes) - 1 and BATCH not in shape:
            axes = [axis for axis in axes if axis.place != place]
        elif len(shape) == len(axes) and axes and shape[place] == 1 and BATCH not in shape:
            shape = (*shape[:place], BATCH, *shape[place + 1 :])
        has_batch = BATCH in shape
        fits = len(shape) == len(axes) and all(
            _fits(axis, length, is_batch=not has_batch and axis.label in batch)
            for axis, length in zip(axes, shape, strict=True)
        )
        if not fits:
            raise ModelReferenceError(
                f"{shown(self.path)} takes no input of {'x'.join(map(str, shape))}; leave input= "
                "out, or give the lengths of its axes without the batch"
                + (f" ({shown(one.name)} is {shape_text(one)})" if one.axes else "")
            )
        for axis, length in zip(axes, shape, strict=True):
            if not axis.is_open:
                continue
            if isinstance(length, int):
                self.own[axis.label] = length
                if SIZE in shape or axis.label in batch:
                    self.fixed.add(axis.label)
            else:
                (self.batches if length == BATCH else self.sized).add(axis.label)


def _fits(axis: Axis, length: int | str, *, is_batch: bool) -> bool:
    """Whether an axis takes a length of a user's shape."""
    if axis.is_open:
        return not (is_batch and isinstance(length, int))
    return length == axis.length or (length == BATCH and axis.place == 0)


def _with(one: Declared, said: Given | None, path: Path) -> Declared:
    """An input with what the user says of it.

    Raises:
        ModelReferenceError: the file has another type, or the type has no such numbers.
        WorkloadError: (unsupported) no array holds numbers of its type.
    """
    one = replace(one, dtype=one.dtype or (said.dtype if said else "") or "float32")
    if said is not None and said.dtype and one.dtype != said.dtype:
        raise ModelReferenceError(
            f"{shown(path)}: input {shown(one.name)} is of {one.dtype}, not {said.dtype}"
        )
    _check_dtype(one, path)
    if said is not None and said.numbers is not None:
        one = replace(one, numbers=said.numbers)
        _check_numbers(said.numbers, one, path)
    if one.axes is not None:
        return one
    if said is None or said.shape is None:
        raise ModelReferenceError(
            f"{shown(path)} does not say what shape its input {shown(one.name)} has; write "
            f"that of one sample, as in input={shown(one.name)}:3x224x224"
        )
    return replace(one, axes=_axes_said(said.shape))


def _axes_said(shape: tuple[int | str, ...]) -> tuple[Length, ...]:
    """Axes of an input of which its user alone says the shape.

    Of three axes or more the last two are a picture's, and follow the input size.
    """
    batched = shape if BATCH in shape or not shape else (BATCH, *shape)
    is_picture = len(batched) >= _PICTURE_AXES and not {SIZE, BATCH} & set(shape)
    first_open = len(batched) - 2 if is_picture else len(batched)
    words: dict[int | str, Length] = {BATCH: BATCH, SIZE: ""}
    return tuple(
        words.get(length, length) if place < first_open else ""
        for place, length in enumerate(batched)
    )


def _check_numbers(numbers: tuple[float, float], one: Declared, path: Path) -> None:
    import numpy as np

    dtype = np.dtype(one.dtype)
    low, high = (0.0, 1.0) if dtype.kind == "b" else numbers
    if dtype.kind in "iu":
        low, high = float(np.iinfo(dtype).min), float(np.iinfo(dtype).max)
    is_whole = dtype.kind not in "iub" or all(one == int(one) for one in numbers)
    if not is_whole or numbers[0] < low or numbers[1] > high:
        text = "..".join(f"{one:g}" for one in dict.fromkeys(numbers))
        raise ModelReferenceError(
            f"{shown(path)}: input {shown(one.name)} is of {one.dtype}, which does not hold {text}"
        )


def _check_dtype(one: Declared, path: Path) -> None:
    if one.dtype not in NUMBERS:
        raise WorkloadError(
            "unsupported",
            f"{shown(path)}: input {shown(one.name)} is not a tensor of numbers that arrays hold "
            f"({shown(one.dtype)}); none can be made",
        )
