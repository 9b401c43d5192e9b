"""What plug-ins offer. Nobody inherits from these; a class that fits is one."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Protocol

from inferometer.core.energy import Reading, SourceInfo
from inferometer.core.model import Inputs, LoadedModel
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

    def bind(self, inputs: Inputs) -> Callable[[], Any]:
        """Move inputs to the device; the call returned ends only when the device has finished."""
        ...

    def non_finite(self, output: object) -> str | None:
        """Where an output holds NaN or infinity, in words; None where all is finite."""
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
