"""Call a Python object as it is."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any

from inferometer.core.errors import WorkloadError
from inferometer.core.model import Inputs, LoadedModel
from inferometer.core.nested import first_problem
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

    def bind(self, inputs: Inputs) -> Callable[[], Any]:
        """Arguments bound to the callable."""
        return partial(self.function, *inputs.args, **inputs.kwargs)

    def non_finite(self, output: object) -> str | None:
        """Look at numbers and NumPy arrays in the output, however nested."""
        return first_problem(output, _problem)


def _problem(leaf: object) -> str | None:
    if isinstance(leaf, float):
        return None if math.isfinite(leaf) else str(leaf)
    if getattr(getattr(leaf, "dtype", None), "kind", "") != "f":
        return None
    import numpy as np

    array = np.asarray(leaf)
    with np.errstate(all="ignore"):  # NaN and infinity stay in a sum, which copies nothing
        if np.isfinite(array.sum(dtype=np.float64)):
            return None
    bad = int(array.size - np.isfinite(array).sum())
    return f"{bad} of {array.size} values are NaN or infinite" if bad else None


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
