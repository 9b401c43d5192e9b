"""Series of workloads → how they went: levels, changes, and what else changed there."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

from inferometer.analysis.history.points import Point, Series
from inferometer.core.run import Run
from inferometer.stats.history.changes import FEWEST, Change, Course, Shift, course, penalty

CONFIDENCE = 0.95
SOON = 14
"""Runs after a change, for which it is said how small a one would be found."""
State = Literal["steady", "slower", "faster", "too_few"]
DEVICE_FACTS = ("name", "os", "kernel", "governor", "hypervisor")
"""Of a run's device: what bears on its speed, and may change from one run to the next."""


@dataclass(frozen=True, kw_only=True)
class Difference:
    """Something beside the workload that changed where its latency did.

    Attributes:
        what: a package, or a fact of the device.
        before: its version or value; empty where there was none.
        after: likewise.
    """

    what: str
    before: str
    after: str


@dataclass(frozen=True, kw_only=True)
class Marked:
    """A change of level, with what happened about it.

    Attributes:
        change: where and by how much.
        run: the first at the new level.
        earliest: the first that may have been it.
        latest: the last that may have been it.
        latency_ratio: what the latency itself did, machines and all: after over before.
        control_ratio: what the control did; None without one.
        differences: what else changed between the last run that was surely before and the first
            that was surely after.
    """

    change: Change
    run: Run
    earliest: Run
    latest: Run
    latency_ratio: float
    control_ratio: float | None
    differences: tuple[Difference, ...]

    @property
    def is_slower(self) -> bool:
        """Whether the new level is above the old one."""
        return self.change.shift.log_ratio > 0


@dataclass(frozen=True, kw_only=True)
class History:
    """How a workload went over time.

    Attributes:
        series: its figures.
        course: levels and changes.
        changes: with what happened about each.
        many: series that were looked at together.
    """

    series: Series
    course: Course
    changes: tuple[Marked, ...]
    many: int

    @property
    def is_told_apart(self) -> bool:
        """Whether a slower machine can be told from a slower model."""
        return self.series.control is not None

    @property
    def state(self) -> State:
        """What the last level is against the one before."""
        if not self.course.levels:
            return "too_few"
        if not self.changes:
            return "steady"
        return "slower" if self.changes[-1].is_slower else "faster"

    @property
    def against_best(self) -> Shift | None:
        """The last level against the earlier one that it is most surely slower than."""
        last = len(self.course.levels) - 1
        shifts = [self.course.shift(earlier, last) for earlier in range(max(last, 0))]
        return max(shifts, key=lower_end, default=None)

    @property
    def smallest(self) -> float | None:
        """A slowdown from now on that is found within `SOON` runs in half of the cases."""
        noise, levels = self.course.noise, self.course.levels
        if noise is None:
            return None
        before = levels[-1].last - levels[-1].first + 1
        runs = 1 / before + 1 / SOON
        worth = penalty(len(self.series.points) + SOON, self.many)
        return math.expm1(noise.unit * math.sqrt(worth * runs))


def lower_end(shift: Shift) -> float:
    """Lower end of the interval of a log-ratio."""
    return shift.log_ratio - shift.half_width(CONFIDENCE)


def histories(found: Sequence[Series]) -> list[History]:
    """How each series went; the rate of false alarms is that of all of them together.

    Args:
        found: at least one, each with its points in the order of time.
    """
    many = max(1, sum(len(one.points) >= FEWEST for one in found))
    return [_history(one, many) for one in found]


def _history(series: Series, many: int) -> History:
    points = series.points
    known = course(
        [one.log_ratio for one in points],
        [one.error for one in points],
        [one.run.device_name for one in points],
        series=many,
    )
    return History(
        series=series,
        course=known,
        changes=tuple(
            _marked(points, known, number, change) for number, change in enumerate(known.changes)
        ),
        many=many,
    )


def _marked(points: Sequence[Point], known: Course, number: int, change: Change) -> Marked:
    before, after = (
        points[level.first : level.last + 1] for level in known.levels[number : number + 2]
    )
    control = None
    if all(one.control_s for one in (*before, *after)):
        control = _middle([one.control_s for one in after]) / _middle(
            [one.control_s for one in before]
        )
    return Marked(
        change=change,
        run=points[change.at].run,
        earliest=points[change.earliest].run,
        latest=points[change.latest].run,
        latency_ratio=_middle([one.latency_s for one in after])
        / _middle([one.latency_s for one in before]),
        control_ratio=control,
        differences=differences(points[change.earliest - 1].run, points[change.latest].run),
    )


def _middle(values: Sequence[float | None]) -> float:
    return median(value for value in values if value)


def differences(before: Run, after: Run) -> tuple[Difference, ...]:
    """What of two runs differs beside their figures: versions first, then facts of the device."""
    sides = [
        {
            **{str(name): str(version) for name, version in run.software.items()},
            **{
                f"device's {name}": str(run.device[name])
                for name in DEVICE_FACTS
                if run.device.get(name)
            },
        }
        for run in (before, after)
    ]
    return tuple(
        Difference(what=what, before=sides[0].get(what, ""), after=sides[1].get(what, ""))
        for what in dict.fromkeys((*sides[0], *sides[1]))
        if sides[0].get(what) != sides[1].get(what)
    )
