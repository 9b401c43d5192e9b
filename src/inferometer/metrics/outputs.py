"""What a model gave, however nested: the one array that a metric can use, or why there is none."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inferometer.core.errors import WorkloadError
from inferometer.core.nested import leaves
from inferometer.core.shown import shown

Array = NDArray[Any]

PREFERRED = (
    *("logits", "out", "output", "prediction", "predictions", "probabilities", "probs", "scores"),
    *("sentence_embedding", "text_embeds", "pooler_output"),
)
"""Names of what a model is asked for, beside auxiliary outputs of the same shape; best first."""
MOST_SHOWN = 6
"""Arrays that a message lists."""


def unsupported(problem: str) -> WorkloadError:
    """The failure of outputs and labels that do not fit each other."""
    return WorkloadError("unsupported", problem)


def arrays(outputs: object) -> list[tuple[str, Array]]:
    """Every array of numbers in what a model gave, with the path to it; each once."""
    found = {
        id(leaf): (path, np.asarray(leaf))
        for path, leaf in leaves(outputs, whole=_is_numbers)
        if _is_array(leaf) or _is_numbers(leaf)
    }
    return list(found.values())


def pick(
    outputs: object,
    forms: Mapping[str, Callable[[Array], bool]],
    misfit: Callable[[Sequence[tuple[str, Array]]], str] | None = None,
) -> tuple[str, Array]:
    """The only array of the first form that any array has, and the form.

    Args:
        outputs: what a model gave.
        forms: in words, such as `scores of 10 classes, (8, 10)`; with whether an array has it.
        misfit: what is the matter with arrays of which none fits, in plainer words, where it is
            one of the common faults; else empty.

    Raises:
        WorkloadError: (unsupported) none has any, or it cannot be told which is meant; or there
            are NaN in it.
    """
    found = arrays(outputs)
    for form, fits in forms.items():
        fitting = [(path, array) for path, array in found if fits(array)]
        if fitting:
            path, array = _meant(fitting, form)
            require_numbers(array, path)
            return form, array
    there = listed(found) if found else "no array of numbers"
    usual = f"the model gave {there}; the metric needs {' or '.join(forms)}"
    raise unsupported((misfit(found) if misfit else "") or usual)


def require_numbers(array: Array, path: str) -> None:
    """Check that there are no NaN.

    Raises:
        WorkloadError: (unsupported) there are.
    """
    nan = int(np.isnan(array).sum()) if array.dtype.kind == "f" else 0
    if nan:
        raise unsupported(f"{path}: {nan} of {array.size} values are NaN, so nothing is predicted")


def listed(found: Sequence[tuple[str, Array]]) -> str:
    """Arrays in a message: their paths and shapes."""
    words = [f"{shown(path)} {array.shape}" for path, array in found[:MOST_SHOWN]]
    more = len(found) - len(words)
    return ", ".join(words) + (f" and {more} more" if more else "")


def is_float(array: Array) -> bool:
    """Whether an array holds floating-point numbers."""
    return array.dtype.kind == "f"


def _meant(fitting: list[tuple[str, Array]], form: str) -> tuple[str, Array]:
    if len(fitting) == 1:
        return fitting[0]
    for name in PREFERRED:
        named = [one for one in fitting if one[0].endswith(f".{name}")]
        if len(named) == 1:
            return named[0]
    raise unsupported(
        f"{listed(fitting)} could each be {form}; let the model give one of them, or name it logits"
    )


def _is_array(leaf: object) -> bool:
    return isinstance(leaf, np.ndarray | np.generic) and np.asarray(leaf).dtype.kind in "biuf"


def _is_numbers(value: object) -> bool:
    """Whether a value is a list of plain numbers, as Python code gives them, or of such lists."""
    if not isinstance(value, list) or not value:
        return False
    is_flat = all(isinstance(part, int | float | np.number) for part in value)
    return is_flat or (all(map(_is_numbers, value)) and len({len(part) for part in value}) == 1)
