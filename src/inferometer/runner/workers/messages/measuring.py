"""Loading a variant, warming it up, and timing its calls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from inferometer.core.record import Round, Value
from inferometer.core.statement import Statement
from inferometer.core.workload import Shape, Variant
from inferometer.runner.workers.memory_layers import Start
from inferometer.runner.workers.messages.preparing import PreparedAt
from inferometer.runner.workers.settings import Held


@dataclass(frozen=True, kw_only=True)
class Load:
    """Load a variant; answered by `Loaded`.

    Attributes:
        variant: the variant to load.
        device: where it runs.
        threads: how many it may use.
        seed: of random weights and inputs.
        root: where the signals of the device are read.
        started_at: reading of `time.monotonic` at which the worker was started.
        memory_limit_bytes: most that it may use; None is no limit.
        gradient_mode: what an earlier process of the variant settled on; None is found out.
        prepared: what was prepared of it; nothing where the backend loads the model itself.
    """

    variant: Variant
    device: str
    threads: int
    seed: int
    root: str
    started_at: float
    memory_limit_bytes: int | None = None
    gradient_mode: str | None = None
    prepared: tuple[PreparedAt, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """The model is there.

    Attributes:
        facts: fields of the record that belong to the variant.
        start: how the worker stood before the runtime.
    """

    facts: Mapping[str, Value]
    start: Start


@dataclass(frozen=True, kw_only=True)
class WarmUp:
    """Make the first calls of a shape; answered by `WarmedUp`."""

    shape: Shape


@dataclass(frozen=True, kw_only=True)
class WarmedUp:
    """What the first calls of a shape showed.

    Attributes:
        first_call_s: duration of the very first call, seconds.
        round: the calls after it, as a round of phase `warmup`.
        input_shape: for people, such as `8x3x224x224`.
        seen: fields of the record that the meters gave.
        size_applied: whether the asked-for input size had an effect.
        batch_applied: whether the asked-for batch size had one.
        notes: what the first calls showed of the model.
        variant_notes: what they showed of the model at any shape.
        facts: fields of the variant that they settled.
        held: what held in the process during the calls.
    """

    first_call_s: float
    round: Round
    input_shape: str
    seen: Mapping[str, Value] = field(default_factory=dict)
    size_applied: bool = True
    batch_applied: bool = True
    notes: tuple[Statement, ...] = ()
    variant_notes: tuple[Statement, ...] = ()
    facts: Mapping[str, Value] = field(default_factory=dict)
    held: Held = field(default_factory=Held)


@dataclass(frozen=True, kw_only=True)
class RoundPlan:
    """What a round shall hold.

    Attributes:
        values: values that count.
        calls_per_value: calls behind each value.
        settle: values before those that count, after a switch from another workload.
        seconds: repeat all that until so much time has passed; 0 is once.
    """

    values: int
    calls_per_value: int = 1
    settle: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, kw_only=True)
class MeasureRound:
    """Measure a round of a shape that is warm; answered by `RoundDone`."""

    shape: Shape
    plan: RoundPlan


@dataclass(frozen=True, kw_only=True)
class RoundDone:
    """A round, and what held in the process after it."""

    round: Round
    held: Held
