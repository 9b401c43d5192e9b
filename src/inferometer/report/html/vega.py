"""Vega-Lite specifications of the page's plots, without their points; the page's script has those.

Each point has `x` and `y`, the ends `lo` and `hi` of its interval, `near` and `far` of the one for
comparisons within its run, and the number of its variant, `column`: a name could be one that Vega
keeps for itself. The page's script gives the `names`.
Colours are variables of the style sheet, so that light, dark and print need no drawing again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Spec = dict[str, Any]

HEIGHT = 320
STRIP, STRIP_GAP = 64, 24
THIN, THICK = 1.5, 4.5
"""Widths of bars, in pixels: of the interval, and of the one for comparisons within a run."""
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


def points(
    x: Spec, y: Spec, *, lines: bool, below: Sequence[Spec] = (), is_linear: bool = False
) -> Spec:
    """Points with their intervals, joined by lines; crosses above for what has no figure.

    Args:
        x: the horizontal axis.
        y: the vertical axis.
        lines: whether points of one variant are joined.
        below: further layers, under the points.
        is_linear: whether the vertical axis is no logarithmic one.
    """
    faded = {"condition": {"param": "pick", "value": 1}, "value": 0.12}
    layers: list[Spec] = [*below]
    layers += [
        {
            "mark": {"type": "rule", "clip": True, "strokeWidth": width},
            "encoding": {"y": quantity(low), "y2": {"field": high}, "opacity": faded},
        }
        for low, high, width in (("lo", "hi", THIN), ("near", "far", THICK))
    ]
    layers += [
        {
            "transform": [{"filter": f"isValid(datum.{low})"}],
            "mark": {"type": "rule", "clip": True, "strokeWidth": width},
            "encoding": {"x": quantity(low), "x2": {"field": high}, "opacity": faded},
        }
        for low, high, width in (("left", "right", THIN), ("nearLeft", "nearRight", THICK))
    ]
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
        _holes(),
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
                "scale": {"type": "linear", "zero": False, "nice": False}
                if is_linear
                else {"type": "log", "nice": False},
            },
            "color": {"field": "column", "type": "nominal", "legend": NAMED},
        },
        "layer": layers,
    }


def named(x: Spec) -> Spec:
    """Points with their intervals along the horizontal axis, a row for each variant.

    The page's script gives the order of the rows.
    """
    rows = {"field": "column", "type": "nominal", "axis": {"title": None, **NAMED}}
    bars = [
        {
            "mark": {"type": "rule", "clip": True, "strokeWidth": width},
            "encoding": {"x": quantity(low), "x2": {"field": high}},
        }
        for low, high, width in (("left", "right", THIN), ("nearLeft", "nearRight", THICK))
    ]
    points = {"mark": {"type": "point", "filled": True, "size": 70, "opacity": 1}}
    return {
        "width": "container",
        "height": HEIGHT,
        "autosize": {"type": "fit-x", "contains": "padding"},
        "data": {"name": "points"},
        "encoding": {
            "x": {**quantity("x"), "axis": x, "scale": {"type": "log", "nice": False}},
            "y": rows,
            "color": {"value": "var(--c0)"},
        },
        "layer": [*bars, {**points, "encoding": POINTED_AT}, _holes(), _ring()],
    }


def front() -> Spec:
    """Steps along the front, which the page's script finds among the points."""
    return {
        "data": {"name": "front"},
        "mark": {
            "type": "line",
            "interpolate": "step-after",
            "strokeDash": [6, 4],
            "strokeWidth": 1.5,
            "clip": True,
        },
        "encoding": {
            "x": quantity("x"),
            "y": quantity("y"),
            "color": {"value": "var(--soft)"},
        },
    }


def _holes() -> Spec:
    """In points without an interval, which would look like the surest of all."""
    return {
        "transform": [{"filter": "datum.hollow"}],
        "mark": {"type": "point", "filled": True, "size": 22, "opacity": 1},
        "encoding": {"color": {"value": "var(--page)"}, **POINTED_AT},
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


def course(*, strip: bool = False) -> Spec:
    """The raw observations of a workload over time, below a strip of the machine's state or alone.

    The last layer has the observations.
    """
    above = STRIP + STRIP_GAP if strip else 0
    since = "the run's first call" if strip else "the first call"
    return {
        "width": "container",
        "height": HEIGHT + above,
        "autosize": {"type": "fit-x", "contains": "padding"},
        "encoding": {
            "x": {
                **quantity("x"),
                "axis": {"title": f"time since {since}, s", "tickCount": 8, "grid": not strip},
                "scale": {"nice": False},
            }
        },
        "layer": [*([_strip()] if strip else []), _observations(above)],
        "resolve": {"scale": {"y": "independent"}},
    }


def _strip() -> Spec:
    """The state of the machine, at the upper edge; 1 is its average over the run."""
    y = {
        **quantity("y"),
        "axis": {
            "title": None,
            "orient": "left",
            "labelExpr": "format(datum.value, '~g') + ' \N{MULTIPLICATION SIGN}'",
            "grid": False,
        },
        "scale": {"type": "log", "nice": False, "range": [STRIP, 0]},
    }
    return {
        "data": {"name": "state"},
        "encoding": {"y": y},
        "layer": [
            {
                "mark": {"type": "line", "color": "var(--c1)", "strokeWidth": 1.5},
                "encoding": {**POINTED_AT},
            },
            {
                "data": {"values": [{"y": 1}]},
                "mark": {"type": "rule", "color": "var(--soft)"},
                "encoding": {"x": {"value": 0}, "x2": {"value": "width"}},
            },
        ],
    }


def _observations(above: int) -> Spec:
    """Every value, so many pixels below the upper edge; a kind has a colour and a shape."""
    kinds = ["counted", "outlier", "after a switch", "warm-up"]
    shapes = ["circle", "triangle-up", "square", "diamond"]
    colours = ["var(--c0)", "var(--c1)", "var(--c4)", "var(--soft)"]
    scale: Mapping[str, Any] = {"domain": kinds}
    y = {
        **quantity("y"),
        "axis": {**axis("latency per call", SECONDS), "orient": "left", "grid": True},
        "scale": {"type": "log", "nice": False, "range": [HEIGHT + above, above]},
    }
    return {
        "layer": [
            {
                "data": {"name": "processes"},
                "mark": {"type": "rule", "strokeDash": [2, 3], "color": "var(--soft)"},
            },
            {
                "data": {"name": "points"},
                "mark": {"type": "point", "filled": True, "size": 28, "opacity": 0.85},
                "encoding": {
                    "y": y,
                    "color": {"field": "kind", "scale": {**scale, "range": colours}},
                    "shape": {"field": "kind", "scale": {**scale, "range": shapes}},
                    **POINTED_AT,
                },
            },
            {**_ring(), "encoding": {**_ring()["encoding"], "y": quantity("y")}},
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
