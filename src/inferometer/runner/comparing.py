"""Compares what variants give with what their reference gives, on the same samples."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from inferometer.core.errors import InputError
from inferometer.core.format import Format
from inferometer.core.protocols import SupportsOptions, SupportsPreparation
from inferometer.core.sections import Fidelity
from inferometer.core.workload import Options, Target, Variant, Workload
from inferometer.figures.fidelity import fidelity_of
from inferometer.runner.workers.outputs import load_outputs

SAMPLES = 32
"""That are compared, where time and memory allow it."""
MOST_S = 10.0
"""For the outputs of one variant, once it is loaded."""

EAGER = "torch"
UNOPTIMISED: dict[str, Options] = {"onnxruntime": (("graph_optimization", "disabled"),)}
"""Options with which a runtime does with a file what stands in it."""


class Workers(Protocol):
    """What makes samples and outputs: `runner.workers.pool.WorkerPool`."""

    def make_samples(self, workload: Workload, calls: int, data: str | None, into: Path) -> int:
        """Write samples for a workload's model; gives for how many calls."""
        ...

    def give_outputs(self, workload: Workload, inputs: Path, into: Path, *, seconds: float) -> int:
        """Write what a workload's model gives for samples; gives of how many calls."""
        ...

    def end(self, variant: Variant) -> None:
        """End the worker of a variant, if there is one."""
        ...


@dataclass(frozen=True, kw_only=True)
class Reference:
    """What a reference gave.

    Attributes:
        workload: that ran, at the shape of the samples.
        inputs: path of the samples.
        outputs: of each sample.
    """

    workload: Workload
    inputs: Path
    outputs: list[list[Any]]


def reference_of(variant: Variant) -> Variant | None:
    """What a variant is judged against: fp32 eager, or the same file at fp32, not optimised.

    Imports no runtime.

    Returns:
        None where nothing else could run the model: the variant is code of the user's own.

    Raises:
        InputError: the backend or the reference is wrong.
    """
    from inferometer.backends import BACKENDS, backend
    from inferometer.models import format_of

    found, own = format_of(variant.model), backend(variant.backend)
    takes_modules = Format.TORCH_MODULE in own.accepts or isinstance(own, SupportsPreparation)
    if variant.backend == "python" or (found is None and not takes_modules):
        return None
    if found is None or found in backend(EAGER).accepts:
        return Variant(model=variant.model, backend=EAGER, precision="fp32")
    name = variant.backend
    if found is Format.ONNX and not BACKENDS.find("onnxruntime").missing:
        name = "onnxruntime"
    runtime = backend(name)
    known = runtime.options if isinstance(runtime, SupportsOptions) else {}
    options = tuple(one for one in UNOPTIMISED.get(name, ()) if one[0] in known)
    return Variant(model=variant.model, backend=name, precision="fp32", options=options)


def is_judged(variant: Variant) -> bool:
    """Whether a variant is another than its reference."""
    try:
        return reference_of(variant) not in (None, variant)
    except InputError:  # the run says what is wrong with it
        return False


def variant_label(variant: Variant) -> str:
    """A variant for people, without its model: `onnxruntime int8 spinning=off`."""
    return " ".join(filter(None, (variant.backend, variant.precision, variant.options_text)))


class Comparer:
    """Compares variants with a reference; its workers are the pool's.

    Args:
        workers: that load and call.
        folder: for samples and outputs.
        samples: how many, at the most.
        data: reference of labelled data of which they are; None makes inputs up.
    """

    def __init__(
        self, workers: Workers, folder: Path, *, samples: int = SAMPLES, data: str | None = None
    ) -> None:
        self._workers = workers
        self._folder = folder
        self._samples = samples
        self._data = data

    def reference(self, variant: Variant, like: Workload, *, seconds: float = MOST_S) -> Reference:
        """Make samples, and the outputs of a reference for them; its worker ends.

        Args:
            variant: the reference.
            like: gives the shape of the calls, and the threads.
            seconds: no call begins after so long.

        Raises:
            WorkerFailed: it cannot be loaded or called.
        """
        target = Target(device="cpu", threads=like.threads)
        workload = replace(like, variant=variant, target=target)
        inputs, calls = self._folder / "samples.npz", math.ceil(self._samples / like.batch_size)
        try:
            self._workers.make_samples(workload, calls, self._data, inputs)
            outputs = self._outputs(workload, inputs, seconds)
        finally:
            self._workers.end(variant)
        return Reference(workload=workload, inputs=inputs, outputs=outputs)

    def against(
        self, reference: Reference, variant: Variant, device: str, *, seconds: float = MOST_S
    ) -> Fidelity:
        """The fidelity of a variant on the samples of the reference; its worker ends.

        Raises:
            WorkerFailed: it cannot be loaded or called.
        """
        target = replace(reference.workload.target, device=device)
        workload = replace(reference.workload, variant=variant, target=target)
        try:
            outputs = self._outputs(workload, reference.inputs, seconds)
        finally:
            self._workers.end(variant)
        other = reference.workload.variant
        named = "" if other.model == variant.model else f"{other.model} "
        return fidelity_of(
            reference.outputs,
            outputs,
            variant.precision,
            against=f"{named}{variant_label(other)}",
        )

    def _outputs(self, workload: Workload, inputs: Path, seconds: float) -> list[list[Any]]:
        into = self._folder / "outputs.npz"
        self._workers.give_outputs(workload, inputs, into, seconds=seconds)
        return load_outputs(into, workload.batch_size)
