"""Passes over labelled data → how surely one workload is more accurate than another."""

from __future__ import annotations

from inferometer.analysis.accuracy import difference_of, on_common_samples
from inferometer.analysis.recommend.draws import Paired
from inferometer.core.dataset import Evaluation
from inferometer.core.record import Record
from inferometer.figures.accuracy import PassOf, metric_of
from inferometer.stats.intervals import Interval


def paired_by(pass_of: PassOf) -> Paired:
    """Intervals of differences on the samples that both were judged on, each found once."""
    known: dict[tuple[int, int], Interval | None] = {}

    def paired(one: Record, other: Record) -> Interval | None:
        passes = pass_of(one), pass_of(other)
        key = id(passes[0]), id(passes[1])
        if key not in known:
            known[key] = _interval(*passes)
        return known[key]

    return paired


def _interval(first: Evaluation | None, second: Evaluation | None) -> Interval | None:
    common = on_common_samples(second, first) if first and second else None
    if common is None:
        return None
    found = difference_of(metric_of(common[0]), *common)
    if found.low is None or found.high is None:
        return None
    return Interval(low=found.low, high=found.high)
