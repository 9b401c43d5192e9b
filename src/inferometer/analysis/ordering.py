"""Which of the costs on paper puts models into the order of their latencies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations

from inferometer.analysis import facts
from inferometer.analysis.bounds import bounds
from inferometer.analysis.grid import Column, Grid, Shape
from inferometer.core.record import Record
from inferometer.stats.ranks import Agreement, agreement

FEWEST = 3
"""Models of which an order can be told: two agree with anything in one of two cases."""


def _bounds_s(record: Record) -> float | None:
    found = bounds(record)
    return None if found is None else found.explained_s


FACTORS: dict[str, Callable[[Record], float | None]] = {
    "parameters": lambda record: record.number("parameters"),
    "FLOPs": lambda record: record.number("flops"),
    "bytes that operators move": lambda record: record.number("operator_bytes"),
    "calls of operators": lambda record: record.number("operator_calls"),
    "time at the roofs": _bounds_s,
}
"""What may order models, as people call it, and where it stands in a record."""


@dataclass(frozen=True, kw_only=True)
class Factor:
    """How a cost orders models under the same settings, beside how their latencies do.

    Attributes:
        name: of the cost; one of `FACTORS`.
        columns: the models, from the fastest to the slowest.
        values: the cost of each, per call.
        agreement: over the pairs whose latencies are apart.
        spread: largest latency per unit of the cost over the smallest; 1 where latency is
            proportional to it.
    """

    name: str
    columns: tuple[Column, ...]
    values: tuple[float, ...]
    agreement: Agreement
    spread: float

    @property
    def agrees(self) -> bool:
        """Whether every pair that is apart is in the order of the cost."""
        return self.agreement.concordant == self.agreement.pairs > 0


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
    decided = [
        (a, b)
        for a, b in combinations(range(len(ranked)), 2)
        if facts.apart(ranked[a].latency, ranked[b].latency)
    ]
    found = []
    for name, read in FACTORS.items():
        records = [grid.cells[shape, one.column] for one in ranked]
        values = [value for record in records if (value := read(record))]
        if len(values) < len(ranked):
            continue
        each = [one.latency.value / value for one, value in zip(ranked, values, strict=True)]
        found.append(
            Factor(
                name=name,
                columns=tuple(one.column for one in ranked),
                values=tuple(values),
                agreement=agreement(values, decided),
                spread=max(each) / min(each),
            )
        )
    return found
