"""What is recommended, and the JSON of it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from inferometer.analysis.recommend.points import (
    Candidates,
    Criterion,
    Name,
    Point,
    Unknown,
)

Floats = NDArray[np.float64]

POSSIBLE, SURE = 0.05, 0.95
"""What is less likely counts as decided against, what is more likely as decided for."""
EVEN = 0.1587
"""What is at least so likely better than the best by figures alone, which is that the difference is
within one standard error, takes its place where it is surely better otherwise (the rule of Breiman
and others, Classification and Regression Trees, 1984). Beyond it what is preferred is not given up
for what is merely undecided."""


@dataclass(frozen=True, kw_only=True)
class Limit:
    """What a workload must keep to.

    Attributes:
        criterion: of the figure.
        value: the most that it may be; the least where more is better.
    """

    criterion: Criterion
    value: float

    def holds(self, values: Floats) -> NDArray[np.bool_]:
        """Which values keep to it."""
        return values >= self.value if self.criterion.higher else values <= self.value

    def excess(self, value: float) -> float:
        """How far a value is beyond it, as a share of it; not above 0 where it is kept."""
        beyond = self.value - value if self.criterion.higher else value - self.value
        return beyond / abs(self.value) if self.value else beyond


@dataclass(frozen=True, kw_only=True)
class Miss:
    """A limit that a workload does not keep to by its figure.

    Attributes:
        limit: the limit.
        value: the figure.
        excess: beyond the limit, as a share of it.
        meets: probability that it is kept all the same.
    """

    limit: Limit
    value: float
    excess: float
    meets: float


@dataclass(frozen=True, kw_only=True)
class Placed:
    """A workload, and where it stands among the others.

    Attributes:
        point: the workload.
        on_front: probability that no other is at least as good in all criteria and better in one.
        meets: probability that it keeps to all limits.
        misses: limits that it does not keep to by its figures.
        by: the one that dominates it most probably; None where none may.
        dominated: probability that this one does.
    """

    point: Point
    on_front: float
    meets: float
    misses: tuple[Miss, ...] = ()
    by: Point | None = None
    dominated: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Tie:
    """A workload that may be the better choice.

    Attributes:
        placed: the workload.
        better: probability that it is better than the choice by what is preferred.
        ratio: of its preferred figure to that of the choice.
        low: lower end of the 95 % interval of the ratio.
        high: its upper end.
        gains: criteria in which it is surely better.
    """

    placed: Placed
    better: float
    ratio: float
    low: float
    high: float
    gains: tuple[Name, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Choice:
    """The workload to take.

    Attributes:
        placed: the workload.
        best: probability that it keeps to all limits and none that does is better by what is
            preferred.
        leader: the best by figures alone, where a tie with it was broken for the choice.
        broken_by: criterion that broke the tie; None where there was none to break, and where it
            was broken for the surer keeping to the limits.
        safer: of those that surely keep to all limits, the best; None where the choice does.
    """

    placed: Placed
    best: float
    leader: Placed | None = None
    broken_by: Name | None = None
    safer: Placed | None = None


@dataclass(frozen=True, kw_only=True)
class Recommendation:
    """What is recommended.

    Attributes:
        weighed: the candidates, and what they are weighed by.
        prefer: criterion by which the best of those within the limits is taken.
        limits: what was asked for.
        placed: every workload with all figures, in the order of the preferred one.
        choice: the workload to take; None where none keeps to all limits.
        tied: workloads that may be the better choice, the most probable first.
        closest: where none keeps to all limits, the least beyond them.
        drawn: what the true figures may be, by draw, place in `points` and criterion.
    """

    weighed: Candidates
    prefer: Name
    limits: tuple[Limit, ...]
    placed: tuple[Placed, ...]
    choice: Choice | None
    tied: tuple[Tie, ...]
    closest: Placed | None
    drawn: Floats = field(repr=False, compare=False)

    @property
    def front(self) -> list[Placed]:
        """Those that may be on the front, along the first criterion."""
        first = self.weighed.names[0] if self.weighed.criteria else self.prefer
        found = [one for one in self.placed if one.on_front >= POSSIBLE]
        return sorted(found, key=lambda one: one.point.figures[first].value)

    @property
    def dominated(self) -> list[Placed]:
        """The others."""
        return [one for one in self.placed if one.on_front < POSSIBLE]

    @property
    def unmet(self) -> list[Placed]:
        """Those that do not keep to all limits by their figures, the least beyond first."""
        return sorted((one for one in self.placed if one.misses), key=farthest)

    @property
    def unknown(self) -> tuple[Unknown, ...]:
        """Those that lack a figure."""
        return self.weighed.unknown


def farthest(one: Placed) -> float:
    """How far the worst figure is beyond its limit."""
    return max((miss.excess for miss in one.misses), default=0.0)
