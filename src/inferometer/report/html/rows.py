"""The page's table of results: a row for each workload, once as text, once as numbers.

The text is what people read; the numbers are what the page sorts by and draws.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from inferometer.analysis.grid import Grid, measured
from inferometer.analysis.operators import shares_of
from inferometer.analysis.parts import bound_share, flops_per_s
from inferometer.analysis.series import throughput
from inferometer.core import units
from inferometer.core.metric import Estimate
from inferometer.core.record import Record
from inferometer.core.workload import Shape, size_label
from inferometer.report.document import marks, operators
from inferometer.report.document.accuracy import accuracy_text
from inferometer.report.document.devices import Devices
from inferometer.report.document.fields import quantity
from inferometer.report.document.marks import Spread
from inferometer.report.document.operations import at_least

Row = dict[str, Any]

LABEL_LENGTH = 60
_DIGITS = 6


@dataclass(frozen=True, kw_only=True)
class Head:
    """A column of the table.

    Attributes:
        title: what stands above it.
        key: field of the rows that it is sorted by.
        show: text of its cells.
        number: whether its cells are figures, flush right.
    """

    title: str
    key: str
    show: Callable[[Record], str] = field(repr=False)
    number: bool = True


@dataclass(frozen=True, kw_only=True)
class Results:
    """The table.

    Attributes:
        heads: its columns, without those in which no row has anything.
        cells: texts of each row.
        rows: numbers of each row, by name; what is unknown is absent.
        records: of each row.
        remarks: on each row, the worst first.
        columns: variants by their number in the rows: label and model.
    """

    heads: tuple[Head, ...]
    cells: tuple[tuple[str, ...], ...] = field(repr=False)
    rows: tuple[Row, ...] = field(repr=False)
    records: tuple[Record, ...] = field(repr=False)
    remarks: tuple[tuple[str, ...], ...] = field(repr=False)
    columns: tuple[tuple[str, str], ...]

    @property
    def remarked(self) -> bool:
        """Whether any row has a remark."""
        return any(self.remarks)


def results(grid: Grid) -> Results:
    """Every workload of a grid, variant by variant."""
    labels = _short_labels([column.label for column in grid.columns])
    names = [marks.shorten(column.name, LABEL_LENGTH) for column in grid.columns]
    columns = list(zip(labels, names, strict=True))
    found = [
        (number, shape, record)
        for number, column in enumerate(grid.columns)
        for shape in grid.shapes
        if (record := grid.cell(shape, column)) is not None
    ]
    smallest = _smallest(grid)
    spread = marks.spread_of(record for _, _, record in found)
    heads = _heads(spread)
    texts = [[head.show(record) for head in heads] for _, _, record in found]
    kept = [i for i in range(len(heads)) if any(t[i] not in {"", units.ABSENT} for t in texts)]
    rows = [_row(number, shape, record, smallest, spread) for number, shape, record in found]
    return Results(
        heads=tuple(heads[i] for i in kept),
        cells=tuple(
            (columns[number][0], *(text[i] for i in kept))
            for (number, _, _), text in zip(found, texts, strict=True)
        ),
        rows=tuple(rows),
        records=tuple(record for _, _, record in found),
        remarks=tuple(remarks(record) for _, _, record in found),
        columns=tuple(columns),
    )


def add_ratios(table: Results, several: Devices | None) -> None:
    """Add to the rows of other devices their latency over that on the first device."""
    if several is None:
        return
    for row, record in zip(table.rows, table.records, strict=True):
        bar = several.bars.get((str(record.run.get("run_id")), record.workload.key))
        if bar is not None:
            row.update(ratio=bar.ratio, ratio_base=several.plot.baseline)
            if bar.low is not None:
                row.update(ratio_low=bar.low, ratio_high=bar.high)


def _short_labels(labels: Sequence[str]) -> list[str]:
    """Labels of a bearable length, still unlike each other."""
    found: list[str] = []
    for label in labels:
        short = marks.shorten(label, LABEL_LENGTH)
        found.append(f"{short} ({len(found) + 1})" if short in found else short)
    return found


def outcome(record: Record) -> str:
    """The status; of a failure also its kind."""
    if record.failure is None:
        return record.status
    return f"{record.status}: {record.failure.kind.replace('_', ' ')}"


def remarks(record: Record) -> tuple[str, ...]:
    """Why it is not trusted, the worst cause first, or why it has no figures."""
    if record.failure is not None:
        return (record.failure.message,)
    return tuple(map(str, record.causes))


def _smallest(grid: Grid) -> Mapping[tuple[int, int | None], Record]:
    """The record of the smallest batch that has a latency, by variant and input size."""
    found: dict[tuple[int, int | None], Record] = {}
    for number, column in enumerate(grid.columns):
        for shape in grid.shapes:
            record = grid.cell(shape, column)
            if record is not None and measured(record) is not None:
                found.setdefault((number, shape.input_size), record)
    return found


def _row(
    number: int,
    shape: Shape,
    record: Record,
    smallest: Mapping[tuple[int, int | None], Record],
    spread: Spread,
) -> Row:
    row: Row = {
        "column": number,
        "size": shape.input_size,
        "batch": shape.batch_size,
        "shape": shape.label,
        "status": record.status,
        "verdict": record.figures.get("verdict"),
        "failure": marks.cell(record, "none").text if record.failure else None,
        "usable_for": record.figures.get("usable_for"),
        **_figures(record, spread),
    }
    base, latency = smallest.get((number, shape.input_size)), measured(record)
    if base is not None and latency is not None and (least := measured(base)) is not None:
        row["times_batch"] = shape.batch_size / base.workload.batch_size
        row["times_latency"] = latency.value / least.value
    return {name: _short(value) for name, value in row.items() if _is_known(value)}


def _figures(record: Record, spread: Spread) -> Row:
    latency, rate = measured(record), throughput(record)
    energy, half = (record.number(f"energy_{n}_j") for n in ("per_inference", "uncertainty"))
    memory, macs = record.number("peak_memory_bytes"), record.number("macs")
    return {
        "parameters": record.number("parameters"),
        "latency": latency and latency.value,
        "latency_low": latency and latency.low,
        "latency_high": latency and latency.high,
        "latency_relative_low": latency and latency.relative_low,
        "latency_relative_high": latency and latency.relative_high,
        "width": _width(record, spread),
        "throughput": rate and rate.y,
        "throughput_low": rate and rate.low,
        "throughput_high": rate and rate.high,
        "throughput_relative_low": rate and rate.relative_low,
        "throughput_relative_high": rate and rate.relative_high,
        "energy": energy,
        "energy_low": None if energy is None or half is None else energy - half,
        "energy_high": None if energy is None or half is None else energy + half,
        "accuracy": record.number("accuracy"),
        "accuracy_low": record.number("accuracy_ci_low"),
        "accuracy_high": record.number("accuracy_ci_high"),
        "memory": None if memory is None else memory / 2**20,
        **_layers(record),
        **_operators(record),
        "macs": macs,
        "intensity": record.number("arithmetic_intensity"),
        "flops_per_s": flops_per_s(record),
        "roof_share": bound_share(record),
    }


LAYERS = {
    "runtime": "memory_baseline_bytes",
    "weights": "memory_weights_bytes",
    "activations": "memory_activation_bytes",
}
"""What the peak of the memory consists of, from the bottom up, and the fields that hold it."""


def _layers(record: Record) -> Row:
    """The layers of the memory in MiB and in words; nothing where any of them is unknown."""
    found = {layer: record.number(name) for layer, name in LAYERS.items()}
    known = {layer: value for layer, value in found.items() if value is not None}
    if len(known) < len(LAYERS):
        return {}
    words = ", ".join(f"{layer} {units.byte_count(value)}" for layer, value in known.items())
    return {"layers": words, **{layer: value / 2**20 for layer, value in known.items()}}


def _operators(record: Record) -> Row:
    """Per cent of a call by kind of operator and of its bound, and in words; nothing if unknown."""
    found = shares_of(record, "")
    if found is None:
        return {}
    parts = {kind: share for kind, share in operators.parts(found).items() if share}
    bound = operators.bound(found)
    words = ", ".join(f"{kind} {units.percent(share)}" for kind, share in parts.items())
    return {
        "operators": words,
        "operators_bound": None if bound is None else 100 * min(bound, 1.0),
        "profiled": 100.0,
        **{kind: 100 * share for kind, share in parts.items()},
    }


def _is_known(value: object) -> bool:
    """Whether a row can hold it: what is beyond all numbers can neither be drawn nor sorted by."""
    return value is not None and not (isinstance(value, float) and not math.isfinite(value))


def _short(value: object) -> object:
    """Six digits: enough to draw and sort by, and half the bytes."""
    return float(f"{value:.{_DIGITS}g}") if isinstance(value, float) else value


def _shown(record: Record, spread: Spread) -> Estimate | None:
    """The latency with the interval that all figures of the table have."""
    latency = measured(record)
    return latency.compared() if latency and spread == "relative" else latency


def _width(record: Record, spread: Spread) -> float | None:
    latency = _shown(record, spread)
    return latency.relative_half_width if latency else None


def _energy(record: Record) -> str:
    value = record.number("energy_per_inference_j")
    if value is None:
        return units.ABSENT
    return units.energy(value, record.number("energy_uncertainty_j"))


def _heads(spread: Spread) -> tuple[Head, ...]:
    """What follows the name of the variant."""
    return (
        Head(title="size", key="size", show=lambda r: size_label(r.workload.input_size)),
        Head(title="batch", key="batch", show=lambda r: str(r.workload.batch_size)),
        Head(title="latency", key="latency", show=lambda r: units.latency(_shown(r, spread))),
        Head(title="± %", key="width", show=lambda r: units.half_width(_width(r, spread))),
        Head(title="outcome", key="status", show=outcome, number=False),
        Head(title="verdict", key="verdict", show=_word("verdict"), number=False),
        Head(title="usable for", key="usable_for", show=_word("usable_for"), number=False),
        *_OTHER_HEADS,
    )


def _word(name: str) -> Callable[[Record], str]:
    """The text of a field that holds a word; empty where it holds none."""
    return lambda record: str(record.figures.get(name) or "")


_OTHER_HEADS = (
    Head(
        title="samples/s",
        key="throughput",
        show=lambda r: units.number(point.y) if (point := throughput(r)) else units.ABSENT,
    ),
    Head(
        title="peak memory",
        key="memory",
        show=lambda r: units.byte_count(r.number("peak_memory_bytes")),
    ),
    Head(title="energy per sample", key="energy", show=_energy),
    Head(title="accuracy", key="accuracy", show=lambda r: accuracy_text(r) or units.ABSENT),
    Head(title="MACs", key="macs", show=at_least(quantity("macs", ""))),
    Head(
        title="share of the roofline bound",
        key="roof_share",
        show=lambda r: units.percent(bound_share(r)),
    ),
)
"""Those after the latency and what is said of it."""
