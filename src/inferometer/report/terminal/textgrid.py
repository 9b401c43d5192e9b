"""Lays the lab's table out in lines of text of a given width."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from rich.cells import cell_len
from rich.text import Text

from inferometer.analysis.grid import Column, Grid
from inferometer.core import units
from inferometer.core.shown import shown
from inferometer.core.workload import Shape, size_label
from inferometer.report.document.marks import Cell, plain

MOST_COLUMNS = 5
_WIDEST_HEAD = 20
_NARROWEST = 8

Cells = Mapping[tuple[Shape, Column], Cell]


@dataclass(frozen=True, kw_only=True)
class _Strip:
    """One column of text.

    Attributes:
        heads: what it is called, the most telling first.
        cells: parameters first, then a cell for each shape.
        least: the width that the cells need; the heads are broken to fit it.
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
        return [line for head in self.heads for line in _broken(head, width)]


def layout(grid: Grid, cells: Cells, width: int) -> list[list[Text]]:
    """The lines of one or several tables, none with more than five variants.

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
    starts = _size_starts(grid)
    return [_table([*sides, *chunk], starts, width) for chunk in _chunks(sides, strips, width)]


def _strip(head: str, parameters: str, texts: Sequence[str]) -> _Strip:
    found = (parameters, *texts)
    cells = tuple(Cell(text=text) for text in found)
    return _Strip(heads=(head,), cells=cells, least=max(len(text) for text in (head, *found)))


def _variant(grid: Grid, cells: Cells, column: Column) -> _Strip:
    found = [Cell(text=units.count(grid.count(column)))]
    found += [cells[shape, column] for shape in grid.shapes]
    tail = max((len(cell.tail) for cell in found), default=0)  # keep the figures in line
    found = [replace(cell, text=cell.text + " " * (tail - len(cell.tail))) for cell in found]
    return _Strip(
        heads=tuple(shown(plain(text)) for text in (column.name, *column.details)),
        cells=tuple(found),
        least=max(_NARROWEST, *(cell_len(cell.text) for cell in found)),
    )


def _size_starts(grid: Grid) -> set[int]:
    """Rows, counted from 0, at which another input size begins."""
    sizes = [shape.input_size for shape in grid.shapes]
    return {i for i in range(1, len(sizes)) if sizes[i] != sizes[i - 1]}


def _chunks(sides: list[_Strip], strips: list[_Strip], width: int) -> list[list[_Strip]]:
    """Variants that fit beside each other, in as many tables as it takes."""
    chunks: list[list[_Strip]] = []
    for strip in strips:
        last = chunks[-1] if chunks else []
        widths = [one.least for one in (*sides, *last, strip)]
        if last and len(last) < MOST_COLUMNS and _total(widths, 1) <= width:
            last.append(strip)
        else:
            chunks.append([strip])
    return chunks


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


def _broken(head: str, width: int) -> list[str]:
    """A name in lines of at most so many characters, broken after a separator where it can be."""
    lines = [""]
    for piece in _pieces(head, width):
        if cell_len(lines[-1] + piece.rstrip()) > width:
            lines.append("")
        lines[-1] += piece
    return [line.strip() for line in lines if line.strip()] or [""]


def _pieces(head: str, width: int) -> Iterator[str]:
    """Words with the separator that ends them, cut where one alone is too wide."""
    for word in re.findall(r"[^ _\-/:]*[ _\-/:]?", head):
        rest = word
        while cell_len(rest.rstrip()) > width:
            cut = max(n for n in range(1, len(rest) + 1) if cell_len(rest[:n]) <= width or n == 1)
            yield rest[:cut]
            rest = rest[cut:]
        yield rest
