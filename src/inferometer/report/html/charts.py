"""What the plots of the page look like, as Vega-Lite; the page's script puts the points in.

Each point has `x` and `y`, the ends `lo` and `hi` of its interval, and the `label` of its variant.
Colours are variables of the style sheet, so that light, dark and print need no drawing again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from inferometer.core import units
from inferometer.core.roof import Roof
from inferometer.report.html.rows import LAYERS, Row
from inferometer.report.wording import plural

Spec = dict[str, Any]

HEIGHT = 320
_SECONDS, _JOULES = (
    f"datum.value < 1e-3 ? format(datum.value * 1e6, '~g') + ' \N{MICRO SIGN}{unit}' : "
    f"datum.value < 1 ? format(datum.value * 1e3, '~g') + ' m{unit}' : "
    f"format(datum.value, ',~g') + ' {unit}'"
    for unit in ("s", "J")
)
_PLAIN = "format(datum.value, ',~g')"
_SHORT = "format(datum.value, '~s')"
_POINTED_AT: Spec = {"tooltip": {"value": "any"}}  # what it says is up to the page's script
CONFIG: Spec = {
    "aria": False,  # the figure is named and read out by the page; thousands of marks are not
    "background": None,
    "font": "system-ui, sans-serif",
    "view": {"stroke": "var(--line)"},
    "axis": {
        "labelColor": "var(--ink)",
        "titleColor": "var(--ink)",
        "gridColor": "var(--line)",
        "domainColor": "var(--soft)",
        "tickColor": "var(--soft)",
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "labelOverlap": "greedy",
        "labelSeparation": 4,
    },
    "legend": {
        "labelColor": "var(--ink)",
        "labelFontSize": 12,
        "orient": "bottom",
        "title": None,
        "symbolSize": 80,
    },
}


@dataclass(frozen=True, kw_only=True)
class Chart:
    """A plot of the page.

    Attributes:
        name: of the figure in the page.
        title: what it shows.
        x: field of a row on the horizontal axis.
        y: field of a row on the vertical axis.
        low: field of the lower end of the interval; empty where there is none.
        high: field of the upper end.
        by: field of which one value is shown at a time, `size` or `batch`; empty for all rows.
        lines: whether the points of a variant are joined.
        layers: fields of a row that are stacked into a bar, in place of points.
        spec: the Vega-Lite specification, without points.
        note: what a reader should know to read it.
    """

    name: str
    title: str
    x: str
    y: str
    low: str = ""
    high: str = ""
    by: str = ""
    lines: bool = True
    layers: tuple[str, ...] = ()
    spec: Spec = field(repr=False)
    note: str = ""

    def has(self, rows: Sequence[Row]) -> bool:
        """Whether any row has a point in it."""
        return any(row.get(self.x) is not None and row.get(self.y) is not None for row in rows)

    def to_json(self) -> dict[str, Any]:
        """What the page's script needs."""
        names = ("name", "x", "y", "low", "high", "by", "lines", "layers", "spec")
        return {name: getattr(self, name) for name in names}


def charts(rows: Sequence[Row], roofs: Sequence[tuple[str, Roof]]) -> list[Chart]:
    """The plots for which the rows have figures.

    Args:
        rows: those of the table.
        roofs: what the devices can do at best, each with the name of its device.
    """
    wanted = [
        _by("batch", "latency", "latency per call", _SECONDS),
        _by("batch", "throughput", "throughput, inputs/s", _SHORT),
        _by("size", "latency", "latency per call", _SECONDS),
        _parameters(),
        _scaling(),
        _by("batch", "energy", "energy per input", _JOULES),
        _by("batch", "memory", "peak memory, MiB", _PLAIN),
        _layers(),
        _roofline(rows, roofs),
    ]
    drawable = [chart for chart in wanted if chart.has(rows)]
    return [chart for chart in drawable if chart.by != "batch" or _several(rows, "size")]


def _several(rows: Sequence[Row], name: str) -> bool:
    return len({row.get(name) for row in rows} - {None}) > 1


def _by(axis: str, figure: str, label: str, ticks: str) -> Chart:
    """A figure against the batch size or the input size, the other held fixed."""
    words = {"batch": "batch size", "size": "input size"}
    note = {
        "energy": "Energy of one input, not of a batch. Bars: uncertainty.",
        "memory": "The most memory of the process at any time.",
        "throughput": "Inputs per second, higher is better. Bars: interval.",
    }.get(figure, "Time of one call of a whole batch, lower is better. Bars: interval.")
    return Chart(
        name=f"{figure}-by-{axis}",
        title=f"{figure.capitalize()} against {words[axis]}",
        x=axis,
        y=figure,
        low=f"{figure}_low",
        high=f"{figure}_high",
        by="size" if axis == "batch" else "batch",
        spec=_spec(_axis(words[axis], _PLAIN), _axis(label, ticks), lines=True),
        note=note,
    )


def _parameters() -> Chart:
    return Chart(
        name="latency-by-parameters",
        title="Latency against parameter count",
        x="parameters",
        y="latency",
        low="latency_low",
        high="latency_high",
        by="shape",
        lines=False,
        spec=_spec(_axis("parameters", _SHORT), _axis("latency per call", _SECONDS), lines=False),
        note="If the parameter count decided the latency, the points would rise to the right.",
    )


def _scaling() -> Chart:
    diagonal = {
        "data": {"name": "diagonal"},
        "mark": {"type": "line", "strokeDash": [6, 4], "clip": True},
        "encoding": {"x": _field("x"), "y": _field("y"), "color": {"value": "var(--soft)"}},
    }
    return Chart(
        name="scaling",
        title="Scaling with the batch size",
        x="times_batch",
        y="times_latency",
        by="size",
        spec=_spec(
            _axis("batch size, times the smallest", _PLAIN),
            _axis("latency, times that of the smallest batch", _PLAIN),
            lines=True,
            below=[diagonal],
        ),
        note="Along the dashed line twice the batch takes twice the time; below it a larger batch "
        "pays, above it costs more than it should.",
    )


def _layers() -> Chart:
    """What the memory of each variant consists of, as bars, with the peak as a mark on them."""
    y = {"field": "label", "type": "nominal", "sort": None, "axis": {"title": None}}
    shades = {"domain": list(LAYERS), "range": ["var(--c6)", "var(--c0)", "var(--c4)"]}
    bars = {
        "data": {"name": "points"},
        "mark": {"type": "bar", "height": {"band": 0.7}},
        "encoding": {
            "x": {**_field("size"), "axis": {"title": "memory, MiB"}},
            "y": y,
            "color": {"field": "layer", "type": "nominal", "scale": shades},
            "order": {"field": "order"},
            **_POINTED_AT,
        },
    }
    peaks = {
        "mark": {"type": "tick", "thickness": 3, "color": "var(--ink)"},
        "encoding": {"x": _field("x"), "y": y},
    }
    read = {"mark": {"type": "point", "size": 320, "strokeWidth": 2, "color": "var(--ink)"}}
    return Chart(
        name="memory-layers",
        title="What the memory consists of",
        x="runtime",
        y="memory",
        by="shape",
        lines=False,
        layers=tuple(LAYERS),
        spec={
            "width": "container",
            "height": HEIGHT,
            "autosize": {"type": "fit-x", "contains": "padding"},
            "layer": [
                bars,
                {"data": {"name": "peaks"}, **peaks},
                {"data": {"name": "read"}, **peaks, **read},
            ],
        },
        note="Upright marks: the peak. Runtime: held before the model was loaded.",
    )


def _roofline(rows: Sequence[Row], roofs: Sequence[tuple[str, Roof]]) -> Chart:
    """Operations per second against operations per byte, under what the device attains."""
    roof_lines = {
        "data": {"values": _roof_points(rows, roofs)},
        "mark": {"type": "line", "strokeWidth": 1.5},
        "encoding": {
            "x": _field("x"),
            "y": _field("y"),
            "color": {"value": "var(--soft)"},
            "detail": {"field": "roof"},
            "strokeDash": {
                "field": "kind",
                "type": "nominal",
                "scale": {"domain": ["memory", "cache"], "range": [[1, 0], [5, 4]]},
                "legend": None,
            },
        },
    }
    told = [f"{name}: {_told(roof)}" for name, roof in roofs]
    return Chart(
        name="roofline",
        title="Roofline",
        x="intensity",
        y="flops_per_s",
        lines=False,
        spec=_spec(
            _axis("operations per byte moved, FLOP/B", _PLAIN),
            _axis("attained operations, FLOP/s", _SHORT),
            lines=False,
            below=[roof_lines] if told else [],
        ),
        note=" ".join(
            [
                "The lines are what a probe of this device attained: solid from memory, dashed "
                "from the caches. A point far below them is limited by something else."
                if told
                else "The roofs of the device were not measured, so there are no lines.",
                *told,
            ]
        ),
    )


def _told(roof: Roof) -> str:
    caches = f", {units.byte_count(roof.cache.best)}/s from the caches" if roof.cache else ""
    return (
        f"{roof.device}, {roof.precision}, {plural(roof.threads, 'thread')}: "
        f"{units.quantity(roof.flops.best, 'FLOP/s')}, "
        f"{units.byte_count(roof.memory.best)}/s from memory{caches}."
    )


def _roof_points(rows: Sequence[Row], roofs: Sequence[tuple[str, Roof]]) -> list[dict[str, Any]]:
    """The ends and the ridge of each roof, over the range of the rows and somewhat beyond."""
    found = [float(row["intensity"]) for row in rows if row.get("intensity")]
    if not found:
        return []
    points = []
    for name, roof in roofs:
        for kind, rate in (("memory", roof.memory), ("cache", roof.cache)):
            if rate is None or rate.best <= 0:
                continue
            ridge = roof.flops.best / rate.best
            across = sorted({min(found) / 3, ridge, max([*found, ridge]) * 3})
            points += [
                {
                    "x": x,
                    "y": min(roof.flops.best, rate.best * x),
                    "kind": kind,
                    "roof": f"{name} {roof.device} {roof.precision} {roof.threads} {kind}",
                }
                for x in across
            ]
    return points


def _field(name: str) -> Spec:
    return {"field": name, "type": "quantitative"}


def _axis(title: str, ticks: str) -> Spec:
    return {"title": title, "labelExpr": ticks}


def _spec(x: Spec, y: Spec, *, lines: bool, below: Sequence[Spec] = ()) -> Spec:
    """Points with their intervals, joined by lines; crosses above for what has no figure."""
    faded = {"condition": {"param": "pick", "value": 1}, "value": 0.12}
    layers: list[Spec] = [*below]
    layers.append(
        {
            "mark": {"type": "rule", "clip": True, "strokeWidth": 1.5},
            "encoding": {"y": _field("lo"), "y2": {"field": "hi"}, "opacity": faded},
        }
    )
    if lines:
        layers.append({"mark": {"type": "line", "clip": True}, "encoding": {"opacity": faded}})
    layers += [
        {
            "params": [
                {
                    "name": "pick",
                    "select": {"type": "point", "fields": ["label"]},
                    "bind": "legend",
                }
            ],
            "mark": {"type": "point", "filled": True, "size": 70, "opacity": 1},
            "encoding": {
                "opacity": faded,
                "shape": {"field": "label", "type": "nominal"},
                **_POINTED_AT,
            },
        },
        _crosses(),
        _ring(),
    ]
    return {
        "width": "container",
        "height": HEIGHT,
        "autosize": {"type": "fit-x", "contains": "padding"},
        "data": {"name": "points"},
        "encoding": {
            "x": {**_field("x"), "axis": x, "scale": {"type": "log", "nice": False}},
            "y": {
                **_field("y"),
                "axis": y,
                "scale": {"type": "log", "nice": False},
            },
            "color": {"field": "label", "type": "nominal"},
        },
        "layer": layers,
    }


def _crosses() -> Spec:
    """What failed or was skipped, above the points."""
    return {
        "data": {"name": "failed"},
        "mark": {"type": "point", "shape": "M-1,-1L1,1M-1,1L1,-1", "size": 40, "strokeWidth": 2},
        "encoding": {"y": {"value": 10}, **_POINTED_AT},
    }


def _ring() -> Spec:
    """Around the point that is read."""
    return {
        "data": {"name": "read"},
        "mark": {"type": "point", "size": 320, "strokeWidth": 2, "filled": False},
        "encoding": {"color": {"value": "var(--ink)"}},
    }


def course() -> Spec:
    """The raw observations of a workload over time; every kind has a colour and a shape."""
    kinds = ["counted", "stands out", "after a switch", "warm-up"]
    shapes = ["circle", "triangle-up", "square", "diamond"]
    colours = ["var(--c0)", "var(--c1)", "var(--c4)", "var(--soft)"]
    scale: Mapping[str, Any] = {"domain": kinds}
    return {
        "width": "container",
        "height": HEIGHT,
        "autosize": {"type": "fit-x", "contains": "padding"},
        "layer": [
            {
                "data": {"name": "processes"},
                "mark": {"type": "rule", "strokeDash": [2, 3], "color": "var(--soft)"},
                "encoding": {"x": _field("x")},
            },
            {
                "data": {"name": "points"},
                "mark": {"type": "point", "filled": True, "size": 28, "opacity": 0.85},
                "encoding": {
                    "x": {
                        **_field("x"),
                        "axis": {"title": "time since the first call, s", "tickCount": 8},
                    },
                    "y": {
                        **_field("y"),
                        "axis": _axis("latency per call", _SECONDS),
                        "scale": {"type": "log", "nice": False},
                    },
                    "color": {"field": "kind", "scale": {**scale, "range": colours}},
                    "shape": {"field": "kind", "scale": {**scale, "range": shapes}},
                    **_POINTED_AT,
                },
            },
            {**_ring(), "encoding": {**_ring()["encoding"], "x": _field("x"), "y": _field("y")}},
        ],
    }


def histogram() -> Spec:
    """How often each latency occurred among the values that count."""
    return {
        "width": "container",
        "height": 180,
        "autosize": {"type": "fit-x", "contains": "padding"},
        "data": {"name": "bins"},
        "mark": {"type": "bar", "color": "var(--c0)", "stroke": "var(--page)", "strokeWidth": 0.5},
        "encoding": {
            "x": {
                **_field("from"),
                "axis": _axis("latency per call", _SECONDS),
                "scale": {"type": "log", "nice": False},
            },
            "x2": {"field": "to"},
            "y": {**_field("count"), "axis": {"title": "values"}},
            "y2": {"datum": 0},
            **_POINTED_AT,
        },
    }
