"""Measured rooflines and how near workloads come to them: tables of a report, and what to draw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from inferometer.analysis.grid import Column, Grid
from inferometer.analysis.parts import bound_share, flops_per_s
from inferometer.core import units
from inferometer.core.record import Record
from inferometer.core.roofline import Attained, Roofline, known_rooflines, rooflines_of
from inferometer.report.document.fields import Fields, ends, seconds, share, text
from inferometer.report.document.markup import Table, table
from inferometer.report.document.sources import RunRecords
from inferometer.report.document.wording import joined

NAME = "roofline_"
"""Begins the name of the plot of a run's rooflines; the run's id follows."""
NOT_MEASURED = (
    "What the device can do at best was not measured, so nothing is said of how near the models "
    "come to it."
)
HOW = (
    "The roofline is the best rates of a short probe before the run. At these rates a call takes "
    "at least as long as its arithmetic, and as moving its inputs, weights and outputs once: the "
    "longer of the two is its roofline bound, and limits it. The share is the bound over the "
    "latency."
)

DISTURBED = 0.7
"""A probe whose median is a lower share of its best was disturbed."""


@dataclass(frozen=True, kw_only=True)
class Spot:
    """A workload in the plot.

    Attributes:
        column: its variant.
        label: its shape.
        intensity: floating-point operations for each byte that its operators move.
        flops_per_s: operations per second that it attained.
    """

    column: Column
    label: str
    intensity: float
    flops_per_s: float


@dataclass(frozen=True, kw_only=True)
class RooflinePlot:
    """The plot of one run.

    Attributes:
        name: of its files, without a suffix.
        title: what it shows.
        rooflines: at least one.
        spots: at least one, those of a variant in the order of the shapes.
    """

    name: str
    title: str
    rooflines: tuple[Roofline, ...]
    spots: tuple[Spot, ...]


def rooflines_by_run(runs: Sequence[RunRecords]) -> Mapping[str, Sequence[Roofline]]:
    """The rooflines that each run measured, by its id."""
    return rooflines_of([one.run for one in runs])


def plans(grid: Grid, runs: Sequence[RunRecords]) -> list[RooflinePlot]:
    """A plot for each run that has rooflines and workloads to show under them."""
    found = []
    for one in runs:
        rooflines = tuple(known_rooflines(one.run.device))
        spots = tuple(_spots(grid, one.run.id))
        if rooflines and spots:
            title = f"Roofline of {one.run.device_name}, run {one.run.id}"
            name = f"{NAME}{one.run.id}"
            found.append(RooflinePlot(name=name, title=title, rooflines=rooflines, spots=spots))
    return found


def roofline_table(runs: Sequence[RunRecords]) -> Table:
    """What each probe attained, and with what."""
    rows = [
        [
            run if len(runs) > 1 else "",
            roofline.device,
            roofline.precision,
            "; ".join(
                part.what for part in (roofline.flops, roofline.memory, roofline.cache) if part
            ),
            str(roofline.threads),
            _rate(roofline.flops),
            _bytes(roofline.memory),
            _bytes(roofline.cache),
            units.byte_count(roofline.cache_bytes),
            units.seconds(roofline.dispatch_s),
        ]
        for run, rooflines in rooflines_by_run(runs).items()
        for roofline in rooflines
    ]
    heads = [
        "run",
        "device",
        "precision",
        "measured with",
        "threads",
        "arithmetic",
        "memory",
        "caches",
        "size of caches",
        "dispatch of an operator",
    ]
    return table(heads, rows, left=4)


def roofline_note(runs: Sequence[RunRecords]) -> str:
    """What the roofline is, and whether it may be too low."""
    rooflines = [roofline for found in rooflines_by_run(runs).values() for roofline in found]
    if not rooflines:
        return NOT_MEASURED
    worst = min(
        part.median / part.best
        for roofline in rooflines
        for part in (roofline.flops, roofline.memory)
    )
    signs = []
    if worst < DISTURBED:
        signs.append(f"the median of its repetitions was {units.percent(worst)} of the best")
    granted = [
        roofline.granted
        for roofline in rooflines
        if roofline.granted is not None and roofline.disturbed
    ]
    if granted:
        signs.append(f"it had {units.percent(min(granted))} of the processor")
    if not signs:
        return HOW
    too_low = "The rates may be too low, and the shares too high."
    return f"{HOW} The probe was disturbed: {joined(signs)}. {too_low}"


def share_table(grid: Grid) -> Table:
    """How near the smallest and the largest shape of each variant come to the roofline."""
    fields: Fields = {
        "FLOPs per byte": lambda record: units.number(record.number("arithmetic_intensity")),
        "attained": _attained,
        "roofline bound": seconds("roof_latency_s"),
        "share of the bound": lambda record: units.percent(bound_share(record)),
        "limit": text("roof_limit"),
        "operator by operator": seconds("operator_roof_latency_s"),
        "of it moving data": share("memory_bound_share"),
    }
    known = ends(grid, fields)
    return known if "share of the bound" in known.heads else table([], [])


def _attained(record: Record) -> str:
    """Operations per second, beside an intensity only: without rooflines it is told elsewhere."""
    return units.quantity(flops_per_s(record), "FLOP/s")


def _spots(grid: Grid, run_id: str) -> list[Spot]:
    found = []
    for column in grid.columns:
        for shape in grid.shapes:
            record = grid.cell(shape, column) if column.run_id == run_id else None
            intensity = record.number("arithmetic_intensity") if record else None
            rate = flops_per_s(record)
            if intensity and rate:
                spot = Spot(column=column, label=shape.label, intensity=intensity, flops_per_s=rate)
                found.append(spot)
    return found


def _rate(attained: Attained) -> str:
    return units.quantity(attained.best, "FLOP/s")


def _bytes(attained: Attained | None) -> str:
    return units.quantity(attained.best if attained else None, "B/s")
