"""One plot of the page; the drawing is Vega-Lite's (see `vega`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from inferometer.report.html import vega
from inferometer.report.html.rows import Row

Front = Literal["", "highest", "lowest"]


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
