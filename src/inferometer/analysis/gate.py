"""Comparisons → whether a contender is slower than it may be, decided by their intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from inferometer.analysis.compare import Comparison


@dataclass(frozen=True, kw_only=True)
class Gate:
    """Comparisons by what their interval says of a limit.

    Attributes:
        limit: by what share a contender may be slower.
        slower: all of the interval is above the limit.
        undecided: the limit is within the interval, or there is none.
        within: all of the interval is at most at the limit.
        missing: what has no figure on the contender's side, and why.
    """

    limit: float
    slower: tuple[Comparison, ...]
    undecided: tuple[Comparison, ...]
    within: tuple[Comparison, ...]
    missing: tuple[str, ...]

    def passes(self, *, undecided: bool) -> bool:
        """Whether nothing is slower or missing; `undecided` says what a draw counts as."""
        return not (self.slower or self.missing) and (undecided or not self.undecided)


def gate(found: Sequence[Comparison], missing: Sequence[str], limit: float) -> Gate:
    """What intervals say of a limit.

    Args:
        found: the comparisons.
        missing: what could not be compared.
        limit: by what share a contender may be slower.
    """
    sides: dict[str, list[Comparison]] = {"slower": [], "undecided": [], "within": []}
    for one in found:
        sides[_side(one, 1 + limit)].append(one)
    return Gate(
        limit=limit,
        slower=tuple(sides["slower"]),
        undecided=tuple(sides["undecided"]),
        within=tuple(sides["within"]),
        missing=tuple(missing),
    )


def _side(one: Comparison, most: float) -> str:
    interval = one.difference.interval(one.confidence)
    if interval is None or interval.low <= most < interval.high:
        return "undecided"
    return "slower" if interval.low > most else "within"
