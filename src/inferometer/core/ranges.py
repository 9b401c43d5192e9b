"""How far the figures may go that a user gives: one table for study files, flags and Python.

The schema of study files says the same in its own words; a test holds the two together.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
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
        low, high = (_text(self.kind, value) for value in (self.low, self.high))
        if not (self.above or self.below):
            return f"{_KINDS[self.kind]} from {low} to {high}"
        least = f"of more than {low}" if self.above else f"of at least {low}"
        most = f"less than {high}" if self.below else f"at most {high}"
        return f"{_KINDS[self.kind]} {least} and {most}"

    def holds(self, value: object) -> bool:
        """Whether a value is a number of the kind, and within."""
        if isinstance(value, bool) or not isinstance(value, self._type):
            return False
        low = value > self.low if self.above else value >= self.low  # type: ignore[operator]
        high = value < self.high if self.below else value <= self.high  # type: ignore[operator]
        return bool(low and high)

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


def _text(kind: Kind, value: float) -> str:
    if kind == "seconds":
        return "0" if not value else f"{value / 3600:g}h"
    if kind == "share":
        return f"{100 * value:g}%"
    return f"{value / 2**40:g}TiB" if kind == "bytes" and value >= 2**40 else f"{value:.0f}"


_COUNT = Range(kind="whole", low=10, high=10**9)
_DURATION = Range(kind="seconds", low=0, high=TEN_YEARS_S, above=True)

PROCEDURE: Mapping[str, Range] = {
    "target": Range(kind="share", low=0, high=1, above=True, below=True),
    "confidence": Range(kind="share", low=0.5, high=1, below=True),
    "processes": Range(kind="whole", low=1, high=100),
    "min_calls": _COUNT,
    "max_calls": _COUNT,
    "min_rounds": Range(kind="whole", low=2, high=10**9),
    "span_s": Range(kind="seconds", low=0, high=TEN_YEARS_S),
    "round_s": _DURATION,
    "max_time_s": _DURATION,
    "timeout_s": _DURATION,
    "memory_limit_bytes": Range(kind="bytes", low=1, high=2**50),
    "budget_s": _DURATION,
    "seed": Range(kind="whole", low=0, high=2**32 - 1),  # what every generator takes
    "sustain_s": _DURATION,
    "energy_window_s": _DURATION,
}
"""By the name of a field of `core.procedure.Procedure`."""

RANGES: Mapping[str, Range] = {
    **PROCEDURE,
    "batch": Range(kind="whole", low=1, high=1_000_000),
    "size": Range(kind="whole", low=1, high=1_000_000),
    "threads": Range(kind="whole", low=1, high=4096),
    "depth": Range(kind="whole", low=0, high=1000),
    "seconds": _DURATION,
    "duration": Range(kind="seconds", low=0, high=TEN_YEARS_S),
    "zone": Range(kind="share", low=0, high=1),
    "fail_slower": Range(kind="share", low=0, high=100),
    "gain": Range(kind="share", low=0, high=1),
}
"""The same, and the figures that belong to no procedure."""
