"""Plots of stacked bars: what the memory consists of, where the time of a call goes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from inferometer.report.document.operators import KINDS, TITLE
from inferometer.report.html import vega
from inferometer.report.html.chart import Chart
from inferometer.report.html.rows import LAYERS, Row


def layers() -> Chart:
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


def operators(rows: Sequence[Row]) -> Chart:
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
