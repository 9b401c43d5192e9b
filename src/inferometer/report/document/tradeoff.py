"""The section "Trade-off" of a report: the front among the workloads, and what to take by what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from inferometer.analysis.recommend import recommend
from inferometer.analysis.recommend.points import Criterion, Figure, Name
from inferometer.analysis.recommend.recommendation import POSSIBLE, Recommendation
from inferometer.core.record import Record
from inferometer.report.document import recommendation as words
from inferometer.report.document.markup import Table, table
from inferometer.report.document.wording import few

NAME = "trade_off"
"""Of the plot's files."""
TITLE = "Trade-off"
AGAINST: tuple[Name, ...] = ("accuracy", "energy", "memory")
"""What latency is plotted against: the first that there is."""
FEWEST = 3
"""Workloads that make a trade-off."""
_MOST_TIED = 4


@dataclass(frozen=True, kw_only=True)
class Spot:
    """A workload in the plot.

    Attributes:
        label: for people.
        x: latency.
        y: the other figure.
        is_on_front: whether it may be on the front by all criteria.
    """

    label: str
    x: Figure
    y: Figure
    is_on_front: bool


@dataclass(frozen=True, kw_only=True)
class FrontPlot:
    """A plot of the front.

    Attributes:
        title: what it shows.
        x: criterion of the horizontal axis.
        y: criterion of the vertical axis.
        metric: of accuracy.
        spots: the workloads.
        line: corners of the front by the two figures shown, from the left.
    """

    title: str
    x: Criterion
    y: Criterion
    metric: str
    spots: tuple[Spot, ...] = field(repr=False)
    line: tuple[tuple[float, float], ...] = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Tradeoff:
    """The section.

    Attributes:
        lines: what is compared, and what must be known of it.
        choices: what to take, by what is preferred.
        front: a table of those that may be on the front.
        dominated: who dominates the others.
        plot: the front.
    """

    lines: tuple[str, ...]
    choices: tuple[str, ...]
    front: Table
    dominated: tuple[str, ...]
    plot: FrontPlot


def tradeoff(records: Sequence[Record]) -> Tradeoff | None:
    """The section; None where fewer than three workloads have two figures that trade."""
    if not any(record.latency for record in records):
        return None
    found = recommend(records)
    y = next((name for name in AGAINST if name in found.weighed.names), None)
    if y is None or len(found.placed) < FEWEST:
        return None
    heads, cells = words.heads(found), words.cells(found)
    return Tradeoff(
        lines=(words.scope_line(found.weighed), *words.note_lines(found.weighed)),
        choices=tuple(_choice(records, found, name) for name in found.weighed.names),
        front=table(heads, cells),
        dominated=tuple(words.dominated_lines(found)),
        plot=_plot(found, y),
    )


def _choice(records: Sequence[Record], found: Recommendation, name: Name) -> str:
    """What to take where one criterion is preferred, among the same workloads."""
    shapes = found.weighed.shapes
    one = recommend(
        records,
        None,
        name,
        batches={shape.batch_size for shape in shapes},
        sizes={shape.input_size for shape in shapes},
    )
    if one.choice is None:
        return f"{name.capitalize()}: no workload has all figures."
    point, leader = one.choice.placed.point, one.choice.leader
    told = words.figure_text(name, point.figures[name])
    best = words.probability(one.choice.best)
    if leader is not None:
        theirs = words.figure_text(name, leader.point.figures[name])
        told += f", as {leader.point.label} with {theirs} is not surely better"
    tied = [t.placed.point.label for t in one.tied if leader is None or t.placed is not leader]
    also = f"; may be better too: {few(tied, _MOST_TIED)}" * bool(tied)
    return f"{name.capitalize()}: {point.label}, {told} (the best with probability {best}){also}."


def _plot(found: Recommendation, y: Name) -> FrontPlot:
    x, other = (
        next(one for one in found.weighed.criteria if one.name == name) for name in ("latency", y)
    )
    spots = tuple(
        Spot(
            label=one.point.label,
            x=one.point.figures["latency"],
            y=one.point.figures[y],
            is_on_front=one.on_front >= POSSIBLE,
        )
        for one in found.placed
    )
    return FrontPlot(
        title=f"{other.words.capitalize()} against latency per call, and the front",
        x=x,
        y=other,
        metric=found.weighed.metric,
        spots=spots,
        line=_corners([(spot.x.value, spot.y.value) for spot in spots], higher=other.higher),
    )


def _corners(
    points: Sequence[tuple[float, float]], *, higher: bool
) -> tuple[tuple[float, float], ...]:
    """Those that no other beats in both, from the left."""
    found: list[tuple[float, float]] = []
    for x, y in sorted(points, key=lambda one: (one[0], -one[1] if higher else one[1])):
        if not found or (y > found[-1][1] if higher else y < found[-1][1]):
            found.append((x, y))
    return tuple(found)
