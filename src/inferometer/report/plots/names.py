"""Names beside points, where they cover neither each other nor a point."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox, BboxBase

from inferometer.report.plots.figures import lay_out, legend_label

LABEL_LENGTH = 60
_SIDES = ((6.0, 5.0), (-6.0, 5.0), (6.0, -11.0), (-6.0, -11.0))  # of a point, for its name


class Named(NamedTuple):
    """A point with its name."""

    label: str
    x: float
    y: float
    colour: str


def name_points(figure: Figure, axes: Axes, spots: Sequence[Named]) -> None:
    """A name beside each point, at the first place where it covers no other name or point."""
    lay_out(figure)
    taken = [_around(*axes.transData.transform((spot.x, spot.y))) for spot in spots]
    for spot in spots:
        tries = [_name(axes, spot, side) for side in _SIDES]
        boxes = [text.get_window_extent() for text in tries]
        inside = axes.get_window_extent()
        free = [
            number
            for number, box in enumerate(boxes)
            if inside.x0 <= box.x0 and box.x1 <= inside.x1 and not box.count_overlaps(taken)
        ]
        chosen = free[0] if free else 0
        taken.append(boxes[chosen])
        for number, text in enumerate(tries):
            if number != chosen:
                text.remove()


def _around(x: float, y: float) -> BboxBase:
    """The place of a marker, in pixels."""
    return Bbox.from_extents(x - 5, y - 5, x + 5, y + 5)


def _name(axes: Axes, spot: Named, side: tuple[float, float]) -> Text:
    return axes.annotate(
        legend_label(spot.label, LABEL_LENGTH),
        (spot.x, spot.y),
        xytext=side,
        textcoords="offset points",
        ha="left" if side[0] > 0 else "right",
        color=spot.colour,
        fontsize=8,
    )
