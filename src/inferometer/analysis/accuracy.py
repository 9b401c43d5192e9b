"""Two passes over the same samples → whether the contender is worse, by a margin that is stated."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

from inferometer.core.dataset import Evaluation, Metric
from inferometer.core.record import Record
from inferometer.figures.accuracy import PassOf, metric_of, value_of
from inferometer.stats.comparison import holm
from inferometer.stats.noninferiority import Code, further_samples, noninferiority

if TYPE_CHECKING:
    from inferometer.stats.paired import Difference

MARGIN = 0.01
"""Loss to put up with where the user states none, in the metric's unit."""


@dataclass(frozen=True, kw_only=True)
class AccuracyDifference:
    """How the accuracies of two records relate, judged on the same samples.

    The fields are the keys of the JSON object, beside those of the latencies.

    Attributes:
        accuracy_metric: its name.
        dataset: what they were judged on.
        accuracy_examples: samples that both judged.
        accuracy_baseline: value of the one over these samples; None where it is not defined.
        accuracy_contender: value of the other.
        accuracy_difference: contender minus baseline.
        accuracy_difference_low: lower end of its interval of 95 %.
        accuracy_difference_high: its upper end.
        accuracy_p: of the hypothesis that there is no difference, by Holm's method over all.
        accuracy_margin: loss to put up with, in the metric's unit.
        accuracy_verdict: not_worse, worse, worse_than_margin or undecided.
        accuracy_more_examples: about how many more samples would decide; None where it is decided,
            or where no reasonable number would.
        higher_is_better: direction of the metric.
    """

    accuracy_metric: str
    dataset: str
    accuracy_examples: int
    accuracy_baseline: float | None
    accuracy_contender: float | None
    accuracy_difference: float | None
    accuracy_difference_low: float | None
    accuracy_difference_high: float | None
    accuracy_p: float | None
    accuracy_margin: float
    accuracy_verdict: Code
    accuracy_more_examples: int | None
    higher_is_better: bool


NOT_JUDGED: dict[str, Any] = dict.fromkeys(one.name for one in fields(AccuracyDifference))
"""The same keys where two were not judged by one metric on the same samples."""


def compare_accuracies(
    pairs: Sequence[tuple[Record, Record]], pass_of: PassOf, *, margin: float = MARGIN
) -> list[AccuracyDifference | None]:
    """Compare the accuracies of pairs of records, each pair on the samples that both judged.

    Args:
        pairs: baseline and contender.
        pass_of: gives the passes.
        margin: loss to put up with, in the metric's unit, at least 0.

    Returns:
        None where a pair was not judged by one metric on the same samples.
    """
    passes = [(pass_of(one), pass_of(other)) for one, other in pairs]
    keys = [(id(one), id(other)) for one, other in passes]  # one pass is behind several batch sizes
    each = {
        key: _compared(*both, margin) for key, both in dict(zip(keys, passes, strict=True)).items()
    }
    tested = {
        key: one.accuracy_p
        for key, one in each.items()
        if one is not None and one.accuracy_p is not None
    }
    corrected = dict(zip(tested, holm(list(tested.values())), strict=True))
    each = {
        key: replace(one, accuracy_p=corrected.get(key)) if one else None
        for key, one in each.items()
    }
    return [each[key] for key in keys]


def on_common_samples(one: Evaluation, other: Evaluation) -> tuple[Evaluation, Evaluation] | None:
    """Two passes, of the samples that both judged; None where they have none in common.

    Samples of one dataset are judged in one order, so that these are the first of them.
    """
    if one.metric != other.metric or one.digest != other.digest:
        return None
    count = min(len(one.kept), len(other.kept))
    if not count or one.contents[:count] != other.contents[:count]:
        return None
    first, second = (
        replace(
            each,
            kept=each.kept.first(count),
            units=each.units[:count],
            contents=each.contents[:count],
        )
        for each in (one, other)
    )
    return first, second


def difference_of(metric: Metric, one: Evaluation, other: Evaluation) -> Difference:
    """Contender minus baseline, of passes over the same samples."""
    from inferometer.stats.paired import paired_bootstrap, paired_shares  # a second of SciPy

    if metric.is_share:
        return paired_shares(one.kept.rows[:, 0], other.kept.rows[:, 0], one.units)
    base, contender = (value_of(metric, each.kept) for each in (one, other))
    return paired_bootstrap(base, contender, one.units, low=metric.low, high=metric.high)


def _compared(
    one: Evaluation | None, other: Evaluation | None, margin: float
) -> AccuracyDifference | None:
    common = on_common_samples(one, other) if one and other else None
    if common is None:
        return None
    metric = metric_of(common[0])
    difference = difference_of(metric, *common)
    values = [metric.value(each.kept) for each in common]
    judged = noninferiority(
        difference.low, difference.high, margin, higher_is_better=metric.higher_is_better
    )
    further = further_samples(
        difference.value,
        difference.standard,
        difference.units,
        margin,
        higher_is_better=metric.higher_is_better,
    )
    return AccuracyDifference(
        accuracy_metric=metric.name,
        dataset=common[0].dataset,
        accuracy_examples=len(common[0].kept),
        accuracy_baseline=_finite(values[0]),
        accuracy_contender=_finite(values[1]),
        accuracy_difference=_finite(difference.value),
        accuracy_difference_low=difference.low,
        accuracy_difference_high=difference.high,
        accuracy_p=difference.p,
        accuracy_margin=margin,
        accuracy_verdict=judged.code,
        accuracy_more_examples=further if judged.code == "undecided" else None,
        higher_is_better=metric.higher_is_better,
    )


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
