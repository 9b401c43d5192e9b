"""The analytical cost of models, as a table and sentences of a report."""

from __future__ import annotations

from collections.abc import Callable

from inferometer.analysis import facts
from inferometer.analysis.costs import CONVENTION
from inferometer.analysis.grid import Grid
from inferometer.analysis.parts import unknown_operators
from inferometer.core import units
from inferometer.core.record import Record
from inferometer.report.document.fields import Fields, Place, byte_count, count, quantity, rows
from inferometer.report.document.markup import Table
from inferometer.report.document.tables import per_model
from inferometer.report.document.wording import sentence

BY_OPERATORS = "Moved by operators: the inputs and outputs of each; FLOPs per byte are of these."
OTHER_BYTES = (
    "Activations are all that operators write; alive at most are those needed at a time. Moved at "
    "least: the inputs, weights and outputs of the model once."
)
NOT_COUNTED = "The operations were not counted."


def operations(grid: Grid) -> Table:
    """Operations, bytes and calls of each model, where they can be at one shape for all."""
    fields: Fields = {
        "MACs": at_least(quantity("macs", "MACs")),
        "FLOPs": at_least(quantity("flops", "FLOPs")),
        "element-wise": at_least(quantity("elementwise_flops", "FLOPs")),
        "calls of operators": count("operator_calls"),
        "activations": byte_count("activation_bytes"),
        "alive at most": byte_count("activation_peak_bytes"),
        "moved at least": byte_count("compulsory_bytes"),
        "moved by operators": byte_count("operator_bytes"),
        "FLOPs per byte": _intensity("operator_bytes"),
        "per byte moved at least": _intensity("compulsory_bytes"),
    }
    return rows(_counted(grid), fields)


def operation_notes(grid: Grid) -> list[str]:
    """What the table means, how it was made, and what is not in it."""
    counted = _counted(grid)
    if not counted:
        return [NOT_COUNTED]
    lines = [f"Of one call at that input size and batch size. {sentence(CONVENTION)}"]
    if any(record.number("operator_bytes") is not None for _, _, record in counted):
        lines += [BY_OPERATORS, OTHER_BYTES]
    for column, _, record in counted:
        names = unknown_operators(record)
        if names:
            lines.append(
                f"Not in the operations of {column.name}, as the counter does not know them: "
                f"{', '.join(names)}. Its sums are lower bounds, and it has no FLOPs per byte."
            )
    return lines


def _counted(grid: Grid) -> list[Place]:
    """A cell of each model with its operations: of the shape that most have, else its first."""
    shape = facts.common_shape(grid)
    order = [*([shape] if shape else []), *grid.shapes]
    found = []
    for column in per_model(grid):
        cells = ((column, at, grid.cell(at, column)) for at in order)
        known = ((c, at, r) for c, at, r in cells if r is not None and r.number("macs") is not None)
        found += [place for place in [next(known, None)] if place]
    return found


def at_least(exact: Callable[[Record], str]) -> Callable[[Record], str]:
    """A sum, marked where operations are missing from it."""

    def show(record: Record) -> str:
        text = exact(record)
        known = text in ("", units.ABSENT) or not unknown_operators(record)
        return text if known else f"\N{GREATER-THAN OR EQUAL TO} {text}"

    return show


def _intensity(bytes_name: str) -> Callable[[Record], str]:
    def show(record: Record) -> str:
        flops, moved = record.number("flops"), record.number(bytes_name)
        if not flops or not moved or unknown_operators(record):
            return units.ABSENT
        return units.number(flops / moved)

    return show
