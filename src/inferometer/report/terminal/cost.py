"""The analytical cost of a model, in a terminal: sums with their convention, then a table."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePath
from typing import Literal

from rich.console import Console
from rich.table import Table
from rich.text import Text

from inferometer.analysis.costs import (
    CONVENTION,
    Group,
    by_kind,
    by_module,
    by_operator,
    intensity_of,
)
from inferometer.core import units
from inferometer.core.costing import Costing
from inferometer.report.document import marks
from inferometer.report.document.wording import plural, sentence
from inferometer.report.terminal.names import Name
from inferometer.report.terminal.output import Output, bare_table, print_list, print_table, say

By = Literal["kind", "module", "operator"]
HEADS = ("calls", "MACs", "share", "element-wise", "bytes")
MOST_TIED = 5


def print_cost(
    costing: Costing, *, by: By = "kind", depth: int | None = None, console: Console | None = None
) -> None:
    """Print the sums of a costing, a table of where they come from, and what they mean.

    Args:
        costing: what was counted.
        by: what a row of the table is.
        depth: how deep the tree of modules is shown; None is to the bottom.
        console: where to print; standard output by default.
    """
    console = console or Output(highlight=False)
    runs_in = f"{costing.backend or 'ONNX graph'} {costing.precision}"
    head = f"{costing.model} · {runs_in} · input {costing.input_shape} · {costing.weights}"
    say(console, head, style="bold")
    say(console, f"For one call of one batch of {plural(costing.batch_size, 'sample')}.")
    console.print()
    print_table(console, _sums(costing))
    console.print()
    print_table(console, _groups(costing, by, depth))
    console.print()
    say(console, sentence(CONVENTION))
    say(console, sentence(f"Counted: {costing.cost.method}"))
    print_list(
        console,
        "Warning: not in these sums, which therefore have no shares and no FLOPs/B, operators that "
        "are not known, or whose shapes are not:",
        _unknown(costing),
    )
    print_list(console, "Notes:", [sentence(note) for note in costing.notes])


def _unknown(costing: Costing) -> list[str]:
    found = costing.cost.unknown_operators
    return [", ".join(found)] if found else []


def _sums(costing: Costing) -> Table:
    table = bare_table(gap=3, headed=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, text in [*_parameters(costing), *_operations(costing), *_files(costing)]:
        table.add_row(Text(name), Text(marks.plain(text)))
    return table


def _parameters(costing: Costing) -> Iterator[tuple[str, str]]:
    found = costing.parameters
    each = found.get("parameters_with_duplicates")
    parts = [units.count(found.get("parameters"))]
    if each is not None:
        parts.append(f"{units.count(each)} where each use counts")
    if found.get("frozen_parameters") is not None:
        parts.append(f"{units.count(found['frozen_parameters'])} frozen")
    yield "parameters", "; ".join(parts)
    kinds = found.get("parameters_by_dtype") or {}
    if kinds:
        yield "  by type", ", ".join(f"{kind} {count:,}" for kind, count in kinds.items())
    tied = [" = ".join(names) for names in found.get("tied") or ()]
    if tied:
        more = f" and {len(tied) - MOST_TIED} more" if len(tied) > MOST_TIED else ""
        yield "  tied", "; ".join(tied[:MOST_TIED]) + more
    yield "  size", units.byte_count(found.get("parameter_bytes"))
    buffers = units.count(found.get("buffers"))
    yield "buffers", f"{buffers}, {units.byte_count(found.get('buffer_bytes'))}"


def _operations(costing: Costing) -> Iterator[tuple[str, str]]:
    cost = costing.cost
    yield "MACs", f"{units.quantity(cost.macs, 'MACs')} ({units.count(cost.macs)})"
    yield "FLOPs", units.quantity(cost.flops, "FLOPs")
    yield "  element-wise", f"{units.quantity(cost.elementwise_flops, 'FLOPs')} beside these"
    written, peak = cost.activation_bytes, cost.activation_peak_bytes
    yield (
        "activations",
        f"{units.byte_count(written)} written, {units.byte_count(peak)} alive at a time",
    )
    for name, moved, how in (
        ("bytes moved", cost.compulsory_bytes, "at least (inputs, weights, outputs once)"),
        ("", cost.operator_bytes, "operator by operator"),
    ):
        rate = intensity_of(cost, moved)
        per_byte = "" if rate is None else f", {units.number(rate)} FLOPs/B"
        yield name, f"{units.byte_count(moved)} {how}{per_byte}"


def _files(costing: Costing) -> Iterator[tuple[str, str]]:
    for number, one in enumerate(costing.artifacts):
        name = "" if number else "on disk"
        yield name, f"{units.byte_count(one.size_bytes)} {PurePath(one.path).name}"
    if not costing.artifacts:
        yield "on disk", "no file: built from code"
    if costing.safetensors_bytes is not None:
        yield "", f"{units.byte_count(costing.safetensors_bytes)} as safetensors (computed)"


def _groups(costing: Costing, by: By, depth: int | None) -> Table:
    groups = {
        "kind": lambda: by_kind(costing.cost),
        "operator": lambda: by_operator(costing.cost),
        "module": lambda: by_module(costing.cost, depth),
    }[by]()
    table = bare_table()
    table.add_column(by, overflow="fold")
    for head in HEADS:
        table.add_column(head, justify="right", no_wrap=True)
    for group in groups:
        name = group.name or costing.model
        table.add_row(Name("  " * group.depth + marks.plain(name)), *_cells(group))
    return table


def _cells(group: Group) -> list[Text]:
    texts = (
        units.count(group.calls),
        units.quantity(group.macs, ""),
        units.percent(group.share),
        units.quantity(group.elementwise_flops, ""),
        units.byte_count(group.bytes_moved),
    )
    return [Text(text.strip()) for text in texts]
