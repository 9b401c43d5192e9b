"""Workloads → what their true figures may be: draws from what is known of each."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from inferometer.analysis.facts import ratio_error
from inferometer.analysis.grid import measured
from inferometer.analysis.recommend.points import CRITERIA, Figure, Name, Point, has_one_process
from inferometer.analysis.sides import PROCESS_ALLOWANCE
from inferometer.core.record import Record
from inferometer.stats.front import Axis, Scale, Shared, draw_points
from inferometer.stats.intervals import Interval

Floats = NDArray[np.float64]
Paired = Callable[[Record, Record], Interval | None]
"""95 % interval of how much more accurate the first of two workloads is than the second, by the
samples that both were judged on; None where they have none in common."""
Apart = Callable[[Point, Point], float | None]
"""Half of the interval of a difference of two figures; None where they have nothing in common."""

MOST_PAIRED = 24
"""Workloads whose accuracies are paired: the pairs grow with the square."""


def draw(points: Sequence[Point], names: Sequence[Name], *, paired: Paired | None = None) -> Floats:
    """Figures that may be the true ones, shape (draws, points, criteria).

    Latencies of one joint fit share what is uncertain about the speed of their device, and
    throughput is that of the same latency. Accuracies on the same samples are as much alike as
    their pairs say.

    Args:
        points: the workloads.
        names: criteria of the last axis.
        paired: interval of the difference of two accuracies.
    """
    if not points:
        return np.empty((1, 0, len(names)))
    joint = _timed(points) if {"latency", "throughput"} & set(names) else {}
    ends = np.array([[_ends(point.figures[name], name) for name in names] for point in points])
    axes = [_axis(name, ends[:, place]) for place, name in enumerate(names)]
    like = {}
    if "accuracy" in names:
        halves = [(high - low) / 2 for _, low, high in ends[:, names.index("accuracy")]]
        known = paired if len(points) <= MOST_PAIRED else None
        like["accuracy"] = _likeness(points, halves, lambda one, other: _half(known, one, other))
    shared = Shared(between_points=like, joint=joint)
    labels = [point.label for point in points]
    return draw_points(labels, axes, *ends.transpose(2, 0, 1), shared=shared).draws


def _timed(points: Sequence[Point]) -> dict[str, Floats]:
    """Draws of latencies, and of the throughput that follows from each."""
    ends = np.array([[_latency_ends(point.record)] for point in points])
    halves = [math.log(high / low) / 2 for ((_, low, high),) in ends]
    like = {"latency": _likeness(points, halves, _of_fit)}
    axes = [Axis(name="latency", higher_is_better=False, scale="positive")]
    names = [point.label for point in points]
    drawn = draw_points(
        names, axes, *ends.transpose(2, 0, 1), shared=Shared(between_points=like), seed=1
    ).draws[:, :, 0]
    batches = np.array([point.record.workload.batch_size for point in points])
    return {"latency": drawn, "throughput": batches / drawn}


def _latency_ends(record: Record) -> tuple[float, float, float]:
    """A latency with its interval on its device, and what a single process leaves out."""
    latency = measured(record)
    assert latency is not None
    below = above = 0.0
    if latency.low is not None and latency.high is not None and latency.low > 0:
        below, above = (
            math.log(latency.value / latency.low),
            math.log(latency.high / latency.value),
        )
    is_bare = latency.low is None or latency.high is None
    allowance = math.log1p(PROCESS_ALLOWANCE) if has_one_process(record) or is_bare else 0.0
    factors = (math.exp(-below - allowance), math.exp(above + allowance))
    return (latency.value, latency.value * factors[0], latency.value * factors[1])


def _of_fit(one: Point, other: Point) -> float | None:
    """Half of the interval of the logarithm of a ratio of two latencies of one joint fit."""
    found = measured(one.record), measured(other.record)
    assert found[0] is not None
    assert found[1] is not None
    return ratio_error(found[0], found[1]) if found[0].fit else None


def _half(paired: Paired | None, one: Point, other: Point) -> float | None:
    """Half of the interval of a difference of accuracies; 0 where one pass is behind both."""
    if _pass(one.record) == _pass(other.record):
        return 0.0
    interval = paired and paired(one.record, other.record)
    return None if interval is None else (interval.high - interval.low) / 2


def _pass(record: Record) -> tuple[object, ...]:
    """What a pass over data belongs to: a workload at the batch size at which it was judged."""
    workload = record.workload
    batch = record.number("accuracy_batch_size") or workload.batch_size
    return (record.run.get("run_id"), workload.at(int(batch)))


def _axis(name: Name, ends: Floats) -> Axis:
    """How errors of a criterion are drawn; its direction does not matter here."""
    scale: Scale = "any"
    if name == "accuracy" and ends.min() >= 0 and ends.max() <= 1:
        scale = "share"
    return Axis(name=name, higher_is_better=CRITERIA[name].higher, scale=scale)


def _ends(figure: Figure, name: Name) -> tuple[float, float, float]:
    """A figure and the ends of its interval: an assumed one where it has none."""
    if figure.precision == "exact":
        return (figure.value,) * 3
    if figure.low is None or figure.high is None:
        half = CRITERIA[name].assumed * abs(figure.value)
        return (figure.value, figure.value - half, figure.value + half)
    return (figure.value, figure.low, figure.high)


def _likeness(points: Sequence[Point], halves: Sequence[float], apart: Apart) -> Floats:
    """Correlation of the errors of one criterion.

    A difference varies by as much as both figures do, less twice what they have in common.

    Args:
        points: the workloads.
        halves: half of the interval of each figure.
        apart: half of the interval of a difference.
    """
    found = np.eye(len(points))
    for i, one in enumerate(points):
        for j, other in enumerate(points[:i]):
            half = apart(one, other)
            if half is None or not halves[i] * halves[j]:
                continue
            common = (halves[i] ** 2 + halves[j] ** 2 - half**2) / 2 / (halves[i] * halves[j])
            found[i, j] = found[j, i] = min(max(common, -1.0), 1.0)
    return found
