"""Which of the analytical costs puts models into the order of their latencies."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

from inferometer.analysis import facts
from inferometer.analysis.grid import Column, Grid
from inferometer.analysis.parts import flops_per_s, parts_of, unknown_operators
from inferometer.core.record import Record
from inferometer.core.workload import Shape
from inferometer.stats.slopes import MOST_EXACT, agreement

FEWEST = 3
"""Models of which an order can be told: two agree with anything in one of two cases."""


def _explained_s(record: Record) -> float | None:
    found = parts_of(record)
    return None if found is None else found.explained_s


def _flops(record: Record) -> float | None:
    """None where they are a lower bound: it orders nothing."""
    return None if unknown_operators(record) else record.number("flops")


FACTORS: dict[str, Callable[[Record], float | None]] = {
    "parameters": lambda record: record.number("parameters"),
    "FLOPs": _flops,
    "bytes that operators move": lambda record: record.number("operator_bytes"),
    "calls of operators": lambda record: record.number("operator_calls"),
    "time at the measured rates": _explained_s,
}
"""What may order models, as people call it, and where it stands in a record."""


@dataclass(frozen=True, kw_only=True)
class Factor:
    """How a cost orders models under the same settings, beside how their latencies do.

    Attributes:
        name: of the cost; one of `FACTORS`.
        columns: the models, from the fastest to the slowest.
        values: the cost of each, per call.
        concordant: pairs of models, of those whose latencies are apart, in the order of the cost.
        pairs: how many pairs are apart.
        chance: share of all orders of the cost that agree at least as well; None where a pair is
            not apart, or there are too many orders to look at all.
        spread: largest latency per unit of the cost over the smallest; 1 where latency is
            proportional to it.
    """

    name: str
    columns: tuple[Column, ...]
    values: tuple[float, ...]
    concordant: int
    pairs: int
    chance: float | None
    spread: float

    @property
    def agrees(self) -> bool:
        """Whether every pair that is apart is in the order of the cost."""
        return self.concordant == self.pairs > 0


def factors(grid: Grid, columns: Sequence[Column], shape: Shape) -> list[Factor]:
    """Every cost that is known of all models measured at a shape, as it orders them.

    Args:
        grid: the table.
        columns: models under the same settings, as `facts.contexts` gives them.
        shape: where they are compared.

    Returns:
        Nothing where fewer than three models were measured there.
    """
    ranked = facts.ranking(grid, shape, columns)
    if len(ranked) < FEWEST:
        return []
    apart = [(a, b) for a, b in combinations(range(len(ranked)), 2) if _apart(ranked[a], ranked[b])]
    found = []
    for name, read in FACTORS.items():
        values = [value for one in ranked if (value := read(grid.cells[shape, one.column]))]
        if len(values) == len(ranked):
            found.append(_factor(name, ranked, values, apart))
    return found


def _factor(
    name: str,
    ranked: Sequence[facts.Ranked],
    values: Sequence[float],
    apart: Sequence[tuple[int, int]],
) -> Factor:
    latencies_s = [one.latency.value for one in ranked]
    each = [latency / value for latency, value in zip(latencies_s, values, strict=True)]
    all_apart = len(apart) == len(ranked) * (len(ranked) - 1) // 2
    few = len(ranked) <= MOST_EXACT
    return Factor(
        name=name,
        columns=tuple(one.column for one in ranked),
        values=tuple(values),
        concordant=sum(values[a] < values[b] for a, b in apart),
        pairs=len(apart),
        chance=agreement(values, [latencies_s]).p if few and all_apart else None,
        spread=max(each) / min(each),
    )


def puzzling(grid: Grid, columns: Sequence[Column], shape: Shape) -> list[tuple[Column, Column]]:
    """Pairs of models worth explaining at a shape, the faster one first.

    Those whose latencies contradict their parameter counts, then neighbours in the order of the
    latencies, then the others, first those whose latencies follow their operations the least.
    Pairs that are not apart are left out.
    """
    ranked = facts.ranking(grid, shape, columns)
    records = {one.column: grid.cells[shape, one.column] for one in ranked}
    counts = {column: grid.count(column) for column in records}
    rates = {column: flops_per_s(record) for column, record in records.items()}
    apart = [pair for pair in combinations(ranked, 2) if _apart(*pair)]
    against = [
        (a.column, b.column)
        for a, b in apart
        if (counts[a.column] or 0) > (counts[b.column] or math.inf)
    ]
    near = [(a.column, b.column) for a, b in pairwise(ranked) if _apart(a, b)]
    far = {
        (a.column, b.column): abs(math.log(one / other))
        for a, b in apart
        if (one := rates[a.column]) and (other := rates[b.column])
    }
    return list(dict.fromkeys([*against, *near, *sorted(far, key=lambda pair: -far[pair])]))


def _apart(one: facts.Ranked, other: facts.Ranked) -> bool:
    return facts.apart(one.latency, other.latency)
