"""Run a `torch.nn.Module` eagerly; a call returns only when the device has finished."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from inferometer.backends.finite import minus_infinite, non_finite
from inferometer.backends.tensors import as_numpy, as_tensor
from inferometer.backends.torch.memory import CudaMemory, MpsMemory
from inferometer.core.errors import WorkloadError
from inferometer.core.format import Format
from inferometer.core.model import Inputs, LoadedModel, PlacedInputs
from inferometer.core.nested import is_opaque, mapped
from inferometer.core.protocols import Adopted, Setting
from inferometer.core.record import FailureKind
from inferometer.core.roofline import ProbePlan, Roofline
from inferometer.core.workload import Variant

if TYPE_CHECKING:
    import torch

    from inferometer.backends.torch.gradients import Trial
    from inferometer.backends.torch.profile import TorchProfiler

DTYPES = {"fp32": "float32", "bf16": "bfloat16", "fp16": "float16"}


class TorchSession:
    """A module on a device, in a mode without gradients: no_grad until a trial allows another."""

    def __init__(self, module: torch.nn.Module, *, device: str, dtype: torch.dtype) -> None:
        self.network: Any = module
        self.device = device
        self.dtype = dtype
        self.gradient_mode = "no_grad"
        self._settled = False

    def running(self) -> AbstractContextManager[object]:
        """No gradients; entered once around many calls, so that no call pays for it."""
        import torch

        if self.gradient_mode == "inference_mode":
            return torch.inference_mode()
        return torch.no_grad()

    def gradient_trial(self) -> Trial | None:
        """What chooses the mode in the first calls; None once it is chosen."""
        if self._settled:
            return None
        from inferometer.backends.torch.gradients import Trial

        return Trial(self.network, self.settle_gradient_mode)

    def settle_gradient_mode(self, mode: str) -> None:
        """Take a mode that was chosen."""
        self.gradient_mode, self._settled = mode, True

    def place(self, inputs: Inputs) -> PlacedInputs:
        """Inputs on the device, floating ones in the precision, however nested.

        Raises:
            WorkloadError: (unsupported) they hold an object that cannot be looked into, and the
                model does not run in fp32 on the CPU.
        """
        return self._placed(inputs, self.device)

    def on_host(self, inputs: Inputs) -> Inputs:
        """Inputs in the precision, but in the memory of the processor."""
        return self._placed(inputs, "cpu")

    def bind(self, inputs: Inputs) -> Callable[[], object]:
        """A call that waits for the device; places inputs that were not yet."""
        placed = inputs if isinstance(inputs, PlacedInputs) else self.place(inputs)
        forward = partial(self.network, *placed.args, **placed.kwargs)
        wait = _waiting(self.device)
        if wait is None:
            return forward

        def call() -> object:
            output = forward()
            wait()
            return output

        return call

    def profiler(self, inputs: Inputs) -> TorchProfiler:
        """What profiles calls with these inputs.

        Raises:
            WorkloadError: (unsupported) there is no profiler for this device.
        """
        from inferometer.backends.torch.profile import TorchProfiler

        return TorchProfiler(self.network, self.bind(inputs), device=self.device)

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
                return leaf.to(device, self.dtype if leaf.is_floating_point() else leaf.dtype)
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


class TorchBackend:
    """Eager PyTorch."""

    accepts = frozenset({Format.TORCH_MODULE, Format.TORCHSCRIPT, Format.EXPORTED_PROGRAM})
    precisions: tuple[str, ...] = tuple(DTYPES)
    devices: tuple[str, ...] = ("cpu", "cuda", "mps")

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

    def can_adopt(self, network: object) -> bool:
        """Whether it is a module; none is where torch was not imported."""
        torch = sys.modules.get("torch")
        return torch is not None and isinstance(network, torch.nn.Module)

    def adopt(self, network: torch.nn.Module) -> Adopted:
        """Take a live module as it is, where it is."""
        import torch

        first = next((p for p in network.parameters() if p.is_floating_point()), None)
        dtype = torch.float32 if first is None else first.dtype
        device = "cpu" if first is None else str(first.device)
        names = {getattr(torch, name): precision for precision, name in DTYPES.items()}
        precision = names.get(dtype, str(dtype).removeprefix("torch."))
        return Adopted(TorchSession(network, device=device, dtype=dtype), precision)

    def probe(self, *, device: str, precision: str, threads: int, plan: ProbePlan) -> Roofline:
        """What torch attains on a device, with the threads that it was started with.

        Raises:
            WorkloadError: (unsupported) no such precision, or no such device on this machine;
                (out_of_memory) no room for arrays that no cache holds.
        """
        from inferometer.backends.torch.probe import Probe, fitted

        _check_device(device)
        probe = Probe(device=device, wait=_waiting(device), plan=fitted(plan, device))
        return probe.roofline(precision, _dtype(precision), threads=threads)

    def classify(self, error: BaseException) -> FailureKind | None:
        """Out of memory and unsupported shapes, told from errors of the model's own code."""
        from inferometer.backends.torch.refusals import classify

        return classify(error)

    def settings(self) -> Mapping[str, Setting]:
        """Threads, default types, modes of kernels and the like, as they are now."""
        from inferometer.backends.torch.settings import read

        return read()

    def setting_changes(self, before: Mapping[str, Setting]) -> list[str]:
        """What is other now than it was, in sentences."""
        from inferometer.backends.torch.settings import changes, read

        return changes(before, read())


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
