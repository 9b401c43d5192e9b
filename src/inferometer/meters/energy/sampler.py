"""Reads power sources while work runs, one thread each. Does not know what the readings are for.

A source that fails is lost for the rest of the run, with its reason, and the others go on. Whether
a sensor that still answers is frozen is not judged here: that takes the readings of work and rest
together (`stats.energy_faults`); a reader that knows better raises SourceLostError.
"""

from __future__ import annotations

import math
import threading
import time
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import TracebackType

from inferometer.core.energy import Reading, SourceInfo
from inferometer.core.errors import SourceLostError, in_one_line
from inferometer.core.protocols import PowerSource

MIN_POLLING_S = 0.05
"""Faster sensors exist, but the mean of a window gains nothing and the device is disturbed."""
COUNTER_PERIODS = 10
MOST_POLLING_S = 1.0
"""Counters are read often enough that an edge of a window lies near a reading, and seldom enough
that each reading shows whether they still count."""
_NAP_S = 0.1  # slept through, which is cheaper than to wait for a word; delays stopping by as much
_SAFETY = 2  # readings within the time in which a counter might wrap


def polling_s(info: SourceInfo) -> float:
    """Seconds between two readings as far as they blur the edges of a window.

    0 for counters, which are read at the edges themselves.
    """
    return 0.0 if info.quantity == "energy" else max(info.period_s, MIN_POLLING_S)


def reading_of(source: PowerSource) -> Reading | str:
    """What a source says now, or why it is lost.

    Another package's source may raise anything, and a thread that dies unheard looks like a sensor
    that is silent.
    """
    try:
        reading = source.read()
    except SourceLostError as error:
        return str(error)
    except Exception as error:  # noqa: BLE001 - see above
        return f"the source failed: {in_one_line(error)}"
    if math.isfinite(reading.value) and math.isfinite(reading.at_s):
        return reading
    return "the source gave a reading that is not a finite number"


@dataclass(kw_only=True)
class Series:
    """Readings of one source.

    Attributes:
        info: what is known of it.
        at_s: Unix time of each reading, seconds, ascending.
        values: joules since it was opened, or watts.
        lost: why it stopped answering; None while it answers.
    """

    info: SourceInfo
    at_s: array[float] = field(default_factory=lambda: array("d"))
    values: array[float] = field(default_factory=lambda: array("d"))
    lost: str | None = None

    def since(self, first: int = 0) -> tuple[array[float], array[float]]:
        """Times and values from a reading on, as copies: a thread may be adding some meanwhile.

        It could not, to what an array of numpy looks at in place.
        """
        last = min(len(self.at_s), len(self.values))
        return self.at_s[first:last], self.values[first:last]


@dataclass(frozen=True, kw_only=True)
class Span:
    """A stretch of time that was sampled.

    Attributes:
        start_s: Unix time, seconds.
        end_s: Unix time, seconds.
    """

    start_s: float
    end_s: float


class Poller:
    """Decides when one source is due, and keeps what it says.

    `sample_once` may run in a thread of its own. Counters are read under a lock, since windows read
    them too. Others are not, so that no window waits for a plug to answer; at worst one reading
    more is taken between windows.

    Args:
        source: what is read.
        clock: a clock that never jumps, seconds, for deciding what is due; the times of the
            readings are the source's own.
    """

    def __init__(self, source: PowerSource, clock: Callable[[], float] = time.monotonic) -> None:
        self.series = Series(info=source.info)
        self._source = source
        self._clock = clock
        self._lock = threading.Lock()
        self._inside = False
        self._due_s: float | None = None
        if self._counts:
            self._rest()

    def begin(self) -> None:
        """A window starts: counters are read now and when they have moved once, others soon.

        By then a counter has forgotten what was before the window, which its first reading has not.
        """
        if not self._counts:
            self._due_s = self._clock()
            self._inside = True
            return
        with self._lock:
            self._inside = True
            self._read()
            self._due_s = self._clock() + self.series.info.period_s

    def end(self) -> None:
        """A window ends: counters are read once more."""
        if not self._counts:
            self._inside = False
            return
        with self._lock:
            self._read()
            self._inside = False
            self._rest()

    def sample_once(self) -> float | None:
        """Read the source if it is due.

        Returns:
            Seconds until it is due again; None where it is not until `begin`, or never again.
        """
        if not self._counts:
            return self._sample() if self._inside else None
        with self._lock:
            return self._sample()

    def _sample(self) -> float | None:
        if self.series.lost is None and self._due_s is not None and self._clock() >= self._due_s:
            self._read()
            self._advance()
        if self._due_s is None or self.series.lost is not None:
            return None
        return max(0.0, self._due_s - self._clock())

    @property
    def _counts(self) -> bool:
        return self.series.info.quantity == "energy"

    @property
    def _counting_s(self) -> float:
        """Seconds between two readings of a counter within a window."""
        return min(max(MIN_POLLING_S, COUNTER_PERIODS * self.series.info.period_s), MOST_POLLING_S)

    @property
    def _wrap_s(self) -> float:
        limit_s = self.series.info.poll_s
        return math.inf if limit_s is None else limit_s / _SAFETY

    def _rest(self) -> None:
        """Between windows only a counter that may wrap unseen is read."""
        self._due_s = self._clock() + self._wrap_s if math.isfinite(self._wrap_s) else None

    def _advance(self) -> None:
        """Keep the rhythm; where a reading took longer than the period, skip what was missed."""
        if self._counts and not self._inside:
            self._rest()
        elif self._due_s is not None:
            step_s = polling_s(self.series.info) or min(self._counting_s, self._wrap_s)
            self._due_s = max(self._due_s + step_s, self._clock())

    def _read(self) -> None:
        if self.series.lost is not None:
            return
        said = reading_of(self._source)
        if isinstance(said, str):
            self.series.lost = said
        else:
            self.series.at_s.append(said.at_s)
            self.series.values.append(said.value)


class Sampler:
    """Samples several sources during windows.

    Each has a thread, so that a plug which takes a second to answer does not hold up a sensor on
    the board. Between windows the threads sleep.

    Args:
        sources: what is read; closing them is the caller's.
        clock: Unix time, seconds, the one that the sources use.
    """

    def __init__(
        self, sources: Sequence[PowerSource], clock: Callable[[], float] = time.time
    ) -> None:
        self._clock = clock
        self._start_s: float | None = None
        self._stopped = False
        self.pollers = [Poller(source) for source in sources]
        self._wakes = [threading.Event() for _ in sources]
        self._threads: list[threading.Thread] = []

    @property
    def series(self) -> dict[str, Series]:
        """What was read so far, by the source's name."""
        return {poller.series.info.name: poller.series for poller in self.pollers}

    def begin(self) -> None:
        """A window starts now."""
        self._start_s = self._clock()
        for poller, wake in zip(self.pollers, self._wakes, strict=True):
            poller.begin()
            wake.set()

    def end(self) -> Span:
        """The window ends now.

        Raises:
            RuntimeError: none had begun.
        """
        if self._start_s is None:
            raise RuntimeError("no window had begun")
        end_s = self._clock()
        for poller in self.pollers:
            poller.end()
        span = Span(start_s=self._start_s, end_s=end_s)
        self._start_s = None
        return span

    def __enter__(self) -> Sampler:  # noqa: PYI034 - Self is not in Python 3.10
        """Start the threads."""
        self._stopped = False
        for poller, wake in zip(self.pollers, self._wakes, strict=True):
            name = f"sampler {poller.series.info.name}"
            thread = threading.Thread(target=self._run, args=(poller, wake), name=name, daemon=True)
            self._threads.append(thread)
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop the threads; one that waits for an answer is left behind and ends after it."""
        self._stopped = True
        for wake in self._wakes:
            wake.set()
        for thread in self._threads:
            thread.join(timeout=1.0)
        self._threads.clear()

    def _run(self, poller: Poller, wake: threading.Event) -> None:
        while not self._stopped:
            wait_s = poller.sample_once()
            if wait_s is not None and wait_s <= _NAP_S:
                time.sleep(wait_s)
            else:
                wake.wait(wait_s)
                wake.clear()
