"""Ranges of the numbers that a user gives, and how such numbers are written in messages."""

from __future__ import annotations

import re
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, Literal

from inferometer.core.shown import shown

Kind = Literal["whole", "seconds", "share", "bytes"]

TEN_YEARS_S = 315_360_000.0
MOST_SHOWN = 40
"""Characters of a wrong value that a message shows."""

DEVICE = "[a-z]{1,20}(:[0-9]{1,3})?"
"""The form of a device: `cpu`, `cuda`, `cuda:1`."""

_MOST_DIGITS = 40
_KINDS: dict[Kind, str] = {
    "whole": "a whole number",
    "seconds": "a duration",
    "share": "a share",
    "bytes": "an amount of memory",
}
_UNITS_S = {"h": 3600, "m": 60, "s": 1}


@dataclass(frozen=True, kw_only=True)
class Range:
    """The values that a figure may have.

    Attributes:
        kind: `whole` (without a unit), `seconds`, `share` (of one) or `bytes`.
        low: least value.
        high: greatest value.
        above: whether it must be more than `low`.
        below: whether it must be less than `high`.
    """

    kind: Kind
    low: float
    high: float
    above: bool = False
    below: bool = False

    @property
    def words(self) -> str:
        """For messages: `a whole number from 1 to 4096`."""
        if self.above or self.below:
            most = "less than" if self.below else "at most"
            return f"{_KINDS[self.kind]} of {self.least} and {most} {written(self.kind, self.high)}"
        low, high = (written(self.kind, value) for value in (self.low, self.high))
        return f"{_KINDS[self.kind]} from {low} to {high}"

    @property
    def least(self) -> str:
        """For messages: `at least 1`, `more than 0`."""
        return f"{'more than' if self.above else 'at least'} {written(self.kind, self.low)}"

    def reaches(self, value: float) -> bool:
        """Whether a number is not too low."""
        return value > self.low if self.above else value >= self.low

    def holds(self, value: object) -> bool:
        """Whether a value is a number of the kind, and within."""
        if isinstance(value, bool) or not isinstance(value, self._type):
            return False
        high = value < self.high if self.below else value <= self.high  # type: ignore[operator]
        return bool(high and self.reaches(value))  # type: ignore[arg-type]

    def check(self, name: str, value: Any) -> Any:  # noqa: ANN401 - whatever the user gave
        """The value as a plain number of Python.

        Args:
            name: what it is, for the message.
            value: as the user gave it.

        Raises:
            ValueError: it is no such number, or out of the range; the message says both.
        """
        if not self.holds(value):
            raise ValueError(f"{name} must be {self.words}, not {value_text(value)}")
        return int(value) if self._type is Integral else float(value)

    @property
    def _type(self) -> type:
        return Integral if self.kind in ("whole", "bytes") else Real


def written(kind: Kind, value: float) -> str:
    """A number as a study file writes it: `250ms`, `5%`, `1024TiB`."""
    if kind == "seconds" and value:
        unit = next((unit for unit, factor in _UNITS_S.items() if not value % factor), "")
        return f"{value / _UNITS_S[unit]:g}{unit}" if unit else f"{1000 * value:g}ms"
    if kind == "share":
        return f"{100 * value:g}%"
    return f"{value / 2**40:g}TiB" if kind == "bytes" and value >= 2**40 else f"{value:.0f}"


def value_text(value: object) -> str:
    """A wrong value in a message, of any type and size; texts in quotes."""
    if isinstance(value, str):
        return f"'{shown(value, MOST_SHOWN)}'"
    if isinstance(value, int) and abs(value) >= 10**_MOST_DIGITS:
        # Python refuses to write out what is longer than some thousands of digits.
        return f"a number of more than {_MOST_DIGITS} digits"
    return shown(value, MOST_SHOWN)


def check_device(device: str) -> str:
    """The name of a device.

    Raises:
        ValueError: no device is named like that.
    """
    if not isinstance(device, str) or not re.fullmatch(DEVICE, device):
        raise ValueError(
            f"device must be one such as cpu, cuda or cuda:1, not {value_text(device)}"
        )
    return device
