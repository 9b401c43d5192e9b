"""How far a run is, in the output of a notebook's cell: text that is updated, without widgets."""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Callable
from html import escape
from typing import Protocol

from inferometer.core import units
from inferometer.core.record import Record
from inferometer.report.document import marks, wording
from inferometer.runner.events import (
    Notice,
    Progress,
    RunEnded,
    RunStarted,
    WorkloadDone,
)

LEAST_INTERVAL_S = 1.0
RESULTS_SHOWN = 5
_TEXT_LENGTH = 200


class Handle(Protocol):
    """An output of a cell that can be replaced (`IPython.display.DisplayHandle`)."""

    def update(self, obj: object, /) -> None:
        """Show something else in its place."""


class State:
    """What is shown of a run."""

    def __init__(self) -> None:
        self.heading = ""
        self.done = self.planned = 0
        self.progress: Progress | None = None
        self.lines: deque[str] = deque(maxlen=RESULTS_SHOWN)
        self.end = ""

    def _counted(self) -> str:
        return f"{self.done} of {wording.plural(self.planned, 'workload')} done"

    def _doing(self) -> str:
        if self.end or self.progress is None:
            return self.end
        left_s = self.progress.remaining_s
        left = f"; about {units.duration(left_s)} left" if left_s is not None else ""
        return f"{self.progress.doing} {marks.plain(self.progress.workload.label)}{left}"

    def __repr__(self) -> str:
        """For what shows no HTML."""
        return "\n".join(filter(None, (self.heading, self._counted(), *self.lines, self._doing())))

    def _repr_html_(self) -> str:
        share = self.done / self.planned if self.planned else 0.0
        bar = f'<progress max="1" value="{share:.3f}" aria-label="workloads done"></progress>'
        told = [*self.lines, self._doing()]
        lines = "".join(f"<div>{escape(one)}</div>" for one in told if one)
        return f"<div>{escape(self.heading)}</div><div>{bar} {escape(self._counted())}</div>{lines}"


class Shown:
    """A listener that keeps an output up to date, at most once a second.

    Args:
        show: shows something and gives the output that it made.
        clock: seconds.
    """

    def __init__(
        self, show: Callable[[object], Handle], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._show, self._clock = show, clock
        self._handle: Handle | None = None
        self._drawn_at = float("-inf")
        self.state = State()

    def __call__(self, event: object) -> None:
        """Take the event in, and draw if the last drawing is old enough, or the run is over."""
        state = self.state
        match event:
            case RunStarted(run=run):
                state.heading = f"run {run.id}: study {marks.plain(run.study)}"
                state.done, state.planned = event.done, event.planned
            case Progress():
                state.progress = event
            case WorkloadDone():
                state.done, state.planned = event.done, event.planned
                state.lines.append(_result(event.record))
            case Notice():
                state.lines.append(marks.shorten(f"note: {event.message}", _TEXT_LENGTH))
            case RunEnded():
                state.end = "interrupted" if event.interrupted else "finished"
        self._draw(at_once=isinstance(event, RunEnded))

    def _draw(self, *, at_once: bool) -> None:
        now = self._clock()
        if now - self._drawn_at < LEAST_INTERVAL_S and not at_once:
            return
        self._drawn_at = now
        if self._handle is None:
            self._handle = self._show(self.state)
        else:
            self._handle.update(self.state)


def listener() -> Shown | None:
    """A listener that shows a run where this is a notebook; None elsewhere."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if not hasattr(shell, "kernel"):  # a terminal's shell has none
        return None
    from IPython.display import display

    def show(value: object) -> Handle:
        handle: Handle = display(value, display_id=True)
        return handle

    return Shown(show)


def _result(record: Record) -> str:
    label = marks.plain(record.workload.label)
    if record.failure is None:
        return f"{label}  {units.latency(record.latency)}"
    return f"{label}  {record.status}: {marks.shorten(record.failure.message, _TEXT_LENGTH)}"
