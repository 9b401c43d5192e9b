"""Vega-Lite specifications of the page's plots, without their points; the page's script has those.

Each point has `x` and `y`, the ends `lo` and `hi` of its interval, and the number of its variant,
`column`: a name could be one that Vega keeps for itself. The page's script gives the `names`.
Colours are variables of the style sheet, so that light, dark and print need no drawing again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Spec = dict[str, Any]

HEIGHT = 320
SECONDS, JOULES = (
    f"datum.value < 1e-3 ? format(datum.value * 1e6, '~g') + ' \N{MICRO SIGN}{unit}' : "
    f"datum.value < 1 ? format(datum.value * 1e3, '~g') + ' m{unit}' : "
    f"format(datum.value, ',~g') + ' {unit}'"
    for unit in ("s", "J")
)
PLAIN = "format(datum.value, ',~g')"
SHORT = "datum.value < 1 ? format(datum.value, '~g') : format(datum.value, '~s')"  # no millis
NAMED: Spec = {"labelExpr": "names[datum.value]"}  # of a legend or an axis of variants
POINTED_AT: Spec = {"tooltip": {"value": "any"}}  # what it says is up to the page's script
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


def quantity(name: str) -> Spec:
    """A number, by the name that it has in a point."""
    return {"field": name, "type": "quantitative"}


def axis(title: str, ticks: str) -> Spec:
    """An axis; `ticks` is an expression that formats its labels, one of those above."""
    return {"title": title, "labelExpr": ticks}


def points(x: Spec, y: Spec, *, lines: bool, below: Sequence[Spec] = ()) -> Spec:
    """Points with their intervals, joined by lines; crosses above for what has no figure."""
    faded = {"condition": {"param": "pick", "value": 1}, "value": 0.12}
    layers: list[Spec] = [*below]
    layers.append(
        {
            "mark": {"type": "rule", "clip": True, "strokeWidth": 1.5},
            "encoding": {"y": quantity("lo"), "y2": {"field": "hi"}, "opacity": faded},
        }
    )
    if lines:
        layers.append({"mark": {"type": "line", "clip": True}, "encoding": {"opacity": faded}})
    layers += [
        {
            "params": [
                {
                    "name": "pick",
                    "select": {"type": "point", "fields": ["column"]},
                    "bind": "legend",
                }
            ],
            "mark": {"type": "point", "filled": True, "size": 70, "opacity": 1},
            "encoding": {
                "opacity": faded,
                "shape": {"field": "column", "type": "nominal", "legend": NAMED},
                **POINTED_AT,
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
            "x": {**quantity("x"), "axis": x, "scale": {"type": "log", "nice": False}},
            "y": {
                **quantity("y"),
                "axis": y,
                "scale": {"type": "log", "nice": False},
            },
            "color": {"field": "column", "type": "nominal", "legend": NAMED},
        },
        "layer": layers,
    }


def _crosses() -> Spec:
    """What failed or was skipped, above the points."""
    return {
        "data": {"name": "failed"},
        "mark": {"type": "point", "shape": "M-1,-1L1,1M-1,1L1,-1", "size": 40, "strokeWidth": 2},
        "encoding": {"y": {"value": 10}, **POINTED_AT},
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
    kinds = ["counted", "outlier", "after a switch", "warm-up"]
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
                "encoding": {"x": quantity("x")},
            },
            {
                "data": {"name": "points"},
                "mark": {"type": "point", "filled": True, "size": 28, "opacity": 0.85},
                "encoding": {
                    "x": {
                        **quantity("x"),
                        "axis": {"title": "time since the first call, s", "tickCount": 8},
                    },
                    "y": {
                        **quantity("y"),
                        "axis": axis("latency per call", SECONDS),
                        "scale": {"type": "log", "nice": False},
                    },
                    "color": {"field": "kind", "scale": {**scale, "range": colours}},
                    "shape": {"field": "kind", "scale": {**scale, "range": shapes}},
                    **POINTED_AT,
                },
            },
            {
                **_ring(),
                "encoding": {**_ring()["encoding"], "x": quantity("x"), "y": quantity("y")},
            },
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
                **quantity("from"),
                "axis": axis("latency per call", SECONDS),
                "scale": {"type": "log", "nice": False},
            },
            "x2": {"field": "to"},
            "y": {**quantity("count"), "axis": {"title": "values", "tickMinStep": 1}},
            "y2": {"datum": 0},
            **POINTED_AT,
        },
    }
