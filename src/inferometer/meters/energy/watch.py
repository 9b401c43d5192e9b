"""Reads power sources at an interval and keeps what they say. Does not know what is running."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from inferometer.core.energy import Reading, SourceInfo
from inferometer.core.errors import SourceLostError, in_one_line
from inferometer.core.protocols import PowerSource

_LEAST_STEP_S = 1e-6


@dataclass(kw_only=True)
class Watched:
    """What one source said so far.

    Attributes:
        info: what is known of it.
        times_s: Unix time of each power, seconds.
        watts: power; of a counter the mean since the reading before.
        joules: energy between the first and the last reading: of a counter what it counted, of
            power the area under straight lines between the readings.
        seconds: time between these two readings.
        lost: why it stopped answering; empty while it answers.
    """

    info: SourceInfo
    times_s: list[float] = field(default_factory=list)
    watts: list[float] = field(default_factory=list)
    joules: float = 0.0
    seconds: float = 0.0
    lost: str = ""
    _before: Reading | None = None

    @property
    def last_w(self) -> float | None:
        """The latest power, watts; None where none is known."""
        return self.watts[-1] if self.watts else None

    @property
    def mean_w(self) -> float | None:
        """Mean power, watts; None where two readings are not there yet."""
        return self.joules / self.seconds if self.seconds > 0 else None

    def take(self, reading: Reading) -> None:
        """Take a reading; one at the same time as the last, or before it, says nothing new."""
        before, counts = self._before, self.info.quantity == "energy"
        if before is None:
            self._before = reading
            if not counts:
                self._keep(reading.at_s, reading.value)
            return
        step_s = reading.at_s - before.at_s
        if step_s < _LEAST_STEP_S:
            return
        step_j = reading.value - before.value if counts else _area_j(before, reading)
        self.joules += step_j
        self.seconds += step_s
        self._keep(reading.at_s, step_j / step_s if counts else reading.value)
        self._before = reading

    def _keep(self, at_s: float, power_w: float) -> None:
        self.times_s.append(at_s)
        self.watts.append(power_w)


def watch(
    sources: Sequence[PowerSource],
    *,
    show: Callable[[Sequence[Watched], float], None],
    interval_s: float,
    for_s: float = math.inf,
    clock: Callable[[], float],
    sleep: Callable[[float], None],
    watched: list[Watched],
) -> None:
    """Read all sources again and again until the time is over or none answers any longer.

    Args:
        sources: opened.
        show: is told what is known and how many seconds went by, after each round of readings.
        interval_s: seconds between two rounds; longer where the sources take longer to answer.
        for_s: seconds until the end.
        clock: seconds, any origin.
        sleep: waits.
        watched: filled with one for each source, so that what was read is there after Ctrl-C.
    """
    watched += [Watched(info=source.info) for source in sources]
    start_s = clock()
    due_s = start_s
    while True:
        for source, one in zip(sources, watched, strict=True):
            if not one.lost:
                _read(source, one)
        show(watched, clock() - start_s)
        if clock() - start_s >= for_s or all(one.lost for one in watched):
            return
        due_s = max(due_s + interval_s, clock())
        sleep(max(0.0, min(due_s, start_s + for_s) - clock()))


def _read(source: PowerSource, one: Watched) -> None:
    try:
        reading = source.read()
    except SourceLostError as error:
        one.lost = str(error)
        return
    except Exception as error:  # noqa: BLE001 - another package's source may raise anything
        one.lost = f"the source failed: {in_one_line(error)}"
        return
    if math.isfinite(reading.value) and math.isfinite(reading.at_s):
        one.take(reading)
    else:
        one.lost = "the source gave a reading that is not a finite number"


def _area_j(before: Reading, after: Reading) -> float:
    return (before.value + after.value) / 2 * (after.at_s - before.at_s)
