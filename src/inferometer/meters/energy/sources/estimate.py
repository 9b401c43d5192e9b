"""An estimate from the watts that the user states: no sensor. Runs only where it was allowed.

Without load and under full load the device is taken to draw what the user states, and in between
in proportion to the busy share of all CPUs. That is crude: clock rates, memory, accelerators and
the supply's losses are not in it. No figure is made up where none was stated.
"""

from __future__ import annotations

import math

from inferometer.core.energy import Reading, SourceInfo
from inferometer.core.errors import MeterError, SourceLostError
from inferometer.core.protocols import PowerSource
from inferometer.core.shown import shown
from inferometer.host.files import to_int
from inferometer.meters.energy.surroundings import Surroundings

KIND = "estimate"
_STAT = "proc/stat"
_IDLE, _IOWAIT = 3, 4
_FIELDS = 8  # guests are in the user time already; see proc_stat(5)
_PERIOD_S = 0.1
_TICK_W_SHARE = 0.1  # of the range: a tick of 10 ms in a period of 100 ms, on one CPU
_MOST_W = 1e5
_EXAMPLE = "write estimate://IDLE:BUSY in watts, such as estimate://2.5:6, or one estimate://WATTS"


def connect(target: str, surroundings: Surroundings) -> PowerSource:
    """An estimate from `WATTS`, or `IDLE:BUSY` watts.

    Raises:
        MeterError: no watts were stated, or the utilisation that they need cannot be read.
    """
    idle_w, busy_w = _stated(target.strip().removeprefix(f"{KIND}://"))
    source = Estimate(idle_w, busy_w, surroundings)
    if idle_w != busy_w:
        try:
            source.read()
        except SourceLostError as error:
            raise MeterError(f"estimate://{idle_w:g}:{busy_w:g}: {error}") from None
    return source


class Estimate:
    """Watts between two that the user stated, by the busy share of the CPUs since the last read.

    Args:
        idle_w: stated power without load, watts.
        busy_w: stated power with all CPUs busy, watts.
        surroundings: where `proc/stat` is.
    """

    def __init__(self, idle_w: float, busy_w: float, surroundings: Surroundings) -> None:
        self._idle_w = idle_w
        self._range_w = busy_w - idle_w
        self._surroundings = surroundings
        self._before: tuple[int, int] | None = None
        self._share = 0.0
        self.info = SourceInfo(
            name=f"{KIND}:cpu" if self._range_w else f"{KIND}:constant",
            kind=KIND,
            scope="board_input",
            method="estimate",
            quantity="power",
            period_s=_PERIOD_S,
            resolution=_TICK_W_SHARE * self._range_w,
            where=_assumption(idle_w, busy_w),
        )

    def read(self) -> Reading:
        """The estimate since the last read.

        Raises:
            SourceLostError: `proc/stat` cannot be read.
        """
        if self._range_w:
            self._look()
        power_w = self._idle_w + self._range_w * self._share
        return Reading(at_s=self._surroundings.clock(), value=power_w)

    def close(self) -> None:
        """There is nothing to let go of."""

    def _look(self) -> None:
        """Update the busy share; within one tick of the system's clock the last one stands."""
        now = self._ticks()
        before, self._before = self._before or (0, 0), now
        total, busy = now[0] - before[0], now[1] - before[1]
        if total > 0:
            self._share = min(max(busy / total, 0.0), 1.0)

    def _ticks(self) -> tuple[int, int]:
        """All ticks and the busy ones, over all CPUs, since the start of the system."""
        try:
            text = self._surroundings.read(self._surroundings.root / _STAT).decode(errors="replace")
        except OSError as error:
            problem = error.strerror or type(error).__name__
            raise SourceLostError(f"/{_STAT} cannot be read ({problem})") from error
        name, *rest = text.partition("\n")[0].split() or [""]
        ticks = [to_int(field) for field in rest[:_FIELDS]]
        known = [tick for tick in ticks if tick is not None]
        if name != "cpu" or len(known) <= _IOWAIT:
            raise SourceLostError(f"/{_STAT} does not begin with the ticks of all CPUs")
        total = sum(known)
        return total, total - known[_IDLE] - known[_IOWAIT]


def _assumption(idle_w: float, busy_w: float) -> str:
    if idle_w == busy_w:
        return f"assumes {idle_w:g} W at all times, as the user stated; nothing is measured"
    return (
        f"assumes {idle_w:g} W idle and {busy_w:g} W with all CPUs busy, as the user stated, and"
        " in proportion to their use in between; nothing is measured"
    )


def _stated(text: str) -> tuple[float, float]:
    """The watts that the user stated.

    Raises:
        MeterError: there are none, or they make no sense.
    """
    if not text:
        raise MeterError(
            f"estimate:// needs the device's watts, as no figure is made up: {_EXAMPLE}"
        )
    parts, said = text.split(":"), f"{KIND}://{shown(text, 40)}"
    try:
        stated = [float(part) for part in parts]
    except ValueError:
        stated = []
    if len(stated) not in (1, 2) or not all(math.isfinite(w) and 0 < w <= _MOST_W for w in stated):
        raise MeterError(f"{said} does not state watts: {_EXAMPLE}")
    if stated[0] > stated[-1]:
        raise MeterError(f"{said} states more watts idle than busy: {_EXAMPLE}")
    return stated[0], stated[-1]
