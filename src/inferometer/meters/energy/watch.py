"""Reads power sources at an interval and keeps what they say. Does not know what is running."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from inferometer.core.energy import Reading, SourceInfo
from inferometer.core.protocols import PowerSource
from inferometer.meters.energy.sampler import reading_of

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

    They are read side by side: one that takes longer than the interval does not delay the others,
    and is read again when it has answered.

    Args:
        sources: power sources, opened.
        show: is told what is known and how many seconds went by, after each round of readings.
        interval_s: seconds between two rounds.
        for_s: seconds until the end, when what is being read is waited for.
        clock: seconds, any origin.
        sleep: waits for so many seconds.
        watched: filled with one for each source, so that what was read is there after Ctrl-C.
    """
    watched += [Watched(info=source.info) for source in sources]
    readers = [_Reader(source, one) for source, one in zip(sources, watched, strict=True)]
    due_s = start_s = clock()
    end_s = start_s + for_s
    while True:
        for reader in readers:
            reader.ask()
        next_s = min(due_s + interval_s, end_s)
        for reader in readers:
            reader.wait(max(0.0, next_s - clock()))
        over = clock() >= end_s
        for reader in readers if over else ():
            reader.wait(None)
        show(watched, clock() - start_s)
        if over or all(one.lost for one in watched):
            return
        due_s = max(due_s + interval_s, clock())
        sleep(max(0.0, min(due_s, end_s) - clock()))


class _Reader:
    """Reads one source in threads that nobody waits for when the program ends."""

    def __init__(self, source: PowerSource, one: Watched) -> None:
        self._source = source
        self._one = one
        self._said: Reading | str = ""
        self._thread: threading.Thread | None = None

    def ask(self) -> None:
        """Begin to read, unless a reading is under way or the source is lost."""
        if self._thread is None and not self._one.lost:
            self._thread = threading.Thread(target=self._read, daemon=True)
            self._thread.start()

    def wait(self, most_s: float | None) -> None:
        """Take what was read, if it is there within some seconds; None waits until it is."""
        if self._thread is None:
            return
        self._thread.join(most_s)
        if self._thread.is_alive():
            return
        self._thread = None
        if isinstance(self._said, str):
            self._one.lost = self._said
        else:
            self._one.take(self._said)

    def _read(self) -> None:
        self._said = reading_of(self._source)


def _area_j(before: Reading, after: Reading) -> float:
    return (before.value + after.value) / 2 * (after.at_s - before.at_s)
