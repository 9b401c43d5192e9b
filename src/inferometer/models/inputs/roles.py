"""What the axes and inputs of a file are for, as far as names and places tell."""

from __future__ import annotations

from collections.abc import Sequence

from inferometer.models.inputs.axes import SEQUENCE, Axis, Declared, words

_SIZES = "h w height width side size image rows cols"
SIZES = frozenset(_SIZES.split()) | SEQUENCE
"""Words in names of axes that an input size sets."""

_PAST = "past cache cached prev previous"
PAST = frozenset(_PAST.split())
"""Words in names of axes and inputs that hold what was computed in earlier calls."""

_STATES = "state states hidden h c hx cx hn cn memory mem"
STATES = PAST | frozenset(_STATES.split())
"""Words of which the name of an input that holds a state consists, with numbers between them."""

_PICTURE_AXES = 4
_TOKEN_AXES = 2
_MOST_CHANNELS = 4


def sized_labels(axes: Sequence[Axis], inputs: Sequence[Declared], batch: set[str]) -> set[str]:
    """Names of lengths that an input size sets: of pictures, and along sequences.

    Where no name tells it, those of pictures do, and where there are none, those in the place of a
    sequence. Where nothing is known as such, all are, but what is kept of earlier calls.

    Args:
        axes: those that are open, but for the batch.
        inputs: of the file.
        batch: names of lengths that are the batch.
    """
    by_name = {one.name: one for one in inputs}
    labels = {name for one in axes for name in one.names - batch if not set(words(name)) & PAST}
    found = {name for name in labels if set(words(name)) & SIZES and "[" not in name}
    plain = [one for one in axes if one.follows is None]
    pictures = {one.label for one in plain if one.place in spatial(by_name[one.input])}
    sequences = {one.label for one in plain if _is_along_sequence(one, by_name[one.input])}
    found |= (pictures & labels) or (sequences & labels)
    return found or labels


def spatial(one: Declared) -> tuple[int, ...]:
    """The axes of height and width, of an input of pictures; none of others."""
    axes = one.axes or ()
    if len(axes) != _PICTURE_AXES or names_state(one):
        return ()
    channels, last = axes[1], axes[3]
    if not isinstance(last, int) or last > _MOST_CHANNELS:
        return (2, 3)
    return (2, 3) if isinstance(channels, int) and channels <= last else (1, 2)


def names_state(one: Declared) -> bool:
    """Whether an input of floating numbers holds a state, by its name."""
    said = words(one.name)
    is_state = bool(set(said) & PAST) or bool(said and set(said) <= STATES)
    return is_state and one.dtype.startswith("float") and len(one.axes or ()) > 1


def least_length(name: str, axis: Axis, one: Declared) -> int:
    """The least length that makes sense along an axis that neither batch nor size sets."""
    if set(words(name)) & PAST:
        return 0
    return 3 if axis.place == 1 and spatial(one) == (2, 3) else 1


def _is_along_sequence(axis: Axis, one: Declared) -> bool:
    """Whether the length of a sequence stands in this place, whatever the axis is called."""
    axes = one.axes or ()
    if one.dtype.startswith("float"):
        last = max(place for place, length in enumerate(axes) if isinstance(length, str))
        return 0 < axis.place == last and len(axes) < _PICTURE_AXES and not names_state(one)
    return axis.place == 1 and len(axes) == _TOKEN_AXES
