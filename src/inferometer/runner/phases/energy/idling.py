"""When idle power is measured again, and what it was. Does not know how it is measured."""

from __future__ import annotations

from collections.abc import Callable

from inferometer.runner.phases.energy.windows import IDLE_EVERY

MOVED = 0.01
"""Of the idle power: what counts as a drift between two idle windows."""
_SOONER, _LATER = 0.5, 4.0
"""Bounds of the time between two idle windows, over the usual."""


class IdleSchedule:
    """Idle windows of a run: more often where the power drifts, less often where it does not.

    Args:
        rest_s: seconds that one takes.
        clock: seconds.
    """

    def __init__(self, rest_s: float, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._usual_s = self._gap_s = IDLE_EVERY * rest_s
        self._at_s: float | None = None
        self._power_w: float | None = None

    def due(self) -> bool:
        """Whether it is to be measured now."""
        return self._at_s is None or self._clock() - self._at_s >= self._gap_s

    def measured(self, power_w: float | None) -> None:
        """Take what it is now, watts; None where no source tells."""
        before = self._power_w
        self._at_s, self._power_w = self._clock(), power_w
        if power_w is not None and before is not None:
            drifts = abs(power_w - before) > MOVED * abs(before)
            gap_s = self._gap_s * (0.5 if drifts else 2.0)
            self._gap_s = min(max(gap_s, _SOONER * self._usual_s), _LATER * self._usual_s)
