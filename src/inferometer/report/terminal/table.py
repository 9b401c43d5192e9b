"""The lab's table in a terminal, or as plain text where the output is none."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from inferometer.analysis import facts
from inferometer.analysis.compare import Comparison
from inferometer.analysis.grid import FailureGroup, Grid, build
from inferometer.analysis.matching import Matching
from inferometer.analysis.parts import bound_share
from inferometer.core import units
from inferometer.core.record import Record
from inferometer.core.run import Run
from inferometer.core.workload import Shape
from inferometer.report.document import (
    accuracy,
    comparison,
    energy,
    fidelity,
    marks,
    markup,
    memory,
    sustained,
    wording,
)
from inferometer.report.document.cliffs import cliff_sentences
from inferometer.report.document.fields import Fields, byte_count, quantity, text
from inferometer.report.document.operations import at_least
from inferometer.report.document.verdicts import verdict_lines
from inferometer.report.terminal import textgrid
from inferometer.report.terminal.names import Name
from inferometer.report.terminal.output import (
    Output,
    bare_table,
    print_line,
    print_list,
    print_rows,
    print_table,
    say,
)

MESSAGE_LENGTH = 160
COSTS: Fields = {
    "MACs": at_least(quantity("macs", "")),
    "of roofline": lambda record: units.percent(bound_share(record)),
    "limit": text("roof_limit"),
    "peak memory": byte_count("peak_memory_bytes"),
    "forecast off by": memory.error_text,
}
"""What is shown of costs, within 80 columns."""


def print_run(
    run: Run,
    records: Sequence[Record],
    console: Console | None = None,
    *,
    causes: bool = False,
    worth: bool = True,
) -> None:
    """Print what a run is and the table of its records.

    Args:
        run: the run.
        records: its records.
        console: where to print; standard output by default.
        causes: whether to print the causes behind every verdict too.
        worth: whether to print what the figures may be used for, as closing lines do too.
    """
    console = console or Output(highlight=False)
    when = wording.local_time(run.created_at)
    say(console, f"run {run.id} · study {run.study} · {run.device_name} · {when}", style="bold")
    say(console, f"{run.origin}, " * (run.origin != "measured") + wording.outcome(run, records))
    if records:
        console.print()
        print_latencies(records, target=wording.target_of(run), console=console)
        if worth and (told := wording.what_they_are_worth(records)):
            say(console, told)
        grid = build(records)
        _print_costs(grid, console)
        print_list(console, "Energy:", energy.energy_lines(records))
        print_list(console, "Fidelity:", fidelity.fidelity_lines(records))
        print_list(console, "Accuracy:", accuracy.accuracy_lines(records))
        print_list(console, "Sustained:", sustained.sustained_lines(records))
        print_list(console, "Cliffs:", cliff_sentences(grid, [run]))
        for record in records:
            print_rows(
                console, f"{record.workload.label} over time:", sustained.window_lines(record)
            )
        if causes:
            print_list(console, "Verdicts:", verdict_lines(records))


def print_latencies(
    records: Sequence[Record], *, target: float | None = None, console: Console | None = None
) -> None:
    """Print median latencies, a row for each shape and a column for each variant.

    Args:
        records: of one or several runs.
        target: relative half-width that the intervals were to reach; None where unknown.
        console: where to print; standard output by default.
    """
    console = console or Output(highlight=False)
    grid = build(records)
    spread = marks.spread_of(records)
    cells = {
        (shape, column): marks.cell(grid.cell(shape, column), spread)
        for shape in grid.shapes
        for column in grid.columns
    }
    for table in textgrid.layout(grid, cells, console.width):
        for line in table:
            print_line(console, line)
        console.print()
    say(console, wording.what_cells_show(records, target))
    for mark, meaning in marks.meanings(cells.values(), spread).items():
        say(console, f"{mark} {meaning}")
    _explain(console, grid, list(cells.values()))


def _print_costs(grid: Grid, console: Console) -> None:
    """Print what a call costs, a row for each variant; nothing where nothing was counted."""
    shape = facts.common_shape(grid)
    found = _costs(grid, shape) if shape else None
    if not shape or not found:
        return
    table = bare_table()
    for number, head in enumerate(found.heads):
        left = number < found.left
        table.add_column(
            Text(head), justify="left" if left else "right", overflow="fold", no_wrap=not left
        )
    for row in found.rows:
        table.add_row(*_named(row, found.left))
    console.print()
    say(console, f"Costs of a call at {shape.label}:")
    print_table(console, table)
    if any(cell.startswith("(") for row in found.rows for cell in row[found.left :]):
        say(console, f"In brackets: {memory.BRACKETS}.")


def _costs(grid: Grid, shape: Shape) -> markup.Table:
    """The costs of a call at a shape, a row for each variant; empty where nothing was counted."""
    cells = [(column, grid.cell(shape, column)) for column in grid.columns]
    rows = [
        [column.label, *(show(record) for show in COSTS.values())]
        for column, record in cells
        if record is not None and record.status == "ok" and record.number("macs") is not None
    ]
    return markup.table(["variant", *COSTS], rows)


def print_comparisons(
    comparisons: Sequence[Comparison],
    matching: Matching,
    *,
    zone: float,
    console: Console | None = None,
) -> None:
    """Print ratios with their intervals and verdicts, and what would decide the undecided.

    Args:
        comparisons: what `matching` gave.
        matching: what was compared, and what could not be.
        zone: relative difference that is of no interest.
        console: where to print; standard output by default.
    """
    console = console or Output(highlight=False)
    if comparisons:
        print_table(console, _comparison_table(comparisons))
        console.print()
        for sentence in comparison.explanations(comparisons, matching, zone=zone):
            say(console, sentence)
    print_list(console, "Speed and accuracy:", comparison.accuracies(comparisons))
    print_list(console, "Undecided:", comparison.undecided(comparisons))
    print_list(console, "Their own verdicts:", comparison.doubts(comparisons))
    print_list(console, "Not compared:", matching.missing)


def _comparison_table(comparisons: Sequence[Comparison]) -> Table:
    """The table; names are broken where they do not fit, figures never."""
    table = bare_table()
    heads = comparison.heads(comparisons)
    names = len(heads) - 4
    for number, head in enumerate(heads):
        is_name = number < names
        table.add_column(
            Name(marks.plain(head)),  # those of times are names of devices or variants
            justify="left" if is_name or number == len(heads) - 1 else "right",
            overflow="fold",
            no_wrap=not is_name and number >= len(heads) - 2,
        )
    for row in comparison.cells(comparisons):
        table.add_row(*_named(row, names))
    return table


def _named(row: Sequence[str], names: int) -> list[Name | Text]:
    """The cells of a row, so many names first."""
    texts = [marks.plain(cell) for cell in row]
    return [*map(Name, texts[:names]), *map(Text, texts[names:])]


def _explain(console: Console, grid: Grid, cells: Sequence[marks.Cell]) -> None:
    """Print what stands for a failure, what failed, and what the records say beside figures."""
    legend = {cell.text: cell.legend for cell in cells if cell.legend}
    for shown, meaning in legend.items():
        say(console, f"{shown}: {meaning}")
    print_list(console, "Not measured:", [_failure(group) for group in grid.failures()])
    print_list(console, "Notes:", wording.notes(grid))


def _failure(group: FailureGroup) -> str:
    message = marks.shorten(wording.message(group), MESSAGE_LENGTH) or wording.headline(group)
    return f"{marks.MARKS[group.kind]}: {wording.shapes(group)}: {message}"
