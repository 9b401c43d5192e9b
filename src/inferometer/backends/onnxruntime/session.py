"""Run an ONNX file with ONNX Runtime: on the CPU, or with a provider that the installed one has."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from inferometer.backends.arrays import placed
from inferometer.backends.finite import minus_infinite, non_finite
from inferometer.backends.onnxruntime import providers
from inferometer.backends.onnxruntime.binding import as_arrays, bound
from inferometer.backends.onnxruntime.options import OPTIONS, SILENT, session_options
from inferometer.backends.onnxruntime.refusals import classify, refused
from inferometer.backends.plain import PlainSession
from inferometer.core.artifact import Artifact, BackendOption, Preparation
from inferometer.core.errors import WorkloadError
from inferometer.core.format import Format
from inferometer.core.model import Inputs, LoadedModel, PlacedInputs
from inferometer.core.protocols import Setting
from inferometer.core.record import FailureKind
from inferometer.core.workload import Variant

if TYPE_CHECKING:
    from onnxruntime import InferenceSession, SessionOptions

_TENSOR = re.compile(r"tensor\((\w+)\)")
_DTYPES = {"float": "float32", "double": "float64"}


class OnnxRuntimeSession(PlainSession):
    """A file that ONNX Runtime has loaded.

    Args:
        session: the loaded session of ONNX Runtime.
        device: where it runs.
        remarks: what showed when it was loaded, such as operators that run elsewhere.
    """

    def __init__(
        self, session: InferenceSession, *, device: str = "cpu", remarks: tuple[str, ...] = ()
    ) -> None:
        self.device = device
        self._remarks = remarks
        self._session = session
        self._dtypes = {one.name: _dtype(str(one.type)) for one in session.get_inputs()}
        self._outputs = [one.name for one in session.get_outputs()]

    def place(self, inputs: Inputs) -> PlacedInputs:
        """Contiguous arrays by the names of the file, in its types; positional ones in its order.

        Raises:
            WorkloadError: (unsupported) they are not those that the file takes.
        """
        return placed(inputs, self._dtypes)

    def bind(self, inputs: Inputs) -> Callable[[], object]:
        """A call of the runtime, which returns when all outputs are there; places inputs before.

        On the CPU the runtime reads these arrays where they are, and makes those of the outputs. On
        CUDA inputs are copied to the device here, before any call, and outputs stay there. Other
        providers copy both in each call.
        """
        ready = inputs if isinstance(inputs, PlacedInputs) else self.place(inputs)
        feed = dict(ready.kwargs)
        if self.device.startswith("cuda"):
            return bound(self._session, feed, self.device)
        return partial(self._session.run, None, feed)

    def outputs(self, raw: object) -> object:
        """The only output, or several by their names in the file."""
        arrays = as_arrays(raw)
        assert isinstance(arrays, list)
        return arrays[0] if len(arrays) == 1 else dict(zip(self._outputs, arrays, strict=True))

    def remarks(self, inputs: Inputs) -> Sequence[str]:
        """Which operators run on another provider than the chosen one."""
        del inputs
        return self._remarks

    def non_finite(self, output: object) -> str | None:
        """Look at the arrays of the output, however nested."""
        return non_finite(as_arrays(output))

    def minus_infinite(self, output: object) -> str | None:
        """Look for minus infinity, in the same places."""
        return minus_infinite(as_arrays(output))


class OnnxRuntimeBackend:
    """ONNX Runtime; it runs a file in the types that the file has."""

    accepts = frozenset({Format.ONNX})
    precisions: tuple[str, ...] = ("fp32", "fp16", "int8")
    """The first stands for the file as it is."""
    devices: tuple[str, ...] = tuple(providers.OF_DEVICE)
    options: Mapping[str, BackendOption] = OPTIONS

    def __init__(self) -> None:
        self._threads = 1

    def start(self, *, threads: int) -> None:
        """Import the runtime; its threads belong to the session that `load` makes."""
        import onnxruntime

        onnxruntime.set_default_logger_severity(SILENT)
        self._threads = threads

    def preparation(self, form: Format, variant: Variant) -> Preparation | None:
        """An ONNX file runs as it is in fp32; for fp16 and int8 another is made of it.

        Raises:
            WorkloadError: (unsupported) the runtime does not have the precision.
        """
        from inferometer.backends.onnxruntime.prepare import preparation

        self._check_precision(variant.precision)
        providers.check_precision(dict(variant.options).get("provider", "cpu"), variant.precision)
        return preparation(form, variant)

    def prepare(
        self, model: LoadedModel, variant: Variant, *, samples: Sequence[Inputs], into: Path
    ) -> Artifact:
        """Convert an ONNX file to fp16 or int8.

        Raises:
            WorkloadError: (unsupported) it cannot be, or nothing in it would be computed in int8;
                (bad_model) it is damaged.
        """
        from inferometer.backends.onnxruntime.prepare import prepare

        return prepare(model, variant, samples=samples, into=into, threads=self._threads)

    def load(self, model: LoadedModel, variant: Variant, *, device: str) -> OnnxRuntimeSession:
        """Make a session of a file, with all optimisations of graphs unless told otherwise.

        Whoever gives the file has looked at it: other files with its weights lie in its folder. No
        library of operators is ever loaded.

        Raises:
            WorkloadError: (unsupported) the device, the precision or an option cannot be served,
                or the runtime lacks an operator, a provider or a version of ONNX; (bad_model) no
                file, or a damaged one.
        """
        options, threads = dict(variant.options), self._threads
        provider = providers.chosen_provider(options, device)
        self._check_precision(variant.precision)
        providers.check_precision(provider, variant.precision)
        if not model.files:
            raise WorkloadError("bad_model", "the backend onnxruntime runs files, and got none")
        providers.require(provider)
        settings = session_options(options, threads)
        if provider != "cpu":
            settings.add_session_config_entry(providers.RECORD, "1")
        chain = providers.chain(
            provider, device=device, precision=variant.precision, threads=threads, options=options
        )
        session = opened(model.files[0], settings, chain)
        remarks = () if provider == "cpu" else providers.remarks(session, provider)
        self._threads = session.get_session_options().intra_op_num_threads
        return OnnxRuntimeSession(session, device=device, remarks=remarks)

    def classify(self, error: BaseException) -> FailureKind | None:
        """Out of memory and unsupported inputs, told from errors of the runtime alone."""
        return classify(error)

    def settings(self) -> Mapping[str, Setting]:
        """The threads within an operator: of the session, once there is one."""
        return {"threads": self._threads}

    def setting_changes(self, before: Mapping[str, Setting]) -> list[str]:
        """Nothing: a file has no code that could change them."""
        del before
        return []

    def _check_precision(self, precision: str) -> None:
        """Refuse a precision that the runtime does not have.

        Raises:
            WorkloadError: (unsupported) it is so.
        """
        if precision not in self.precisions:
            raise WorkloadError(
                "unsupported",
                f"the backend onnxruntime has no precision {precision}; it has "
                f"{', '.join(self.precisions)}"
                + (": its CPU kernels compute nothing in bf16" if precision == "bf16" else ""),
            )


def opened(path: str, options: SessionOptions, chain: providers.Chain) -> InferenceSession:
    """A session of a file; where a provider fails, no other one takes its place.

    Raises:
        WorkloadError: as `OnnxRuntimeBackend.load`.
    """
    import onnxruntime

    try:
        return onnxruntime.InferenceSession(path, options, providers=chain, enable_fallback=0)
    except Exception as error:
        raise refused(path, error, onnxruntime.__version__) from error


def _dtype(kind: str) -> str:
    """The type of elements as NumPy names it, of what the runtime calls `tensor(float)`."""
    found = _TENSOR.fullmatch(kind)
    return _DTYPES.get(found[1], found[1]) if found else kind
