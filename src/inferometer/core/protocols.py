"""What plug-ins offer. Nobody inherits from these; a class that fits is one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any, Protocol, runtime_checkable

from inferometer.core.energy import Reading, SourceInfo
from inferometer.core.model import Inputs, LoadedModel, PlacedInputs
from inferometer.core.record import FailureKind, Value
from inferometer.core.workload import Variant


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


class Session(Protocol):
    """A loaded model on a device.

    Attributes:
        network: the network as deployed, for counting; None where there is none to look at.
    """

    network: Any

    def running(self) -> AbstractContextManager[object]:
        """Whatever must be entered around calls, such as a mode without gradients."""
        ...

    def place(self, inputs: Inputs) -> PlacedInputs:
        """Inputs as the model gets them: on the device, floating ones in the precision.

        Raises:
            WorkloadError: (unsupported) they hold an object that cannot be looked into.
        """
        ...

    def bind(self, inputs: Inputs) -> Callable[[], Any]:
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
    """A session whose network can be looked into, to count what a call costs."""

    def on_host(self, inputs: Inputs) -> Inputs:
        """Inputs in the precision of the session, but in the memory of the processor."""
        ...


class GradientTrial(Protocol):
    """What finds out, in the first calls of a process, which mode without gradients a model bears.

    Made before the first call, which is made in the safe mode.
    """

    def saw(self, output: object) -> None:
        """Take down what the first call gave."""
        ...

    def choose(self, call: Callable[[], Any]) -> str | None:
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


class Backend(Protocol):
    """A runtime.

    One may also have `probe(*, device, precision, threads, plan) -> Roof` (`core.roof`): what it
    attains on a device, once it was started. Of one without there is no roofline.
    """

    precisions: tuple[str, ...]

    def start(self, *, threads: int) -> None:
        """Import the runtime and give it its threads; this is not part of the load time."""
        ...

    def load(self, model: LoadedModel, variant: Variant, *, device: str) -> Session:
        """Take a network over.

        Raises:
            WorkloadError: (unsupported) the precision or the device cannot be served here.
        """
        ...

    def classify(self, error: BaseException) -> FailureKind | None:
        """What an exception of this runtime means; None where it means nothing in particular."""
        ...

    def settings(self) -> Mapping[str, str | int | bool]:
        """Global settings of the runtime that hold now, by name; `threads` is among them."""
        ...

    def setting_changes(self, before: Mapping[str, str | int | bool]) -> list[str]:
        """What the model's code changed of them, in sentences."""
        ...


class Meter(Protocol):
    """An instrument that watches a stretch of work."""

    def begin(self) -> None:
        """Start watching."""
        ...

    def end(self) -> dict[str, Value]:
        """Stop, and give fields of the exported record."""
        ...


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
