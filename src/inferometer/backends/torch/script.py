"""Run a module as TorchScript: traced or scripted at the first call, in torch's interpreter.

TorchScript is deprecated by torch; it is here because devices run it.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from inferometer.backends.torch.base import (
    DTYPES,
    BaseBackend,
    ModuleSession,
    dtype_of,
    module_of,
)
from inferometer.backends.torch.options import MEMORY_FORMAT, chosen
from inferometer.core.artifact import BackendOption
from inferometer.core.errors import WorkloadError, in_one_line, is_out_of_memory
from inferometer.core.format import Format
from inferometer.core.model import Inputs, LoadedModel
from inferometer.core.nested import mapped
from inferometer.core.workload import Variant

if TYPE_CHECKING:
    import torch

OPTIONS: Mapping[str, BackendOption] = {
    "how": BackendOption(
        values=("trace", "script"),
        usual="trace",
        says="Record one call, or compile the source of the module.",
    ),
    "optimize": BackendOption(
        values=("off", "freeze", "inference"),
        usual="freeze",
        says="Weights become constants (freeze); also layouts of oneDNN (optimize_for_inference).",
    ),
    "memory_format": MEMORY_FORMAT,
}


class TorchScriptSession(ModuleSession):
    """A module that becomes TorchScript at its first call, with the inputs of that.

    Args:
        module: the module in eager mode, or a script.
        options: of the variant, by name.
        device: where it runs.
        dtype: of floating inputs.
    """

    def __init__(
        self,
        module: torch.nn.Module,
        options: Mapping[str, str],
        *,
        device: str,
        dtype: torch.dtype,
    ) -> None:
        super().__init__(
            module,
            forward=self._first_call,
            device=device,
            dtype=dtype,
            channels_last=options["memory_format"] == "channels_last",
        )
        self._options = options
        self._script: torch.jit.ScriptModule | None = None
        self._traced = False
        self._checked: set[str] = set()

    def settle_gradient_mode(self, mode: str) -> None:
        """Nothing: there is one mode."""
        del mode

    def remarks(self, inputs: Inputs) -> Sequence[str]:
        """What a comparison with eager mode shows, on inputs other than those of the trace.

        Raises:
            WorkloadError: (unsupported) the outputs differ: what depends on the values or the
                shape of the inputs was fixed by the trace.
        """
        if not self._traced or inputs.shape in self._checked:
            return ()
        self._checked.add(inputs.shape)
        return self._compared(inputs)

    def _first_call(self, *args: object, **kwargs: object) -> object:
        """Make the script with the inputs of this call, unless that was done; call it."""
        import torch

        if self._script is None:
            module, script = self.network, self.network
            with _quietly():
                if not isinstance(module, torch.jit.ScriptModule):
                    self._traced = self._options["how"] == "trace"
                    script = _traced(module, args, kwargs) if self._traced else _scripted(module)
                self._script = _optimized(script, self._options["optimize"])
            self._forward = self._script  # calls that are bound from now on go there at once
        return self._script(*args, **kwargs)

    def _compared(self, inputs: Inputs) -> tuple[str, ...]:
        from inferometer.backends.torch.gradients import alike, printed

        def output(of: Any, changed: bool) -> Any:  # noqa: ANN401, FBT001 - a module
            placed = self.place(_changed(inputs) if changed else inputs)
            return printed(of(*placed.args, **placed.kwargs))

        with self.running():
            for changed in (False, True):
                wanted = output(self.network, changed)
                if alike(wanted, output(self._script, changed)):
                    continue
                if not alike(wanted, output(self.network, changed)):
                    return (
                        "outputs of the model differ from call to call: the trace is unchecked",
                    )
                raise WorkloadError(
                    "unsupported",
                    "the traced model gives other outputs than the model itself for other inputs: "
                    "the trace has fixed what depends on their values or shape; "
                    "try the option how=script",
                )
        return ()


class TorchScriptBackend(BaseBackend):
    """TorchScript, of a module or of a file."""

    accepts = frozenset({Format.TORCH_MODULE, Format.TORCHSCRIPT})
    precisions: tuple[str, ...] = tuple(DTYPES)
    options = OPTIONS

    def load(self, model: LoadedModel, variant: Variant, *, device: str) -> TorchScriptSession:
        """Take a module over; it is traced or scripted at the first call.

        Raises:
            WorkloadError: (unsupported) no such precision, device or option; (bad_model) not a
                module.
        """
        options = chosen(OPTIONS, variant)
        dtype = dtype_of(variant.precision)
        channels_last = options["memory_format"] == "channels_last"
        module = module_of(model, device=device, dtype=dtype, channels_last=channels_last)
        return TorchScriptSession(module, options, device=device, dtype=dtype)


def _traced(
    module: torch.nn.Module, args: Sequence[object], kwargs: Mapping[str, object]
) -> torch.jit.ScriptModule:
    import torch

    example: dict[str, object] = {"example_inputs": tuple(args)}
    if kwargs:  # the tracer takes either, not both
        named = inspect.signature(module.forward).bind(*args, **kwargs).arguments
        example = {"example_kwarg_inputs": dict(named)}
    try:
        made: torch.jit.ScriptModule = torch.jit.trace(  # type: ignore[no-untyped-call]
            module, **example, strict=False, check_trace=False
        )
    except Exception as error:
        raise _refused("trace", error) from error
    return made


def _scripted(module: torch.nn.Module) -> torch.jit.ScriptModule:
    import torch

    try:
        made: torch.jit.ScriptModule = torch.jit.script(module)
    except Exception as error:
        raise _refused("script", error) from error
    return made


def _optimized(script: torch.jit.ScriptModule, how: str) -> torch.jit.ScriptModule:
    import torch

    if how == "off" or (script.training and how == "freeze"):
        return script
    made: torch.jit.ScriptModule = (
        torch.jit.optimize_for_inference(script.eval())
        if how == "inference"
        else torch.jit.freeze(script)
    )
    return made


def _refused(how: str, error: Exception) -> Exception:
    if is_out_of_memory(error):
        return error
    return WorkloadError(
        "unsupported", f"torch.jit.{how} does not take this model: {in_one_line(error)}"
    )


def _changed(inputs: Inputs) -> Inputs:
    """Inputs of the same shapes with other values: in reverse, floating ones with other signs."""
    import torch

    from inferometer.backends.tensors import as_tensor

    def change(leaf: Any) -> Any:  # noqa: ANN401 - inputs nest as they like
        leaf = as_tensor(leaf)
        if not isinstance(leaf, torch.Tensor):
            return leaf
        turned = leaf.flip(-1) if leaf.dim() else leaf
        return -turned if turned.is_floating_point() else turned

    args, kwargs = mapped((inputs.args, dict(inputs.kwargs)), change)
    return Inputs(**{**vars(inputs), "args": args, "kwargs": kwargs})


@contextmanager
def _quietly() -> Iterator[None]:
    """Without torch's warnings: that TorchScript is deprecated, and what a trace may get wrong.

    What it did get wrong is found by comparison.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
