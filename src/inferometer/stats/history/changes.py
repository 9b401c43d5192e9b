"""Where a series of figures changed its level, by how much, and how sure that is."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, stdtrit

from inferometer.stats.history.noise import (
    Noise,
    first_guess,
    first_offsets,
    of_residuals,
    relative_variances,
)
from inferometer.stats.history.steps import CAP, first_of_each

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]

FEWEST = 10
"""Runs, below which nothing is said of changes: what is usual is not known yet."""
FALSE_ALARMS = 0.05
"""Chance that anything is found in a year of nightly runs of which each is looked at."""
PENALTY = 19.0
"""Twice the log-likelihood that a change must be worth for that; set by simulation. It is more than
two runs can be worth."""
PLACE = 7.35
"""Within so much of the best place, in the same unit, a change lies in 95 of 100 cases (Hansen,
Econometrica 68, 2000, table I)."""
_PASSES = 4
_ALIKE = 0.02


@dataclass(frozen=True, kw_only=True)
class Level:
    """A stretch of a series without a change.

    Attributes:
        first: index of its first run.
        last: index of its last run.
        mean: level, in logarithms.
        standard: standard error of it.
    """

    first: int
    last: int
    mean: float
    standard: float


@dataclass(frozen=True, kw_only=True)
class Shift:
    """How two levels differ.

    Attributes:
        log_ratio: the later over the earlier.
        standard: standard error of it; infinite where the two have no group in common.
        freedom: degrees of freedom of the error.
    """

    log_ratio: float
    standard: float
    freedom: float

    def half_width(self, confidence: float) -> float:
        """Half of its interval, in logarithms."""
        return self.standard * float(stdtrit(self.freedom, 0.5 + confidence / 2))


@dataclass(frozen=True, kw_only=True)
class Change:
    """A change of level.

    Attributes:
        at: index of the first run at the new level.
        earliest: index of the first run that may have been the first, with 95 %.
        latest: index of the last run that may have been.
        shift: by how much.
    """

    at: int
    earliest: int
    latest: int
    shift: Shift


@dataclass(frozen=True, kw_only=True)
class Course:
    """What is known of a series.

    Attributes:
        levels: in the order of time; none where there are too few runs.
        changes: between them.
        noise: how runs differ while nothing has changed.
        outliers: indices of runs that belong to no level.
        offsets: what each group of runs differs by from all, in logarithms.
    """

    levels: tuple[Level, ...] = ()
    changes: tuple[Change, ...] = ()
    noise: Noise | None = None
    outliers: tuple[int, ...] = ()
    offsets: tuple[tuple[Hashable, float], ...] = ()
    _shifts: tuple[tuple[Shift, ...], ...] = ()

    def shift(self, earlier: int, later: int) -> Shift:
        """How two of the levels differ, by their numbers."""
        return self._shifts[earlier][later]


def course(
    values: Sequence[float],
    errors: Sequence[float] | None = None,
    groups: Sequence[Hashable] | None = None,
    *,
    series: int = 1,
) -> Course:
    """Levels and changes of a series.

    Args:
        values: logarithms of figures, in the order of time.
        errors: standard error of each, infinite where it is not known; they say which runs count
            more than others, and not how much all of them vary.
        groups: of each, such as the device that it is from; groups differ by what they differ by
            throughout, and only changes within them are changes.
        series: so many series are looked at together: the rate of false alarms is that of all.
    """
    if len(values) < FEWEST:
        return Course()
    fit = _Fit(
        np.asarray(values, dtype=float),
        np.asarray([math.inf] * len(values) if errors is None else errors, dtype=float),
        list(groups or [""] * len(values)),
        series,
    )
    return fit.course()


def penalty(runs: int, series: int = 1) -> float:
    """What a change must be worth: more in a short series, whose noise is hardly known.

    The chance that anything is found falls by half for each 2 log 2, so that of many series is that
    of one (Bonferroni).
    """
    normal = PENALTY + 2 * math.log(series)
    freedom = max(runs - 2, 1)
    quantile = -float(stdtrit(freedom, ndtr(-math.sqrt(normal))))
    return quantile**2


class _Fit:
    """Levels, offsets of groups and noise, each from the others, a few times over."""

    def __init__(self, values: Floats, errors: Floats, labels: list[Hashable], series: int) -> None:
        self.values, self.errors = values, errors
        self.labels = list(dict.fromkeys(labels))
        self.group = np.array([self.labels.index(one) for one in labels])
        self.penalty = penalty(len(values), series)
        self.offsets = first_offsets(values, self.group)
        self.noise = first_guess(values - self.offsets[self.group])
        self.variances = relative_variances(errors, self.noise)
        self.began: list[int] = []
        for _ in range(_PASSES):
            before = self.began, self.noise.unit
            self._improve()
            if before[0] == self.began and abs(self.noise.unit / before[1] - 1) < _ALIKE:
                break

    def _improve(self) -> None:
        settled = self.values - self.offsets[self.group]
        began = first_of_each(settled / self.noise.unit, self.variances, self.penalty)
        self.began = began
        self.number = np.searchsorted(began, np.arange(len(settled)), side="right") - 1
        self._solve()
        freedom = len(settled) - len(began) - len(self.labels) + 1
        settled = self.values - self.offsets[self.group]
        usual = self.residuals / np.sqrt(self.variances)
        self.noise = of_residuals(settled, usual, self.noise, freedom)
        self.variances = relative_variances(self.errors, self.noise)
        self.freedom = float(max(freedom, 1))

    def _solve(self) -> None:
        """Levels and offsets by least squares; what belongs to no level is left out."""
        settled = self.values - self.offsets[self.group]
        middle = np.array([np.median(settled[self.number == k]) for k in range(len(self.began))])
        self.residuals = settled - middle[self.number]
        for _ in range(2):
            self._least_squares(np.flatnonzero(~self._off()))

    def _off(self) -> NDArray[np.bool_]:
        off: NDArray[np.bool_] = np.abs(self.residuals) > CAP * self.noise.unit * np.sqrt(
            self.variances
        )
        return off

    def _least_squares(self, kept: Indices) -> None:
        levels, groups = len(self.began), len(self.labels)
        design = np.zeros((len(self.values), levels + groups))
        design[np.arange(len(self.values)), self.number] = 1.0
        design[np.arange(len(self.values)), levels + self.group] = 1.0
        weighted = design[kept] / self.variances[kept, None]
        self.information = weighted.T @ design[kept]
        self.covariance = np.linalg.pinv(self.information, hermitian=True)
        found = self.covariance @ (weighted.T @ self.values[kept])
        centre = float(found[levels:][self.group].mean())
        self.mean, self.offsets = found[:levels] + centre, found[levels:] - centre
        self.residuals = self.values - design @ found

    def course(self) -> Course:
        """What was found."""
        levels = len(self.began)
        shifts = tuple(
            tuple(self._shift(early, late) for late in range(levels)) for early in range(levels)
        )
        return Course(
            levels=tuple(self._level(number) for number in range(levels)),
            changes=tuple(
                self._change(number, shifts[number - 1][number]) for number in range(1, levels)
            ),
            noise=self.noise,
            outliers=tuple(map(int, np.flatnonzero(self._off()))),
            offsets=tuple(zip(self.labels, map(float, self.offsets), strict=True)),
            _shifts=shifts,
        )

    def _level(self, number: int) -> Level:
        weight = 1 / self.variances[(self.number == number) & ~self._off()]
        total = float(weight.sum()) or 1.0
        return Level(
            first=self.began[number],
            last=[*self.began, len(self.values)][number + 1] - 1,
            mean=float(self.mean[number]),
            standard=self.noise.unit / math.sqrt(total),
        )

    def _shift(self, earlier: int, later: int) -> Shift:
        contrast = np.zeros(len(self.covariance))
        contrast[later] += 1.0
        contrast[earlier] -= 1.0
        known = np.allclose(self.information @ (self.covariance @ contrast), contrast, atol=1e-6)
        variance = float(contrast @ self.covariance @ contrast)
        return Shift(
            log_ratio=float(self.mean[later] - self.mean[earlier]),
            standard=self.noise.unit * math.sqrt(max(variance, 0.0)) if known else math.inf,
            freedom=self.freedom,
        )

    def _change(self, number: int, shift: Shift) -> Change:
        """A change with the places that explain the runs about as well."""
        begin, end = self.began[number - 1], [*self.began, len(self.values)][number + 1]
        part = slice(begin, end)
        settled = self.values[part] - self.offsets[self.group[part]]
        scale = self.noise.unit * np.sqrt(self.variances[part])
        early, late = (
            np.minimum(((settled - self.mean[k]) / scale) ** 2, CAP**2)
            for k in (number - 1, number)
        )
        cost = np.cumsum(early - late)[:-1]  # of a change after each run
        near = begin + 1 + np.flatnonzero(cost <= cost.min() + PLACE)
        at = self.began[number]
        return Change(
            at=at,
            earliest=min(at, int(near[0])),
            latest=max(at, int(near[-1])),
            shift=shift,
        )
