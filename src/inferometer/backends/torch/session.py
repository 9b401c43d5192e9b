"""Run a `torch.nn.Module` eagerly; a call returns only when the device has finished."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from inferometer.backends.torch.base import (
    DTYPES,
    BaseBackend,
    BaseSession,
    ModuleSession,
    check_device,
    dtype_of,
    module_of,
    waiting,
)
from inferometer.backends.torch.graphs import GraphCalls
from inferometer.backends.torch.options import EAGER, apply, check_fit, chosen
from inferometer.core.format import Format
from inferometer.core.model import Inputs, LoadedModel, PlacedInputs
from inferometer.core.protocols import Adopted
from inferometer.core.roofline import ProbePlan, Roofline
from inferometer.core.workload import Variant

if TYPE_CHECKING:
    import torch

    from inferometer.backends.torch.gradients import Trial
    from inferometer.backends.torch.profile import TorchProfiler


class TorchSession(ModuleSession):
    """A module on a device, in a mode without gradients: no_grad until a trial allows another."""

    _settled = False
    _graphs: GraphCalls | None = None

    def gradient_trial(self) -> Trial | None:
        """What chooses the mode in the first calls; None once it is chosen."""
        if self._settled:
            return None
        from inferometer.backends.torch.gradients import Trial

        return Trial(self.network, self.settle_gradient_mode)

    def settle_gradient_mode(self, mode: str) -> None:
        """Take a mode that was chosen."""
        super().settle_gradient_mode(mode)
        self._settled = True

    def cast_in_calls(self, dtype: torch.dtype) -> None:
        """Compute under autocast from now on, which each call enters, as users' code does."""
        import torch

        self._forward = torch.autocast(torch.device(self.device).type, dtype)(self._forward)

    def replay_graphs(self) -> None:
        """Replay CUDA graphs from now on."""
        self._graphs = GraphCalls(self.device, self.running)

    def bind(self, inputs: Inputs) -> Callable[[], object]:
        """A call that waits for the device; places inputs that were not yet."""
        if self._graphs is None:
            return super().bind(inputs)
        placed = inputs if isinstance(inputs, PlacedInputs) else self.place(inputs)
        return self._graphs.call(placed, partial(self._forward, *placed.args, **placed.kwargs))

    def profiler(self, inputs: Inputs) -> TorchProfiler:
        """What profiles calls with these inputs.

        Raises:
            WorkloadError: (unsupported) there is no profiler for this device.
        """
        from inferometer.backends.torch.profile import TorchProfiler

        return TorchProfiler(self.network, self.bind(inputs), device=self.device)


class Int8Session(BaseSession):
    """A module some of whose layers were quantised: its weights are no plain tensors any more.

    Attributes:
        note: which layers were.
    """

    note = ""

    def remarks(self, inputs: Inputs) -> Sequence[str]:
        """Which layers run in int8."""
        del inputs
        return (self.note,)


class TorchBackend(BaseBackend):
    """Eager PyTorch."""

    accepts = frozenset({Format.TORCH_MODULE, Format.TORCHSCRIPT, Format.EXPORTED_PROGRAM})
    precisions: tuple[str, ...] = (*DTYPES, "int8")
    options = EAGER

    def profiles(self, variant: Variant) -> bool:
        """Whether what runs is a module as it is; an int8 one is not."""
        return variant.precision != "int8"

    def load(self, model: LoadedModel, variant: Variant, *, device: str) -> BaseSession:
        """Take a module over, convert it and move it to the device.

        Raises:
            WorkloadError: (unsupported) no such precision, no such device on this machine, or an
                option that does nothing there; (bad_model) not a module.
        """
        options = chosen(EAGER, variant)
        is_int8, casts = variant.precision == "int8", options["autocast"] == "on"
        computed = dtype_of("fp32" if is_int8 else variant.precision)
        check_fit(variant, device=device)
        dtype = dtype_of("fp32") if casts else computed
        channels_last = options["memory_format"] == "channels_last"
        module = module_of(model, device=device, dtype=dtype, channels_last=channels_last)
        if variant.options:
            self._set(options)
        if is_int8:
            from inferometer.backends.torch.eager_int8 import quantise

            note = quantise(module, weights_only=options["quantization"] == "weights")
            quantised = Int8Session(module, device=device, dtype=dtype, channels_last=channels_last)
            quantised.note = note
            return quantised
        session = TorchSession(module, device=device, dtype=dtype, channels_last=channels_last)
        if casts:
            session.cast_in_calls(computed)
        if options["cuda_graphs"] == "on":
            session.replay_graphs()
        return session

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

        check_device(device)
        probe = Probe(device=device, wait=waiting(device), plan=fitted(plan, device))
        return probe.roofline(precision, dtype_of(precision), threads=threads)

    def _set(self, options: dict[str, str]) -> None:
        """Apply options that hold for the process, and take down what they changed."""
        before = self.settings()
        apply(options)
        after = self.settings()
        self._chosen = {name: after[name] for name in after if before.get(name) != after[name]}
