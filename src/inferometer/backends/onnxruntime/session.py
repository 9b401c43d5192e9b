"""Run an ONNX file with ONNX Runtime's provider for the CPU, and with no other."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import TYPE_CHECKING

from inferometer.backends.arrays import placed
from inferometer.backends.finite import minus_infinite, non_finite
from inferometer.backends.onnxruntime.refusals import classify, refused
from inferometer.core.errors import WorkloadError
from inferometer.core.format import Format
from inferometer.core.model import Inputs, LoadedModel, PlacedInputs
from inferometer.core.protocols import Setting
from inferometer.core.record import FailureKind
from inferometer.core.workload import Variant

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

PROVIDER = "CPUExecutionProvider"
SILENT = 4
"""The level of its log that tells of fatal errors alone: what else is wrong is raised as well."""

_TENSOR = re.compile(r"tensor\((\w+)\)")
_DTYPES = {"float": "float32", "double": "float64"}


class OnnxRuntimeSession:
    """A file that ONNX Runtime has loaded.

    Args:
        session: the loaded session of ONNX Runtime, for the CPU.
    """

    device: str = "cpu"

    def __init__(self, session: InferenceSession) -> None:
        self._session = session
        self._dtypes = {one.name: _dtype(str(one.type)) for one in session.get_inputs()}
        self._outputs = [one.name for one in session.get_outputs()]

    def running(self) -> AbstractContextManager[object]:
        """Nothing has to be entered."""
        return nullcontext()

    def place(self, inputs: Inputs) -> PlacedInputs:
        """Contiguous arrays by the names of the file, in its types; positional ones in its order.

        Raises:
            WorkloadError: (unsupported) they are not those that the file takes.
        """
        return placed(inputs, self._dtypes)

    def bind(self, inputs: Inputs) -> Callable[[], object]:
        """A call of the runtime with arrays in this process's memory; places inputs that were not.

        It returns when all outputs are there.
        """
        ready = inputs if isinstance(inputs, PlacedInputs) else self.place(inputs)
        return partial(self._session.run, None, dict(ready.kwargs))

    def outputs(self, raw: object) -> object:
        """The only output, or several by their names in the file."""
        assert isinstance(raw, list)
        return raw[0] if len(raw) == 1 else dict(zip(self._outputs, raw, strict=True))

    def non_finite(self, output: object) -> str | None:
        """Look at the arrays of the output, however nested."""
        return non_finite(output)

    def minus_infinite(self, output: object) -> str | None:
        """Look for minus infinity, in the same places."""
        return minus_infinite(output)


class OnnxRuntimeBackend:
    """ONNX Runtime on the CPU; it runs a file in the types that the file has."""

    accepts = frozenset({Format.ONNX})
    precisions: tuple[str, ...] = ("fp32",)
    """Stands for the file as it is."""
    devices: tuple[str, ...] = ("cpu",)

    def __init__(self) -> None:
        self._threads = 1

    def start(self, *, threads: int) -> None:
        """Import the runtime; its threads belong to the session that `load` makes."""
        import onnxruntime

        onnxruntime.set_default_logger_severity(SILENT)
        self._threads = threads

    def load(self, model: LoadedModel, variant: Variant, *, device: str) -> OnnxRuntimeSession:
        """Make a session of a file, with all optimisations of graphs that it does by itself.

        Whoever gives the file has looked at it: other files with its weights lie in its folder. No
        library of operators is ever loaded.

        Raises:
            WorkloadError: (unsupported) another device or precision, an operator or a version of
                ONNX that the runtime does not have; (bad_model) no file, or a damaged one.
        """
        if device not in self.devices:
            raise WorkloadError("unsupported", f"the backend onnxruntime runs on cpu, not {device}")
        if variant.precision not in self.precisions:
            raise WorkloadError(
                "unsupported",
                f"the backend onnxruntime does not convert to {variant.precision}: it runs a file "
                "as it is, under the name fp32",
            )
        if not model.files:
            raise WorkloadError("bad_model", "the backend onnxruntime runs files, and got none")
        session = _session(model.files[0], self._threads)
        self._threads = session.get_session_options().intra_op_num_threads
        return OnnxRuntimeSession(session)

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


def _session(path: str, threads: int) -> InferenceSession:
    """A session of one provider and one pool of threads.

    Raises:
        WorkloadError: as `OnnxRuntimeBackend.load`.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = SILENT
    try:
        return onnxruntime.InferenceSession(path, options, providers=[PROVIDER])
    except Exception as error:
        raise refused(path, error, onnxruntime.__version__) from error


def _dtype(kind: str) -> str:
    """The type of elements as NumPy names it, of what the runtime calls `tensor(float)`."""
    found = _TENSOR.fullmatch(kind)
    return _DTYPES.get(found[1], found[1]) if found else kind
