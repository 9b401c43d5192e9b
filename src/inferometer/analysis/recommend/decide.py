"""Records → which workload to take under limits, and how sure that is.

Everything is counted in draws of what the true figures may be (see `draws`): on the front is what
no other dominates, and a workload meets a limit in so many of them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

import numpy as np

from inferometer.analysis.recommend.draws import Paired, draw
from inferometer.analysis.recommend.points import ERRORS, Candidates, Name, candidates
from inferometer.analysis.recommend.recommendation import (
    EVEN,
    POSSIBLE,
    SURE,
    Choice,
    Floats,
    Limit,
    Miss,
    Placed,
    Recommendation,
    Tie,
    farthest,
)
from inferometer.core.errors import InputError
from inferometer.core.record import Record
from inferometer.stats.front import front

BREAKERS: tuple[Name, ...] = (
    "accuracy",
    "latency",
    "energy",
    "memory",
    "throughput",
    "parameters",
)
"""Criteria that break a tie, the first that tells its workloads apart."""


def recommend(
    records: Sequence[Record],
    limits: Mapping[Name, float] | None = None,
    prefer: Name | None = None,
    *,
    batches: Collection[int] = (),
    sizes: Collection[int | None] = (),
    errors: Collection[str] = ERRORS,
    paired: Paired | None = None,
) -> Recommendation:
    """Choose among workloads.

    Args:
        records: of one or several runs.
        limits: by criterion: the most, or of what is better when higher the least.
        prefer: criterion by which the best is taken; latency by default.
        batches: batch sizes to weigh; see `analysis.points.candidates`.
        sizes: input sizes to weigh.
        errors: metrics of accuracy of which less is better.
        paired: interval of the difference of two accuracies on the same samples.

    Raises:
        InputError: there is nothing to choose among, or what was asked for cannot be compared.
    """
    asked = limits or {}
    named = {*asked, *((prefer,) if prefer else ())}
    weighed = candidates(records, named, batches=batches, sizes=sizes, errors=errors)
    wanted = prefer or "latency"
    known = {one.name: one for one in weighed.criteria}
    if wanted not in known:
        raise InputError(f"no workload has a figure for {wanted}")
    bounds = tuple(Limit(criterion=known[name], value=value) for name, value in asked.items())
    drawn = draw(weighed.points, weighed.names, paired=paired)
    return _Decision(weighed, wanted, bounds, drawn).made()


class _Decision:
    """The making of a recommendation: what its steps share.

    Args:
        weighed: the candidates.
        prefer: criterion by which the best is taken.
        limits: what must be kept to.
        drawn: what the true figures may be.
    """

    def __init__(
        self, weighed: Candidates, prefer: Name, limits: tuple[Limit, ...], drawn: Floats
    ) -> None:
        self.weighed, self.prefer, self.limits, self.drawn = weighed, prefer, limits, drawn
        self.names = weighed.names
        kept = [one.holds(self._of(one.criterion.name)) for one in limits]
        self.kept = np.stack(kept) if kept else np.ones((1, *drawn.shape[:2]), dtype=bool)
        self.whole = np.asarray(self.kept.all(axis=0))
        self.found = front(drawn, [one.higher for one in weighed.criteria])
        self.placed = self._placed()

    def made(self) -> Recommendation:
        """The recommendation."""
        within = [place for place, one in enumerate(self.placed) if not one.misses]
        place, choice = self._choice(within) if within else (None, None)
        order = sorted(range(len(self.placed)), key=self._rank(self.prefer))
        closest = None
        if choice is None and self.placed:
            closest = min(self.placed, key=farthest)
        return Recommendation(
            weighed=self.weighed,
            prefer=self.prefer,
            limits=self.limits,
            placed=tuple(self.placed[one] for one in order),
            choice=choice,
            tied=() if place is None else self._tied(place),
            closest=closest,
            drawn=self.drawn,
        )

    def _of(self, name: Name) -> Floats:
        """Draws of a criterion, by draw and point."""
        found: Floats = self.drawn[:, :, self.names.index(name)]
        return found

    def _rank(self, name: Name) -> Callable[[int], float]:
        """A key that puts the best by a criterion first."""
        sign = -1 if self._is_higher(name) else 1
        return lambda place: sign * self.weighed.points[place].figures[name].value

    def _is_higher(self, name: Name) -> bool:
        return self.weighed.criteria[self.names.index(name)].higher

    def _better(self, one: int, other: int, name: Name) -> float:
        """Probability that one is better than another by a criterion; equal draws by half."""
        return float(self.found.better[self.names.index(name), one, other])

    def _placed(self) -> list[Placed]:
        points, placed = self.weighed.points, []
        for place, point in enumerate(points):
            over = self.found.dominates[:, place]
            by = int(np.argmax(over))
            placed.append(
                Placed(
                    point=point,
                    on_front=float(self.found.on_front[place]),
                    meets=float(self.whole[:, place].mean()),
                    misses=self._misses(place),
                    by=points[by] if over[by] >= POSSIBLE else None,
                    dominated=float(over[by]),
                )
            )
        return placed

    def _misses(self, place: int) -> tuple[Miss, ...]:
        figures = self.weighed.points[place].figures
        found = [
            Miss(
                limit=limit,
                value=figures[limit.criterion.name].value,
                excess=limit.excess(figures[limit.criterion.name].value),
                meets=float(self.kept[number, :, place].mean()),
            )
            for number, limit in enumerate(self.limits)
        ]
        return tuple(one for one in found if one.excess > 0)

    def _choice(self, within: Sequence[int]) -> tuple[int, Choice]:
        """Of those within the limits the best; of several that may be it, the best otherwise."""
        ranked = sorted(within, key=self._rank(self.prefer))
        leader = ranked[0]
        even = [one for one in ranked if self._may_lead(one, leader, self.prefer, EVEN)]
        sure = [one for one in even if self.placed[one].meets >= SURE]
        left, broken_by = sure or even, None
        for name in (name for name in BREAKERS if name in self.names and name != self.prefer):
            first = min(left, key=self._rank(name))
            kept = [one for one in left if self._may_lead(one, first, name)]
            if leader in left and leader not in kept:
                broken_by = name
            left = kept
        place = left[0]
        safe = [one for one in ranked if self.placed[one].meets >= SURE]
        safer = self.placed[safe[0]] if safe and place not in safe else None
        return place, Choice(
            placed=self.placed[place],
            best=self._best(place),
            leader=None if place == leader else self.placed[leader],
            broken_by=None if place == leader else broken_by,
            safer=safer,
        )

    def _may_lead(self, one: int, leader: int, name: Name, least: float = POSSIBLE) -> bool:
        """Whether one is the leader, or better than it with some probability."""
        return one == leader or self._better(one, leader, name) >= least

    def _best(self, place: int) -> float:
        """Probability that it is within the limits, and none within them is better."""
        drawn = self._of(self.prefer) * (1 if self._is_higher(self.prefer) else -1)
        others = np.where(self.whole, drawn, -np.inf).max(axis=1)
        return float(np.mean(self.whole[:, place] & (drawn[:, place] >= others)))

    def _tied(self, choice: int) -> tuple[Tie, ...]:
        """What may be the better choice."""
        drawn, found = self._of(self.prefer), []
        for place, placed in enumerate(self.placed):
            better = self._better(place, choice, self.prefer)
            if place == choice or min(better, placed.meets) < POSSIBLE:
                continue
            low, ratio, high = np.quantile(drawn[:, place] / drawn[:, choice], (0.025, 0.5, 0.975))
            found.append(
                Tie(
                    placed=placed,
                    better=better,
                    ratio=float(ratio),
                    low=float(low),
                    high=float(high),
                    gains=tuple(
                        name
                        for name in self.names
                        if name != self.prefer and self._better(place, choice, name) >= SURE
                    ),
                )
            )
        return tuple(sorted(found, key=lambda one: -one.better * one.placed.meets))
