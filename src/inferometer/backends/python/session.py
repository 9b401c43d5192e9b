"""Call a Python object as it is."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from inferometer.backends.plain import PlainSession
from inferometer.backends.tensors import as_numpy, as_tensor, is_numpy
from inferometer.core.errors import WorkloadError
from inferometer.core.format import Format
from inferometer.core.model import Inputs, LoadedModel, PlacedInputs
from inferometer.core.nested import leaves, mapped
from inferometer.core.protocols import Adopted
from inferometer.core.workload import Variant


class PythonSession(PlainSession):
    """A callable; it must return only when its work is done."""

    def __init__(self, function: Callable[..., object], *, takes_tensors: bool = False) -> None:
        self.function = function
        self._takes_tensors = takes_tensors

    def place(self, inputs: Inputs) -> PlacedInputs:
        """Inputs as they are; for a model of torch, arrays of NumPy become tensors."""
        nested = (inputs.args, dict(inputs.kwargs))
        if not self._takes_tensors or not any(is_numpy(leaf) for _, leaf in leaves(nested)):
            return PlacedInputs(**vars(inputs))
        args, kwargs = mapped(nested, as_tensor)
        return PlacedInputs(**{**vars(inputs), "args": args, "kwargs": kwargs})

    def bind(self, inputs: Inputs) -> Callable[[], object]:
        """Arguments bound to the callable."""
        placed = inputs if isinstance(inputs, PlacedInputs) else self.place(inputs)
        return partial(self.function, *placed.args, **placed.kwargs)

    def outputs(self, raw: object) -> object:
        """Tensors as arrays; anything else as it is."""
        return mapped(raw, as_numpy)


class PythonBackend:
    """Runs a callable in the worker, on the CPU, with whatever precision it has."""

    accepts = frozenset(
        {Format.CALLABLE, Format.TORCH_MODULE, Format.TORCHSCRIPT, Format.EXPORTED_PROGRAM}
    )
    """What model sources make of the others can be called too."""
    precisions: tuple[str, ...] = ("fp32",)
    devices: tuple[str, ...] = ("cpu",)

    def start(self, *, threads: int) -> None:
        """Nothing to import; the worker's environment already holds the number of threads."""
        del threads

    def load(self, model: LoadedModel, variant: Variant, *, device: str) -> PythonSession:
        """Take a callable over.

        Raises:
            WorkloadError: (unsupported) another device or precision; (bad_model) not callable.
        """
        if device not in self.devices:
            raise WorkloadError("unsupported", f"the backend python runs on cpu, not on {device}")
        if variant.precision not in self.precisions:
            raise WorkloadError(
                "unsupported", f"the backend python does not convert to {variant.precision}"
            )
        if not callable(model.network):
            raise WorkloadError("bad_model", f"a {type(model.network).__name__} is not callable")
        takes_tensors = model.format is not Format.CALLABLE
        return PythonSession(model.network, takes_tensors=takes_tensors)

    def can_adopt(self, network: object) -> bool:
        """Whether it can be called."""
        return callable(network)

    def adopt(self, network: Callable[..., object]) -> Adopted:
        """Take a live callable over."""
        return Adopted(PythonSession(network), "fp32")
