"""The roofline plot."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from inferometer.core import units
from inferometer.core.roofline import Roofline
from inferometer.report.document.wording import plural
from inferometer.report.html import vega
from inferometer.report.html.chart import Chart
from inferometer.report.html.rows import Row

MOST_TOLD = 4
"""Rooflines that are told below their plot."""


def roofline(rows: Sequence[Row], rooflines: Sequence[tuple[str, Roofline]]) -> Chart:
    """Operations per second against operations per byte, under what the device attains."""
    under = {
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
            below=[under] if told else [],
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
