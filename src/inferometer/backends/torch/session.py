"""Run a `torch.nn.Module` eagerly; a call returns only when the device has finished."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from inferometer.backends.torch.memory import CudaMemory, MpsMemory
from inferometer.core.errors import WorkloadError, is_out_of_memory
from inferometer.core.model import Inputs, LoadedModel
from inferometer.core.nested import first_problem
from inferometer.core.record import FailureKind
from inferometer.core.roof import ProbePlan, Roof
from inferometer.core.workload import Variant

if TYPE_CHECKING:
    import torch

    from inferometer.backends.torch.profile import TorchProfiler

DTYPES = {"fp32": "float32", "bf16": "bfloat16", "fp16": "float16"}

SHAPE = re.compile(
    r"shape|size mismatch|sizes? of tensors? must|expected .* (input|channels?|size)"
    r"|output size is too small|kernel size can't be greater|mat1 and mat2"
    r"|doesn't match|more than 1 value per channel|dimension|must match|out of range"
    r"|not implemented for",
    re.IGNORECASE,
)


class TorchSession:
    """A module on a device, in inference mode."""

    def __init__(self, module: torch.nn.Module, *, device: str, dtype: torch.dtype) -> None:
        self.network: Any = module
        self.device = device
        self.dtype = dtype

    def running(self) -> AbstractContextManager[object]:
        """No gradients; entered once around many calls, so that no call pays for it."""
        import torch

        return torch.inference_mode()

    def bind(self, inputs: Inputs) -> Callable[[], Any]:
        """Move inputs to the device, floating ones to the precision, and bind them."""
        args, kwargs = self.placed(inputs)
        forward = partial(self.network, *args, **kwargs)
        wait = _waiting(self.device)
        if wait is None:
            return forward

        def call() -> Any:  # noqa: ANN401 - whatever the model gives
            output = forward()
            wait()
            return output

        return call

    def placed(self, inputs: Inputs) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Arguments as the network gets them: on the device, floating ones in the precision."""
        args = tuple(self._place(value) for value in inputs.args)
        return args, {name: self._place(value) for name, value in inputs.kwargs.items()}

    def profiler(self, inputs: Inputs) -> TorchProfiler:
        """What profiles calls with these inputs.

        Raises:
            WorkloadError: (unsupported) there is no profiler for this device.
        """
        from inferometer.backends.torch.profile import TorchProfiler

        return TorchProfiler(self.network, self.bind(inputs), device=self.device)

    def non_finite(self, output: object) -> str | None:
        """Look at the floating tensors of the output, however nested."""
        return first_problem(output, _problem)

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

    def _place(self, value: Any) -> Any:  # noqa: ANN401 - inputs nest as they like
        import torch

        if isinstance(value, torch.Tensor):
            return value.to(self.device, self.dtype if value.is_floating_point() else value.dtype)
        if isinstance(value, Mapping):
            return {name: self._place(part) for name, part in value.items()}
        if isinstance(value, list | tuple):
            return type(value)(self._place(part) for part in value)
        return value


def _problem(leaf: object) -> str | None:
    import torch

    if not isinstance(leaf, torch.Tensor) or not leaf.is_floating_point() or _is_finite(leaf):
        return None
    bad = leaf.numel() - int(torch.isfinite(leaf).sum())
    return f"{bad} of {leaf.numel()} values are NaN or infinite" if bad else None


def _is_finite(tensor: torch.Tensor) -> bool:
    """Whether all values surely are, told without a copy: the peak of memory is being watched.

    NaN and infinity stay in a sum. That of fp16 might overflow, so there the largest value tells.
    """
    import torch

    if tensor.dtype == torch.float16 and tensor.numel():
        return bool(torch.linalg.vector_norm(tensor, ord=math.inf).isfinite())
    return bool(tensor.sum().isfinite())


class TorchBackend:
    """Eager PyTorch."""

    precisions: tuple[str, ...] = tuple(DTYPES)

    def start(self, *, threads: int) -> None:
        """Import torch and pin its threads: so many inside an operator, one between operators."""
        import torch

        torch.set_num_threads(threads)
        with suppress(RuntimeError):  # can be set once in a process, before anything ran
            torch.set_num_interop_threads(1)

    def load(self, model: LoadedModel, variant: Variant, *, device: str) -> TorchSession:
        """Take a module over, convert it and move it to the device.

        Raises:
            WorkloadError: (unsupported) no such precision, or no such device on this machine;
                (bad_model) not a module.
        """
        import torch

        dtype = _dtype(variant.precision)
        if not isinstance(model.network, torch.nn.Module):
            raise WorkloadError(
                "bad_model",
                f"a {type(model.network).__name__} is not a torch.nn.Module; "
                "any callable can be measured, with run --backends python",
            )
        _check_device(device)
        module = model.network
        floating = (p for p in module.parameters() if p.is_floating_point())
        if any(parameter.dtype != dtype for parameter in floating):
            module = module.to(dtype)
        return TorchSession(module.to(device), device=device, dtype=dtype)

    def adopt(self, module: torch.nn.Module) -> tuple[TorchSession, str]:
        """Take a live module as it is, where it is; gives its session and its precision."""
        import torch

        first = next((p for p in module.parameters() if p.is_floating_point()), None)
        dtype = torch.float32 if first is None else first.dtype
        device = "cpu" if first is None else str(first.device)
        names = {getattr(torch, name): precision for precision, name in DTYPES.items()}
        precision = names.get(dtype, str(dtype).removeprefix("torch."))
        return TorchSession(module, device=device, dtype=dtype), precision

    def probe(self, *, device: str, precision: str, threads: int, plan: ProbePlan) -> Roof:
        """What torch attains on a device, with the threads that it was started with.

        Raises:
            WorkloadError: (unsupported) no such precision, or no such device on this machine;
                (out_of_memory) no room for arrays that no cache holds.
        """
        from inferometer.backends.torch.probe import Probe, fitted

        _check_device(device)
        probe = Probe(device=device, wait=_waiting(device), plan=fitted(plan, device))
        return probe.roof(precision, _dtype(precision), threads=threads)

    def classify(self, error: BaseException) -> FailureKind | None:
        """Out of memory and unsupported shapes, told from other errors by class and message."""
        import torch

        if isinstance(error, torch.OutOfMemoryError) or is_out_of_memory(error):
            return "out_of_memory"
        if isinstance(error, NotImplementedError):
            return "unsupported"
        if isinstance(error, RuntimeError | ValueError | IndexError) and SHAPE.search(str(error)):
            return "unsupported"
        return None


def _dtype(precision: str) -> torch.dtype:
    import torch

    if precision not in DTYPES:
        raise WorkloadError(
            "unsupported", f"torch has no precision {precision} here; it has {', '.join(DTYPES)}"
        )
    dtype: torch.dtype = getattr(torch, DTYPES[precision])
    return dtype


def _waiting(device: str) -> Callable[[], None] | None:
    """What waits for a device; None on the CPU, where a call returns when it is done."""
    import torch

    kind = torch.device(device).type
    if kind == "cuda":
        return partial(torch.cuda.synchronize, torch.device(device))
    return torch.mps.synchronize if kind == "mps" else None


def _check_device(device: str) -> None:
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
