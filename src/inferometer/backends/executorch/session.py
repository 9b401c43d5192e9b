"""Run a file of ExecuTorch on the CPU: XNNPACK has what was lowered to it, kernels the rest."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inferometer.backends.arrays import placed
from inferometer.backends.executorch.refusals import classify, refused
from inferometer.backends.plain import PlainSession
from inferometer.backends.tensors import as_numpy, as_tensor
from inferometer.core.artifact import Artifact, BackendOption, Preparation
from inferometer.core.errors import WorkloadError
from inferometer.core.format import Format
from inferometer.core.model import Inputs, LoadedModel, PlacedInputs
from inferometer.core.protocols import Setting
from inferometer.core.record import FailureKind
from inferometer.core.shown import shown
from inferometer.core.workload import Variant
from inferometer.host.software import installed_version

if TYPE_CHECKING:
    from executorch.runtime import Method

PACKAGE = "executorch"
MADE_FROM = (Format.TORCH_MODULE, Format.EXPORTED_PROGRAM)
METHOD = "forward"
OPTIONS = {
    "quantization": BackendOption(
        values=("static", "dynamic"),
        usual="static",
        says="how int8 is made: with samples for the ranges of activations, or by their range in "
        "each call",
    ),
}
_DTYPES = {
    0: "uint8", 1: "int8", 2: "int16", 3: "int32", 4: "int64", 5: "float16", 6: "float32",
    7: "float64", 11: "bool", 15: "bfloat16",
}  # fmt: skip
"""Numbers of types in the runtime → their names."""


class ExecuTorchSession(PlainSession):
    """A method of a program that ExecuTorch has loaded.

    A call copies inputs into memory that the program planned, and outputs out of it, as users of
    its interface do.

    Args:
        method: as it was loaded.
        names: of its inputs, in its order.
    """

    def __init__(self, method: Method, names: Sequence[str]) -> None:
        self._method = method
        meta = method.metadata
        told = [meta.input_tensor_meta(at) for at in range(meta.num_inputs())]
        self._dtypes = {
            name: _DTYPES.get(one.dtype(), f"type {one.dtype()}")
            for name, one in zip(names, told, strict=True)
        }
        self._largest = {name: tuple(one.sizes()) for name, one in zip(names, told, strict=True)}

    def place(self, inputs: Inputs) -> PlacedInputs:
        """Contiguous tensors by name, in the types of the file; positional ones in its order.

        Raises:
            WorkloadError: (unsupported) they are not those that the file takes.
        """
        ready = placed(inputs, self._dtypes)
        for name, array in ready.kwargs.items():
            _check_shape(name, tuple(array.shape), self._largest[name])
        return replace(ready, kwargs={n: as_tensor(one) for n, one in ready.kwargs.items()})

    def bind(self, inputs: Inputs) -> Callable[[], object]:
        """A call of the method; places inputs that were not.

        It returns when all outputs are there, in memory of their own.
        """
        ready = inputs if isinstance(inputs, PlacedInputs) else self.place(inputs)
        return partial(self._method.execute, [ready.kwargs[name] for name in self._dtypes])

    def outputs(self, raw: object) -> object:
        """The only output, or several by their numbers, floating ones in single precision."""
        assert isinstance(raw, list | tuple)
        found = [_single(as_numpy(one)) for one in raw]
        return found[0] if len(found) == 1 else {f"output{at}": one for at, one in enumerate(found)}


class ExecuTorchBackend:
    """ExecuTorch on the CPU; it runs a file in the types that the file has."""

    accepts = frozenset({Format.EXECUTORCH})
    precisions: tuple[str, ...] = ("fp32", "fp16", "int8")
    devices: tuple[str, ...] = ("cpu",)
    options: Mapping[str, BackendOption] = OPTIONS

    def __init__(self) -> None:
        self._threads = 1

    def start(self, *, threads: int) -> None:
        """Import the runtime, and give its pool of threads the number asked for.

        The calling thread is one of them.
        """
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that the interface may change
            import executorch.runtime  # noqa: F401 - so that it is not part of the load time
            from executorch.extension.pybindings import portable_lib

            portable_lib._unsafe_reset_threadpool(threads)  # noqa: SLF001 - there is no other way
        self._threads = threads

    def preparation(self, form: Format, variant: Variant) -> Preparation | None:
        """A program of torch is lowered for one shape; a file of ExecuTorch runs as it is.

        Raises:
            WorkloadError: (unsupported) another precision, or another one of a file.
        """
        self._check(variant, "cpu")
        if form is Format.EXECUTORCH and variant.precision != "fp32":
            raise WorkloadError(
                "unsupported",
                f"the backend executorch does not convert a file to {variant.precision}: it runs "
                "it as it is, under the name fp32",
            )
        if form not in MADE_FROM:
            return None
        calibrates = variant.precision == "int8" and not is_dynamic(variant)
        return Preparation(
            wants=Format.EXPORTED_PROGRAM,
            each_shape=True,
            calibrates=calibrates,
            tools=(PACKAGE, "torch", "torchao"),
        )

    def prepare(
        self, model: LoadedModel, variant: Variant, *, samples: Sequence[Inputs], into: Path
    ) -> Artifact:
        """Quantise with XNNPACKQuantizer, and lower to XNNPACK.

        Raises:
            WorkloadError: (unsupported) it cannot be done for this model; (bad_model) the file is
                damaged.
        """
        from inferometer.backends.executorch.prepare import prepare

        return prepare(model, variant, samples=samples, threads=self._threads, into=into)

    def load(self, model: LoadedModel, variant: Variant, *, device: str) -> ExecuTorchSession:
        """Load the method `forward` of a file, whose structure the runtime checks before.

        Raises:
            WorkloadError: (unsupported) another device or precision, another number of threads
                than was asked for, an operator or a delegate that the runtime does not have;
                (bad_model) no file, or a damaged one.
        """
        self._check(variant, device)
        if not model.files:
            raise WorkloadError("bad_model", "the backend executorch runs files, and got none")
        has = self._pool()
        if has != self._threads:
            raise WorkloadError(
                "unsupported",
                f"ExecuTorch took {has} threads, where {self._threads} were asked for",
            )
        method = _method(model.files[0])
        count = method.metadata.num_inputs()
        named = json.loads(Path(model.files[1]).read_bytes()) if len(model.files) > 1 else []
        names = named if len(named) == count else [f"input{at}" for at in range(count)]
        return ExecuTorchSession(method, names)

    def classify(self, error: BaseException) -> FailureKind | None:
        """Out of memory and unsupported inputs, told from errors of the runtime alone."""
        return classify(error)

    def settings(self) -> Mapping[str, Setting]:
        """The threads that the runtime's pool has."""
        return {"threads": self._pool()}

    def setting_changes(self, before: Mapping[str, Setting]) -> list[str]:
        """Nothing: a file has no code that could change them."""
        del before
        return []

    def _pool(self) -> int:
        from executorch.extension.pybindings import portable_lib

        return int(portable_lib._threadpool_get_thread_count())  # noqa: SLF001 - as above

    def _check(self, variant: Variant, device: str) -> None:
        if device not in self.devices:
            raise WorkloadError("unsupported", f"the backend executorch runs on cpu, not {device}")
        if variant.precision not in self.precisions:
            raise WorkloadError(
                "unsupported",
                f"executorch has no precision {variant.precision}; it has "
                f"{', '.join(self.precisions)}",
            )


def is_dynamic(variant: Variant) -> bool:
    """Whether the ranges of activations are found in each call."""
    return dict(variant.options).get("quantization") == "dynamic"


def _method(path: str) -> Method:
    """The method of a file.

    Raises:
        WorkloadError: as `ExecuTorchBackend.load`.
    """
    from executorch.runtime import Runtime, Verification

    try:
        program = Runtime.get().load_program(path, verification=Verification.InternalConsistency)
        method = program.load_method(METHOD) if METHOD in program.method_names else None
    except Exception as error:
        raise refused(path, error, installed_version(PACKAGE) or "") from error
    if method is None:
        raise WorkloadError("unsupported", f"{shown(path)} has no method called {METHOD}")
    return method


def _check_shape(name: str, given: tuple[int, ...], largest: tuple[int, ...]) -> None:
    """Check a shape against the largest that the program planned memory for."""
    fits = len(given) == len(largest) and all(
        length <= limit for length, limit in zip(given, largest, strict=True)
    )
    if not fits:
        raise WorkloadError(
            "unsupported",
            f"input {shown(name)} takes {'x'.join(map(str, largest)) or 'a number'}, and was given "
            f"{'x'.join(map(str, given)) or 'a number'}",
        )


def _single(value: Any) -> Any:  # noqa: ANN401 - an array or a number
    """An array of small floating numbers in single precision; anything else as it is."""
    kind = getattr(getattr(value, "dtype", None), "kind", "")
    return value.astype("float32") if kind == "f" else value
