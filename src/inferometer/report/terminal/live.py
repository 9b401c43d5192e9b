"""What a run is doing, while it does it: a display in a terminal, plain lines elsewhere.

The parent must leave the processor to the worker, so the display is drawn from events alone, at
most once a second, and by no thread of its own.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from inferometer.core import units
from inferometer.core.record import Record
from inferometer.core.sweep import study_of
from inferometer.report.document import marks, wording
from inferometer.report.terminal.filling import FillingTable
from inferometer.report.terminal.output import Output
from inferometer.runner.events import (
    Event,
    Listener,
    Notice,
    Precision,
    Progress,
    RunEnded,
    RunStarted,
    WorkloadDone,
)

RESULTS_SHOWN = 5
LINES_BESIDE = 5
"""Lines of the display beside the table, and one for the cursor."""
LEAST_INTERVAL_S = 1.0
PLAIN_INTERVAL_S = 30.0
MESSAGE_LENGTH = 200
PRECISIONS_SHOWN = 5


@contextmanager
def listener(console: Console | None = None) -> Iterator[Listener]:
    """A listener that shows a run for as long as the context lasts.

    Leaving the context, also by an exception, gives the terminal back as it was.

    Args:
        console: where to show it; standard error by default.
    """
    console = console or Errors(stderr=True)
    if not console.is_terminal or console.is_dumb_terminal:
        yield Lines(console)
        return
    # Standard output stays as it is: data goes there.
    with Live(console=console, auto_refresh=False, transient=True, redirect_stdout=False) as live:
        yield Display(live)


class Errors(Output):
    """Standard error; where nobody reads it any more, the run goes on unseen."""

    def on_broken_pipe(self) -> None:
        """Fall silent; rich would exit here and end the measurement."""
        self.quiet = True


class Lines:
    """One plain line for each thing that happens, and a sign of life twice a minute."""

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        self._console = console
        self._clock = clock
        self._told_at = clock()

    def __call__(self, event: Event) -> None:
        """Print the event, where it is worth a line."""
        if isinstance(event, Progress):
            if self._clock() - self._told_at < PLAIN_INTERVAL_S:
                return
            self._told_at = self._clock()
        self._console.print(Text(_line(event)), soft_wrap=True)


class Display:
    """The table as it fills, or else the last results; a bar, and what is done now.

    Failures and notices are printed for good.
    """

    def __init__(self, live: Live, clock: Callable[[], float] = time.monotonic) -> None:
        self._live = live
        self._clock = clock
        self._drawn_at = float("-inf")
        self._heading = ""
        self._done = self._planned = 0
        self._progress: Progress | None = None
        self._table = FillingTable([])
        self._results: deque[str] = deque(maxlen=RESULTS_SHOWN)
        self._precisions: deque[Precision] = deque(maxlen=PRECISIONS_SHOWN)

    def __call__(self, event: Event) -> None:
        """Take the event in, and draw if the last drawing is old enough."""
        match event:
            case RunStarted():
                self._heading = _line(event)
                self._done, self._planned = event.done, event.planned
                study = study_of(event.run)
                self._table = FillingTable(study.workloads() if study is not None else [])
            case Progress():
                self._progress = event
                self._table.progress(event)
            case Precision():
                if self._precisions and self._precisions[-1].replicate >= event.replicate:
                    self._precisions.clear()  # another group, which memory did not hold beside it
                self._precisions.append(event)
            case WorkloadDone():
                self._done, self._planned = event.done, event.planned
                self._finished(event)
            case _:
                self._live.console.print(Text(_line(event)))
        self._draw()

    def _finished(self, event: WorkloadDone) -> None:
        self._table.done(event.record)
        if event.record.failure is None:
            self._results.append(_result(event.record))
        else:
            self._live.console.print(Text(_line(event), style="red"))

    def _draw(self) -> None:
        now = self._clock()
        if not self._heading or now - self._drawn_at < LEAST_INTERVAL_S:
            return
        self._drawn_at = now
        self._live.update(self.render(), refresh=True)

    def render(self) -> RenderableType:
        """The display as it stands."""
        now = _doing(self._progress) if self._progress is not None else ""
        console = self._live.console
        table = self._table.lines(console.width, console.height - LINES_BESIDE)
        results = table or [_cut(line) for line in self._results]
        precise = [_cut(_shrinking(self._precisions))] if self._precisions else []
        return Group(_cut(self._heading), *results, *precise, self._bar(), _cut(now))

    def _bar(self) -> Table:
        progress = self._progress
        fraction = self._done / self._planned if self._planned else 0.0
        if progress is not None and progress.remaining_s is not None:
            fraction = progress.fraction  # by time, which says more than by number
        row = Table.grid(padding=(0, 1))
        row.add_row(
            ProgressBar(total=1.0, completed=fraction, width=30),
            Text(f"{100 * fraction:.0f} %"),
            Text(f"{self._done} of {self._planned} done"),
            Text(_remaining(progress)),
        )
        return row


def _cut(line: str) -> Text:
    """One line, cut at the edge of the terminal."""
    return Text(line, no_wrap=True, overflow="ellipsis")


def _doing(progress: Progress) -> str:
    """What is done now, and what it has shown so far."""
    seen = ""
    if progress.mean_s is not None:
        seen = f"  {units.seconds(progress.mean_s)} after {wording.plural(progress.calls, 'call')}"
    return f"{progress.doing} {marks.plain(progress.workload.label)}{seen}"


def _shrinking(found: Sequence[Precision]) -> str:
    """How the widest half-width became narrower, replicate by replicate, and the aim."""
    widest = " \N{RIGHTWARDS ARROW} ".join(_half_width(one.widest) for one in found)
    last = found[-1]
    return (
        f"widest interval after {wording.plural(last.replicate, 'replicate')}: {widest}, "
        f"median {_half_width(last.median)}, target {_half_width(last.target)}"
    )


def _half_width(share: float) -> str:
    return f"± {units.half_width(share)}" if math.isfinite(share) else "none yet"


def _remaining(progress: Progress | None) -> str:
    if progress is None or progress.remaining_s is None:
        return ""
    return f"about {units.duration(progress.remaining_s)} left"


def _line(event: Event) -> str:
    """An event in one line."""
    match event:
        case RunStarted(run=run):
            before = f", {event.done} of them done before" if event.done else ""
            budget = f", budget {units.duration(event.budget_s)}" if event.budget_s else ""
            planned = wording.plural(event.planned, "workload")
            return f"run {run.id}: study {marks.plain(run.study)}, {planned}{before}{budget}"
        case WorkloadDone():
            width = len(str(event.planned))
            return f"[{event.done:{width}}/{event.planned}] {_result(event.record)}"
        case Progress():
            known = event.remaining_s is not None
            share = f"{100 * event.fraction:.0f} %" if known else ""
            parts = [share, _remaining(event), _doing(event)]
            return ", ".join(part for part in parts if part)
        case Precision():
            return _shrinking([event])
        case Notice():
            return f"note: {marks.plain(event.message)}"
        case RunEnded(run=run):
            return f"run {run.id}: {_end(event)}"


def _end(event: RunEnded) -> str:
    if event.interrupted:
        return "interrupted"
    return "finished" if event.run.finished_at is not None else "ended, with something left to do"


def _result(record: Record) -> str:
    label = marks.plain(record.workload.label)
    failure = record.failure
    if failure is None:
        verdict = str(record.figures.get("verdict"))
        doubt = f" ({verdict})" if verdict in marks.VERDICTS else ""
        return f"{label}  {units.latency(record.latency)}{doubt}"
    what = marks.MEANINGS[failure.kind] if record.status == "failed" else "skipped"
    return f"{label}  {what}: {marks.shorten(failure.message, MESSAGE_LENGTH)}"
