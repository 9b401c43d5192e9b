"""What models cost on paper, as a table and sentences of a report."""

from __future__ import annotations

from collections.abc import Callable

from inferometer.analysis import facts
from inferometer.analysis.costs import CONVENTION
from inferometer.analysis.grid import Grid
from inferometer.core import units
from inferometer.core.record import Record
from inferometer.report.fields import Fields, byte_count, count, quantity, rows
from inferometer.report.markup import Table
from inferometer.report.tables import per_model
from inferometer.report.wording import joined, sentence

BYTES = (
    "Activations are all that operators write; alive at most are those needed at a time. Moved at "
    "least: inputs and weights read once, outputs written once. Moved by operators: each operator "
    "reads its inputs and writes its outputs once."
)
NOT_COUNTED = "The operations were not counted."


def operations(grid: Grid) -> Table:
    """Operations, bytes and calls of each model at the smallest shape that most of them have."""
    shape = facts.common_shape(grid) or grid.shapes[0]
    fields: Fields = {
        "MACs": quantity("macs", "MACs"),
        "FLOPs": quantity("flops", "FLOPs"),
        "element-wise": quantity("elementwise_flops", "FLOPs"),
        "calls of operators": count("operator_calls"),
        "activations": byte_count("activation_bytes"),
        "alive at most": byte_count("activation_peak_bytes"),
        "moved at least": byte_count("compulsory_bytes"),
        "moved by operators": byte_count("operator_bytes"),
        "FLOPs for a byte moved at least": _intensity("compulsory_bytes"),
        "for a byte moved by operators": _intensity("operator_bytes"),
    }
    cells = [(column, shape, grid.cell(shape, column)) for column in per_model(grid)]
    known = [(column, at, record) for column, at, record in cells if record is not None]
    return rows([one for one in known if one[2].number("macs") is not None], fields)


def operation_notes(grid: Grid) -> list[str]:
    """What the table means, how it was made, and what is not in it."""
    if not operations(grid):
        return [NOT_COUNTED]
    shape = facts.common_shape(grid) or grid.shapes[0]
    where = f"Of one call at {shape.label} (input size/batch size)."
    lines = [f"{where} {sentence(CONVENTION)}", BYTES]
    known = [record for column in grid.columns if (record := grid.cell(shape, column))]
    methods = dict.fromkeys(str(m) for r in known if (m := r.figures.get("operations_method")))
    if methods:
        lines.append(f"How they were counted: {joined(list(methods))}.")
    unknown = {
        column.name: ", ".join(map(str, names))
        for column in per_model(grid)
        if (record := grid.cell(shape, column)) is not None
        and isinstance(names := record.figures.get("unknown_operators"), list)
        and names
    }
    for name, operators in unknown.items():
        lines.append(
            f"Not in the operations of {name}, as the counter does not know them: {operators}."
        )
    return lines


def _intensity(bytes_name: str) -> Callable[[Record], str]:
    def show(record: Record) -> str:
        flops, moved = record.number("flops"), record.number(bytes_name)
        return units.number(flops / moved) if flops and moved else units.ABSENT

    return show
