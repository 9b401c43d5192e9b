"""A file of MNN as its runtime loads it.

Through `Interpreter`: the other interface of the runtime, `nn.load_module_from_file`, takes as
long, and gave other outputs in each call of files in int8, up to infinity (3.6.1, x86).
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inferometer.backends.mnn.options import WINOGRAD_HINT, Config
from inferometer.core.errors import WorkloadError
from inferometer.core.shown import shown

if TYPE_CHECKING:
    from MNN import Tensor
    from numpy.typing import NDArray

_DTYPES = {
    "Halide_Type_Float": "float32",
    "Halide_Type_Double": "float64",
    "Halide_Type_Int": "int32",
    "Halide_Type_Int64": "int64",
    "Halide_Type_Uint8": "uint8",
}
"""Names of types as the runtime has them, and as NumPy does."""

RESIZED, THREADS = 3, 4
"""Numbers of what a session tells: 0 where shapes were taken; its threads."""

Shapes = tuple[tuple[int, ...], ...]


class Network:
    """A file, and the one session of it.

    Args:
        path: of the file.
        config: of the session.
        winograd: how large blocks of Winograd's method may be.

    Attributes:
        dtypes: the type of each input's elements, as NumPy names it, in the order of the file.
        outputs: names of the outputs, in the order of the file.
        threads: those of the session.

    Raises:
        WorkloadError: (bad_model) it is damaged, or no such file.
    """

    def __init__(self, path: str, config: Config | None = None, *, winograd: int = 3) -> None:
        import MNN

        try:
            self.interpreter: Any = MNN.Interpreter(path)
        except Exception as error:
            raise WorkloadError(
                "bad_model", f"{shown(Path(path).name)} does not load in MNN {MNN.version()}"
            ) from error
        self.interpreter.setSessionHint(WINOGRAD_HINT, winograd)
        self.session: Any = self.interpreter.createSession(
            dict(config or {"backend": "CPU", "numThread": 1})
        )
        found = self.interpreter.getSessionInputAll(self.session)
        self._inputs: dict[str, Any] = {
            name: found[name] for name in _in_order(path, list(found), "inputNames")
        }
        self.outputs = _in_order(path, list(self._outputs()), "outputNames")
        self.dtypes = {name: dtype(tensor) for name, tensor in self._inputs.items()}
        self.threads = self._told(THREADS)
        self._shapes: Shapes | None = None

    def fit(self, feed: Mapping[str, NDArray[Any]]) -> None:
        """Make plans and arrays for the shapes of inputs, unless they are those of the last time.

        Raises:
            WorkloadError: (unsupported) it does not take them.
        """
        shapes = tuple(feed[name].shape for name in self._inputs)
        if shapes == self._shapes:
            return
        self._shapes = None
        for tensor, shape in zip(self._inputs.values(), shapes, strict=True):
            self.interpreter.resizeTensor(tensor, shape)
        self.interpreter.resizeSession(self.session)
        if self._told(RESIZED):
            told = ", ".join("x".join(map(str, shape)) for shape in shapes)
            raise WorkloadError("unsupported", f"MNN does not take inputs of {told} here")
        self._shapes = shapes

    def host(self, name: str, array: NDArray[Any]) -> Tensor:
        """An array as the runtime copies an input from it."""
        import MNN

        tensor = self._inputs[name]
        return MNN.Tensor(array.shape, tensor.getDataType(), array, tensor.getDimensionType())

    def write(self, hosts: Mapping[str, Tensor]) -> None:
        """Copy inputs into the arrays of the session."""
        for name, host in hosts.items():
            self._inputs[name].copyFrom(host)

    def run(self) -> list[NDArray[Any]]:
        """Compute, and copy outputs out of the arrays of the session.

        Raises:
            WorkloadError: (unsupported) it fails.
        """
        code = self.interpreter.runSession(self.session)
        if code:
            raise WorkloadError("unsupported", f"MNN does not compute it: status {code}")
        found = self._outputs()
        return [_copied(found[name]) for name in self.outputs]

    def _outputs(self) -> dict[str, Any]:
        found: dict[str, Any] = self.interpreter.getSessionOutputAll(self.session)
        return found

    def _told(self, number: int) -> int:
        """A whole number that the session tells, which the binding takes for a float."""
        told = self.interpreter.getSessionInfo(self.session, number)
        return int.from_bytes(struct.pack("<f", told), "little")


def dtype(tensor: Tensor) -> str:
    """The type of a tensor's elements, as NumPy names it."""
    import MNN

    kind = tensor.getDataType()
    return next((its for name, its in _DTYPES.items() if getattr(MNN, name) == kind), "string")


def _in_order(path: str, names: list[str], which: str) -> list[str]:
    """Names of inputs or outputs in the order of the file; a session has them by the alphabet."""
    if len(names) < 2:  # noqa: PLR2004 - nothing to order
        return names
    import MNN

    found: list[str] = MNN.nn.load_module_from_file(path, [], []).get_info()[which]
    return found if sorted(found) == sorted(names) else names


def _copied(tensor: Tensor) -> NDArray[Any]:
    """A copy of an output, with the axes that the model has: the runtime has channels in blocks."""
    import MNN
    import numpy as np

    shape, kind = tensor.getShape(), tensor.getDataType()
    order = tensor.getDimensionType()
    if order == MNN.Tensor_DimensionType_Caffe_C4:
        order = MNN.Tensor_DimensionType_Caffe
    host = MNN.Tensor(shape, kind, np.empty(shape, dtype(tensor)), order)
    tensor.copyToHostTensor(host)
    return np.array(host.getNumpyData())
