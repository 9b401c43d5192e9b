"""Whether one quantity puts things into the order of another, and how often chance does as well."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations

_MOST_ENUMERATED = 7  # things: their 5,040 orders are tried in milliseconds


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """How many pairs two orders have in common.

    Attributes:
        concordant: pairs in the same order.
        discordant: pairs the other way round; the rest are ties.
        pairs: pairs that were looked at.
        chance: share of all orders of the quantity that agree in as many pairs or more, all orders
            being equally likely; None where there are too many orders to try.
    """

    concordant: int
    discordant: int
    pairs: int
    chance: float | None


def agreement(values: Sequence[float], pairs: Sequence[tuple[int, int]]) -> Agreement:
    """Compare the order of values with pairs whose order is known.

    The statistic is Kendall's (Biometrika 30, 1938), without the pairs that are undecided; its
    distribution is not approximated but enumerated.

    Args:
        values: the quantity, one value for each thing.
        pairs: numbers of two things each, of which the first comes before the second.
    """
    concordant = _concordant(values, pairs)
    chance = None
    if len(values) <= _MOST_ENUMERATED:
        orders = [_concordant(order, pairs) for order in permutations(values)]
        chance = sum(found >= concordant for found in orders) / len(orders)
    return Agreement(
        concordant=concordant,
        discordant=sum(values[a] > values[b] for a, b in pairs),
        pairs=len(pairs),
        chance=chance,
    )


def _concordant(values: Sequence[float], pairs: Sequence[tuple[int, int]]) -> int:
    return sum(values[a] < values[b] for a, b in pairs)
