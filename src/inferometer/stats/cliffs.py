"""Where throughput collapses or nothing works any more along an axis, and what to try next there.

Numbers only: it does not know what a batch is made of, or how anything is measured.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from scipy.special import ndtri

DROP = 0.20
"""A fall of the rate below the best smaller value's by this share is a collapse."""
PLATEAU = 0.05
"""Rates this close to the best are as good as the best."""
SUDDEN = 0.5
"""Share of the whole fall that lies within the bracket; a slow decline has less there."""
NARROW = 1.125
"""A bracket whose ends have at most this ratio is not narrowed any further."""
GROWTH = 2
"""Factor from the largest value tried to the next."""
LARGEST = 1024
"""No larger value is tried unless it was asked for."""

End = Literal["failed", "largest", "slow", "nothing"]
"""Why nothing larger is tried: the largest tried failed; the limit is reached; a call there would
take too long; or nothing worked at all, for a reason that another value does not change."""


class Tried(Protocol):
    """One value of the axis that was tried."""

    @property
    def at(self) -> int:
        """The value, at least 1."""

    @property
    def rate(self) -> float | None:
        """Samples per second; None where it failed."""

    @property
    def low(self) -> float | None:
        """Lower end of its interval; None where there is none."""

    @property
    def high(self) -> float | None:
        """Upper end of its interval; None where there is none."""

    @property
    def allowance(self) -> float:
        """Relative error that the interval does not cover, such as that of a single process."""

    @property
    def failure(self) -> str:
        """Why there is no rate; empty where there is one."""

    @property
    def hopeful(self) -> bool:
        """Of a failure: whether a smaller value might work."""


@dataclass(frozen=True, kw_only=True)
class Cliff:
    """A bracket within which it gets worse.

    Attributes:
        kind: `collapse`, or how the first that failed did.
        good: the largest value before it; 0 where none was good.
        bad: the smallest value after it.
        drop: relative fall of the rate from `good` to `bad`; None for a failure.
        below_best: relative fall from the best smaller value to `bad`; None for a failure.
    """

    kind: str
    good: int
    bad: int
    drop: float | None = None
    below_best: float | None = None

    @property
    def is_narrow(self) -> bool:
        """Whether its ends are neighbours, or nearly so."""
        return self.bad - self.good <= 1 or self.bad <= NARROW * self.good

    @property
    def middle(self) -> int:
        """A value between the ends: by doubling where they are far apart, else half-way."""
        if self.good and self.bad > GROWTH * self.good:
            doublings = math.log2(self.bad / self.good)
            return int(self.good * 2 ** max(1, math.floor(doublings / 2)))
        return (self.good + self.bad) // 2

    @property
    def is_sudden(self) -> bool:
        """Whether most of the fall lies within the bracket; a failure always does."""
        if self.drop is None or self.below_best is None:
            return True
        return self.drop >= SUDDEN * self.below_best


@dataclass(frozen=True, kw_only=True)
class Search:
    """What is known of one line.

    Attributes:
        best: the value of the highest rate; None where nothing worked.
        best_rate: samples per second there.
        plateau: the smallest value whose rate is within 5 % of the best.
        collapse: where the rate falls for good; None where it does not.
        failure: where nothing works from; None where everything did.
        reached: the largest value tried.
        end: why nothing larger is tried; None where something is.
        next: values to try next, a larger one before those between; empty where the search is over.
    """

    best: int | None
    best_rate: float | None
    plateau: int | None
    collapse: Cliff | None
    failure: Cliff | None
    reached: int
    end: End | None
    next: tuple[int, ...]


def search(tried: Sequence[Tried], *, most_s: float, largest: int = LARGEST) -> Search:
    """Look at what was tried along one line, and say what to try next.

    Beyond the largest value tried, values double until one fails or a limit is reached; a rate that
    collapses may recover there. Then the bracket of each cliff is narrowed until its ends are
    neighbours or at most an eighth apart. The answer follows from the points alone, so that a
    search can be interrupted and continued at any point.

    Args:
        tried: points of the line, each value once, at least one.
        most_s: seconds that one call of the next value may take, foretold from the largest that
            worked.
        largest: doubling stops there.

    Raises:
        ValueError: nothing was tried.
    """
    if not tried:
        raise ValueError("a search needs at least one point")
    points = sorted(tried, key=lambda one: one.at)
    rates = _rates(points)
    collapse, failure = _collapse(rates), _failure(points)
    larger = "failed" if failure is not None else _larger(points, most_s, largest)
    between = {one.middle for one in (collapse, failure) if one is not None and not one.is_narrow}
    between -= {one.at for one in points}
    best = max(rates, key=lambda one: one.rate, default=None)
    return Search(
        best=best.at if best else None,
        best_rate=best.rate if best else None,
        plateau=_plateau(rates),
        collapse=collapse,
        failure=failure,
        reached=points[-1].at,
        end=None if isinstance(larger, int) else larger,
        next=((larger,) if isinstance(larger, int) else ()) + tuple(sorted(between)),
    )


@dataclass(frozen=True, kw_only=True)
class _Rate:
    """A point that worked; without an interval its ends are the rate."""

    at: int
    rate: float
    low: float
    high: float
    allowance: float

    @classmethod
    def of(cls, one: Tried, rate: float, wider: float) -> _Rate:
        low = 1.0 if one.low is None else one.low / rate
        high = 1.0 if one.high is None else one.high / rate
        return cls(
            at=one.at,
            rate=rate,
            low=rate * low**wider,
            high=rate * high**wider,
            allowance=one.allowance,
        )


def _rates(points: Sequence[Tried]) -> list[_Rate]:
    """The points that worked, their intervals widened so that all hold at once (Bonferroni).

    The best of many is the one that chance favoured most: compared with an interval that is right
    for a single figure, it would make cliffs of noise. Intervals are taken as normal in the
    logarithm, at 95 %.
    """
    worked = [(one, one.rate) for one in points if one.rate is not None]
    wider = float(ndtri(1 - 0.025 / max(len(worked), 1)) / ndtri(0.975))
    return [_Rate.of(one, rate, wider) for one, rate in worked]


def _collapse(rates: Sequence[_Rate]) -> Cliff | None:
    """The last stretch of points that all lie far below the best smaller one, if there is one.

    A point that recovers ends a stretch: a dip is no cliff.
    """
    first = len(rates)
    while first > 1 and _fell(rates[first - 1], _best(rates[: first - 1])):
        first -= 1
    if first == len(rates):
        return None
    good, bad = rates[first - 1], rates[first]
    return Cliff(
        kind="collapse",
        good=good.at,
        bad=bad.at,
        drop=1 - bad.rate / good.rate,
        below_best=1 - bad.rate / _best(rates[:first]).rate,
    )


def _fell(one: _Rate, best: _Rate) -> bool:
    """Whether a rate lies below the best before it by more than `DROP` and what is uncertain."""
    allowed = 1 + max(best.allowance, one.allowance)
    return one.rate * allowed <= (1 - DROP) * best.rate and one.high * allowed < best.low


def _best(rates: Sequence[_Rate]) -> _Rate:
    return max(rates, key=lambda one: one.rate)


def _failure(points: Sequence[Tried]) -> Cliff | None:
    """From the largest value that worked to the smallest above it that failed."""
    good = max((one.at for one in points if one.rate is not None), default=0)
    failed = [one for one in points if one.rate is None and one.at > good]
    if not failed or (good == 0 and not failed[0].hopeful):
        return None
    return Cliff(kind=failed[0].failure, good=good, bad=failed[0].at)


def _larger(points: Sequence[Tried], most_s: float, largest: int) -> int | End:
    """The next larger value, or why there is none."""
    last = points[-1]
    if last.rate is None:
        return "nothing"
    if last.at >= largest:
        return "largest"
    wanted = min(GROWTH * last.at, largest)
    return "slow" if wanted / last.rate > most_s else wanted


def _plateau(rates: Sequence[_Rate]) -> int | None:
    if not rates:
        return None
    enough = (1 - PLATEAU) * _best(rates).rate
    return next(one.at for one in rates if one.rate >= enough)
