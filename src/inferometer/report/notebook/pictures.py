"""Values of ours as figures of matplotlib, which is imported here alone."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg

from inferometer.analysis.grid import build
from inferometer.core import units
from inferometer.core.errors import InputError
from inferometer.core.record import Record, Round
from inferometer.report.plots import choice, drawing, ranking
from inferometer.report.plots.drawing import round_ticks, set_ticks
from inferometer.report.plots.figures import COLOURS, FAINT, Drawing, settings

_INCHES = (6.0, 3.5)


def of_records(records: Sequence[Record]) -> Drawing:
    """Latency against batch size, or of each variant; of one record, its values over time.

    Raises:
        InputError: nothing can be drawn.
    """
    grid = build(records)
    plan, ranked = choice.plan(grid)[0], choice.ranking(grid)
    with settings():
        if not plan.reason:
            return drawing.figure_of(plan)
        if ranked is not None:
            return ranking.figure_of(ranked)
    shown = [one for one in records if one.latency is not None and one.failure is None]
    if not shown:
        raise InputError("there is no latency to plot: no record has one")
    return of_record(shown[0])


def of_record(record: Record) -> Drawing:
    """The latencies of a record over time, with their median and its interval.

    Raises:
        InputError: it has no latency.
    """
    estimate = record.latency
    if estimate is None or record.failure is not None:
        why = f": {record.failure.message}" if record.failure else ""
        raise InputError(f"{record.workload.label} has no latency to plot{why}")
    with settings():
        figure = Drawing(figsize=_INCHES, layout="constrained")
        FigureCanvasAgg(figure)
        axes: Axes = figure.subplots()
        end_s = _points(axes, [one for one in record.rounds if one.phase == "measure"])
        axes.axhline(estimate.value, color="#444444", linewidth=0.8)
        if estimate.low is not None and estimate.high is not None:
            axes.axhspan(estimate.low, estimate.high, color="#444444", alpha=0.15, linewidth=0)
        axes.set(title=f"{record.workload.label}: {units.latency(estimate)} per call")
        axes.set(xlabel="time since the first call, s", ylabel="latency per call")
        axes.set_xlim(-0.02 * end_s, 1.02 * end_s)
        _logarithmic(axes)
    return figure


def _points(axes: Axes, rounds: Sequence[Round]) -> float:
    """A point for each value, a colour for each process; gives the time of the last."""
    begun, end_s = min((one.started_at for one in rounds), default=0.0), 0.0
    for one in rounds:
        times = [one.started_at - begun + start for start in one.starts_s[one.settle :]]
        colour = COLOURS[one.process % len(COLOURS)]
        axes.plot(times, one.settled_s, ".", color=colour, markersize=3)
        end_s = max([end_s, *times])
    return end_s or 1.0


def _logarithmic(axes: Axes) -> None:
    low, high = axes.get_ylim()
    if low > 0:
        axes.set_yscale("log")
        axes.set_ylim(low, high)
        set_ticks(axes, "y", round_ticks(low, high), units.round_seconds)
    axes.grid(visible=True, color=FAINT, linewidth=0.6)
    axes.set_axisbelow(True)
