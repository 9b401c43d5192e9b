"""What the backends of torch have in common: eager, torch.compile and TorchScript."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from inferometer.backends.finite import minus_infinite, non_finite
from inferometer.backends.tensors import as_numpy, as_tensor
from inferometer.backends.torch.memory import CudaMemory, MpsMemory
from inferometer.core.errors import WorkloadError
from inferometer.core.model import Inputs, LoadedModel, PlacedInputs
from inferometer.core.nested import is_opaque, mapped
from inferometer.core.protocols import Setting
from inferometer.core.record import FailureKind

if TYPE_CHECKING:
    import torch

    from inferometer.backends.torch.gradients import Trial

DTYPES = {"fp32": "float32", "bf16": "bfloat16", "fp16": "float16"}

IMAGE_AXES = 4
"""Tensors with so many axes have a memory format: batch, channels, height, width."""


class BaseSession:
    """A function of tensors on a device, called without gradients.

    Args:
        forward: what is called.
        device: where it runs.
        dtype: of floating inputs.
        channels_last: whether inputs of four axes are laid out so. They are when they are placed,
            which is not timed.
    """

    gradient_mode = "no_grad"

    def __init__(
        self,
        forward: Callable[..., object],
        *,
        device: str,
        dtype: torch.dtype,
        channels_last: bool = False,
    ) -> None:
        self.device = device
        self.dtype = dtype
        self._forward = forward
        self._channels_last = channels_last

    def running(self) -> AbstractContextManager[object]:
        """No gradients; entered once around many calls, so that no call pays for it."""
        import torch

        if self.gradient_mode == "inference_mode":
            return torch.inference_mode()
        return torch.no_grad()

    def gradient_trial(self) -> Trial | None:
        """None: the mode is chosen."""
        return None

    def settle_gradient_mode(self, mode: str) -> None:
        """Take a mode that was chosen."""
        self.gradient_mode = mode

    def place(self, inputs: Inputs) -> PlacedInputs:
        """Inputs on the device, floating ones in the precision, however nested.

        Raises:
            WorkloadError: (unsupported) they hold an object that cannot be looked into, and the
                model does not run in fp32 on the CPU.
        """
        return self._placed(inputs, self.device)

    def bind(self, inputs: Inputs) -> Callable[[], object]:
        """A call that waits for the device; places inputs that were not yet."""
        placed = inputs if isinstance(inputs, PlacedInputs) else self.place(inputs)
        forward = partial(self._forward, *placed.args, **placed.kwargs)
        wait = waiting(self.device)
        if wait is None:
            return forward

        def call() -> object:
            output = forward()
            wait()
            return output

        return call

    def outputs(self, raw: object) -> object:
        """Tensors as arrays in the memory of the processor, bf16 in single precision."""
        return mapped(raw, as_numpy)

    def non_finite(self, output: object) -> str | None:
        """Look at the tensors and numbers of the output, however nested."""
        return non_finite(output)

    def minus_infinite(self, output: object) -> str | None:
        """Look for minus infinity, in the same places."""
        return minus_infinite(output)

    def gpu_uuid(self) -> str | None:
        """Which NVIDIA GPU it runs on, as its driver names it; None on others."""
        import torch

        if torch.device(self.device).type != "cuda":
            return None
        uuid = getattr(torch.cuda.get_device_properties(self.device), "uuid", None)
        return None if uuid is None else str(uuid)

    def device_memory(self) -> CudaMemory | MpsMemory | None:
        """What watches the memory of the accelerator; None on the CPU."""
        import torch

        kind = torch.device(self.device).type
        if kind == "cuda":
            return CudaMemory(torch.cuda, self.device)
        return MpsMemory(torch.mps) if kind == "mps" else None

    def _placed(self, inputs: Inputs, device: str) -> PlacedInputs:
        import torch
        from torch.nn.utils.rnn import PackedSequence

        is_plain = device == "cpu" and self.dtype == torch.float32

        def place(leaf: Any) -> Any:  # noqa: ANN401 - inputs nest as they like
            leaf = as_tensor(leaf)
            if isinstance(leaf, torch.Tensor):
                leaf = leaf.to(device, self.dtype if leaf.is_floating_point() else leaf.dtype)
                if self._channels_last and leaf.dim() == IMAGE_AXES:
                    return leaf.contiguous(memory_format=torch.channels_last)
                return leaf
            if isinstance(leaf, PackedSequence):  # of its parts, the lengths stay on the host
                dtype = self.dtype if leaf.data.is_floating_point() else leaf.data.dtype
                return leaf.to(dtype).to(torch.device(device))  # type: ignore[arg-type]
            if not is_plain and is_opaque(leaf):
                raise WorkloadError(
                    "unsupported",
                    f"the inputs hold a {type(leaf).__name__}, which cannot be looked into: what "
                    f"it holds cannot be brought to {device} and {self.dtype}",
                )
            return leaf

        nested = (inputs.args, dict(inputs.kwargs))
        args, kwargs = mapped(nested, place, whole=lambda one: isinstance(one, PackedSequence))
        return PlacedInputs(**{**vars(inputs), "args": args, "kwargs": kwargs})


class ModuleSession(BaseSession):
    """One whose module can be looked into, to count what a call costs.

    Args:
        network: the module in eager mode, which may be called in another one.
        forward: what is called; None is the module itself.
        device: where it runs.
        dtype: of floating inputs.
        channels_last: as above.
    """

    def __init__(
        self,
        network: torch.nn.Module,
        *,
        device: str,
        dtype: torch.dtype,
        forward: Callable[..., object] | None = None,
        channels_last: bool = False,
    ) -> None:
        called = network if forward is None else forward  # compiled modules have no truth value
        super().__init__(called, device=device, dtype=dtype, channels_last=channels_last)
        self.network: Any = network

    def on_host(self, inputs: Inputs) -> Inputs:
        """Inputs in the precision, but in the memory of the processor."""
        return self._placed(inputs, "cpu")


class BaseBackend:
    """What starts torch, converts modules, and knows its settings and errors."""

    devices: tuple[str, ...] = ("cpu", "cuda", "mps")

    def __init__(self) -> None:
        self._chosen: dict[str, Setting] = {}
        """Settings that an option of the variant asked for: no change by the model's code."""

    def start(self, *, threads: int) -> None:
        """Import torch and pin its threads: so many inside an operator, one between operators."""
        import torch

        torch.set_num_threads(threads)
        with suppress(RuntimeError):  # can be set once in a process, before anything ran
            torch.set_num_interop_threads(1)

    def classify(self, error: BaseException) -> FailureKind | None:
        """Out of memory and unsupported shapes, told from errors of the model's own code."""
        from inferometer.backends.torch.refusals import classify

        return classify(error)

    def settings(self) -> Mapping[str, Setting]:
        """Threads, default types, modes of kernels and the like, as they are now."""
        from inferometer.backends.torch.settings import read

        return read()

    def setting_changes(self, before: Mapping[str, Setting]) -> list[str]:
        """What is other now than it was, or than an option asked for, in sentences."""
        from inferometer.backends.torch.settings import changes, read

        return changes({**before, **self._chosen}, read())


def module_of(
    model: LoadedModel, *, device: str, dtype: torch.dtype, channels_last: bool = False
) -> torch.nn.Module:
    """The module of a model, converted and moved to the device.

    Raises:
        WorkloadError: (unsupported) no such device on this machine; (bad_model) not a module.
    """
    import torch

    if not isinstance(model.network, torch.nn.Module):
        raise WorkloadError(
            "bad_model",
            f"a {type(model.network).__name__} is not a torch.nn.Module; "
            "any callable can be measured, with run --backends python",
        )
    check_device(device)
    module = model.network
    floating = (p for p in module.parameters() if p.is_floating_point())
    if any(parameter.dtype != dtype for parameter in floating):
        module = module.to(dtype)
    module = module.to(device)
    if channels_last:
        module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return module


def dtype_of(precision: str) -> torch.dtype:
    """The type of floating values in a precision.

    Raises:
        WorkloadError: (unsupported) there is none of that name.
    """
    import torch

    if precision not in DTYPES:
        raise WorkloadError(
            "unsupported", f"torch has no precision {precision} here; it has {', '.join(DTYPES)}"
        )
    dtype: torch.dtype = getattr(torch, DTYPES[precision])
    return dtype


def waiting(device: str) -> Callable[[], None] | None:
    """What waits for a device; None on the CPU, where a call returns when it is done."""
    import torch

    kind = torch.device(device).type
    if kind == "cuda":
        return partial(torch.cuda.synchronize, torch.device(device))
    return torch.mps.synchronize if kind == "mps" else None


def check_device(device: str) -> None:
    """Refuse a device that this torch does not find.

    Raises:
        WorkloadError: (unsupported) there is none.
    """
    import torch

    try:
        kind = torch.device(device).type
    except RuntimeError as error:
        raise WorkloadError("unsupported", f"torch knows no device {device!r}") from error
    there: dict[str, Callable[[], bool]] = {
        "cpu": lambda: True,
        "cuda": torch.cuda.is_available,
        "mps": torch.backends.mps.is_available,
    }
    if kind not in there or not there[kind]():
        raise WorkloadError(
            "unsupported", f"this torch {torch.__version__} finds no {kind} device on this machine"
        )
