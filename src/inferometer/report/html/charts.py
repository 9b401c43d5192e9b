"""Which plots the page has, and how they are read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from inferometer.core.roofline import Roofline
from inferometer.report.document.tradeoff import FEWEST
from inferometer.report.html import vega
from inferometer.report.html.bars import layers, operators
from inferometer.report.html.chart import Chart
from inferometer.report.html.roofline import roofline
from inferometer.report.html.rows import Row
from inferometer.report.plots.choice import BARS, HOLLOW

HEROES = ("latency-by-batch", "latency-by-variant")
"""Charts that show the answer of a report: the first that there is stands at the beginning."""


def charts(rows: Sequence[Row], rooflines: Sequence[tuple[str, Roofline]]) -> list[Chart]:
    """The plots for which the rows have figures.

    Args:
        rows: those of the table.
        rooflines: what the devices can do at best, each with the name of its device.
    """
    wanted = [
        _by(rows, "batch", "latency", "latency per call", vega.SECONDS),
        _variants(rows),
        _by(rows, "batch", "throughput", "throughput, samples/s", vega.SHORT),
        _by(rows, "size", "latency", "latency per call", vega.SECONDS),
        _parameters(rows),
        _scaling(),
        _ratios(rows),
        _front(rows),
        _by(rows, "batch", "energy", "energy per sample", vega.JOULES),
        _by(rows, "batch", "memory", "peak memory, MiB", vega.PLAIN),
        layers(),
        operators(rows),
        roofline(rows, rooflines),
    ]
    several = {
        "latency-by-batch": "batch",
        "throughput-by-batch": "batch",
        "latency-by-variant": "column",
        "latency-by-size": "size",
        "latency-by-parameters": "parameters",
        "scaling": "times_batch",
    }
    drawable = [chart for chart in wanted if chart is not None and chart.has(rows)]
    shown = [c for c in drawable if c.name not in several or _several(rows, several[c.name])]
    has_lines = any(chart.name == HEROES[0] for chart in shown)
    return [chart for chart in shown if chart.name != HEROES[1] or not has_lines]


def _several(rows: Sequence[Row], name: str) -> bool:
    return len({row.get(name) for row in rows} - {None}) > 1


def _by(rows: Sequence[Row], axis: str, figure: str, label: str, ticks: str) -> Chart:
    """A figure against the batch size or the input size, the other held fixed."""
    words = {"batch": "batch size", "size": "input size"}
    note = {
        "energy": "Energy of one sample, not of a batch.",
        "memory": "The most memory of the process at any time.",
        "throughput": "Samples per second, higher is better.",
    }.get(figure, "Time of one call of a whole batch, lower is better.")
    interval = "" if figure == "memory" else figure
    return Chart(
        name=f"{figure}-by-{axis}",
        title=f"{figure.capitalize()} against {words[axis]}",
        x=axis,
        y=figure,
        interval=interval,
        by="size" if axis == "batch" else "batch",
        spec=vega.points(vega.axis(words[axis], vega.PLAIN), vega.axis(label, ticks), lines=True),
        note=f"{note}{_bars(rows, figure)}{_hollow(rows, interval)}{_crosses(rows)}",
    )


def _variants(rows: Sequence[Row]) -> Chart:
    """The latency of each variant at one shape, the fastest first."""
    return Chart(
        name="latency-by-variant",
        title="Latency of each variant",
        x="latency",
        y="latency",
        across="latency",
        by="shape",
        lines=False,
        named=True,
        spec=vega.named(vega.axis("latency per call", vega.SECONDS)),
        note="Time of one call of a whole batch, lower is better."
        + _bars(rows, "latency")
        + _hollow(rows, "latency"),
    )


def _bars(rows: Sequence[Row], figure: str) -> str:
    """What the bars are; empty where there are none."""
    if any(f"{figure}_relative_low" in row for row in rows):
        return f" Bars: intervals ({', '.join(BARS)}), often smaller than the marks."
    if any(f"{figure}_low" in row for row in rows):
        return " Bars: uncertainty." if figure == "energy" else " Bars: interval."
    return ""


def _hollow(rows: Sequence[Row], figure: str) -> str:
    """What a hollow point is, where some are."""
    ends = ("low", "high", "relative_low", "relative_high")
    without = any(
        figure in row and not any(f"{figure}_{end}" in row for end in ends) for row in rows
    )
    return f" {HOLLOW.capitalize()}." * without


def _crosses(rows: Sequence[Row]) -> str:
    """What a cross is, where some are."""
    return " Crosses at the top: not measured." * any("failure" in row for row in rows)


def _parameters(rows: Sequence[Row]) -> Chart:
    return Chart(
        name="latency-by-parameters",
        title="Latency against parameter count",
        x="parameters",
        y="latency",
        interval="latency",
        by="shape",
        lines=False,
        spec=vega.points(
            vega.axis("parameters", vega.SHORT),
            vega.axis("latency per call", vega.SECONDS),
            lines=False,
        ),
        note="If the parameter count decided the latency, the points would rise to the right."
        + _bars(rows, "latency")
        + _hollow(rows, "latency"),
    )


def _scaling() -> Chart:
    diagonal = {
        "data": {"name": "diagonal"},
        "mark": {"type": "line", "strokeDash": [6, 4], "clip": True},
        "encoding": {
            "x": vega.quantity("x"),
            "y": vega.quantity("y"),
            "color": {"value": "var(--soft)"},
        },
    }
    return Chart(
        name="scaling",
        title="Scaling with the batch size",
        x="times_batch",
        y="times_latency",
        by="size",
        spec=vega.points(
            vega.axis("batch size, times the smallest", vega.PLAIN),
            vega.axis("latency, times that of the smallest batch", vega.PLAIN),
            lines=True,
            below=[diagonal],
        ),
        note="Along the dashed line twice the batch takes twice the time; below it a larger batch "
        "pays, above it costs more than it should.",
    )


def _ratios(rows: Sequence[Row]) -> Chart | None:
    """Latency on each device over that on the first; None where the rows are of one device."""
    base = next((str(row["ratio_base"]) for row in rows if "ratio_base" in row), None)
    if base is None:
        return None
    return Chart(
        name="ratio-by-device",
        title=f"Latency over that on {base}",
        x="ratio",
        y="ratio",
        across="ratio",
        by="shape",
        lines=False,
        named=True,
        spec=vega.named(vega.axis(f"latency over that on {base}", vega.PLAIN)),
        note="Left of 1 is faster. Bars: 95 % intervals." + _hollow(rows, "ratio"),
    )


def _front(rows: Sequence[Row]) -> Chart | None:
    """Latency against what it is traded for; None where fewer than three workloads have both."""
    for figure, label, ticks, by in (
        ("accuracy", "accuracy", vega.PLAIN, "batch"),
        ("energy", "energy per sample", vega.JOULES, "shape"),
        ("memory", "peak memory, MiB", vega.PLAIN, "shape"),
    ):
        found = Counter(row.get(by) for row in rows if "latency" in row and figure in row)
        if max(found.values(), default=0) < FEWEST:
            continue
        is_accuracy = figure == "accuracy"
        return Chart(
            name="trade-off",
            title=f"{label.partition(',')[0].capitalize()} against latency, and the front",
            x="latency",
            y=figure,
            interval="" if figure == "memory" else figure,
            across="latency",
            front="highest" if is_accuracy else "lowest",
            by=by,
            lines=False,
            spec=vega.points(
                vega.axis("latency per call", vega.SECONDS),
                vega.axis(label, ticks),
                lines=False,
                below=[vega.front()],
                is_linear=is_accuracy,
            ),
            note="Dashed: the front of these two figures; what lies on it is beaten by no other in "
            f"both.{_bars(rows, 'latency')}",
        )
    return None
