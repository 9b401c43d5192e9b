"""The outcome of one workload in a run, and the flat row in which it is exported."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from statistics import median
from typing import Any, Literal

from inferometer.core.display import Picture, display
from inferometer.core.metric import Estimate
from inferometer.core.statement import Statement, statements, text
from inferometer.core.units import latency
from inferometer.core.workload import Workload

Stage = Literal["prepare", "load", "warmup", "measure"]
FailureKind = Literal[
    "out_of_memory",
    "timeout",
    "crash",
    "unsupported",
    "bad_model",
    "non_finite_output",
    "budget",
    "unknown",
]
Status = Literal["ok", "failed", "skipped"]
Phase = Literal["warmup", "measure", "energy", "idle"]
"""Energy is measured in windows of its own; at rest the one value is how long it rested."""
Cell = str | int | float | bool | list[str] | None
"""A value of the exported row."""
Value = Cell | Statement | list[Statement]
"""A figure of a record: what the row says in words is a statement here."""
STATED = (
    *("causes", "notes", "energy_others", "energy_reason", "accuracy_reason", "fidelity_reason"),
    "operator_times_reason",
)
"""Fields whose figures are statements; the reasons are single ones."""


@dataclass(frozen=True, kw_only=True)
class Failure:
    """Why a workload has no figures.

    Attributes:
        stage: how far it came.
        kind: what happened.
        message: one or two sentences for people.
    """

    stage: Stage
    kind: FailureKind
    message: str


@dataclass(frozen=True, kw_only=True)
class Round:
    """A short contiguous block of calls in one process: raw observations, never changed.

    Attributes:
        index: position in the order in which the run's rounds were done, warm-ups included.
        process: number of the worker process of this variant, from 0.
        phase: only rounds of `measure` make latencies; those of `energy` and `idle` are windows in
            which power was measured, those of `warmup` are kept and make no figure.
        started_at: Unix time of the first call, seconds.
        calls_per_value: k, where a value is the mean of k calls.
        settle: so many values at the start follow a switch from another workload; they are kept,
            and excluded from the figures.
        starts_s: start of each value, seconds after `started_at`; non-decreasing.
        values_s: duration of each value per call, seconds; as long as `starts_s`.
        pair: number of the A-B-B-A group that the round belongs to, the same on both sides; None
            outside a paired run.
        signals: what the device showed during the round, by name (see `host.signals`); a signal
            that could not be read is absent.
    """

    index: int
    process: int
    phase: Phase
    started_at: float
    calls_per_value: int
    settle: int
    starts_s: tuple[float, ...]
    values_s: tuple[float, ...]
    pair: int | None = None
    signals: Mapping[str, float] = field(default_factory=dict)

    @property
    def settled_s(self) -> tuple[float, ...]:
        """The values that count."""
        return self.values_s[self.settle :]

    @property
    def calls(self) -> int:
        """Calls behind the values that count."""
        return max(len(self.values_s) - self.settle, 0) * self.calls_per_value

    @cached_property  # asked of all rounds after each of them
    def timed_s(self) -> float:
        """Duration of these calls together, seconds."""
        return math.fsum(self.settled_s) * self.calls_per_value

    @cached_property  # likewise
    def median_s(self) -> float:
        """Median of the values that count.

        Raises:
            statistics.StatisticsError: there are none.
        """
        return median(self.settled_s)


@dataclass(frozen=True, kw_only=True, repr=False)
class Record:
    """The outcome of one workload in a run.

    Attributes:
        workload: what was measured.
        status: `ok`, `failed`, or `skipped` (with the reason in `failure`).
        failure: None where status is `ok`.
        figures: values of the exported fields that were measured or derived, by field name. Those
            of `STATED` are statements; sentences that are given for them become some.
        rounds: raw observations; empty where they were not asked for or never existed.
        run: the run's part of the exported row (`run_id`, `study`, `device_name` …).
        fit: name of the joint fit of several runs that the figures come from; empty for that of
            its own run.
    """

    workload: Workload
    status: Status
    failure: Failure | None = None
    figures: Mapping[str, Value] = field(default_factory=dict)
    rounds: tuple[Round, ...] = ()
    run: Mapping[str, Value] = field(default_factory=dict)
    fit: str = ""

    def __post_init__(self) -> None:
        """Check that the parts agree.

        Raises:
            ValueError: a failure without a status that says so, or an unknown field name.
        """
        if (self.status == "ok") != (self.failure is None):
            raise ValueError("a record has a failure exactly where its status is not ok")
        unknown = (set(self.figures) | set(self.run)) - set(FIELD_NAMES)
        if unknown:
            raise ValueError(f"not fields of the exported record: {sorted(unknown)}")
        object.__setattr__(self, "figures", {**self.figures, **_stated(self.figures)})

    def __getitem__(self, name: str) -> Cell:
        """Value of an exported field.

        Raises:
            KeyError: there is no such field.
        """
        if name in self.run:
            return _worded(self.run[name])
        if name in _OF_THE_WHOLE:
            return self.row()[name]
        return _worded(self.figures.get(name, [] if FIELDS[name] is list else None))

    def number(self, name: str) -> float | None:
        """Value of a numeric figure; None where there is none."""
        value = self.figures.get(name)
        return float(value) if isinstance(value, _NUMBERS) else None

    @property
    def causes(self) -> list[Statement]:
        """Why the verdict is what it is, the worst first."""
        return statements(self.figures.get("causes"))

    @property
    def notes(self) -> list[Statement]:
        """What a reader of the figures should know."""
        return statements(self.figures.get("notes"))

    @cached_property  # every table and finding asks for it
    def latency(self) -> Estimate | None:
        """Median seconds per call with its interval; None where the workload was not measured.

        An imported table that holds only means gives its mean, which then has no interval.
        """
        median, mean = self.number("latency_median_s"), self.number("latency_mean_s")
        value = mean if median is None else median
        if value is None:
            return None
        return Estimate(
            value=value,
            low=self.number("latency_ci_low_s"),
            high=self.number("latency_ci_high_s"),
            confidence=self.number("latency_confidence") or 0.0,
            method=str(self.figures.get("latency_ci_method") or "none"),
            n=int(self.number("latency_calls") or 0),
            relative_low=self.number("latency_relative_ci_low_s"),
            relative_high=self.number("latency_relative_ci_high_s"),
            fit=f"{self.fit or self.run.get('run_id')} {self.workload.device}",
        )

    @property
    def throughput(self) -> Estimate | None:
        """Inputs per second at the median latency; None where that is missing, or is not above 0.

        It is None as well where the record says that it has none.

        The interval is that of the median turned over: it has no upper end where that reaches down
        to 0. The exported `throughput_per_s` is that of the mean latency, and not always within it.
        """
        latency, batch = self.latency, self.workload.batch_size
        if latency is None or latency.value <= 0:
            return None
        if self.figures.get("throughput_per_s", 0.0) is None:
            return None
        return latency.divided(batch).inverted()

    def __repr__(self) -> str:
        """What a notebook shows: the workload, and its latency or why there is none."""
        if self.failure is not None:
            reason = f"{self.failure.kind} at stage {self.failure.stage}: {self.failure.message}"
            return f"<Record {self.workload.label}: {self.status}, {reason}>"
        calls, rounds = self.figures.get("latency_calls"), self.figures.get("latency_rounds")
        counted = f", {calls} calls in {rounds} rounds" if calls and rounds else ""
        return f"<Record {self.workload.label}: {latency(self.latency)} per call{counted}>"

    def plot(self) -> Picture:
        """Its latencies over time with the interval of their median, as a figure of matplotlib.

        Raises:
            MissingExtraError: matplotlib is not installed.
            InputError: it has no latency.
        """
        return display().picture(self)

    def _repr_html_(self) -> str:
        return display().html(self)

    def lacks(self, phase: str) -> bool:
        """Whether the run ended before a phase came to this record."""
        pending = self.figures.get("pending")
        return isinstance(pending, list) and phase in pending

    def reached(self, phase: str) -> Record:
        """The record, once a phase has come to it."""
        if not self.lacks(phase):
            return self
        names = self.figures["pending"]
        pending = [str(name) for name in names if name != phase] if isinstance(names, list) else []
        return replace(self, figures={**self.figures, "pending": pending})

    def row(self) -> dict[str, Cell]:
        """The flat exported record: every field of `FIELDS`, in that order, None where unknown."""
        workload = self.workload.to_json()
        failure = self.failure
        known: dict[str, Any] = {
            **workload,
            **self.run,
            "workload": self.workload.key,
            "options": self.workload.variant.options_text or None,
            "status": self.status,
            "failure_stage": failure.stage if failure else None,
            "failure_kind": failure.kind if failure else None,
            "failure_message": failure.message if failure else None,
            **self.figures,
            "cause_codes": [cause.code for cause in self.causes],
        }
        return {
            name: _worded(known.get(name, [] if kind is list else None))
            for name, kind in FIELDS.items()
        }


def _stated(figures: Mapping[str, Value]) -> dict[str, Value]:
    """Figures of `STATED` as statements."""
    found: dict[str, Value] = {}
    for name in STATED:
        value = figures.get(name)
        if isinstance(value, list):
            found[name] = statements(value)
        elif isinstance(value, str):
            found[name] = text(value)
    return found


def _worded(value: Any) -> Cell:  # noqa: ANN401 - what stands in a record
    """A value of the row: statements in words."""
    if isinstance(value, list):
        return [str(one) for one in value]
    return str(value) if isinstance(value, Statement) else value


FIELDS: dict[str, type] = {
    name: kind
    for kind, names in (
        (str, "run_id study device_name workload model source backend precision device"),
        (int, "threads batch_size input_size"),
        (str, "input_shape status failure_stage failure_kind failure_message"),
        (int, "parameters parameters_with_duplicates trainable_parameters"),
        (int, "parameter_bytes buffer_bytes macs flops"),
        (float, "latency_mean_s latency_std_s latency_median_s latency_p90_s latency_p95_s"),
        (float, "latency_p99_s latency_min_s latency_max_s latency_ci_low_s latency_ci_high_s"),
        (float, "latency_confidence"),
        (int, "latency_calls latency_rounds latency_processes"),
        (bool, "latency_target_met"),
        (int, "warmup_calls"),
        (float, "first_call_s load_s"),
        (bool, "steady"),
        (float, "throughput_per_s"),
        (int, "peak_memory_bytes"),
        (str, "memory_counter"),
        (float, "energy_per_inference_j energy_net_per_inference_j energy_uncertainty_j"),
        (float, "power_mean_w power_idle_w"),
        (str, "energy_source energy_scope energy_method energy_reason"),
        (float, "accuracy"),
        (str, "accuracy_metric"),
        (int, "accuracy_examples"),
        (str, "dataset verdict"),
        (list, "causes"),
        # Added to the contract's; each new one goes to the end, so that columns keep their place.
        (str, "weights"),
        (list, "notes"),
        (str, "latency_ci_method"),
        (int, "latency_calls_per_value"),
        (float, "latency_timer_overhead_s"),
        (str, "started_at origin"),
        (float, "latency_mean_ci_low_s latency_mean_ci_high_s latency_p10_s latency_tau_calls"),
        (float, "latency_between_processes"),
        (float, "sustained_first_s sustained_last_s sustained_span_s"),
        (float, "energy_net_uncertainty_j energy_net_below_j energy_latency_s"),
        (int, "energy_windows"),
        (str, "energy_interval"),
        (list, "energy_others"),
        (int, "elementwise_flops activation_bytes activation_peak_bytes compulsory_bytes"),
        (int, "operator_bytes operator_calls"),
        (list, "unknown_operators"),
        (str, "operations_method"),
        (int, "memory_baseline_bytes memory_weights_bytes memory_activation_bytes"),
        (int, "memory_instrument_bytes memory_forecast_bytes device_memory_bytes artifact_bytes"),
        (float, "cold_start_s arithmetic_intensity roof_latency_s roof_share"),
        (str, "roof_limit"),
        (float, "operator_roof_latency_s memory_bound_share dispatch_latency_s"),
        (str, "gradient_mode"),
        (list, "pending cause_codes"),
        (float, "latency_relative_ci_low_s latency_relative_ci_high_s latency_relative_freedom"),
        (float, "latency_state_half_width"),
        (float, "latency_undisturbed_s latency_undisturbed_ci_low_s latency_undisturbed_ci_high_s"),
        (str, "usable_for"),
        (float, "accuracy_ci_low accuracy_ci_high"),
        (str, "accuracy_interval accuracy_reason dataset_digest"),
        (int, "accuracy_batch_size"),
        (float, "data_latency_s data_latency_ci_low_s data_latency_ci_high_s"),
        (float, "data_over_synthetic data_over_synthetic_ci_low data_over_synthetic_ci_high"),
        (float, "data_load_s data_preprocess_s data_postprocess_s"),
        (str, "options"),
        (float, "prepare_s"),
        (str, "prepare_log"),
        (float, "fidelity_relative_error fidelity_max_abs fidelity_cosine"),
        (float, "fidelity_top1_agreement"),
        (int, "fidelity_samples"),
        (str, "fidelity_verdict"),
        (float, "fidelity_snr_db"),
        (str, "fidelity_reference fidelity_reason"),
        (list, "devices"),
        (str, "operator_times"),
        (float, "operator_times_latency_s operator_times_added"),
        (str, "operator_times_reason"),
    )
    for name in names.split()
}
"""The exported fields, in order, with their Python types; any may be None except lists."""

FIELD_NAMES = frozenset(FIELDS)
_NUMBERS = (int, float)
"""Made once: figures are asked for a million times for one report."""

_OF_THE_WHOLE = frozenset(
    {
        *("run_id", "study", "device_name", "workload", "model", "backend", "precision", "device"),
        *("threads", "batch_size", "input_size", "status", "failure_stage", "failure_kind"),
        *("failure_message", "origin", "options", "cause_codes"),
    }
)
"""Fields that are no figures."""
