"""What a reader finds in a log: channels of power over time. Knows no file and no format."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from inferometer.core.energy import EnergyMethod, Scope
from inferometer.meters.energy.logs.numbers import Unit

Floats = NDArray[np.float64]
Clock = Literal["unix", "local", "start"]
"""Absolute times; absolute times without a zone, taken as this device's; seconds from a start."""

MOST_ROWS = 5_000_000
MOST_W = 1e9
"""No meter reads more."""


class LogProblemError(Exception):
    """A log cannot be read; the message is a sentence without the name of the file.

    Attributes:
        line: where, counted from one; None where it is the whole file.
    """

    def __init__(self, sentence: str, line: int | None = None) -> None:
        super().__init__(sentence)
        self.line = line


@dataclass(frozen=True, kw_only=True)
class LogOptions:
    """What the user says about a log.

    Attributes:
        time: name of the column of times; empty where it is found by itself, as with the others.
        power: name of the channel that is the power; several with a plus between are added up.
        voltage: name of the column of volts.
        current: name of the column of amps.
        unit: of the power, where the log does not tell it, or tells a wrong one; else None.
        interval_s: seconds between two rows of a log without times.
        scope: what the meter covers.
    """

    time: str = ""
    power: str = ""
    voltage: str = ""
    current: str = ""
    unit: Unit | None = None
    interval_s: float | None = None
    scope: Scope | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Channel:
    """Power of one place over time, as it was written down.

    Attributes:
        name: what the log calls it.
        times_s: of each row, in the order of the file, seconds.
        watts: power in each row; NaN where the meter had none.
        clock: what the times count from.
        unit: the unit in which the log has it; empty where it names none.
        scope: what it covers, where the format or the name tells.
        method: whether a sensor measures it, or a vendor models it.
        part_of: the channel that contains this one; empty where none is known to.
        spans_s: seconds that each reading stands for, where the format tells; else None.
        holds: whether a power holds until the next row, as in a log of changes.
        amps: mean current, where the power is a product; else 0.
    """

    name: str
    times_s: Floats
    watts: Floats
    clock: Clock = "unix"
    unit: str = "W"
    scope: Scope | None = None
    method: EnergyMethod = "measured"
    part_of: str = ""
    spans_s: Floats | None = None
    holds: bool = False
    amps: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Contents:
    """What a log holds.

    Attributes:
        channels: in the order of the file.
        total: name of the channel that is the power where the user names none; empty where that
            cannot be told.
        notes: what was assumed or left out, a sentence each.
    """

    channels: tuple[Channel, ...]
    total: str = ""
    notes: tuple[str, ...] = field(default=())


class LogFormat(Protocol):
    """A format of logs: one file in `readers`, and one line in `formats`.

    Attributes:
        name: what `energy read` calls it.
    """

    name: str

    def recognises(self, head: Sequence[str]) -> bool:
        """Whether the first lines are of this format."""
        ...

    def read(self, lines: Iterable[str], options: LogOptions) -> Contents:
        """What the log holds.

        Raises:
            LogProblemError: it makes no sense.
        """
        ...


def floats(values: ArrayLike) -> Floats:
    """Numbers as an array."""
    return np.asarray(values, dtype=np.float64)
