"""A pass over labelled data → the figures of the exported record."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from inferometer.core.dataset import Evaluation, Kept, Metric
from inferometer.core.record import Record
from inferometer.core.sections import Accuracy
from inferometer.core.statement import Statement
from inferometer.metrics import Reweighs, SumsUp, metric_for
from inferometer.metrics.custom import Mean
from inferometer.stats.blocks import median_of_series
from inferometer.stats.proportion import Estimate, share_interval
from inferometer.stats.resampling import ColumnSums, Value, bootstrap_interval

METHODS = {
    "wilson": "Wilson's score",
    "wilson_clustered": "Wilson's score, for the effective number of samples",
    "bca": "BCa bootstrap over units",
    "rule_of_three": "rule of three, over units",
}
REASONS = {
    "too_few_units": "too few independent units",
    "all_alike": "all samples say the same, and the metric has no bounds",
    "undefined": "the metric is not defined for many resamples",
}


PassOf = Callable[[Record], Evaluation | None]
"""Gives the pass behind a record's accuracy; None where there is none."""


def passes_of(stored: Mapping[str, Mapping[str, Evaluation]]) -> PassOf:
    """What gives the pass of a record, which may have been judged at another batch size.

    Args:
        stored: passes by the id of their run, and by the key of their workload.
    """

    def pass_of(record: Record) -> Evaluation | None:
        batch = record.number("accuracy_batch_size")
        if batch is None:
            return None
        shape = replace(record.workload.shape, batch_size=int(batch))
        key = replace(record.workload, shape=shape).key
        return stored.get(str(record.run.get("run_id")), {}).get(key)

    return pass_of


def metric_of(evaluation: Evaluation) -> Metric:
    """The metric of a pass, to compute with what it kept; no code of the user's is run."""
    if ":" not in evaluation.metric:
        return metric_for(evaluation.task, evaluation.metric, evaluation.classes)
    mean = Mean(evaluation.metric, lambda _output, _label: math.nan)
    mean.higher_is_better = evaluation.higher_is_better
    return mean


def value_of(metric: Metric, kept: Kept) -> Value:
    """A metric over samples as the statistics take it: given how often each of them counts."""
    if isinstance(metric, SumsUp):
        from_sums = metric.from_sums
        return ColumnSums(
            columns=np.concatenate([kept.rows, np.ones((len(kept), 1))], axis=1),
            combine=lambda sums: from_sums(sums[..., :-1], sums[..., -1]),
        )
    if isinstance(metric, Reweighs):
        return metric.reweighing(kept)
    return lambda weights: metric.value(kept, weights)


def estimate(metric: Metric, evaluation: Evaluation) -> Estimate:
    """A metric over the samples of a pass with its interval of 95 %."""
    kept = evaluation.kept
    if metric.is_share:
        return share_interval(kept.rows[:, 0], evaluation.units)
    return bootstrap_interval(
        value_of(metric, kept), evaluation.units, low=metric.low, high=metric.high
    )


def accuracy_of(evaluation: Evaluation, batch_size: int) -> tuple[Accuracy, list[Statement]]:
    """The figures of a pass, and what is to be noted of it.

    Args:
        evaluation: the pass.
        batch_size: samples in each call.
    """
    found = estimate(metric_of(evaluation), evaluation)
    judged = len(evaluation.kept)
    is_defined = math.isfinite(found.value)
    ratio, ratio_ends = _median(
        [real / made for real, made in zip(evaluation.real_s, evaluation.synthetic_s, strict=False)]
    )
    latency, latency_ends = _median(evaluation.real_s)
    stages = {name: seconds / judged for name, seconds in evaluation.stages.items()}
    figures = Accuracy(
        accuracy=found.value if is_defined else None,
        accuracy_metric=evaluation.metric,
        accuracy_ci_low=found.low,
        accuracy_ci_high=found.high,
        accuracy_interval=METHODS[found.method] if found.method else None,
        accuracy_examples=judged,
        accuracy_batch_size=batch_size,
        accuracy_reason=None if is_defined else _undefined(evaluation),
        dataset=evaluation.dataset,
        dataset_digest=evaluation.digest,
        data_latency_s=latency,
        data_latency_ci_low_s=latency_ends[0],
        data_latency_ci_high_s=latency_ends[1],
        data_over_synthetic=ratio,
        data_over_synthetic_ci_low=ratio_ends[0],
        data_over_synthetic_ci_high=ratio_ends[1],
        data_load_s=stages.get("load"),
        data_preprocess_s=stages.get("preprocess"),
        data_postprocess_s=stages.get("postprocess"),
    )
    return figures, _notes(evaluation, found)


def _undefined(evaluation: Evaluation) -> Statement:
    return Statement(
        "accuracy_undefined", {"metric": evaluation.metric, "samples": len(evaluation.kept)}
    )


def _median(values: Sequence[float]) -> tuple[float | None, tuple[float | None, float | None]]:
    if not values:
        return None, (None, None)
    median, ends = median_of_series(values)
    return median, (None, None) if ends is None else (ends.low, ends.high)


def _notes(evaluation: Evaluation, found: Estimate) -> list[Statement]:
    notes = []
    if found.reason and math.isfinite(found.value):
        why = REASONS[found.reason]
        notes.append(Statement("accuracy_no_interval", {"why": why}))
    if len(evaluation.kept) < evaluation.samples:
        values = {"judged": len(evaluation.kept), "samples": evaluation.samples}
        notes.append(Statement("accuracy_cut", values))
    if evaluation.skipped:
        first = evaluation.skipped[0]
        number = len(evaluation.skipped)
        notes.append(
            Statement("samples_skipped", {"skipped": number, "name": first.name, "why": first.why})
        )
    return notes
