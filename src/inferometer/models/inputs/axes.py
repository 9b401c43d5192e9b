"""A file's inputs and their axes: which are open, which are the batch, which sums of others."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from inferometer.models.inputs.expressions import Expression, expression

Length = int | str
"""Of an axis: a number, or the name of an open one, which may be empty."""

BATCH_NAMES = ("n", "b", "bs")
"""Names of an axis, besides those with `batch` in them, that say it is the batch."""

NAMELESS = ("", "?")
"""Names of axes that are none."""

_SEQUENCE = "seq sequence len length time times frame frames sample samples token tokens step steps"
SEQUENCE = frozenset(_SEQUENCE.split())
"""Words in names of axes that are no batch, wherever they stand."""


@dataclass(frozen=True, kw_only=True)
class Declared:
    """An input as a file declares it.

    Attributes:
        name: of the input.
        axes: lengths, or names of open ones; None where the file does not tell how many there are.
        dtype: type of the elements, as NumPy names it; empty where the file does not say.
        numbers: least and greatest of the whole numbers that it takes, as the model's graph shows.
    """

    name: str
    axes: tuple[Length, ...] | None
    dtype: str = "float32"
    numbers: tuple[float, float] | None = None


@dataclass(frozen=True, kw_only=True)
class Axis:
    """An axis of an input.

    Attributes:
        input: name of the input.
        place: number of the axis.
        length: None where it is open; 0 is a length.
        name: as the file has it.
        follows: how its length follows from others; None where it has a name of its own.
    """

    input: str
    place: int
    length: int | None
    name: str = ""
    follows: Expression | None = None

    @property
    def label(self) -> str:
        """What it is called."""
        return f"{self.input}[{self.place}]" if self.name in NAMELESS else self.name

    @property
    def is_open(self) -> bool:
        """Whether the file leaves its length to the caller."""
        return self.length is None

    @property
    def names(self) -> frozenset[str]:
        """Lengths that must be known before its own is."""
        if not self.is_open:
            return frozenset()
        return frozenset([self.label]) if self.follows is None else self.follows.names


def axes_of(inputs: Mapping[str, Sequence[Length]]) -> list[Axis]:
    """The axes of inputs, by their names, in order."""
    texts = {one for lengths in inputs.values() for one in lengths if isinstance(one, str)}
    found = {text: expression(text) for text in texts if text not in NAMELESS}
    plain = {text for text, follows in found.items() if follows is None}

    def follows_of(text: Length) -> Expression | None:
        follows = found.get(text) if isinstance(text, str) else None
        if follows is None or (follows.is_hyphenated and not follows.names & plain):
            return None  # `batch-size` is a name, unless something else is `batch` or `size`
        return follows

    return [
        Axis(
            input=name,
            place=place,
            length=one if isinstance(one, int) else None,
            name="" if isinstance(one, int) else one,
            follows=follows_of(one),
        )
        for name, lengths in inputs.items()
        for place, one in enumerate(lengths)
    ]


def batch_names(axes: Sequence[Axis]) -> set[str]:
    """Open lengths that are the batch: those that are called so, else the first of each input.

    A first axis without a name is the batch beside those that are called so. So is, beside another
    one without a name, the second of a state of layers: of three axes, the only open one.
    """
    names = {name for one in axes for name in one.names}
    first = [one for one in axes if one.place == 0 and not _says(one.name, SEQUENCE)]
    nameless = {one.label for one in first if one.is_open and one.name in NAMELESS}
    found = {name for name in names if says_batch(name)}
    if found:
        return found | nameless
    found = {name for one in first if len(one.names) == 1 for name in one.names}
    return found | (_of_layers(axes) if nameless else set())


def says_batch(name: str) -> bool:
    """Whether the name of an axis says that it is the batch."""
    return "batch" in name.lower() or name.lower() in BATCH_NAMES


def words(name: str) -> list[str]:
    """Words in a name, in small letters."""
    return re.findall(r"[a-z]+", name.lower())


def own_batch(axes: Sequence[Axis]) -> Axis | None:
    """The axis that tells the batch a file is for: the first of the first input that has several.

    One without rows, such as an empty past, tells only where no other does.
    """
    deep = {one.input for one in axes if one.place == 1}
    rows = [one for one in axes if one.input in deep and one.place == 0]
    return min(rows, key=lambda one: one.length == 0, default=None)


def _of_layers(axes: Sequence[Axis]) -> set[str]:
    by_input: dict[str, list[Axis]] = {}
    for one in axes:
        by_input.setdefault(one.input, []).append(one)
    return {
        lengths[1].label
        for lengths in by_input.values()
        if [one.is_open for one in lengths] == [False, True, False] and lengths[1].name in NAMELESS
    }


def _says(name: str, which: frozenset[str]) -> bool:
    return bool(which & set(words(name)))


def shape_text(one: Declared, places: Sequence[int] | None = None) -> str:
    """The shape of an input, or the lengths of some of its axes."""
    axes = one.axes or ()
    found = [axes[at] for at in (range(len(axes)) if places is None else places)]
    return "x".join("?" if length in NAMELESS else str(length) for length in found) or "a number"
