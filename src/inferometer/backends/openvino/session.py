"""Run a file of OpenVINO, or an ONNX file, on the CPU."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inferometer.backends.arrays import placed
from inferometer.backends.openvino.model import check_precision, dtypes, fixed, name_of, read
from inferometer.backends.openvino.options import OPTIONS, properties, quantization
from inferometer.backends.openvino.refusals import classify, refused
from inferometer.backends.plain import PlainSession
from inferometer.core.artifact import Artifact, BackendOption, Preparation
from inferometer.core.errors import WorkloadError
from inferometer.core.format import Format
from inferometer.core.model import Inputs, LoadedModel, PlacedInputs
from inferometer.core.protocols import Setting
from inferometer.core.record import FailureKind
from inferometer.core.workload import Variant

if TYPE_CHECKING:
    from openvino import CompiledModel, Model

MOST_SHAPES = 8
"""Shapes whose compiled models are kept: each has a copy of the weights."""

SETTINGS = {
    "threads": "INFERENCE_NUM_THREADS",
    "streams": "NUM_STREAMS",
    "pinning": "ENABLE_CPU_PINNING",
    "hyper_threading": "ENABLE_HYPER_THREADING",
}
"""What is told of a compiled model, by the names of its properties."""

Shapes = tuple[tuple[int, ...], ...]


class OpenVinoSession(PlainSession):
    """A model that is compiled for each shape of its inputs, when inputs of it are first placed.

    That is how OpenVINO is deployed, and what `benchmark_app -shape` does. A model compiled once
    for all shapes took 1 to 3 % longer in large networks and 8 to 15 % in MobileNetV3-small, where
    shapes are worked out in each call. So the compilation of a model with open axes is part of the
    time and memory of its first call in a process, and not of its loading.

    Args:
        model: as it was read.
        compile_model: compiles it as it is.
        each_shape: False where it is compiled once, now.
    """

    def __init__(
        self, model: Model, compile_model: Callable[[], CompiledModel], *, each_shape: bool
    ) -> None:
        self._model = model
        self._compile = compile_model
        self._dtypes = dtypes(model)
        self._names = {name: name_of(port) for port in model.inputs for name in port.get_names()}
        self._outputs = [name_of(port) for port in model.outputs]
        self._single = None if each_shape else compile_model()
        self._by_shape: dict[Shapes, CompiledModel] = {}

    def place(self, inputs: Inputs) -> PlacedInputs:
        """Contiguous arrays by the names of the file, in its types; compiles for their shapes.

        Raises:
            WorkloadError: (unsupported) they are not those that the model takes.
        """
        named = {self._names.get(name, name): value for name, value in inputs.kwargs.items()}
        found = placed(Inputs(**{**vars(inputs), "kwargs": named}), self._dtypes)
        self._compiled(found)
        return found

    def bind(self, inputs: Inputs) -> Callable[[], object]:
        """A call of a request of its own, which returns when all outputs are there.

        The runtime reads the arrays where they are, and gives outputs where it made them: the next
        call with the same inputs overwrites them. No call copies anything, unless an array is
        read-only: that is copied here. A state that the model keeps is reset in each call.
        """
        import numpy as np
        from openvino import Tensor

        ready = inputs if isinstance(inputs, PlacedInputs) else self.place(inputs)
        request = self._compiled(ready).create_infer_request()
        for place, array in enumerate(ready.kwargs.values()):
            own = np.require(array, requirements=["C", "W"])
            request.set_input_tensor(place, Tensor(own, shared_memory=True))
        has_state = bool(request.query_state())

        def call() -> object:
            if has_state:
                request.reset_state()
            return list(request.infer(None, share_outputs=True).values())

        return call

    def outputs(self, raw: object) -> object:
        """The only output, or several by their names in the file; copied, as calls reuse them."""
        import numpy as np

        assert isinstance(raw, list)
        arrays = [np.array(one) for one in raw]
        return arrays[0] if len(arrays) == 1 else dict(zip(self._outputs, arrays, strict=True))

    def _compiled(self, inputs: PlacedInputs) -> CompiledModel:
        """The model for the shapes of inputs; that of the shapes used longest ago is let go of."""
        if self._single is not None:
            return self._single
        shapes: Shapes = tuple(array.shape for array in inputs.kwargs.values())
        found = self._by_shape.pop(shapes, None)
        if found is None:
            fixed(self._model, inputs)
            found = self._compile()
        self._by_shape[shapes] = found
        if len(self._by_shape) > MOST_SHAPES:
            del self._by_shape[next(iter(self._by_shape))]
        return found


class OpenVinoBackend:
    """OpenVINO on the CPU; where it is told nothing, in fp32 and tuned for latency."""

    accepts = frozenset({Format.ONNX, Format.OPENVINO_IR})
    precisions: tuple[str, ...] = ("fp32", "bf16", "fp16", "int8")
    devices: tuple[str, ...] = ("cpu",)
    options: Mapping[str, BackendOption] = OPTIONS

    def __init__(self) -> None:
        self._threads = 1
        self._settings: dict[str, Setting] = {}

    def start(self, *, threads: int) -> None:
        """Import the runtime; its threads belong to the models that it compiles.

        It and NNCF send what they do to their makers, and leave a number for that in the user's
        home, unless the package that does so is not there.
        """
        sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]
        import openvino  # noqa: F401 - as said

        self._threads = threads

    def preparation(self, form: Format, variant: Variant) -> Preparation | None:
        """A file that the runtime reads runs as it is; other models, and int8, get another.

        Raises:
            WorkloadError: (unsupported) the runtime does not have the precision, or an option
                would do nothing.
        """
        from inferometer.backends.openvino.prepare import preparation

        self._check(variant)
        return preparation(form, variant)

    def prepare(
        self, model: LoadedModel, variant: Variant, *, samples: Sequence[Inputs], into: Path
    ) -> Artifact:
        """Convert a file to one of the runtime's own, in int8 where that is asked for.

        Raises:
            WorkloadError: (unsupported) it cannot be, or nothing in it would be computed in the
                precision; (bad_model) it is damaged.
        """
        from inferometer.backends.openvino.prepare import prepare

        return prepare(model, variant, samples=samples, into=into, threads=self._threads)

    def load(self, model: LoadedModel, variant: Variant, *, device: str) -> OpenVinoSession:
        """Read a file, and compile it unless that has to wait for the shapes of inputs.

        Whoever gives the file has looked at it: other files with its weights lie in its folder. No
        library of operators is ever loaded.

        Raises:
            WorkloadError: (unsupported) the device, the precision or an option cannot be served, or
                the runtime lacks an operator; (bad_model) no file, or a damaged one.
        """
        if device not in self.devices:
            raise WorkloadError("unsupported", f"the backend openvino runs on cpu, not {device}")
        self._check(variant)
        if not model.files:
            raise WorkloadError("bad_model", "the backend openvino runs files, and got none")
        check_precision(variant.precision)
        found = read(model.files)
        is_open = any(port.partial_shape.is_dynamic for port in found.inputs)

        def compiled() -> CompiledModel:
            return self._compiled(found, model.files[0], variant)

        shapes = dict(variant.options).get("shapes", "static")
        return OpenVinoSession(found, compiled, each_shape=is_open and shapes == "static")

    def classify(self, error: BaseException) -> FailureKind | None:
        """Out of memory and unsupported inputs, told from errors of the runtime alone."""
        return classify(error)

    def settings(self) -> Mapping[str, Setting]:
        """What holds in the model that was compiled last: it may have fewer threads than asked."""
        return {"threads": self._threads, **self._settings}

    def setting_changes(self, before: Mapping[str, Setting]) -> list[str]:
        """Nothing: a file has no code that could change them."""
        del before
        return []

    def _check(self, variant: Variant) -> None:
        """Refuse a precision that the runtime does not have, and options that would do nothing.

        Raises:
            WorkloadError: (unsupported) it is so.
        """
        if variant.precision not in self.precisions:
            raise WorkloadError(
                "unsupported",
                f"the backend openvino has no precision {variant.precision}; it has "
                f"{', '.join(self.precisions)}",
            )
        quantization(variant)

    def _compiled(self, model: Model, path: str, variant: Variant) -> CompiledModel:
        """A model for the CPU.

        Raises:
            WorkloadError: as `load`.
        """
        import openvino

        try:
            made: Any = openvino.Core().compile_model(
                model, "CPU", properties(variant, self._threads)
            )
        except Exception as error:
            raise refused(path, error, openvino.__version__.partition("-")[0]) from error
        self._settings = {name: made.get_property(its) for name, its in SETTINGS.items()}
        return made
