"""Which plots the page has, and how they are read; the drawing is Vega-Lite's (see `vega`)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from inferometer.core import units
from inferometer.core.roofline import Roofline
from inferometer.report.document.operators import KINDS, TITLE
from inferometer.report.document.tradeoff import FEWEST
from inferometer.report.document.wording import plural
from inferometer.report.html import vega
from inferometer.report.html.rows import LAYERS, Row
from inferometer.report.plots.choice import BARS, HOLLOW

Front = Literal["", "highest", "lowest"]

HEROES = ("latency-by-batch", "latency-by-variant")
"""Charts that show the answer of a report: the first that there is stands at the beginning."""
MOST_TOLD = 4
"""Rooflines that are told below their plot."""


@dataclass(frozen=True, kw_only=True)
class Chart:
    """A plot of the page.

    Attributes:
        name: of the figure in the page.
        title: what it shows.
        x: field of a row on the horizontal axis.
        y: field of a row on the vertical axis.
        interval: begins the names of the fields that hold the ends of its intervals; empty where
            there are none.
        across: begins the names of the fields that hold the ends of its intervals along the
            horizontal axis; empty where there are none.
        front: whether a front is drawn among the points, of what is lowest on the horizontal axis
            and `highest` or `lowest` on the vertical one; empty for none.
        by: field of which one value is shown at a time; empty where all rows are.
        lines: whether the points of a variant are joined.
        layers: fields of a row that are stacked into a bar, in place of points.
        named: whether the vertical axis is one of names.
        spec: the Vega-Lite specification, without points.
        note: what a reader should know to read it.
    """

    name: str
    title: str
    x: str
    y: str
    interval: str = ""
    across: str = ""
    front: Front = ""
    by: str = ""
    lines: bool = True
    layers: tuple[str, ...] = ()
    named: bool = False
    spec: vega.Spec = field(repr=False)
    note: str = ""

    def has(self, rows: Sequence[Row]) -> bool:
        """Whether any row has a point in it."""
        return any((row.get(self.x) or 0) > 0 and (row.get(self.y) or 0) > 0 for row in rows)

    def to_json(self) -> dict[str, Any]:
        """What the page's script needs."""
        told = ("name", "x", "y", "interval", "across", "front", "by", "lines", "layers", "named")
        return {name: getattr(self, name) for name in (*told, "spec")}


def charts(rows: Sequence[Row], rooflines: Sequence[tuple[str, Roofline]]) -> list[Chart]:
    """The plots for which the rows have figures.

    Args:
        rows: those of the table.
        rooflines: what the devices can do at best, each with the name of its device.
    """
    wanted = [
        _by(rows, "batch", "latency", "latency per call", vega.SECONDS),
        _variants(rows),
        _by(rows, "batch", "throughput", "throughput, inputs/s", vega.SHORT),
        _by(rows, "size", "latency", "latency per call", vega.SECONDS),
        _parameters(rows),
        _scaling(),
        _ratios(rows),
        _front(rows),
        _by(rows, "batch", "energy", "energy per sample", vega.JOULES),
        _by(rows, "batch", "memory", "peak memory, MiB", vega.PLAIN),
        _layers(),
        _operators(rows),
        _roofline(rows, rooflines),
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
        return f" Bars: intervals; {', '.join(BARS)}."
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


def _layers() -> Chart:
    """What the memory of each variant consists of, as bars, with the peak as a mark on them."""
    shades = dict(zip(LAYERS, ("var(--c6)", "var(--c0)", "var(--c4)"), strict=True))
    return Chart(
        name="memory-layers",
        title="What the memory consists of",
        x="runtime",
        y="memory",
        by="shape",
        lines=False,
        layers=tuple(shades),
        spec=_stacked(shades, {"axis": {"title": "memory, MiB"}}),
        note="Upright marks: the peak. Runtime: held before the model was loaded.",
    )


def _operators(rows: Sequence[Row]) -> Chart:
    """Where the time of each profiled call goes, as bars, with the bound as a mark on them."""
    colours = (*(f"var(--c{number})" for number in range(7)), "var(--line)")
    shades = dict(zip(KINDS, colours, strict=True))
    shades = {kind: shade for kind, shade in shades.items() if any(kind in row for row in rows)}
    return Chart(
        name="operators",
        title=TITLE,
        x="profiled",
        y="operators_bound",
        lines=False,
        layers=tuple(shades),
        spec=_stacked(
            shades, {"axis": {"title": "share of a call, %"}, "scale": {"domainMax": 100}}
        ),
        note="Upright marks: the roofline bound of all operators together.",
    )


def _stacked(shades: Mapping[str, str], x: vega.Spec) -> vega.Spec:
    """A bar of layers for each variant, and a mark on it."""
    axis = {"title": None, **vega.NAMED}
    y = {"field": "column", "type": "nominal", "sort": None, "axis": axis}
    scale = {"domain": list(shades), "range": list(shades.values())}
    bars = {
        "data": {"name": "points"},
        "mark": {"type": "bar", "height": {"band": 0.7}},
        "encoding": {
            "x": {**vega.quantity("size"), **x},
            "y": y,
            "color": {"field": "layer", "type": "nominal", "scale": scale},
            "order": {"field": "order"},
            **vega.POINTED_AT,
        },
    }
    marks = {
        "mark": {"type": "tick", "thickness": 3, "color": "var(--ink)"},
        "encoding": {"x": vega.quantity("x"), "y": y},
    }
    read = {"mark": {"type": "point", "size": 320, "strokeWidth": 2, "color": "var(--ink)"}}
    return {
        "width": "container",
        "height": vega.HEIGHT,
        "autosize": {"type": "fit-x", "contains": "padding"},
        "layer": [
            bars,
            {"data": {"name": "peaks"}, **marks},
            {"data": {"name": "read"}, **marks, **read},
        ],
    }


def _roofline(rows: Sequence[Row], rooflines: Sequence[tuple[str, Roofline]]) -> Chart:
    """Operations per second against operations per byte, under what the device attains."""
    roofline_lines = {
        "data": {"values": _roofline_points(rows, rooflines)},
        "mark": {"type": "line", "strokeWidth": 1.5},
        "encoding": {
            "x": vega.quantity("x"),
            "y": vega.quantity("y"),
            "color": {"value": "var(--soft)"},
            "detail": {"field": "line"},
            "strokeDash": {
                "field": "kind",
                "type": "nominal",
                "scale": {"domain": ["memory", "cache"], "range": [[1, 0], [5, 4]]},
                "legend": None,
            },
        },
    }
    told = list(dict.fromkeys(f"{name}: {_told(roofline)}" for name, roofline in rooflines))
    if len(told) > MOST_TOLD:
        told = ["What they are is told in the section Roofline."]
    return Chart(
        name="roofline",
        title="Roofline",
        x="intensity",
        y="flops_per_s",
        lines=False,
        spec=vega.points(
            vega.axis("operations per byte moved, FLOP/B", vega.PLAIN),
            vega.axis("attained operations, FLOP/s", vega.SHORT),
            lines=False,
            below=[roofline_lines] if told else [],
        ),
        note=" ".join(
            [
                "The lines are what a probe of this device attained: solid from memory, dashed "
                "from the caches. A point far below them is limited by something else."
                if told
                else "The roofline of the device was not measured, so there are no lines.",
                *told,
            ]
        ),
    )


def _told(roofline: Roofline) -> str:
    caches = (
        f", {units.quantity(roofline.cache.best, 'B/s')} from the caches" if roofline.cache else ""
    )
    return (
        f"{roofline.device}, {roofline.precision}, {plural(roofline.threads, 'thread')}: "
        f"{units.quantity(roofline.flops.best, 'FLOP/s')}, "
        f"{units.quantity(roofline.memory.best, 'B/s')} from memory{caches}."
    )


def _roofline_points(
    rows: Sequence[Row], rooflines: Sequence[tuple[str, Roofline]]
) -> list[dict[str, Any]]:
    """The ends and the ridge of each roofline, over the range of the rows and somewhat beyond."""
    found = [float(row["intensity"]) for row in rows if row.get("intensity")]
    if not found:
        return []
    points = []
    for number, (_, roofline) in enumerate(rooflines):
        for kind, rate in (("memory", roofline.memory), ("cache", roofline.cache)):
            if rate is None or rate.best <= 0:
                continue
            ridge = roofline.flops.best / rate.best
            across = sorted({min(found) / 3, ridge, max([*found, ridge]) * 3})
            points += [
                {
                    "x": x,
                    "y": min(roofline.flops.best, rate.best * x),
                    "kind": kind,
                    "line": f"{number} {kind}",
                }
                for x in across
            ]
    return points
