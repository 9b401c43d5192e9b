"""Records → the lab's table: a row for each shape, a column for each variant."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from inferometer.core.metric import Estimate
from inferometer.core.record import FailureKind, Record
from inferometer.core.workload import Shape, Target, Variant

Setting = Literal["device_name", "backend", "precision", "options", "device", "threads", "run_id"]

SETTINGS: tuple[Setting, ...] = (
    "device_name",
    "backend",
    "precision",
    "options",
    "device",
    "threads",
    "run_id",
)
"""What may tell two columns of one model apart, the most telling first."""


@dataclass(frozen=True, kw_only=True)
class Column:
    """A variant of a model on one device, in one run.

    Attributes:
        variant: what ran.
        target: where, on the device of the run.
        run_id: the run.
        device_name: what the run's device is called.
        name: short name of the model, unique among the models of the grid.
        details: what tells this column from others of the same model; empty where nothing needs to.
    """

    variant: Variant
    target: Target
    run_id: str
    device_name: str
    name: str = ""
    details: tuple[str, ...] = ()

    def __hash__(self) -> int:
        """What tells most columns apart: a report asks for cells a hundred thousand times."""
        return hash((self.variant.model, self.variant.precision, self.run_id, self.details))

    @property
    def label(self) -> str:
        """For people: unique within the grid."""
        return f"{self.name} ({', '.join(self.details)})" if self.details else self.name

    def setting(self, name: Setting) -> str:
        """One of `SETTINGS`, as it stands in a label."""
        threads = "?" if self.target.threads is None else self.target.threads
        texts: dict[Setting, str] = {
            "device_name": self.device_name,
            "backend": self.variant.backend,
            "precision": self.variant.precision,
            "options": self.variant.options_text,
            "device": self.target.device,
            "threads": f"{threads} thread" if threads == 1 else f"{threads} threads",
            "run_id": self.run_id,
        }
        return texts[name]


@dataclass(frozen=True, kw_only=True)
class FailureGroup:
    """The cells of one column that failed, or were skipped, for one reason.

    Attributes:
        kind: what happened.
        skipped: whether they were never tried.
        column: the variant.
        shapes: where, in the order of the rows.
        message: what the first of them said.
    """

    kind: FailureKind
    skipped: bool
    column: Column
    shapes: tuple[Shape, ...]
    message: str


@dataclass(frozen=True, kw_only=True)
class Grid:
    """The lab's table.

    Attributes:
        shapes: the rows, by input size, then by batch size.
        columns: in the order of their first record.
        cells: the record of each row and column that has one.
    """

    shapes: tuple[Shape, ...]
    columns: tuple[Column, ...]
    cells: Mapping[tuple[Shape, Column], Record] = field(repr=False)

    def cell(self, shape: Shape, column: Column) -> Record | None:
        """The record there; None where the study has no such workload, or has not come to it."""
        return self.cells.get((shape, column))

    def records(self, column: Column) -> list[Record]:
        """The records of a column, from the first row to the last."""
        found = (self.cell(shape, column) for shape in self.shapes)
        return [record for record in found if record is not None]

    def figure(self, column: Column, name: str) -> float | None:
        """The first value of a figure in a column; for figures that do not depend on the shape."""
        values = (record.number(name) for record in self.records(column))
        return next((value for value in values if value is not None), None)

    def count(self, column: Column, name: str = "parameters") -> int | None:
        """Like `figure`, for parameters, bytes and other whole numbers."""
        value = self.figure(column, name)
        return None if value is None else int(value)

    def text(self, column: Column, name: str) -> str:
        """The first text of a field in a column; empty where there is none."""
        values = (record.figures.get(name) for record in self.records(column))
        return next((str(value) for value in values if value is not None), "")

    @property
    def sizes(self) -> tuple[int | None, ...]:
        """Input sizes, the models' own first."""
        return tuple(dict.fromkeys(shape.input_size for shape in self.shapes))

    def rows(self, input_size: int | None) -> list[Shape]:
        """The rows of one input size."""
        return [shape for shape in self.shapes if shape.input_size == input_size]

    def failures(self) -> list[FailureGroup]:
        """What failed or was skipped, by kind and column; cuts by the budget come last."""
        groups: dict[tuple[FailureKind, bool, Column], FailureGroup] = {}
        for (shape, column), record in self.cells.items():
            if record.failure is None:
                continue
            key = (record.failure.kind, record.status == "skipped", column)
            group = groups.get(key) or FailureGroup(
                kind=key[0],
                skipped=key[1],
                column=column,
                shapes=(),
                message=record.failure.message,
            )
            groups[key] = replace(group, shapes=(*group.shapes, shape))
        return sorted(groups.values(), key=lambda group: group.kind == "budget")


def build(records: Sequence[Record]) -> Grid:
    """Arrange the records of one or several runs.

    A workload that occurs twice in one run keeps its last record.
    """
    bare = {(record.workload.shape, _column(record)): record for record in records}
    columns = _label(list(dict.fromkeys(column for _, column in bare)))
    shapes = sorted({shape for shape, _ in bare}, key=lambda shape: shape.order)
    cells = {
        (shape, label): bare[shape, column]
        for shape in shapes
        for column, label in columns.items()
        if (shape, column) in bare
    }
    return Grid(shapes=tuple(shapes), columns=tuple(columns.values()), cells=cells)


def measured(record: Record | None) -> Estimate | None:
    """The latency of a record that is there and did not fail; None too where it is not above 0."""
    latency = record.latency if record is not None and record.status == "ok" else None
    return latency if latency is not None and latency.value > 0 else None


def short_names(models: Sequence[str]) -> dict[str, str]:
    """Model reference → the shortest form that no other reference of the list has too.

    `torchvision:resnet50` becomes `resnet50`, `path/net.py:factory` becomes `factory`,
    `weights/net.pt` becomes `net.pt`.
    """
    names: dict[str, str] = {}
    for shorten in (_tail, _without_folder, str):
        short = Counter(shorten(model) for model in models)
        for model in models:
            if short[shorten(model)] == 1:
                names.setdefault(model, shorten(model))
    return names


def _tail(model: str) -> str:
    """Without source and folder; the reference itself where that leaves nothing."""
    target, mark, options = model.partition("?")
    name = re.split(r"[:/]", target)[-1]
    return name + mark + options if name else model


def _without_folder(model: str) -> str:
    target, mark, options = model.partition("?")
    name = target.rsplit("/", 1)[-1]
    return name + mark + options if name else model


def _column(record: Record) -> Column:
    workload = record.workload
    return Column(
        variant=workload.variant,
        target=workload.target,
        run_id=str(record.run.get("run_id") or ""),
        device_name=str(record.run.get("device_name") or "unknown"),
    )


def _label(columns: list[Column]) -> dict[Column, Column]:
    """Give each column its name, and as many details as tell all columns apart."""
    names = short_names(list(dict.fromkeys(column.variant.model for column in columns)))
    chosen: list[Setting] = []
    for setting in SETTINGS:
        if _distinct(columns, [*chosen, setting]) > _distinct(columns, chosen):
            chosen.append(setting)
    return {
        column: replace(
            column,
            name=names[column.variant.model],
            details=tuple(text for setting in chosen if (text := column.setting(setting))),
        )
        for column in columns
    }


def _distinct(columns: Sequence[Column], settings: Sequence[Setting]) -> int:
    return len({(c.variant.model, *(c.setting(s) for s in settings)) for c in columns})
