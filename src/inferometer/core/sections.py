"""The figures of a record, by who makes them: each section as a whole, by one producer.

The names of the fields are those of the exported record, and `figures` is the one place that
flattens them. What comes of workers bit by bit (memory, facts of a variant) has no section.
"""

from __future__ import annotations

from dataclasses import dataclass

from inferometer.core.record import Value
from inferometer.core.statement import Statement


@dataclass(frozen=True, kw_only=True)
class Section:
    """A part of a record; None is unknown."""

    def figures(self) -> dict[str, Value]:
        """Its fields as figures of a record, the unknown ones too."""
        return {k: list(v) if isinstance(v, tuple) else v for k, v in vars(self).items()}


@dataclass(frozen=True, kw_only=True)
class Latency(Section):
    """What follows from the rounds of a workload."""

    latency_mean_s: float | None = None
    latency_std_s: float | None = None
    latency_median_s: float | None = None
    latency_p10_s: float | None = None
    latency_p90_s: float | None = None
    latency_p95_s: float | None = None
    latency_p99_s: float | None = None
    latency_min_s: float | None = None
    latency_max_s: float | None = None
    latency_ci_low_s: float | None = None
    latency_ci_high_s: float | None = None
    latency_confidence: float | None = None
    latency_ci_method: str | None = None
    latency_mean_ci_low_s: float | None = None
    latency_mean_ci_high_s: float | None = None
    latency_tau_calls: float | None = None
    latency_between_processes: float | None = None
    latency_calls: int | None = None
    latency_calls_per_value: int | None = None
    latency_rounds: int | None = None
    latency_processes: int | None = None
    latency_target_met: bool | None = None
    warmup_calls: int | None = None
    steady: bool | None = None
    throughput_per_s: float | None = None


@dataclass(frozen=True, kw_only=True)
class Joint(Section):
    """What only all workloads of a run together tell of one of them.

    Attributes:
        latency_relative_ci_low_s: lower end of the interval for comparisons within the run, around
            the median: two workloads differ by their logarithms' difference, give or take the root
            of the sum of the squares of both half-widths.
        latency_relative_ci_high_s: its upper end.
        latency_relative_freedom: degrees of freedom of that interval.
        latency_state_half_width: half-width, a share, of what is common to all workloads.
        latency_undisturbed_s: median in the run's quiet spells; None where it had none.
        latency_undisturbed_ci_low_s: lower end of its interval.
        latency_undisturbed_ci_high_s: its upper end.
    """

    latency_relative_ci_low_s: float | None = None
    latency_relative_ci_high_s: float | None = None
    latency_relative_freedom: float | None = None
    latency_state_half_width: float | None = None
    latency_undisturbed_s: float | None = None
    latency_undisturbed_ci_low_s: float | None = None
    latency_undisturbed_ci_high_s: float | None = None


@dataclass(frozen=True, kw_only=True)
class Verdict(Section):
    """One word, and the statements behind it.

    Attributes:
        verdict: `trusted`, one of `figures.verdict.ORDER`, or `unknown`.
        causes: why, each with its figures; then outliers, which alone change no verdict; then
            what could not be observed.
    """

    verdict: str
    causes: tuple[Statement, ...]


@dataclass(frozen=True, kw_only=True)
class Energy(Section):
    """Energy of one source, what others say beside it, or why there is none."""

    energy_per_inference_j: float | None = None
    energy_net_per_inference_j: float | None = None
    energy_uncertainty_j: float | None = None
    energy_net_uncertainty_j: float | None = None
    energy_net_below_j: float | None = None
    power_mean_w: float | None = None
    power_idle_w: float | None = None
    energy_source: str | None = None
    energy_scope: str | None = None
    energy_method: str | None = None
    energy_reason: Statement | None = None
    energy_latency_s: float | None = None
    energy_windows: int | None = None
    energy_interval: str | None = None
    energy_others: tuple[Statement, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Accuracy(Section):
    """How right a workload is over labelled data, and what its calls take there.

    Attributes:
        accuracy: value of the metric over the samples.
        accuracy_metric: name of the metric.
        accuracy_ci_low: lower end of its interval of 95 %.
        accuracy_ci_high: its upper end.
        accuracy_interval: how the interval was made, in a few words.
        accuracy_examples: samples behind it.
        accuracy_batch_size: samples in a call when it was judged.
        accuracy_reason: why there is no accuracy.
        dataset: name of the data.
        dataset_digest: of its contents, labels and order.
        data_latency_s: median seconds of a call with a whole batch of the data.
        data_latency_ci_low_s: lower end of its interval.
        data_latency_ci_high_s: its upper end.
        data_over_synthetic: that over a call with made-up inputs of the same shape beside it.
        data_over_synthetic_ci_low: lower end of its interval.
        data_over_synthetic_ci_high: its upper end.
        data_load_s: seconds a sample of reading it.
        data_preprocess_s: seconds a sample of making it what the model takes.
        data_postprocess_s: seconds a sample of making of the output what the metric keeps.
    """

    accuracy: float | None = None
    accuracy_metric: str | None = None
    accuracy_ci_low: float | None = None
    accuracy_ci_high: float | None = None
    accuracy_interval: str | None = None
    accuracy_examples: int | None = None
    accuracy_batch_size: int | None = None
    accuracy_reason: Statement | None = None
    dataset: str | None = None
    dataset_digest: str | None = None
    data_latency_s: float | None = None
    data_latency_ci_low_s: float | None = None
    data_latency_ci_high_s: float | None = None
    data_over_synthetic: float | None = None
    data_over_synthetic_ci_low: float | None = None
    data_over_synthetic_ci_high: float | None = None
    data_load_s: float | None = None
    data_preprocess_s: float | None = None
    data_postprocess_s: float | None = None


@dataclass(frozen=True, kw_only=True)
class Fidelity(Section):
    """How near the outputs of a variant are to those of its reference, or why that is not known.

    Attributes:
        fidelity_relative_error: norm of the difference over that of the reference.
        fidelity_max_abs: largest absolute difference.
        fidelity_cosine: of the angle between both.
        fidelity_top1_agreement: share of the samples with the same highest class score.
        fidelity_samples: that were compared.
        fidelity_verdict: `same`, `close`, `different` or `unknown`.
        fidelity_snr_db: signal to noise, decibels.
        fidelity_reference: what it was compared with.
        fidelity_reason: why the verdict is what it is, where the errors do not tell; or why there
            is none.
    """

    fidelity_relative_error: float | None = None
    fidelity_max_abs: float | None = None
    fidelity_cosine: float | None = None
    fidelity_top1_agreement: float | None = None
    fidelity_samples: int | None = None
    fidelity_verdict: str | None = None
    fidelity_snr_db: float | None = None
    fidelity_reference: str | None = None
    fidelity_reason: Statement | None = None


@dataclass(frozen=True, kw_only=True)
class Bounds(Section):
    """What the roofline of the device says of a workload."""

    arithmetic_intensity: float | None = None
    roof_latency_s: float | None = None
    roof_share: float | None = None
    roof_limit: str | None = None
    operator_roof_latency_s: float | None = None
    memory_bound_share: float | None = None
    dispatch_latency_s: float | None = None
    notes: tuple[Statement, ...] = ()


@dataclass(frozen=True, kw_only=True)
class OperatorTimes(Section):
    """Where the time of a call goes by kind of operator, or why that is not known.

    Attributes:
        operator_times: the rows of `core.operators.KindTime`, as a JSON list.
        operator_times_latency_s: median seconds of a call in that process, without the profiler.
        operator_times_added: what the profiler added to it, as a share.
        operator_times_reason: why there are none.
    """

    operator_times: str | None = None
    operator_times_latency_s: float | None = None
    operator_times_added: float | None = None
    operator_times_reason: Statement | None = None
