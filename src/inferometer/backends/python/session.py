"""Call a Python object as it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any

from inferometer.backends.finite import minus_infinite, non_finite
from inferometer.core.errors import WorkloadError
from inferometer.core.model import Inputs, LoadedModel, PlacedInputs
from inferometer.core.record import FailureKind
from inferometer.core.workload import Variant


class PythonSession:
    """A callable; it must return only when its work is done."""

    network = None

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function

    def running(self) -> AbstractContextManager[object]:
        """Nothing has to be entered."""
        return nullcontext()

    def place(self, inputs: Inputs) -> PlacedInputs:
        """Inputs as they are."""
        return PlacedInputs(**vars(inputs))

    def bind(self, inputs: Inputs) -> Callable[[], Any]:
        """Arguments bound to the callable."""
        return partial(self.function, *inputs.args, **inputs.kwargs)

    def non_finite(self, output: object) -> str | None:
        """Look at numbers, arrays and tensors in the output, however nested."""
        return non_finite(output)

    def minus_infinite(self, output: object) -> str | None:
        """Look for minus infinity, in the same places."""
        return minus_infinite(output)


class PythonBackend:
    """Runs a callable in the worker, on the CPU, with whatever precision it has."""

    precisions: tuple[str, ...] = ("fp32",)

    def start(self, *, threads: int) -> None:
        """Nothing to import; the worker's environment already holds the number of threads."""
        del threads

    def load(self, model: LoadedModel, variant: Variant, *, device: str) -> PythonSession:
        """Take a callable over.

        Raises:
            WorkloadError: (unsupported) another device or precision; (bad_model) not callable.
        """
        if device != "cpu":
            raise WorkloadError("unsupported", f"the backend python runs on cpu, not on {device}")
        if variant.precision not in self.precisions:
            raise WorkloadError(
                "unsupported", f"the backend python does not convert to {variant.precision}"
            )
        if not callable(model.network):
            raise WorkloadError("bad_model", f"a {type(model.network).__name__} is not callable")
        return PythonSession(model.network)

    def classify(self, error: BaseException) -> FailureKind | None:
        """No Python exception has a meaning of its own beyond those that the worker knows."""
        del error
        return None

    def settings(self) -> Mapping[str, str | int | bool]:
        """None of its own: nobody knows what a callable runs on."""
        return {}

    def setting_changes(self, before: Mapping[str, str | int | bool]) -> list[str]:
        """None."""
        del before
        return []
