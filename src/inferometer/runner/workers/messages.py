"""What the parent asks of a worker, and what that answers; `codec` makes lines of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import get_args

from inferometer.core.cost import Cost
from inferometer.core.costing import Costing
from inferometer.core.dataset import Skipped, Task
from inferometer.core.fidelity import OperatorError, Recovery
from inferometer.core.profile import Profile
from inferometer.core.record import Failure, FailureKind, Round, Stage, Value
from inferometer.core.roofline import ProbePlan, Roofline
from inferometer.core.statement import Statement
from inferometer.core.workload import Shape, Variant
from inferometer.runner.workers.memory_layers import Start
from inferometer.runner.workers.settings import Held


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
class PreparedAt:
    """Where a prepared model is.

    Attributes:
        folder: of the cache.
        shape: the only one that it serves; None where it serves all.
    """

    folder: str
    shape: Shape | None = None


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
class ExportModel:
    """Export the loaded model; answered by `Exported`.

    Attributes:
        model: the reference as the user gave it.
        seed: of random weights.
        wanted: value of the format.
        shape: the only one that is to be served; None for all.
        size: input size of the calibration samples; None is the model's own.
        data: reference of labelled data for them; None makes inputs up.
        samples: how many of them; 0 where none are needed.
        cache: its folder.
    """

    model: str
    seed: int
    wanted: str
    shape: Shape | None
    size: int | None
    data: str | None
    samples: int
    cache: str


@dataclass(frozen=True, kw_only=True)
class PrepareVariant:
    """Make of an exported model what its backend runs; answered by `VariantPrepared`.

    Attributes:
        variant: what it is for.
        threads: that the runtime may use.
        source: folder of the exported model.
        samples: path of the calibration samples; None where none are needed.
        tools: distributions whose versions decide what comes out.
        cache: its folder.
    """

    variant: Variant
    threads: int
    source: str
    samples: str | None
    tools: tuple[str, ...]
    cache: str


@dataclass(frozen=True, kw_only=True)
class WarmUp:
    """Make the first calls of a shape; answered by `WarmedUp`."""

    shape: Shape


@dataclass(frozen=True, kw_only=True)
class MeasureRound:
    """Measure a round of a shape that is warm; answered by `RoundDone`."""

    shape: Shape
    plan: RoundPlan


@dataclass(frozen=True, kw_only=True)
class CountCosts:
    """Count what calls of shapes cost; answered by `CostsCounted`.

    Attributes:
        shapes: of the calls.
        may_run: whether a real call may be counted where there is no other way.
    """

    shapes: tuple[Shape, ...]
    may_run: bool = False


@dataclass(frozen=True, kw_only=True)
class CostModel:
    """Count a call of the loaded model, with what is known of it; answered by `Costing`."""

    shape: Shape
    may_run: bool


@dataclass(frozen=True, kw_only=True)
class CostFile:
    """Count a call of an ONNX file, without loading it; answered by `Costing`.

    Attributes:
        model: the reference as the user gave it.
        file: its path.
        shape: of the call.
        precision: what the user expects it to have; None accepts any.
        memory_limit_bytes: most that the worker may use.
    """

    model: str
    file: str
    shape: Shape
    precision: str | None
    memory_limit_bytes: int


@dataclass(frozen=True, kw_only=True)
class ProfileCalls:
    """Profile a shape that is warm; answered by `Profile`.

    Attributes:
        shape: of the calls.
        seconds: how long.
        trace: where to write the last profiled calls; None for nowhere.
    """

    shape: Shape
    seconds: float
    trace: str | None


@dataclass(frozen=True, kw_only=True)
class Probe:
    """Measure what the device attains, in a worker that holds no model; answered by `Roofline`."""

    backend: str
    precision: str
    device: str
    threads: int
    plan: ProbePlan


@dataclass(frozen=True, kw_only=True)
class LookAtData:
    """Look at labelled data without any model; answered by `DataOpened`.

    Attributes:
        reference: as the user gave it.
        metric: what the user asked for; None is the usual one of the task.
        seed: of what is left to chance.
    """

    reference: str
    metric: str | None
    seed: int


@dataclass(frozen=True, kw_only=True)
class OpenData:
    """Open labelled data for the loaded model; answered by `DataOpened`.

    Attributes:
        reference: as the user gave it.
        metric: what the user asked for; None is the usual one of the task.
        shape: batch and input size at which the model judges it.
        seed: of what is left to chance.
    """

    reference: str
    metric: str | None
    shape: Shape
    seed: int


@dataclass(frozen=True, kw_only=True)
class Evaluate:
    """Go on with the data that is open; answered by `Evaluated`.

    Attributes:
        first: number of the first sample.
        seconds: no further batch begins after so long.
    """

    first: int
    seconds: float


@dataclass(frozen=True, kw_only=True)
class MakeSamples:
    """Write samples for the loaded model, none of which calibrates; answered by `SamplesMade`.

    Attributes:
        shape: of a call.
        calls: how many there are inputs for, at the most.
        seed: of the run.
        data: reference of labelled data, of which test samples are taken; None makes inputs up.
        into: path of the archive.
    """

    shape: Shape
    calls: int
    seed: int
    data: str | None
    into: str


@dataclass(frozen=True, kw_only=True)
class GiveOutputs:
    """Write what the loaded model gives for samples; answered by `OutputsGiven`.

    Attributes:
        inputs: path of the samples.
        into: path of the archive of outputs.
        seconds: no further call begins after so long.
    """

    inputs: str
    into: str
    seconds: float


@dataclass(frozen=True, kw_only=True)
class LocateOperators:
    """Compare the operators of two ONNX files; answered by `Located`.

    Attributes:
        bad: path of the file that is judged.
        good: path of its reference.
        inputs: path of the samples.
        threads: that the runtime may use.
        memory_limit_bytes: most that the worker may use.
    """

    bad: str
    good: str
    inputs: str
    threads: int
    memory_limit_bytes: int


@dataclass(frozen=True, kw_only=True)
class LocateModules:
    """Compare modules of the loaded network with the same in a precision; answered by `Located`.

    Attributes:
        precision: name of a type of floating numbers.
        inputs: path of the samples.
    """

    precision: str
    inputs: str


@dataclass(frozen=True, kw_only=True)
class RecoverOperators:
    """Quantise an ONNX file anew, and leave operators in fp32; answered by `Recovered`.

    Attributes:
        variant: quantised, of ONNX Runtime.
        bad: path of its file.
        good: path of the file in fp32.
        inputs: path of the samples that judge.
        samples: path of those that calibrate.
        threads: that the runtime may use.
        seconds: for choosing operators, and again for making files.
        memory_limit_bytes: most that the worker may use.
    """

    variant: Variant
    bad: str
    good: str
    inputs: str
    samples: str
    threads: int
    seconds: float
    memory_limit_bytes: int


Request = (
    Load
    | ExportModel
    | PrepareVariant
    | WarmUp
    | MeasureRound
    | CountCosts
    | CostModel
    | CostFile
    | ProfileCalls
    | Probe
    | LookAtData
    | OpenData
    | Evaluate
    | MakeSamples
    | GiveOutputs
    | LocateOperators
    | LocateModules
    | RecoverOperators
)
REQUESTS: tuple[type[Request], ...] = get_args(Request)


@dataclass(frozen=True, kw_only=True)
class Failed:
    """A request failed; the parent knows at which stage.

    Attributes:
        kind: what happened.
        message: one or two sentences for people.
    """

    kind: FailureKind
    message: str

    def at(self, stage: Stage) -> Failure:
        """The failure of a workload at a stage."""
        return Failure(stage=stage, kind=self.kind, message=self.message)


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
class RoundDone:
    """A round, and what held in the process after it."""

    round: Round
    held: Held


@dataclass(frozen=True, kw_only=True)
class CostsCounted:
    """The cost of each shape, or why it was not counted.

    None is a network that cannot be looked into.
    """

    costs: tuple[Cost | Failed | None, ...]


@dataclass(frozen=True, kw_only=True)
class DataOpened:
    """The data is there.

    Attributes:
        name: of the data, as exported.
        task: what is asked of a model.
        classes: names of the classes; empty where there are none.
        digest: of contents, labels and order.
        metric: name of the metric.
        higher_is_better: its direction.
        samples: how many are judged.
        skipped: those that could not be used.
    """

    name: str
    task: Task
    classes: tuple[str, ...]
    digest: str
    metric: str
    higher_is_better: bool
    samples: int
    skipped: tuple[Skipped, ...]


@dataclass(frozen=True, kw_only=True)
class Evaluated:
    """What some samples gave, in their order.

    Attributes:
        rows: what the metric kept.
        columns: numbers in each of them.
        lengths: rows of each sample.
        units: what each sample belongs to.
        contents: digest of each sample.
        real_s: seconds of the calls with whole batches of the data.
        synthetic_s: seconds of calls with made-up inputs, each just beside the same one of those.
        stages: seconds for these samples of what is around the calls, by name.
    """

    rows: tuple[tuple[float, ...], ...]
    columns: int
    lengths: tuple[int, ...]
    units: tuple[str, ...]
    contents: tuple[str, ...]
    real_s: tuple[float, ...]
    synthetic_s: tuple[float, ...]
    stages: Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class Exported:
    """A model was exported.

    Attributes:
        folder: of the cache.
        made: whether it was made just now, and not found there.
        samples: path of the calibration samples; None where none were asked for.
    """

    folder: str
    made: bool
    samples: str | None


@dataclass(frozen=True, kw_only=True)
class VariantPrepared:
    """What a backend runs is there.

    Attributes:
        folder: of the cache.
        made: whether it was made just now, and not found there.
    """

    folder: str
    made: bool


@dataclass(frozen=True, kw_only=True)
class SamplesMade:
    """Samples were written; there are inputs for so many calls."""

    calls: int


@dataclass(frozen=True, kw_only=True)
class OutputsGiven:
    """Outputs were written, of so many calls."""

    calls: int


@dataclass(frozen=True, kw_only=True)
class Located:
    """Operators that differ, the likeliest origin first."""

    operators: tuple[OperatorError, ...]


@dataclass(frozen=True, kw_only=True)
class Recovered:
    """What leaving more and more operators in fp32 gives back and costs."""

    steps: tuple[Recovery, ...]


Answer = (
    Failed
    | Exported
    | VariantPrepared
    | Loaded
    | WarmedUp
    | RoundDone
    | CostsCounted
    | Costing
    | Profile
    | Roofline
    | DataOpened
    | Evaluated
    | SamplesMade
    | OutputsGiven
    | Located
    | Recovered
)
