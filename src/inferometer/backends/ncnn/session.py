"""Run files of ncnn on the CPU."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inferometer.backends.arrays import placed
from inferometer.backends.ncnn.layout import Layout, Port, read_layout
from inferometer.backends.ncnn.network import NO_MEMORY, check_int8, load_net, names_alone
from inferometer.backends.ncnn.options import OPTIONS, PRECISIONS, check_precision
from inferometer.backends.ncnn.param import read_param
from inferometer.backends.plain import PlainSession
from inferometer.core.artifact import Artifact, BackendOption, Preparation
from inferometer.core.errors import WorkloadError, is_out_of_memory
from inferometer.core.format import Format
from inferometer.core.model import Inputs, LoadedModel, PlacedInputs
from inferometer.core.protocols import Setting
from inferometer.core.record import FailureKind
from inferometer.core.shown import shown
from inferometer.core.workload import Variant

if TYPE_CHECKING:
    from ncnn import Extractor, Mat, Net
    from numpy.typing import NDArray

NO_BATCH = 233
"""The axis that stands for none."""

PICTURES = 4
"""Axes of an input, in a file of which nothing more is known, whose first one is the batch."""

Feed = list[tuple[str, "NDArray[Any]", int]]
"""Blob, array and batch axis of each input of a call of the runtime."""


class NcnnSession(PlainSession):
    """A network that ncnn has loaded.

    Args:
        net: the network.
        layout: what is known of its inputs and outputs.
    """

    def __init__(self, net: Net, layout: Layout) -> None:
        self._net = net
        self._layout = layout
        self._takes = frozenset(net.input_names())

    def place(self, inputs: Inputs) -> PlacedInputs:
        """Contiguous arrays by the names of the model; positional ones in its order.

        Raises:
            WorkloadError: (unsupported) they are not those that the model takes. Layers of the
                runtime do not look: they read beyond an array that has too few channels.
        """
        known = {port.name: port.dtype for port in self._layout.inputs}
        given = dict(zip(known, inputs.args, strict=False)) | dict(inputs.kwargs)
        dtypes = {name: dtype or _dtype(given.get(name)) for name, dtype in known.items()}
        found = placed(inputs, dtypes)
        for port in self._layout.inputs:
            _check_shape(port, found.kwargs[port.name])
        return found

    def bind(self, inputs: Inputs) -> Callable[[], object]:
        """A call with arrays in this process's memory; places inputs that were not yet.

        Each call copies inputs into arrays of the runtime, and outputs out of them: it aligns
        channels. Where the layout says so, the samples of a batch run one by one in the call.
        """
        ready = inputs if isinstance(inputs, PlacedInputs) else self.place(inputs)
        feeds = self._feeds(ready)
        if len(feeds) == 1:
            return lambda: self._run(feeds[0])
        return lambda: _joined([self._run(feed) for feed in feeds])

    def outputs(self, raw: object) -> object:
        """The only output, or several by their names."""
        assert isinstance(raw, list)
        names = [port.name for port in self._layout.outputs]
        return raw[0] if len(raw) == 1 else dict(zip(names, raw, strict=True))

    def _feeds(self, inputs: PlacedInputs) -> list[Feed]:
        """What the calls of the runtime take: one call, or one for each sample."""
        arrays: list[tuple[Port, NDArray[Any]]] = [
            (port, inputs.kwargs[port.name])
            for port in self._layout.inputs
            if port.blob in self._takes
        ]
        loops = self._layout.loops
        samples = max(len(array) for port, array in arrays if _is_open(port)) if loops else 1
        return [
            [
                (
                    port.blob,
                    array[n : n + 1] if loops and _is_open(port) else array,
                    _axis(port, array),
                )
                for port, array in arrays
            ]
            for n in range(samples)
        ]

    def _run(self, feed: Feed) -> list[NDArray[Any]]:
        extractor = self._net.create_extractor()
        has_batch = False
        for blob, array, axis in feed:
            has_batch = has_batch or axis != NO_BATCH
            _check(extractor.input(blob, _mat(array, axis)), blob)
        return [self._extracted(extractor, one, has_batch) for one in self._layout.outputs]

    def _extracted(self, extractor: Extractor, port: Port, has_batch: bool) -> NDArray[Any]:  # noqa: FBT001 - of the call
        import numpy as np

        code, found = extractor.extract(port.blob)
        _check(code, port.name)
        if has_batch if port.has_batch is None else port.has_batch:
            copied: NDArray[Any] = found.numpy(batch_index=0)
            return copied
        return np.array(found.numpy())


class NcnnBackend:
    """ncnn on the CPU; where it is told nothing, in fp32, which is not its own choice."""

    accepts = frozenset({Format.NCNN})
    precisions: tuple[str, ...] = PRECISIONS
    devices: tuple[str, ...] = ("cpu",)
    options: Mapping[str, BackendOption] = OPTIONS

    def __init__(self) -> None:
        self._threads = 1

    def start(self, *, threads: int) -> None:
        """Import the runtime; its threads belong to the networks that it loads."""
        import ncnn  # noqa: F401 - as said

        self._threads = threads

    def preparation(self, form: Format, variant: Variant) -> Preparation | None:
        """A file of the runtime runs as it is; pnnx makes one of an ONNX file.

        Raises:
            WorkloadError: (unsupported) the precision cannot be served.
        """
        from inferometer.backends.ncnn.prepare import preparation

        return preparation(form, variant)

    def prepare(
        self, model: LoadedModel, variant: Variant, *, samples: Sequence[Inputs], into: Path
    ) -> Artifact:
        """Convert an ONNX file, the same for all precisions.

        Raises:
            WorkloadError: (unsupported) it cannot be; (bad_model) it is damaged.
        """
        from inferometer.backends.ncnn.prepare import prepare

        del variant, samples
        return prepare(model, into=into)

    def load(self, model: LoadedModel, variant: Variant, *, device: str) -> NcnnSession:
        """Load a network and its weights.

        Raises:
            WorkloadError: (unsupported) the device or the precision cannot be served, or the
                runtime lacks a layer; (bad_model) no file, or a damaged one.
        """
        if device not in self.devices:
            raise WorkloadError("unsupported", f"the backend ncnn runs on cpu, not {device}")
        check_precision(variant.precision)
        weights = next((one for one in model.files if one.endswith(".bin")), None)
        if not model.files or weights is None:
            raise WorkloadError(
                "bad_model", "the backend ncnn runs a file .param with a file .bin, and got none"
            )
        layers = read_param(Path(model.files[0]))
        check_int8(layers, variant.precision)
        net = load_net(model.files[0], weights, layers, variant, self._threads)
        return NcnnSession(net, read_layout(model.files) or names_alone(net))

    def classify(self, error: BaseException) -> FailureKind | None:
        """Out of memory; the runtime raises nothing else."""
        return "out_of_memory" if is_out_of_memory(error) else None

    def settings(self) -> Mapping[str, Setting]:
        """The threads that each layer is told to use."""
        return {"threads": self._threads}

    def setting_changes(self, before: Mapping[str, Setting]) -> list[str]:
        """Nothing: a file has no code that could change them."""
        del before
        return []


def _dtype(value: object) -> str:
    """The type in which a value is given to a file that says nothing."""
    import numpy as np

    from inferometer.backends.tensors import as_numpy

    return "float32" if np.asarray(as_numpy(value)).dtype.kind == "f" else "int32"


def _check_shape(port: Port, array: NDArray[Any]) -> None:
    if port.shape is None:
        return
    fits = len(port.shape) == array.ndim and all(
        wanted in (None, axis) for wanted, axis in zip(port.shape, array.shape, strict=True)
    )
    if not fits:
        wanted = "x".join("?" if axis is None else str(axis) for axis in port.shape)
        raise WorkloadError(
            "unsupported",
            f"input {shown(port.name)} takes {wanted}, and was given "
            f"{'x'.join(map(str, array.shape))}",
        )


def _is_open(port: Port) -> bool:
    """Whether the first axis may have any length, as that of a batch."""
    return port.shape is not None and port.shape[:1] == (None,)


def _axis(port: Port, array: NDArray[Any]) -> int:
    has_batch = array.ndim >= PICTURES if port.has_batch is None else port.has_batch
    return 0 if has_batch else NO_BATCH


def _mat(array: NDArray[Any], axis: int) -> Mat:
    """An array of the runtime, with channels aligned: a copy."""
    import ncnn

    made = ncnn.Mat(array, axis)
    return made if axis == 0 else made.clone()


def _joined(parts: list[list[NDArray[Any]]]) -> list[NDArray[Any]]:
    import numpy as np

    return [np.concatenate(one) for one in zip(*parts, strict=True)]


def _check(code: int, name: str) -> None:
    """See that the runtime did what it was told.

    Raises:
        WorkloadError: it did not.
    """
    if code:
        what = "no memory, or nothing left of an array" if code == NO_MEMORY else f"status {code}"
        raise WorkloadError("unsupported", f"ncnn does not compute {shown(name)}: {what}")
