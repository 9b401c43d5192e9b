"""Run a module through torch.compile: Inductor's kernels, compiled at the first call of a shape.

Inductor keeps what it compiled in the user's own cache (TORCHINDUCTOR_CACHE_DIR), and finds it
there in a later process: first calls and cold starts are those of a warm cache from then on.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from inferometer.backends.torch.base import (
    DTYPES,
    BaseBackend,
    ModuleSession,
    check_device,
    dtype_of,
    module_of,
)
from inferometer.backends.torch.options import MEMORY_FORMAT, ON_OFF, chosen
from inferometer.core.artifact import Artifact, BackendOption, Preparation
from inferometer.core.errors import WorkloadError
from inferometer.core.format import Format
from inferometer.core.model import Inputs, LoadedModel
from inferometer.core.record import FailureKind
from inferometer.core.workload import Variant

if TYPE_CHECKING:
    import torch

MOST_SHAPES = 10_000
"""Compilations of one function, after which torch would give up: a sweep has as many shapes."""

OPTIONS: Mapping[str, BackendOption] = {
    "mode": BackendOption(
        values=("default", "reduce-overhead", "max-autotune", "max-autotune-no-cudagraphs"),
        usual="default",
        says="What Inductor tries; reduce-overhead (CUDA graphs) is as default on the CPU.",
    ),
    "dynamic": BackendOption(
        values=("false", "true"),
        usual="false",
        says="One compilation for each shape, or kernels for any shape.",
    ),
    "freezing": BackendOption(
        values=ON_OFF,
        usual="off",
        says="Weights become constants, laid out for the processor; int8 always has it.",
    ),
    "memory_format": MEMORY_FORMAT,
    "quantization": BackendOption(
        values=("static", "dynamic"),
        usual="static",
        says="For int8: ranges of activations from calibration samples, or found in each call.",
    ),
}


class CompiledSession(ModuleSession):
    """A module that is compiled at the first call of each shape; later calls run what came out.

    Its calls are under no_grad: another mode would be compiled once more.
    """

    def __init__(
        self,
        module: torch.nn.Module,
        forward: Callable[..., object],
        *,
        device: str,
        dtype: torch.dtype,
        channels_last: bool,
        freezing: bool,
    ) -> None:
        super().__init__(
            module, forward=forward, device=device, dtype=dtype, channels_last=channels_last
        )
        from inferometer.backends.torch.compilation import Compilation

        self._freezing = freezing
        self._compilation = Compilation(module)

    def settle_gradient_mode(self, mode: str) -> None:
        """Nothing: there is one mode."""
        del mode

    def running(self) -> AbstractContextManager[object]:
        """No gradients, and freezing, which holds for whatever is compiled meanwhile."""
        return self._running()

    @contextmanager
    def _running(self) -> Iterator[None]:
        from torch._inductor import config

        with super().running(), config.patch(freezing=self._freezing):
            yield

    def remarks(self, inputs: Inputs) -> Sequence[str]:
        """What was not compiled, and what was compiled more than once."""
        return self._compilation.remarks(inputs.shape)


class TorchCompileBackend(BaseBackend):
    """torch.compile with Inductor."""

    accepts = frozenset({Format.TORCH_MODULE, Format.EXPORTED_PROGRAM})
    precisions: tuple[str, ...] = (*DTYPES, "int8")
    options = OPTIONS

    def start(self, *, threads: int) -> None:
        """Import torch with its compiler; what it cannot compile is an error, never eager mode."""
        super().start(threads=threads)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the compiler, about torch's own names
            import torch._inductor.compile_fx  # noqa: F401 - else the first call does
            from torch._dynamo import config

        config.suppress_errors = False
        config.recompile_limit = config.accumulated_recompile_limit = MOST_SHAPES
        config.fail_on_recompile_limit_hit = True

    def preparation(self, form: Format, variant: Variant) -> Preparation | None:
        """Int8 is made of an exported program; other precisions are compiled as they are.

        Raises:
            WorkloadError: (unsupported) an option does not fit.
        """
        options = chosen(OPTIONS, variant)
        given = dict(variant.options)
        if variant.precision != "int8":
            if "quantization" in given:
                raise WorkloadError(
                    "unsupported",
                    f"the option quantization is for int8, not for {variant.precision}",
                )
            return None
        if form not in (*self.accepts, Format.TORCHSCRIPT):
            raise WorkloadError("unsupported", f"torch-compile does not read {form.value}")
        if given.get("freezing") == "off":
            raise WorkloadError("unsupported", "int8 needs freezing: leave out freezing=off")
        return Preparation(
            wants=Format.EXPORTED_PROGRAM,
            calibrates=options["quantization"] == "static",
            tools=("torch", "torchao"),
        )

    def prepare(
        self, model: LoadedModel, variant: Variant, *, samples: Sequence[Inputs], into: Path
    ) -> Artifact:
        """Quantise an exported program with torchao, for Inductor's int8 kernels.

        Raises:
            WorkloadError: (unsupported) no torchao, another processor, or nothing to quantise.
        """
        from inferometer.backends.torch.static_int8 import quantised

        dynamic = chosen(OPTIONS, variant)["quantization"] == "dynamic"
        return quantised(model.files[0], samples, dynamic=dynamic, into=into)

    def load(self, model: LoadedModel, variant: Variant, *, device: str) -> CompiledSession:
        """Take a module over; it is compiled at the first call, not here.

        Raises:
            WorkloadError: (unsupported) no such precision, device or option, or no compiler;
                (bad_model) not a module.
        """
        options = chosen(OPTIONS, variant)
        is_int8 = variant.precision == "int8"
        dtype = dtype_of("fp32" if is_int8 else variant.precision)
        check_device(device)
        _check_compiler(device)
        channels_last = options["memory_format"] == "channels_last"
        if is_int8:
            from inferometer.backends.torch.static_int8 import loaded

            module = loaded(model, device=device)
        else:
            module = module_of(model, device=device, dtype=dtype, channels_last=channels_last)
        return CompiledSession(
            module,
            _compiled(module, mode=options["mode"], dynamic=options["dynamic"] == "true"),
            device=device,
            dtype=dtype,
            channels_last=channels_last,
            freezing=is_int8 or options["freezing"] == "on",
        )

    def classify(self, error: BaseException) -> FailureKind | None:
        """As eager torch; what the compiler does not take is unsupported."""
        from inferometer.backends.torch.compilation import is_refusal

        return super().classify(error) or ("unsupported" if is_refusal(error) else None)


def _compiled(module: torch.nn.Module, *, mode: str, dynamic: bool) -> Callable[..., object]:
    import torch

    torch.compiler.reset()  # what is there of another module of its class would serve this one too
    return torch.compile(module, mode=mode, dynamic=dynamic)


def _check_compiler(device: str) -> None:
    """Refuse what would fail at the first call, or run eagerly.

    Raises:
        WorkloadError: (unsupported) there is no compiler for the device, or it is switched off.
    """
    from torch._dynamo import config
    from torch._inductor.cpp_builder import get_cpp_compiler
    from torch._inductor.exc import InvalidCxxCompiler
    from torch.utils._triton import has_triton

    if config.disable:
        raise WorkloadError(
            "unsupported", "torch.compile is switched off by TORCH_COMPILE_DISABLE: unset it"
        )
    if device.startswith("cuda") and not has_triton():
        raise WorkloadError(
            "unsupported", "torch.compile needs Triton for this GPU: run pip install triton"
        )
    if device == "cpu":
        try:
            get_cpp_compiler()
        except (InvalidCxxCompiler, RuntimeError) as error:
            raise WorkloadError(
                "unsupported",
                "torch.compile needs a C++ compiler, and none works here: install g++ "
                "(apt install g++), or name one in CXX",
            ) from error
