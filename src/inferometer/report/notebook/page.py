"""Values of ours as HTML for the output of a notebook's cell."""

from __future__ import annotations

from collections.abc import Sequence
from functools import singledispatch
from html import escape

from inferometer.analysis.compare import Comparison, Comparisons
from inferometer.analysis.grid import Grid, build
from inferometer.core import units
from inferometer.core.record import Record
from inferometer.core.result import StudyResult
from inferometer.core.run import Run
from inferometer.report.document import comparison as words
from inferometer.report.document import marks, wording
from inferometer.report.document.answer import answer
from inferometer.report.notebook import charts

MOST_ROWS = 40
MOST_COLUMNS = 12
_TEXT_LENGTH = 300


@singledispatch
def html(value: object) -> str:
    """A value as HTML.

    Raises:
        TypeError: it is none of ours.
    """
    raise TypeError(f"a notebook shows no {type(value).__name__} of ours")


@html.register
def _(value: Record) -> str:
    label = escape(marks.plain(value.workload.label))
    if value.failure is not None:
        what = f"{value.status}, {value.failure.kind} at stage {value.failure.stage}"
        why = marks.shorten(value.failure.message, _TEXT_LENGTH)
        return _whole(f"<strong>{label}</strong>: {escape(what)}: {escape(why)}")
    verdict = str(value["verdict"] or "")
    told = escape(marks.verdict_meaning(verdict)) if verdict else ""
    doubt = f"<br/>Verdict: {escape(verdict)}" * bool(verdict) + f" ({told})" * bool(told)
    head = f"<strong>{label}</strong>: {escape(units.latency(value.latency))} per call{doubt}"
    return _whole(head, charts.of_record(value), _table((), _figures(value)))


@html.register
def _(value: Run) -> str:
    rows = [
        ["study", marks.plain(value.study)],
        ["device", marks.plain(value.device_name)],
        ["began", wording.local_time(value.created_at) if value.created_at else units.ABSENT],
        ["workloads planned", f"{value.planned:,}"],
        ["finished", "no" if value.finished_at is None else "yes"],
    ]
    more = f"Its figures: <code>inferometer.read_run({escape(repr(value.id))})</code>"
    return _whole(f"<strong>run {escape(value.id)}</strong>", _table((), rows), more)


@html.register
def _(value: StudyResult) -> str:
    run, grid = value.run, build(value.records)
    head = (
        f"<strong>run {escape(run.id)}</strong>: study {escape(marks.plain(run.study))}, "
        f"{escape(marks.plain(run.device_name))}, {escape(wording.outcome(run, value.records))}"
    )
    if not value.records:
        return _whole(head)
    note = wording.what_cells_show(value.records, wording.target_of(run))
    worth = wording.what_they_are_worth(value.records)
    told = [escape(one) for one in (f"{note} {worth}".rstrip(), *_legend(grid))]
    parts = (escape(answer(grid)), charts.of_grid(grid), _grid_table(grid), "<br/>".join(told))
    return _whole(head, *parts)


@html.register
def _(value: Comparison) -> str:
    return html(Comparisons([value]))


@html.register
def _(value: Comparisons) -> str:
    if not value:
        return _whole("no comparisons")
    rows = words.cells(value[:MOST_ROWS])
    left = len(value) - MOST_ROWS
    more = f"and {left:,} more" if left > 0 else ""
    heads = [marks.plain(one) for one in words.heads(value)]
    return _whole(charts.of_comparisons(value), _table(heads, rows), more)


def _figures(record: Record) -> list[list[str]]:
    """The figures of a record that it has, by name."""
    throughput, energy = record.throughput, record.number("energy_per_inference_j")
    known = {
        "throughput": f"{units.number(throughput.value)}/s" if throughput else "",
        "parameters": _count(record, "parameters"),
        "MACs": units.quantity(record.number("macs"), ""),
        "peak memory": units.byte_count(record.number("peak_memory_bytes")),
        "energy per sample": units.joules(energy),
        "calls": _count(record, "latency_calls"),
        "rounds": _count(record, "latency_rounds"),
    }
    return [[name, text.strip()] for name, text in known.items() if text not in ("", units.ABSENT)]


def _count(record: Record, name: str) -> str:
    value = record.number(name)
    return "" if value is None else units.count(int(value))


def _grid_table(grid: Grid) -> str:
    """The lab's table, as far as it fits."""
    columns, shapes = grid.columns[:MOST_COLUMNS], grid.shapes[:MOST_ROWS]
    spread = marks.spread_of(grid.cells.values())
    rows = [
        [shape.label, *(marks.cell(grid.cell(shape, one), spread).text for one in columns)]
        for shape in shapes
    ]
    heads = ["size/batch", *(marks.plain(one.label) for one in columns)]
    cut = len(grid.columns) > len(columns) or len(grid.shapes) > len(shapes)
    more = f"<div>{len(grid.columns):,} variants at {len(grid.shapes):,} shapes in all</div>" * cut
    return _table(heads, rows) + more


def _legend(grid: Grid) -> list[str]:
    """What the marks in the table mean."""
    spread = marks.spread_of(grid.cells.values())
    cells = [marks.cell(one, spread) for one in grid.cells.values()]
    known = {one.text: one.legend for one in cells if one.legend} | marks.meanings(cells, spread)
    return [f"{mark}: {meaning}" for mark, meaning in known.items()]


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table; without heads the first cell of each row is one."""
    top = "".join(f'<th scope="col">{escape(one)}</th>' for one in heads)
    body = "".join(
        f'<tr><th scope="row" style="text-align:left">{escape(row[0])}</th>'
        + "".join(f'<td style="text-align:right">{escape(one)}</td>' for one in row[1:])
        + "</tr>"
        for row in rows
    )
    head = f"<thead><tr>{top}</tr></thead>" * bool(heads)
    return f'<table style="color:inherit">{head}<tbody>{body}</tbody></table>'


def _whole(*parts: str) -> str:
    inside = "".join(f"<div>{part}</div>" for part in parts if part)
    return f'<div class="inferometer">{inside}</div>'
