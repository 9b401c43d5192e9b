"""What a user says of preprocessing, laid over what a model's source says: `?preprocess=…`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import get_args

from inferometer.core.errors import DatasetError
from inferometer.core.preprocessing import Fit, Interpolation, Preprocessing
from inferometer.core.shown import shown

FITS: tuple[Fit, ...] = get_args(Fit)
INTERPOLATIONS: tuple[Interpolation, ...] = get_args(Interpolation)
CHANNELS = (1, 3)
USER = "the user"

NONE = Preprocessing(fit="natural", mean=(0.0,), std=(1.0,), source=USER)
"""As large as the picture is, values from 0 to 1."""


def overridden(own: Preprocessing, text: str | None) -> Preprocessing:
    """Preprocessing with what a user changes of it.

    Args:
        own: what the model's source says.
        text: such as `squash`, `mean=0.5,std=0.5` or `none,channels=1`; of several values for
            channels `/` stands between them. None changes nothing.

    Raises:
        DatasetError: it is malformed.
    """
    if text is None:
        return own
    found = replace(own, source=USER)
    for part in text.split(","):
        found = _changed(found, part, text)
    return found


def _changed(own: Preprocessing, part: str, text: str) -> Preprocessing:
    name, equals, value = part.partition("=")
    if not equals:
        name, value = "fit", name
    change = _CHANGES.get(name)
    if change is not None:
        try:
            return change(own, value)
        except ValueError:
            pass
    raise DatasetError(
        f"preprocess={shown(text)}: {shown(part)!r} is not known; write {', '.join(FITS)} or none, "
        "and NAME=VALUE of crop (0.01 to 1), mean and std (one number, or three with / between "
        f"them), channels (1 or 3) and interpolation ({', '.join(INTERPOLATIONS)}), with commas "
        "between them"
    )


def _fit(own: Preprocessing, value: str) -> Preprocessing:
    if value == "none":
        return replace(NONE, size=own.size, channels=own.channels)
    return replace(own, fit=FITS[FITS.index(value)])


def _interpolation(own: Preprocessing, value: str) -> Preprocessing:
    known = INTERPOLATIONS.index(value)
    return replace(own, interpolation=INTERPOLATIONS[known])


def _channels(own: Preprocessing, value: str) -> Preprocessing:
    return replace(own, channels=CHANNELS[CHANNELS.index(int(value))])


def _crop(own: Preprocessing, value: str) -> Preprocessing:
    return replace(own, crop_share=_numbers(value, low=0.01, high=1.0)[0])


def _mean(own: Preprocessing, value: str) -> Preprocessing:
    return replace(own, mean=_numbers(value))


def _std(own: Preprocessing, value: str) -> Preprocessing:
    return replace(own, std=_numbers(value, low=1e-9))


_CHANGES: dict[str, Callable[[Preprocessing, str], Preprocessing]] = {
    "fit": _fit,
    "interpolation": _interpolation,
    "channels": _channels,
    "crop": _crop,
    "mean": _mean,
    "std": _std,
}
"""Each raises ValueError where it does not take the value."""


def _numbers(value: str, *, low: float = -1e6, high: float = 1e6) -> tuple[float, ...]:
    numbers = tuple(map(float, value.split("/")))
    if len(numbers) not in (1, 3) or not all(low <= number <= high for number in numbers):
        raise ValueError(value)
    return numbers
