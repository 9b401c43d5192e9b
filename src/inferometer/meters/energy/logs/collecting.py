"""Gathers readings of several places while a log is read line by line."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import Any

import numpy as np

from inferometer.meters.energy.logs.channel import (
    MOST_ROWS,
    MOST_W,
    Channel,
    Clock,
    Floats,
    LogOptions,
    LogProblemError,
)

HEAD_LINES = 200
"""By so many lines a format is recognised."""
NO_TIMES = "it has no times: say how far its lines are apart, as with --interval 1s (interval=1s)"


def peek(lines: Iterable[str]) -> tuple[list[str], Iterator[str]]:
    """The first lines, and all of them."""
    stream = iter(lines)
    head = list(islice(stream, HEAD_LINES))
    return head, chain(head, stream)


class Collected:
    """Readings by the place that they are of."""

    def __init__(self, options: LogOptions) -> None:
        self._interval_s = options.interval_s
        self._times: dict[str, array[float]] = {}
        self._watts: dict[str, array[float]] = {}
        self._spans: dict[str, array[float]] = {}
        self._rows = 0
        self.clock: Clock | None = None

    def add(
        self,
        name: str,
        at: tuple[float, Clock] | None,
        watts: float,
        *,
        line: int,
        span_s: float | None = None,
    ) -> None:
        """Add a reading.

        Args:
            name: of the place.
            at: its time; None where the log has none.
            watts: NaN where the meter had none.
            line: where it stands.
            span_s: seconds that it stands for, where the log tells.

        Raises:
            LogProblemError: there are no times, of two kinds, or too many readings.
        """
        times = self._times.setdefault(name, array("d"))
        at_s, clock = at or (self._counted(len(times)), "start")
        if self.clock not in (None, clock):
            raise LogProblemError("its time is of another kind than those before", line)
        if abs(watts) > MOST_W:
            raise LogProblemError(f"{watts:.3g} W is not a power", line)
        self._rows += 1
        if self._rows > MOST_ROWS:
            raise LogProblemError(f"more than {MOST_ROWS:,} rows: cut it to the run")
        self.clock = clock
        times.append(at_s)
        self._watts.setdefault(name, array("d")).append(watts)
        if span_s is not None:
            self._spans.setdefault(name, array("d")).append(span_s)

    def _counted(self, row: int) -> float:
        if self._interval_s is None:
            raise LogProblemError(NO_TIMES)
        return row * self._interval_s

    @property
    def names(self) -> list[str]:
        """Of the places, in the order in which they came."""
        return list(self._times)

    def channels(self, **common: Any) -> tuple[Channel, ...]:  # noqa: ANN401 - fields of Channel
        """A channel for each place.

        Args:
            common: what holds for all of them, by the fields of `Channel`.
        """
        common = {"clock": self.clock or "start", **common}
        return tuple(
            Channel(
                name=name,
                times_s=np.array(times),
                watts=np.array(self._watts[name]),
                spans_s=self._spans_of(name),
                **common,
            )
            for name, times in self._times.items()
        )

    def _spans_of(self, name: str) -> Floats | None:
        """What each reading stands for, where all of them say so."""
        spans = self._spans.get(name)
        if spans is None or len(spans) != len(self._times[name]):
            return None
        return np.array(spans)
