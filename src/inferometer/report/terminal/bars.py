"""Latencies as bars of text with their intervals, and throughput as sparklines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from inferometer.analysis.grid import Column, Grid, build, measured
from inferometer.core import units
from inferometer.core.metric import Estimate
from inferometer.core.record import Record
from inferometer.core.workload import Shape, size_label
from inferometer.report.document import marks
from inferometer.report.terminal.names import broken
from inferometer.report.terminal.output import Output, print_line, say

BLOCKS = "█▒┃"
PLAIN_BLOCKS = "#-|"
"""Up to the interval, the interval, and the figure itself."""
SPARKS = "▁▂▃▄▅▆▇█"
PLAIN_SPARKS = ".:-=+*%#"
LEAST_BAR = 10
GAP = 2


def print_plots(records: Sequence[Record], console: Console | None = None) -> None:
    """Print a bar for each variant at each shape, and how throughput goes with the batch size.

    Args:
        records: of one or several runs.
        console: where to print; standard output by default.
    """
    console = console or Output(highlight=False)
    grid, spread = build(records), marks.spread_of(records)
    is_unicode = console.encoding.startswith("utf")
    found = False
    for shape in grid.shapes:
        latencies = _latencies(grid, shape, relative=spread == "relative")
        found = found or bool(latencies)
        if latencies:
            console.print()
            say(console, f"Time per call at {shape.label}", style="bold")
            for line in bars(latencies, console.width, BLOCKS if is_unicode else PLAIN_BLOCKS):
                print_line(console, line)
    if not found:
        console.print()
        say(console, "No latency was measured, so there is nothing to draw.")
    sparks = list(_throughputs(grid, SPARKS if is_unicode else PLAIN_SPARKS))
    if sparks:
        console.print()
        say(console, "Samples per second by batch size", style="bold")
        for name, signs in sparks:
            say(console, f"{name}  {signs}")


def _latencies(grid: Grid, shape: Shape, *, relative: bool) -> list[tuple[str, Estimate]]:
    """The variants that have a latency at a shape, with the interval that tables show."""
    cells = ((column, measured(grid.cell(shape, column))) for column in grid.columns)
    return [
        (column.label, found.compared() if relative else found)
        for column, found in cells
        if found is not None
    ]


def bars(latencies: Sequence[tuple[str, Estimate]], width: int, blocks: str) -> Iterator[Text]:
    """A bar for each latency, all from 0 and to one scale.

    Args:
        latencies: names and figures.
        width: characters of a line.
        blocks: signs up to the interval, in it, and at the figure.
    """
    texts = [units.latency(found) for _, found in latencies]
    figure = max(map(cell_len, texts))
    names = [marks.plain(name) for name, _ in latencies]
    room = max(8, width - figure - LEAST_BAR - 2 * GAP)
    side = min(max(map(cell_len, names)), room, max(8, width // 2))
    left = max(LEAST_BAR, width - side - figure - 2 * GAP)
    most = max(found.high or found.value for _, found in latencies)
    for (_, found), name, text in zip(latencies, names, texts, strict=True):
        *first, last = broken(name, side)
        yield from map(Text, first)
        pad = " " * (side - cell_len(last) + GAP + figure - cell_len(text))
        yield Text(f"{last}{pad}{text}{' ' * GAP}{_bar(found, left / most, blocks)}")


def _bar(found: Estimate, per_second: float, blocks: str) -> str:
    solid, between, at = tuple(blocks)
    low, high = (found.value if end is None else end for end in (found.low, found.high))
    place = max(round(found.value * per_second) - 1, 0)
    ends = max(round(low * per_second), 0), max(round(high * per_second), place + 1)
    return "".join(
        at if x == place else solid if x < min(ends[0], place) else between for x in range(ends[1])
    )


def _throughputs(grid: Grid, signs: str) -> Iterator[tuple[str, str]]:
    """A name, and its line of signs with the batch size of its highest, per variant and size."""
    for size in grid.sizes:
        for column in grid.columns:
            rates = [
                (s.batch_size, rate) for s in grid.rows(size) if (rate := _rate(grid, s, column))
            ]
            if len(rates) > 1:
                best, most = max(rates, key=lambda one: one[1])
                line = "".join(signs[round(rate / most * (len(signs) - 1))] for _, rate in rates)
                told = f"{rates[0][0]} to {rates[-1][0]}, highest {units.number(most)}/s at {best}"
                yield f"{column.label} at {size_label(size)}", f"{line}  {told}"


def _rate(grid: Grid, shape: Shape, column: Column) -> float | None:
    found = measured(grid.cell(shape, column))
    return None if found is None else shape.batch_size / found.value
