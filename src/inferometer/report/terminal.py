"""The lab's table in a terminal, or as plain text where the output is none."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from inferometer.analysis.compare import Comparison
from inferometer.analysis.grid import FailureGroup, Grid, build
from inferometer.analysis.matching import Matching
from inferometer.core.record import Record
from inferometer.core.run import Run
from inferometer.report import comparison, energy, marks, sustained, textgrid, wording

MESSAGE_LENGTH = 160
_ASCII = str.maketrans(
    {
        "\N{PLUS-MINUS SIGN}": "+-",
        "\N{EN DASH}": "-",
        "\N{HORIZONTAL ELLIPSIS}": "...",
        "\N{BOX DRAWINGS LIGHT HORIZONTAL}": "-",
        "\N{MICRO SIGN}": "u",
        "\N{MULTIPLICATION SIGN}": "x",
        "\N{MIDDLE DOT}": "-",
    }
)


def print_run(
    run: Run, records: Sequence[Record], console: Console | None = None, *, causes: bool = False
) -> None:
    """Print what a run is and the table of its records.

    Args:
        run: the run.
        records: its records.
        console: where to print; standard output by default.
        causes: whether to print the causes behind every verdict too.
    """
    console = console or _Output(highlight=False)
    when = wording.local_time(run.created_at)
    _say(console, f"run {run.id} · study {run.study} · {run.device_name} · {when}", style="bold")
    _say(console, f"{run.origin}, " * (run.origin != "measured") + wording.outcome(run, records))
    if records:
        console.print()
        print_table(records, target=wording.target_of(run), console=console)
        _list(console, "Energy:", energy.energy_lines(records))
        _list(console, "Sustained:", sustained.sustained_lines(records))
        for record in records:
            _rows(console, f"{record.workload.label} over time:", sustained.window_lines(record))
        if causes:
            _list(console, "Verdicts:", wording.verdicts(records))


def print_table(
    records: Sequence[Record], *, target: float | None = None, console: Console | None = None
) -> None:
    """Print median latencies, a row for each shape and a column for each variant.

    Args:
        records: of one or several runs.
        target: relative half-width that the intervals were to reach; None where unknown.
        console: where to print; standard output by default.
    """
    console = console or _Output(highlight=False)
    grid = build(records)
    spread = marks.spread_of(records)
    cells = {
        (shape, column): marks.cell(grid.cell(shape, column), spread)
        for shape in grid.shapes
        for column in grid.columns
    }
    for table in textgrid.layout(grid, cells, console.width):
        for line in table:
            _print(console, line)
        console.print()
    figures = wording.what_cells_show(records, target)
    _explain(console, grid, list(cells.values()), figures)


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
    console = console or _Output(highlight=False)
    if comparisons:
        for line in _comparison_lines(comparisons, console):
            _print(console, line)
        console.print()
        for sentence in comparison.explanations(comparisons, matching, zone=zone):
            _say(console, sentence)
    _list(console, "Undecided:", comparison.undecided(comparisons))
    _list(console, "Their own verdicts:", comparison.doubts(comparisons))
    _list(console, "Not compared:", matching.missing)


def _comparison_lines(comparisons: Sequence[Comparison], console: Console) -> list[Text]:
    """The table; names are broken where they do not fit, figures never."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    heads = comparison.heads(comparisons)
    names = len(heads) - 4
    for number, head in enumerate(heads):
        is_name = number < names
        table.add_column(
            Text(marks.plain(head)),
            justify="left" if is_name or number == len(heads) - 1 else "right",
            overflow="fold",
            no_wrap=not is_name and number >= len(heads) - 2,
        )
    for row in comparison.cells(comparisons):
        table.add_row(*(Text(marks.plain(cell)) for cell in row))
    lines = console.render_lines(table, pad=False)
    texts = [Text.assemble(*((part.text, part.style or "") for part in line)) for line in lines]
    for text in texts:
        text.rstrip()
    return texts


class _Output(Console):
    """Standard output; a reader that goes away early is left to the command line."""

    def on_broken_pipe(self) -> None:
        """Pass the error on; rich would exit here."""
        raise BrokenPipeError


def _explain(console: Console, grid: Grid, cells: Sequence[marks.Cell], figures: str) -> None:
    """Print what figures and marks mean, what failed, and what the records say beside figures."""
    _say(console, figures)
    for mark, meaning in marks.meanings(cells).items():
        _say(console, f"{mark} {meaning}")
    legend = {cell.text: cell.legend for cell in cells if cell.legend}
    for text, meaning in legend.items():
        _say(console, f"{text}: {meaning}")
    _list(console, "Not measured:", [_failure(group) for group in grid.failures()])
    _list(console, "Notes:", wording.notes(grid))


def _failure(group: FailureGroup) -> str:
    message = marks.shorten(group.message, MESSAGE_LENGTH)
    return (
        f"{marks.MARKS[group.kind]}: {wording.shapes(group)}: {message or wording.headline(group)}"
    )


def _list(console: Console, title: str, lines: Sequence[str]) -> None:
    if not lines:
        return
    console.print()
    _say(console, title)
    for line in lines:
        _say(console, line, indent=2)


def _rows(console: Console, title: str, rows: Sequence[str]) -> None:
    """Print rows whose columns stand as they are; nothing where there are none."""
    if not rows:
        return
    console.print()
    _say(console, title)
    for row in rows:
        _print(console, Text(row))


def _say(console: Console, sentence: str, *, style: str = "", indent: int = 0) -> None:
    """Print a sentence, broken at the width of the console, further lines indented."""
    text = Text(marks.plain(sentence), style=style)
    lines = text.wrap(console, max(20, console.width - indent - 2))
    for number, line in enumerate(lines):
        line.rstrip()
        _print(console, Text(" " * (indent + 2 * (number > 0))) + line)


def _print(console: Console, line: Text) -> None:
    """Print one line as it is; without the signs that the output's encoding does not have."""
    if not console.encoding.startswith("utf"):
        line.plain = line.plain.translate(_ASCII).encode("ascii", "replace").decode("ascii")
    console.print(line, soft_wrap=True)
