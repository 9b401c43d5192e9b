"""Why models are ordered as they are, as tables and sentences of a report."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from inferometer.analysis import facts
from inferometer.analysis.batching import batching
from inferometer.analysis.explain import why
from inferometer.analysis.grid import Column, Grid
from inferometer.analysis.makeup import Statement
from inferometer.analysis.ordering import Factor, factors, puzzling
from inferometer.analysis.parts import Parts, parts_of
from inferometer.core import units
from inferometer.core.record import Record
from inferometer.core.roofline import Roofline
from inferometer.core.workload import Shape
from inferometer.report.document.fields import Fields, done, rows
from inferometer.report.document.markup import Table, table

MOST_PAIRS = 3
"""Pairs that are explained in one group of models."""
MOST_NAMED = 8
"""Models that are named in an order."""
MOST_BATCHES = 12
"""Sentences about batches."""

Rooflines = Mapping[str, Sequence[Roofline]]
"""Rooflines by the id of the run that measured them."""


def order(grid: Grid) -> Table:
    """How each cost orders the models, beside how their latencies do."""
    lines = [
        [
            factor.name,
            at.label,
            _few([column.label for column in _by_value(factor)]),
            f"{factor.concordant} of {factor.pairs}",
            units.percent(factor.chance),
            units.ratio(factor.spread),
        ]
        for at, found in _groups(grid)
        for factor in found
    ]
    heads = [
        "cost",
        "size/batch",
        "from least to most",
        "pairs ordered as by latency",
        "as good by chance",
        "latency per unit differs by",
    ]
    return table(heads, lines, left=3)


def order_pairs(grid: Grid) -> list[str]:
    """How many pairs of models each cost orders as their latencies are, in a line for each group.

    For where there is no room for the table.
    """
    return [
        f"Pairs of models ordered as by latency at {at.label}: "
        + ", ".join(f"{factor.name} {factor.concordant} of {factor.pairs}" for factor in found)
        + "."
        for at, found in _groups(grid)
    ]


def order_lines(grid: Grid, rooflines: Rooflines) -> list[str]:
    """What orders the models, and why each pair of neighbours is as it is."""
    lines = []
    for at, found in _groups(grid):
        lines += _ordering(at, found)
    for columns in facts.contexts(grid):
        shape = facts.common_shape(grid, columns)
        if shape is not None and len(columns) > 1:
            lines += _pairs(grid, columns, shape, rooflines)
    return lines


def batch_lines(grid: Grid, rooflines: Rooflines) -> list[str]:
    """What one more sample costs, and why."""
    return [one.sentence for one in batching(grid, rooflines)[:MOST_BATCHES]]


def parts(grid: Grid) -> Table:
    """What the latency of each variant is made of at its smallest shape, by the costs alone."""
    fields: Fields = {
        "arithmetic": _part(lambda found: found.arithmetic_s),
        "moving data": _part(lambda found: found.moving_s),
        "dispatch overhead": _part(lambda found: found.dispatch_s),
        "together, of the latency": lambda record: (
            units.percent(found.share(found.explained_s)) if (found := parts_of(record)) else ""
        ),
    }
    cells = [found[0] for column in grid.columns if (found := done(grid, column))]
    return rows(cells, fields)


def _part(of: Callable[[Parts], float | None]) -> Callable[[Record], str]:
    return lambda record: units.seconds(of(found)) if (found := parts_of(record)) else ""


def _groups(grid: Grid) -> list[tuple[Shape, list[Factor]]]:
    """The costs that order models under the same settings."""
    found = []
    for columns in facts.contexts(grid):
        shape = facts.common_shape(grid, columns)
        if shape is not None:
            found.append((shape, factors(grid, columns, shape)))
    return [(shape, costs) for shape, costs in found if costs]


def _few(names: Sequence[str]) -> str:
    """Names, of very many the first and the last ones."""
    if len(names) <= MOST_NAMED:
        return ", ".join(names)
    half = MOST_NAMED // 2
    return ", ".join([*names[:half], f"{len(names) - 2 * half} more", *names[-half:]])


def _by_value(factor: Factor) -> list[Column]:
    order = sorted(zip(factor.values, range(len(factor.columns)), strict=True))
    return [factor.columns[place] for _, place in order]


def _ordering(shape: Shape, found: Sequence[Factor]) -> list[str]:
    """How little it may prove that costs order the models as their latencies do."""
    if not found[0].pairs or len(found) == 1:  # the table tells all of one cost
        return []
    agreeing = [factor for factor in found if factor.agrees]
    return [f"At {shape.label}: {line}" for line in _chance(agreeing, len(found))]


def _chance(agreeing: Sequence[Factor], tried: int) -> list[str]:
    """How often chance alone orders so few models as well."""
    if not agreeing or agreeing[0].chance is None:
        return []
    models, chance = len(agreeing[0].columns), units.percent(agreeing[0].chance)
    line = (
        f"of all orders of {models} models, {chance} agree as well by chance, and {tried} costs "
        "were tried: an agreement alone proves little."
    )
    return [line]


def _pairs(grid: Grid, columns: Sequence[Column], shape: Shape, rooflines: Rooflines) -> list[str]:
    """Each pair in a line, then what limits each model, then doubts; nothing twice."""
    told = [
        why(grid, a, b, shape, rooflines) for a, b in puzzling(grid, columns, shape)[:MOST_PAIRS]
    ]
    told = [found for found in told if found and found[0].kind != "unknown"]
    pairs = [_joined(found, "work", "operators") for found in told]
    models = [_joined(found, "limit") for found in told]
    unknown = [one.sentence for found in told for one in found if one.kind == "incomplete"]
    return [line for line in dict.fromkeys([*pairs, *models, *unknown]) if line]


def _joined(found: Sequence[Statement], *kinds: str) -> str:
    return " ".join(one.sentence for one in found if one.kind in kinds)
