"""What plug-ins offer. Nobody inherits from these; a class that fits is one.

What only some of them can do is a protocol of its own, which is asked for with `isinstance`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NamedTuple, Protocol, runtime_checkable

from inferometer.core.artifact import Artifact, BackendOption, Preparation
from inferometer.core.energy import Reading, SourceInfo
from inferometer.core.format import Format
from inferometer.core.model import Inputs, LoadedModel, PlacedInputs
from inferometer.core.profile import Profiler
from inferometer.core.record import FailureKind, Value
from inferometer.core.roofline import ProbePlan, Roofline
from inferometer.core.workload import Variant

Setting = str | int | bool
"""A global setting of a runtime."""


@runtime_checkable
class ModelSource(Protocol):
    """Loads one kind of model reference."""

    def load(self, target: str, options: dict[str, Any], *, seed: int) -> LoadedModel:
        """Build the network on the CPU, in evaluation mode.

        Args:
            target: the reference without its prefix and its options.
            options: what followed `?`, with values as Python literals.
            seed: seeds random weights.

        Raises:
            WorkloadError: the model cannot be built (bad_model, unsupported).
            MissingExtraError: a package is missing.
        """
        ...


@runtime_checkable
class SupportsCheck(Protocol):
    """A model source that sees faults of a reference without importing a runtime."""

    def check(self, target: str, options: dict[str, Any]) -> None:
        """Look at a reference, given as in `ModelSource.load`.

        Raises:
            InputError: it is wrong.
        """
        ...


class Session(Protocol):
    """A loaded model on a device.

    Attributes:
        device: where it runs, such as `cpu` or `cuda:0`.
    """

    device: str

    def running(self) -> AbstractContextManager[object]:
        """Whatever must be entered around calls, such as a mode without gradients."""
        ...

    def place(self, inputs: Inputs) -> PlacedInputs:
        """Inputs as the model gets them: on the device, floating ones in the precision.

        Raises:
            WorkloadError: (unsupported) they hold an object that cannot be looked into.
        """
        ...

    def bind(self, inputs: Inputs) -> Callable[[], object]:
        """A call that ends only when the device has finished; places inputs that were not yet."""
        ...

    def non_finite(self, output: object) -> str | None:
        """Where an output holds NaN or plus infinity, in words; None where it holds neither."""
        ...

    def minus_infinite(self, output: object) -> str | None:
        """Where an output holds minus infinity, in words: it is legal, and worth a note."""
        ...


@runtime_checkable
class SupportsOperations(Protocol):
    """A session whose network can be looked into, to count what a call costs.

    Attributes:
        network: the `torch.nn.Module` as deployed.
    """

    network: Any

    def on_host(self, inputs: Inputs) -> Inputs:
        """Inputs in the precision of the session, but in the memory of the processor."""
        ...


@runtime_checkable
class SupportsOutputs(Protocol):
    """A session whose runtime has tensors of its own."""

    def outputs(self, raw: object) -> object:
        """What a call gave, nested as it is, with NumPy arrays in place of tensors.

        Floating ones that NumPy does not know come in single precision.
        """
        ...


@runtime_checkable
class SupportsRemarks(Protocol):
    """A session whose runtime may run a model in another way than was asked for."""

    def remarks(self, inputs: Inputs) -> Sequence[str]:
        """What calls with such inputs have shown of that, in sentences; asked outside the timing.

        Raises:
            WorkloadError: figures of it would mean nothing.
        """
        ...


@runtime_checkable
class SupportsProfile(Protocol):
    """A session whose runtime tells where the time of a call goes."""

    def profiler(self, inputs: Inputs) -> Profiler:
        """A profiler of calls with these inputs.

        Raises:
            WorkloadError: (unsupported) there is none for the device.
        """
        ...


@runtime_checkable
class MayProfile(Protocol):
    """A backend some of whose sessions are `SupportsProfile`."""

    def profiles(self, variant: Variant) -> bool:
        """Whether those of a variant are. Imports no runtime."""
        ...


class Meter(Protocol):
    """An instrument that watches a stretch of work."""

    def begin(self) -> None:
        """Start watching."""
        ...

    def end(self) -> dict[str, Value]:
        """Stop, and give fields of the exported record."""
        ...


@runtime_checkable
class SupportsDeviceMemory(Protocol):
    """A session that may run on an accelerator with memory of its own."""

    def device_memory(self) -> Meter | None:
        """A meter of that memory; None where there is no such memory."""
        ...


@runtime_checkable
class SupportsGpuIdentity(Protocol):
    """A session that may run on one of several NVIDIA GPUs, and knows on which."""

    def gpu_uuid(self) -> str | None:
        """The UUID of the GPU as its driver gives it; None elsewhere."""
        ...


class GradientTrial(Protocol):
    """What finds out, in the first calls of a process, which mode without gradients a model bears.

    Made before the first call, which is made in the safe mode.
    """

    def saw(self, output: object) -> None:
        """Take down what the first call gave."""
        ...

    def choose(self, call: Callable[[], object]) -> str | None:
        """Choose the mode of all later calls; gives a note where it is not the usual one.

        Args:
            call: makes one call with inputs like the first's.
        """
        ...


@runtime_checkable
class ChoosesGradientMode(Protocol):
    """A session that runs in one of several modes without gradients.

    Attributes:
        gradient_mode: that of its calls.
    """

    gradient_mode: str

    def gradient_trial(self) -> GradientTrial | None:
        """What chooses the mode; None once it is chosen."""
        ...

    def settle_gradient_mode(self, mode: str) -> None:
        """Take a mode that was chosen before."""
        ...


@runtime_checkable
class Backend(Protocol):
    """A runtime. Its class takes no arguments, and making one imports no runtime.

    Attributes:
        accepts: formats of models that it loads.
        precisions: names of the precisions that it runs, such as `fp32`.
        devices: kinds of devices that it runs on, such as `cpu` and `cuda` (which stands for
            `cuda:1` too), whether or not this machine has one.
    """

    accepts: frozenset[Format]
    precisions: tuple[str, ...]
    devices: tuple[str, ...]

    def start(self, *, threads: int) -> None:
        """Import the runtime and give it its threads; this is not part of the load time."""
        ...

    def load(self, model: LoadedModel, variant: Variant, *, device: str) -> Session:
        """Take a network over.

        Raises:
            WorkloadError: (unsupported) the precision or the device cannot be served here;
                (bad_model) the network is nothing that this backend runs.
        """
        ...


@runtime_checkable
class SupportsPreparation(Protocol):
    """A backend that makes files of its own of models, in a process that measures nothing."""

    def preparation(self, form: Format, variant: Variant) -> Preparation | None:
        """How a model of a format is prepared; None where it is loaded as it is.

        Imports no runtime.

        Raises:
            WorkloadError: (unsupported) the precision or an option cannot be served for it.
        """
        ...

    def prepare(
        self, model: LoadedModel, variant: Variant, *, samples: Sequence[Inputs], into: Path
    ) -> Artifact:
        """Make the files, once the backend was started.

        Args:
            model: files of the format that `preparation` wants; it may also have the network.
            variant: what they are for.
            samples: inputs of calls for calibration, each a batch of one; empty where none are
                needed.
            into: an empty folder, for the files.

        Raises:
            WorkloadError: (unsupported) the runtime or its converter lacks an operator or a
                precision for it; (bad_model) the files are damaged.
        """
        ...


@runtime_checkable
class SupportsOptions(Protocol):
    """A backend with options.

    Attributes:
        options: what may be set, by name.
    """

    options: Mapping[str, BackendOption]


@runtime_checkable
class SupportsErrorKinds(Protocol):
    """A backend that knows what the exceptions of its runtime mean."""

    def classify(self, error: BaseException) -> FailureKind | None:
        """What an exception of this runtime means; None where it means nothing in particular."""
        ...


@runtime_checkable
class SupportsSettings(Protocol):
    """A backend whose runtime has global settings, which a model's code may change."""

    def settings(self) -> Mapping[str, Setting]:
        """Those that hold now, by name; `threads` is among them."""
        ...

    def setting_changes(self, before: Mapping[str, Setting]) -> list[str]:
        """What the model's code changed of them, in sentences."""
        ...


@runtime_checkable
class SupportsRoofline(Protocol):
    """A backend that measures what it attains on a device at best."""

    def probe(self, *, device: str, precision: str, threads: int, plan: ProbePlan) -> Roofline:
        """Measure a device, once the backend was started.

        Raises:
            WorkloadError: (unsupported) no such precision, or no such device on this machine;
                (out_of_memory) no room for the arrays of the plan.
        """
        ...


class Adopted(NamedTuple):
    """A live model that a backend took over as it is.

    Attributes:
        session: its session.
        precision: the precision that it has.
    """

    session: Session
    precision: str


@runtime_checkable
class SupportsLiveModels(Protocol):
    """A backend that measures an object of the caller's own process, where and as it is."""

    def can_adopt(self, network: object) -> bool:
        """Whether this is an object that the backend runs. Imports no runtime."""
        ...

    def adopt(self, network: Any) -> Adopted:  # noqa: ANN401 - what `can_adopt` said yes to
        """Take it over without a change to it."""
        ...


@runtime_checkable
class PowerSource(Protocol):
    """Something that tells energy or power.

    Attributes:
        info: what is known of it.
    """

    info: SourceInfo

    def read(self) -> Reading:
        """Read it now.

        Raises:
            SourceLostError: it is gone, frozen, was reset, or may no longer be read.
        """
        ...

    def close(self) -> None:
        """Let go of files and connections; a second call does nothing."""
        ...
