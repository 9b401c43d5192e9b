"""Lays the lab's table out in lines of text of a given width."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from rich.cells import cell_len
from rich.text import Text

from inferometer.analysis.grid import Column, Grid
from inferometer.core import units
from inferometer.core.shown import shown
from inferometer.core.workload import Shape, size_label
from inferometer.report.document.marks import Cell, plain
from inferometer.report.terminal.names import broken, longest_piece

_WIDEST_HEAD = 20
_NARROWEST = 8
_GAP = 2
_LONGEST_PIECE = 24
"""A part of a name that is longer is cut, so that nothing gets too wide for any terminal."""

Cells = Mapping[tuple[Shape, Column], Cell]


@dataclass(frozen=True, kw_only=True)
class _Strip:
    """One column of text.

    Attributes:
        heads: what it is called, the most telling first.
        cells: parameters first, then a cell for each shape.
        least: the width that the cells need, and the heads where they are broken in no word.
    """

    heads: tuple[str, ...]
    cells: tuple[Cell, ...]
    least: int

    @property
    def natural(self) -> int:
        """The width at which the heads need no break, within reason."""
        return max(self.least, min(_WIDEST_HEAD, max(cell_len(head) for head in self.heads)))

    def head_lines(self, width: int) -> list[str]:
        """The heads, broken to fit a width."""
        return [line for head in self.heads for line in broken(head, width)]


@dataclass(frozen=True, kw_only=True)
class _Row:
    """One variant as a row; without cells the model that the rows below it are of.

    Attributes:
        name: what it is called.
        indent: blanks before that.
        cells: parameters first, then a cell for each shape.
    """

    name: str
    indent: int = 0
    cells: tuple[Cell, ...] = ()


def layout(grid: Grid, cells: Cells, width: int) -> list[list[Text]]:
    """The lines of a table with a column for each variant; where they do not fit, with rows.

    Args:
        grid: rows and columns.
        cells: what stands in each of them.
        width: characters that a line may have; a table of one variant may need more.
    """
    sides = [
        _strip("size", "params", [size_label(shape.input_size) for shape in grid.shapes]),
        _strip("batch", "", [str(shape.batch_size) for shape in grid.shapes]),
    ]
    strips = [_variant(grid, cells, column) for column in grid.columns]
    if len(strips) == 1 or _total([one.least for one in (*sides, *strips)], 1) <= width:
        return [_table([*sides, *strips], _size_starts(grid), width)]
    return list(_turned(grid, cells, width))


def _strip(head: str, parameters: str, texts: Sequence[str]) -> _Strip:
    found = (parameters, *texts)
    cells = tuple(Cell(text=text) for text in found)
    return _Strip(heads=(head,), cells=cells, least=max(len(text) for text in (head, *found)))


def _variant(grid: Grid, cells: Cells, column: Column) -> _Strip:
    found = _in_line([Cell(text=units.count(grid.count(column)))], grid, cells, column)
    heads = _heads(column)
    pieces = max(map(longest_piece, heads))
    return _Strip(
        heads=heads,
        cells=found,
        least=max(
            _NARROWEST, min(pieces, _LONGEST_PIECE), *(cell_len(cell.text) for cell in found)
        ),
    )


def _heads(column: Column) -> tuple[str, ...]:
    return tuple(shown(plain(text)) for text in (column.name, *column.details))


def _in_line(first: list[Cell], grid: Grid, cells: Cells, column: Column) -> tuple[Cell, ...]:
    """The cells of a variant, with blanks in place of marks, so that the figures are in line."""
    found = [*first, *(cells[shape, column] for shape in grid.shapes)]
    tail = max((len(cell.tail) for cell in found), default=0)
    return tuple(replace(cell, text=cell.text + " " * (tail - len(cell.tail))) for cell in found)


def _size_starts(grid: Grid) -> set[int]:
    """Rows, counted from 0, at which another input size begins."""
    sizes = [shape.input_size for shape in grid.shapes]
    return {i for i in range(1, len(sizes)) if sizes[i] != sizes[i - 1]}


def _total(widths: Sequence[int], gap: int) -> int:
    return sum(widths) + gap * (len(widths) - 1)


def _table(strips: Sequence[_Strip], starts: set[int], width: int) -> list[Text]:
    natural, least = [s.natural for s in strips], [s.least for s in strips]
    widths = natural if _total(natural, 2) <= width else least
    gap = next((gap for gap in (3, 2) if _total(widths, gap) <= width), 1)
    heads = [strip.head_lines(size) for strip, size in zip(strips, widths, strict=True)]
    depth = max(len(head) for head in heads)
    lines = [
        _line([Cell(text=head[i] if i < len(head) else "") for head in heads], widths, gap, "bold")
        for i in range(depth)
    ]
    rule = Text("─" * _total(widths, gap))
    for number in range(len(strips[0].cells)):
        if number - 1 in starts or number == 1:
            lines.append(rule.copy())
        lines.append(_line([strip.cells[number] for strip in strips], widths, gap))
    return lines


def _line(cells: Sequence[Cell], widths: Sequence[int], gap: int, style: str = "") -> Text:
    """Cells flush right; marks in red."""
    line = Text(style=style)
    for number, (cell, width) in enumerate(zip(cells, widths, strict=True)):
        line.append(" " * (gap * (number > 0) + width - cell_len(cell.text)))
        line.append(cell.text, style="red" if cell.legend else None)
    line.rstrip()
    return line


def _turned(grid: Grid, cells: Cells, width: int) -> Iterator[list[Text]]:
    """Tables with a row for each variant, as many shapes beside each other as fit."""
    rows = list(_rows(grid, cells))
    heads = ["params", *(shape.label for shape in grid.shapes)]
    side = min(max(row.indent + cell_len(row.name) for row in rows), width // 2)
    widths = [
        max(len(head), *(cell_len(row.cells[at].text) for row in rows if row.cells))
        for at, head in enumerate(heads)
    ]
    for part in _parts(widths, width - side - _GAP):
        chosen = [widths[at] for at in part]
        top = _line([Cell(text=heads[at]) for at in part], chosen, _GAP, "bold")
        yield [
            _beside("size/batch", top, side),
            Text("─" * (side + _GAP + _total(chosen, _GAP))),
            *(line for row in rows for line in _row_lines(row, part, chosen, side)),
        ]


def _rows(grid: Grid, cells: Cells) -> Iterator[_Row]:
    """A row for each variant; those of one model stand together, below its name."""
    names = dict.fromkeys(column.name for column in grid.columns)
    for name in names:
        columns = [column for column in grid.columns if column.name == name]
        if len(columns) > 1:
            yield _Row(name=shown(plain(name)))
        for column in columns:
            head, *details = _heads(column)
            yield _Row(
                name=" ".join(details) or head if len(columns) > 1 else " ".join((head, *details)),
                indent=2 * (len(columns) > 1),
                cells=_in_line([Cell(text=units.count(grid.count(column)))], grid, cells, column),
            )


def _parts(widths: Sequence[int], room: int) -> list[list[int]]:
    """Places of the columns that fit beside each other, in as many tables as it takes."""
    parts: list[list[int]] = [[]]
    for at in range(len(widths)):
        if parts[-1] and _total([widths[i] for i in (*parts[-1], at)], _GAP) > room:
            parts.append([])
        parts[-1].append(at)
    return parts


def _row_lines(row: _Row, part: Sequence[int], widths: Sequence[int], side: int) -> Iterator[Text]:
    """The lines of a row: its name, broken where it must be, and its figures beside the last."""
    figures = _line([row.cells[at] for at in part], widths, _GAP) if row.cells else Text()
    *first, last = broken(row.name, side - row.indent)
    blanks = " " * row.indent
    yield from (Text(blanks + line) for line in first)
    yield _beside(blanks + last, figures, side)


def _beside(name: str, figures: Text, side: int) -> Text:
    line = Text(name + " " * (side - cell_len(name) + _GAP)) + figures
    line.rstrip()
    return line
