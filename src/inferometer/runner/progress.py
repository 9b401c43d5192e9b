"""Tells the listener how far the run is, at most once a second."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from statistics import median_high

from inferometer.core.workload import Workload
from inferometer.runner.events import Listener, Precision, Progress

TELL_EVERY_S = 1.0


class ProgressReporter:
    """Sends `Progress`.

    Args:
        listener: who is told.
        remaining_s: estimates the seconds left; None while too little is known, as until somebody
            sets it.
    """

    def __init__(
        self, listener: Listener, remaining_s: Callable[[], float | None] = lambda: None
    ) -> None:
        self.listener = listener
        self.remaining_s = remaining_s
        self._begun = time.monotonic()
        self._told = 0.0
        self._doing = ""
        self._workload: Workload | None = None
        self._calls = 0
        self._mean_s: float | None = None

    def doing(
        self, what: str, workload: Workload, *, calls: int = 0, mean_s: float | None = None
    ) -> None:
        """Something else begins; `calls` and `mean_s` are what the workload has shown so far."""
        self._doing = what
        self._workload = workload
        self._calls = calls
        self._mean_s = mean_s
        self.tell()

    def precision(self, replicate: int, half_widths: Sequence[float], target: float) -> None:
        """Send how precise the latencies are after a replicate.

        Args:
            replicate: how many processes the workloads have had, at most.
            half_widths: of each workload, as a share; infinite where it has no interval.
            target: half-width at which a workload is done.
        """
        if half_widths:
            widest, median = max(half_widths), median_high(half_widths)
            self.listener(
                Precision(replicate=replicate, widest=widest, median=median, target=target)
            )

    def tell(self) -> None:
        """Send the state, unless that was done a moment ago."""
        now = time.monotonic()
        if self._workload is None or now - self._told < TELL_EVERY_S:
            return
        self._told = now
        elapsed_s = now - self._begun
        left_s = self.remaining_s()
        fraction = 0.0 if left_s is None else elapsed_s / (elapsed_s + left_s)
        self.listener(
            Progress(
                doing=self._doing,
                workload=self._workload,
                fraction=fraction,
                remaining_s=left_s,
                calls=self._calls,
                mean_s=self._mean_s,
            )
        )
