"""Whether one thing is faster than another: ratios with intervals, tests, an equivalence zone."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit

from inferometer.stats.autocorrelation import autocorrelation_time
from inferometer.stats.intervals import Interval

Floats = NDArray[np.float64]
Verdict = Literal["faster", "slower", "equivalent", "undecided"]

ZONE = 0.01
"""Ratios within 1 % of one are of no practical interest."""
NORMAL = 1e9
"""Degrees of freedom at which Student's t is the normal distribution."""
MOST_UNITS = 100_000
_TRIMMED = 0.2  # share cut from each end of the log-ratios of a process, against spikes
_MIN_GROUPS = 4  # a trimmed mean with an error needs as many


class Block(NamedTuple):
    """Calls made in a row by one side of a pair.

    Attributes:
        process: number of the pair of processes.
        group: number of the A-B-B-A group.
        values: durations, above 0.
    """

    process: int
    group: int
    values: Sequence[float]


@dataclass(frozen=True, kw_only=True)
class Error:
    """A standard error of a log-ratio, with the degrees of freedom it was estimated with."""

    standard: float
    freedom: float


@dataclass(frozen=True, kw_only=True)
class Difference:
    """The logarithm of contender over baseline, and what is uncertain about it.

    Attributes:
        log_ratio: estimate.
        errors: alternatives, of which always the one that says least counts; none where nothing is
            known.
        units: processes, or pairs of them, on the smaller side.
        allowance: largest systematic error that must be allowed for, in logarithms.
    """

    log_ratio: float
    errors: tuple[Error, ...]
    units: int
    allowance: float = 0.0

    @property
    def ratio(self) -> float:
        """Contender over baseline."""
        return math.exp(self.log_ratio)

    def half_width(self, confidence: float) -> float:
        """Half of the interval of the log-ratio; infinite where nothing is known of the error."""
        if not self.errors:
            return math.inf
        quantiles = (
            (error, float(stdtrit(error.freedom, 0.5 + confidence / 2))) for error in self.errors
        )
        return self.allowance + max(t * error.standard for error, t in quantiles)

    def interval(self, confidence: float = 0.95) -> Interval | None:
        """Interval of the ratio; None where nothing is known of the error."""
        half = self.half_width(confidence)
        if not math.isfinite(half):
            return None
        return Interval(low=math.exp(self.log_ratio - half), high=math.exp(self.log_ratio + half))

    def p_equal(self) -> float:
        """Two-sided p of the hypothesis that the ratio is one, or as near as the allowance."""
        return min(1.0, 2 * self._tail(abs(self.log_ratio) - self.allowance))

    def p_apart(self, zone: float = ZONE) -> float:
        """One-sided p of the hypothesis that the ratio lies outside the zone.

        Two one-sided tests (Schuirmann, Journal of Pharmacokinetics and Biopharmaceutics 15, 1987).
        """
        return self._tail(math.log1p(zone) - self.allowance - abs(self.log_ratio))

    def _tail(self, distance: float) -> float:
        """Chance of an error of that size in one direction, by the error that says least."""
        if not self.errors:
            return 1.0
        return max(_upper_tail(distance, error) for error in self.errors)


def _upper_tail(distance: float, error: Error) -> float:
    if error.standard == 0:
        return 0.0 if distance > 0 else 1.0
    return float(stdtr(error.freedom, -distance / error.standard))


def paired(
    groups: Sequence[Sequence[float]], *, allowance: float = 0.0, cautious: bool = False
) -> Difference:
    """Mean log-ratio over pairs of fresh processes that were measured by turns.

    Each pair of processes gives the trimmed mean of its groups. With two pairs or more, Student's t
    on these: the pairs are the units that would be drawn anew, and what is uncertain within them is
    in their spread. With one, what is uncertain within it, and `allowance` for how much fresh
    processes differ.

    Args:
        groups: log-ratios of the groups of each pair of processes, in the order of time.
        allowance: for a single pair of processes, in logarithms.
        cautious: with several pairs, never narrower than what is uncertain within them. For
            deciding whether to stop: three pairs agree by chance now and then, and stopping just
            then would favour that chance.

    Raises:
        ValueError: there is no group.
    """
    filled = [part for part in groups if len(part)]
    if not filled:
        raise ValueError("no pair was measured on both sides")
    parts = [_trimmed(np.asarray(part, dtype=float)) for part in filled]
    centres = np.array([centre for centre, _ in parts])
    n = centres.size
    errors = [error for _, error in parts if error is not None]
    known: list[Error] = []
    if len(errors) == n and (cautious or n == 1):
        standard = math.sqrt(math.fsum(error.standard**2 for error in errors)) / n
        freedom = errors[0].freedom if n == 1 else NORMAL
        known.append(Error(standard=standard, freedom=freedom))
    if n > 1:
        known.append(Error(standard=float(centres.std(ddof=1)) / math.sqrt(n), freedom=n - 1))
    return Difference(
        log_ratio=float(centres.mean()),
        errors=tuple(known),
        units=n,
        allowance=allowance if n == 1 else 0.0,
    )


def group_ratios(base: Iterable[Block], contender: Iterable[Block]) -> list[list[float]]:
    """Log-ratios, contender over baseline, of the groups of each pair of processes.

    A side of a group is the mean of the logs of its blocks' medians, so that with the order A-B-B-A
    a steady drift cancels. Groups that lack a side are left out.

    Args:
        base: blocks of the baseline; empty ones are passed over.
        contender: blocks of the other.
    """
    sides = [_sides(base), _sides(contender)]
    found: dict[int, list[float]] = {}
    for key in sorted(sides[0].keys() & sides[1].keys()):
        logs = [float(np.mean(side[key])) for side in sides]
        found.setdefault(key[0], []).append(logs[1] - logs[0])
    return list(found.values())


def _sides(blocks: Iterable[Block]) -> dict[tuple[int, int], list[float]]:
    found: dict[tuple[int, int], list[float]] = defaultdict(list)
    for block in blocks:
        if len(block.values):
            found[block.process, block.group].append(math.log(float(np.median(block.values))))
    return found


def _trimmed(values: Floats) -> tuple[float, Error | None]:
    """Trimmed mean with its error, the autocorrelation time taken into account.

    The error is the root of the winsorised sum of squares over h (h - 1), where h values are kept,
    with h - 1 degrees of freedom (Yuen, Biometrika 61, 1974).
    """
    n = values.size
    if n < _MIN_GROUPS:
        return float(np.median(values)), None
    cut = int(_TRIMMED * n)
    ordered = np.sort(values)
    centre = float(ordered[cut : n - cut].mean())
    winsorised = np.clip(values, ordered[cut], ordered[n - cut - 1])
    tau = autocorrelation_time(winsorised)
    kept = n - 2 * cut
    squares = float(((winsorised - winsorised.mean()) ** 2).sum())
    standard = math.sqrt(squares / (kept * (kept - 1)) * tau)
    return centre, Error(standard=standard, freedom=max(kept / tau - 1, 1.0))


@dataclass(frozen=True, kw_only=True)
class Side:
    """One side of a comparison whose sides were not paired.

    Attributes:
        log_median: logarithm of the typical process's median.
        standard: standard error of it; infinite where nothing is known of it.
        processes: fresh processes behind it.
        fit: name of the joint fit that it comes from; None where it stands alone.
        relative: its error against others of that fit, whose squares add.
    """

    log_median: float
    standard: float
    processes: int
    fit: str | None = None
    relative: Error | None = None


def unpaired(base: Side, contender: Side, *, allowance: float = 0.0) -> Difference:
    """Difference of two sides that were not paired.

    Sides of one joint fit have its relative errors. Of others:

    Welch's t on the logarithms of the processes' medians (Welch, Biometrika 34, 1947). Where a side
    has one process, the difference between its processes was not observed: the errors are those
    within the processes, and `allowance` must be allowed for.

    Args:
        base: the baseline.
        contender: the other.
        allowance: for a side with one process, in logarithms.
    """
    sides = (base, contender)
    if is_of_one_fit(base, contender):
        return _of_one_fit(base, contender)
    squares = [side.standard**2 for side in sides]
    standard = math.sqrt(sum(squares))
    single = min(side.processes for side in sides) == 1
    weights = [
        square**2 / (side.processes - 1)
        for square, side in zip(squares, sides, strict=True)
        if side.processes > 1
    ]
    freedom = NORMAL if single or sum(weights) == 0 else sum(squares) ** 2 / sum(weights)
    return Difference(
        log_ratio=contender.log_median - base.log_median,
        errors=(Error(standard=standard, freedom=freedom),) if math.isfinite(standard) else (),
        units=min(side.processes for side in sides),
        allowance=allowance if single else 0.0,
    )


def is_of_one_fit(base: Side, contender: Side) -> bool:
    """Whether both sides have relative errors of the same joint fit."""
    return base.fit == contender.fit and None not in (base.relative, contender.relative)


def _of_one_fit(base: Side, contender: Side) -> Difference:
    """Difference of two sides of a joint fit: what is common to them cancels."""
    one, other = base.relative, contender.relative
    assert one is not None
    assert other is not None
    standard = math.hypot(one.standard, other.standard)
    return Difference(
        log_ratio=contender.log_median - base.log_median,
        # The doubt is about the same variances, so that the degrees of freedom do not add.
        errors=(Error(standard=standard, freedom=min(one.freedom, other.freedom)),),
        units=min(base.processes, contender.processes),
    )


def holm(p_values: Sequence[float]) -> list[float]:
    """p-values for several tests at once (Holm, Scandinavian Journal of Statistics 6, 1979).

    An adjusted value at most alpha keeps the chance of any false rejection at alpha.
    """
    order = np.argsort(np.asarray(p_values, dtype=float), kind="stable")
    adjusted = [0.0] * len(p_values)
    largest = 0.0
    for rank, at in enumerate(order):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[at]))
        adjusted[at] = largest
    return adjusted


def verdicts(
    differences: Sequence[Difference], *, zone: float = ZONE, confidence: float = 0.95
) -> list[Verdict]:
    """What can be said of each of several comparisons.

    `equivalent` where the ratio surely lies within the zone, `faster` or `slower` where it surely
    is not one, `undecided` otherwise. Surely: with p-values by Holm's method over all of them.

    Args:
        differences: the comparisons that are made at once.
        zone: relative distance from one that is of no interest.
        confidence: nominal, of all answers of a kind together.
    """
    alpha = 1 - confidence
    equal = holm([one.p_equal() for one in differences])
    apart = holm([one.p_apart(zone) for one in differences])
    return [
        _verdict(one, p_equal <= alpha, p_apart <= alpha / 2)
        for one, p_equal, p_apart in zip(differences, equal, apart, strict=True)
    ]


def _verdict(one: Difference, differs: bool, within_zone: bool) -> Verdict:  # noqa: FBT001
    if within_zone:
        return "equivalent"
    if differs:
        return "slower" if one.log_ratio > 0 else "faster"
    return "undecided"


def units_to_decide(one: Difference, *, zone: float = ZONE, confidence: float = 0.95) -> int | None:
    """How many units in all would decide, if estimate and spread stay as they are.

    Half of the interval must become smaller than the distance to one, or than that to the nearer
    end of the zone: whichever comes first.

    Returns:
        The number, at most 100,000; None where nothing is known of the error, or where what must be
        allowed for never lets it be decided.
    """
    enough = max(abs(one.log_ratio), math.log1p(zone) - abs(one.log_ratio)) - one.allowance
    if not one.errors or enough <= 0:
        return None
    if _expected_half(one, MOST_UNITS, confidence) > enough:
        return MOST_UNITS
    low, high = one.units, MOST_UNITS
    while low < high:
        middle = (low + high) // 2
        if _expected_half(one, middle, confidence) <= enough:
            high = middle
        else:
            low = middle + 1
    return low


def _expected_half(one: Difference, units: int, confidence: float) -> float:
    """Half of the random part of the interval with so many units."""
    grown = units / one.units
    return max(
        error.standard
        / math.sqrt(grown)
        * float(stdtrit(max(error.freedom * grown, 1.0), 0.5 + confidence / 2))
        for error in one.errors
    )
