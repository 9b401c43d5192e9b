"""What a user says of a model's inputs in its reference: `?input=x:1x512,sr=16000`.

Entries stand between commas. Each is `NAME:SHAPE:TYPE=NUMBERS`, of which any part may be left out:
`3x224x224` is the shape of the only input, `ids:128:int64=0..30521` names one with its numbers, and
`sr=16000` gives one number for all of an input, or the length of an open axis of that name.

A shape is that of one sample, without the batch. Where the batch is another axis than the first, or
only some axes follow the input size, words say so: `state:2xbatchx128`, `x:3x48xsize`. `scalar` is
a number without axes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from inferometer.core.errors import ModelReferenceError
from inferometer.core.shown import shown

MOST_AXES = 16
LONGEST_AXIS_DIGITS = 9
"""Of a shape that a user writes: longer ones are no lengths, and overflow those of a runtime."""

SCALAR = "scalar"
BATCH, SIZE = "batch", "size"
"""Words in the place of the length of an axis."""

_DTYPES = frozenset({"float16", "float32", "float64", "bool"}) | {
    f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)
}
_AXIS = rf"([1-9][0-9]*|{BATCH}|{SIZE})"
_SHAPE = re.compile(rf"{_AXIS}(x{_AXIS})*")
_NUMBER = r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?"
_NUMBERS = re.compile(rf"({_NUMBER}|true|false)(?:\.\.({_NUMBER}))?", re.IGNORECASE)
_TRUTH = {"true": 1.0, "false": 0.0}
_LARGEST = 2.0**53
"""Whole numbers beyond it are not exact in what holds ranges."""

_OPEN = re.compile(r"[?&]input=[^&]*$")
_ENTRY = re.compile(
    rf"(?!.*\?)([^&]+:)?({_SHAPE.pattern}|{SCALAR})(:\w+)?(={_NUMBERS.pattern})?(&|$)"
    rf"|(?!.*\?)[^&?]+={_NUMBERS.pattern}(&|$)",
    re.IGNORECASE,
)
"""A reference that goes on with an entry, and what is one and no reference."""

_SHAPELIKE = re.compile(r"-?[0-9.]*(x-?[0-9.]*)*")
"""What is meant as a shape, whether or not it is one."""


@dataclass(frozen=True, kw_only=True)
class Given:
    """What is said of an input.

    Attributes:
        name: of the input; empty for the only one.
        shape: of one sample, or with the batch where a word says so; None where nothing is said.
        dtype: type of the elements, as NumPy names it; empty where nothing is said.
        numbers: least and greatest of the values; None where nothing is said.
    """

    name: str = ""
    shape: tuple[int | str, ...] | None = None
    dtype: str = ""
    numbers: tuple[float, float] | None = None

    @property
    def plain(self) -> tuple[int, ...] | None:
        """The shape, where that is all that is said, in numbers."""
        lengths = tuple(one for one in self.shape or () if isinstance(one, int))
        said_more = self.name or self.dtype or self.numbers
        return None if said_more or not lengths or lengths != self.shape else lengths

    @property
    def shape_text(self) -> str:
        """The shape, for people."""
        return "x".join(map(str, self.shape or ())) or SCALAR


def read_given(text: str) -> tuple[Given, ...]:
    """Read what follows `input=`.

    Raises:
        ModelReferenceError: it is not written like that.
    """
    found = tuple(_entry(one.strip(), text) for one in text.split(","))
    names = [one.name for one in found]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        what = f"the input {shown(twice)} twice" if twice else "two shapes; put NAME: before each"
        raise ModelReferenceError(f"input={shown(text)} gives {what}")
    return found


def rejoined(parts: Sequence[str]) -> list[str]:
    """References from the parts of a list between commas: entries of `input=` go together again."""
    found: list[str] = []
    for part in parts:
        if found and _OPEN.search(found[-1]) and _ENTRY.match(part):
            found[-1] += f",{part}"
        else:
            found.append(part)
    return found


def only_shape(given: Sequence[Given]) -> tuple[int, ...] | None:
    """The shape of one sample, for a model that takes one array of a known type.

    Raises:
        ModelReferenceError: more is said than that.
    """
    if not given:
        return None
    shape = given[0].plain
    if len(given) > 1 or shape is None:
        raise ModelReferenceError(
            "names, types and values in input= are for model files; this model takes the shape of "
            "one sample, as in input=3x224x224"
        )
    return shape


def _entry(entry: str, text: str) -> Given:
    head, equals, said = entry.rpartition("=")
    parts = (head if equals else entry).split(":")
    dtype = parts.pop() if parts[-1] in _DTYPES else ""
    is_name = bool(equals) and parts[-1] in (BATCH, SIZE) and len(parts) == 1
    is_shape = not is_name and (parts[-1] == SCALAR or bool(_SHAPE.fullmatch(parts[-1])))
    shape = _shape(parts.pop(), text) if is_shape else None
    name = ":".join(parts)
    if not equals and shape is None and (not name or _SHAPELIKE.fullmatch(parts[-1]) or not dtype):
        raise _no_shape(text, entry)
    return Given(name=name, shape=shape, dtype=dtype, numbers=_numbers(said) if equals else None)


def _no_shape(text: str, entry: str) -> ModelReferenceError:
    which = "" if entry in ("", text) else f": {shown(entry)}"
    return ModelReferenceError(
        f"input={shown(text)} is not a shape{which}; write the shape of one sample, as in "
        "input=3x224x224, or NAME:SHAPE:TYPE=NUMBERS for several, as in "
        "input=x:1x512,sr:int64=16000"
    )


def _shape(text: str, whole: str) -> tuple[int | str, ...]:
    if text == SCALAR:
        return ()
    parts = text.split("x")
    if len(parts) > MOST_AXES or max(map(len, parts)) > LONGEST_AXIS_DIGITS:
        raise ModelReferenceError(
            f"input={shown(whole)} is too large: {MOST_AXES} axes of {LONGEST_AXIS_DIGITS} digits "
            "at the most"
        )
    if parts.count(BATCH) > 1:
        raise ModelReferenceError(f"input={shown(whole)}: {shown(text)} has two axes for the batch")
    return tuple(int(one) if one.isdigit() else one for one in parts)


def _numbers(text: str) -> tuple[float, float]:
    found = _NUMBERS.fullmatch(text)
    if found is None:
        raise ModelReferenceError(
            f"{shown(text)} in input= is neither a number nor a range of them; write 16000, or "
            "0..255"
        )
    first, last = found.groups()
    low = _TRUTH.get(first.lower()) if first.lower() in _TRUTH else float(first)
    high = low if last is None else float(last)
    assert low is not None
    assert high is not None
    if not low <= high:
        raise ModelReferenceError(f"{shown(text)} in input= begins after it ends")
    if max(abs(low), abs(high)) > _LARGEST:
        raise ModelReferenceError(f"{shown(text)} in input= is too large a number")
    return low, high
