"""What an analysis of records gives: hypotheses tested, anomalies named, scaling fitted."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

Outcome = Literal["supported", "refuted", "mixed", "undecided", "untestable"]


@dataclass(frozen=True, kw_only=True)
class Effect:
    """How large something is.

    Attributes:
        name: what, such as `scaling exponent` or `ratio`.
        value: the estimate.
        low: lower end of its interval; None where there is none.
        high: upper end.
        method: how it was made, and why there is no interval where there is none.
    """

    name: str
    value: float
    low: float | None
    high: float | None
    method: str


@dataclass(frozen=True, kw_only=True)
class Tested:
    """A hypothesis and what the data say to it.

    Attributes:
        text: the hypothesis as it was written.
        outcome: `untestable` where the data hold nothing to test it on.
        sentence: the answer in one sentence, the strongest evidence first.
        effects: how large the effect is.
        strata: groups of workloads that agree in all but the factor.
        pairs: comparisons within them.
        supporting: pairs in favour.
        against: pairs against.
        undecided: pairs that the precision of the figures does not decide.
        counterexamples: the strongest first, in words, each with its cells and figures.
        explanation: why it is so, from the costs; empty where nothing explains it.
        limits: what the data cannot show.
    """

    text: str
    outcome: Outcome
    sentence: str
    effects: tuple[Effect, ...] = ()
    strata: int = 0
    pairs: int = 0
    supporting: int = 0
    against: int = 0
    undecided: int = 0
    counterexamples: tuple[str, ...] = ()
    explanation: str = ""
    limits: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Anomaly:
    """Something in the figures that should not be believed, or explained, as it stands.

    Attributes:
        kind: `repeated_figure`, `faster_with_more_work`, `jump`, `off_fit`, `order_effect`,
            `device_changed`, `first_call_in_mean`, `few_calls`.
        sentence: what was found, in words.
        cells: labels of the workloads concerned.
        size: how large it is, as a ratio; None where that makes no sense.
        causes: likely causes, the likeliest first.
        rerun: the command that measures the cells again; empty where nothing can be rerun.
    """

    kind: str
    sentence: str
    cells: tuple[str, ...]
    size: float | None
    causes: tuple[str, ...]
    rerun: str


@dataclass(frozen=True, kw_only=True)
class Scaling:
    """How the latency of one variant grows along one axis, all else equal.

    Attributes:
        subject: label of the variant and of what was held fixed, such as `resnet18 at 224`.
        axis: `batch_size` or `input_size`.
        fixed_s: latency that does not depend on the axis, seconds; None where it was not fitted.
        per_input_s: further seconds for each sample (or, along the input size, for each pixel of an
            image, or each position of a sequence).
        exponent: slope of log latency on log axis.
        best: value of the axis with the highest throughput.
        best_throughput_per_s: samples per second there.
        marginal_s: seconds that one more sample costs there.
        points: how many values of the axis were measured.
        sentence: the same in words.
    """

    subject: str
    axis: str
    fixed_s: Effect | None
    per_input_s: Effect | None
    exponent: Effect | None
    best: int | None
    best_throughput_per_s: float | None
    marginal_s: float | None
    points: int
    sentence: str


@dataclass(frozen=True, kw_only=True)
class KindShare:
    """The operators of one kind in a call.

    Attributes:
        kind: what they do.
        share: of the call, as profiled.
        low: the share at the lower quartiles of its parts.
        high: the share at their upper quartiles.
        seconds: that share of the latency.
        bound_seconds: their roofline bound; None where it is not known.
        times_bound: how often the bound fits into the seconds; None where it is not known.
        macs: multiply-accumulates.
        bytes: that they read and write.
        calls: of these operators.
    """

    kind: str
    share: float
    low: float
    high: float
    seconds: float
    bound_seconds: float | None
    times_bound: float | None
    macs: int
    bytes: int
    calls: int


@dataclass(frozen=True, kw_only=True)
class TimeShares:
    """Where the time of a variant goes, by kind of operator.

    Attributes:
        model: label of the variant.
        shape: at which it was profiled.
        latency_s: as measured without the profiler.
        profiler_share: what the profiler added to a call, as a share.
        comparable: whether the profile is near enough to the latency to compare models by it.
        kinds: the longest first; together all of the call.
        sentence: what takes most of the time, or is done at another rate than the like of it.
        is_contrast: whether it is the latter.
    """

    model: str
    shape: str
    latency_s: float
    profiler_share: float
    comparable: bool
    kinds: tuple[KindShare, ...]
    sentence: str
    is_contrast: bool


@dataclass(frozen=True, kw_only=True)
class Findings:
    """Everything that an analysis found."""

    hypotheses: tuple[Tested, ...] = ()
    anomalies: tuple[Anomaly, ...] = ()
    scaling: tuple[Scaling, ...] = ()
    operators: tuple[TimeShares, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """An object with a list of objects for each."""
        return asdict(self)
