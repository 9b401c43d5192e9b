"""Quantise an exported program for Inductor: torchao's PT2E with its quantiser for x86."""

from __future__ import annotations

import operator
import platform
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from inferometer.backends.tensors import as_tensor
from inferometer.backends.torch.compilation import (
    WITH_WEIGHTS,
    is_quantised,
    operator_of,
)
from inferometer.backends.torch.eager_int8 import check_torchao
from inferometer.core.artifact import Artifact
from inferometer.core.errors import WorkloadError, in_one_line, is_out_of_memory
from inferometer.core.format import Format
from inferometer.core.model import Inputs, LoadedModel
from inferometer.core.nested import mapped

SOURCES: dict[str, object] = {
    "conv1d": torch.nn.Conv1d,
    "conv2d": torch.nn.Conv2d,
    "linear": torch.nn.Linear,
    "relu": torch.nn.ReLU,
    "relu_": torch.nn.ReLU,
    "hardtanh": torch.nn.Hardtanh,
    "hardtanh_": torch.nn.Hardtanh,
    "hardswish": torch.nn.Hardswish,
    "hardswish_": torch.nn.Hardswish,
    "silu": torch.nn.SiLU,
    "silu_": torch.nn.SiLU,
    "leaky_relu": torch.nn.LeakyReLU,
    "leaky_relu_": torch.nn.LeakyReLU,
    "tanh": torch.nn.Tanh,
    "gelu": torch.nn.GELU,
    "add": operator.add,
    "add_": operator.add,
}
"""Operator of a program → what the quantiser takes it to come from."""

X86 = ("x86_64", "AMD64")


def quantised(path: str, samples: Sequence[Inputs], *, dynamic: bool, into: Path) -> Artifact:
    """An exported program with int8 weights and activations, as another exported program.

    Args:
        path: of the program.
        samples: for calibration; none are needed where ranges are found in each call.
        dynamic: whether they are, which torchao has for linear layers alone.
        into: folder for the file.

    Raises:
        WorkloadError: (unsupported) no torchao, another processor, an operator that it does not
            take, or nothing to quantise.
    """
    check_torchao("int8 with torch-compile")
    if platform.machine() not in X86:
        raise WorkloadError(
            "unsupported",
            f"torch-compile quantises for x86 processors alone, and this is a {platform.machine()}",
        )
    program = torch.export.load(path)
    try:
        with _quietly(), torch.no_grad():
            module = _converted(program.module(), samples, program, dynamic=dynamic)
            notes = _notes(module)
            made = _exported(module, program)
    except Exception as error:
        if isinstance(error, WorkloadError) or is_out_of_memory(error):
            raise
        raise WorkloadError(
            "unsupported", f"torchao does not quantise this model: {in_one_line(error)}"
        ) from error
    file = into / "model.pt2"
    torch.export.save(made, file)
    return Artifact(format=Format.EXPORTED_PROGRAM, files=(str(file),), notes=notes)


def loaded(model: LoadedModel, *, device: str) -> torch.nn.Module:
    """The module of a quantised program.

    Raises:
        WorkloadError: (unsupported) the device is not the CPU, or nothing was prepared.
    """
    if device != "cpu":
        raise WorkloadError(
            "unsupported", f"torch-compile runs int8 on the CPU alone, not on {device}"
        )
    if model.network is not None or not model.files:
        raise WorkloadError(
            "unsupported", "torch-compile runs int8 from what it prepared, and got a module"
        )
    check_torchao("int8 with torch-compile")
    with _quietly():
        import torchao.quantization.pt2e.quantize_pt2e  # noqa: F401 - its operators are in the file

        return torch.export.load(model.files[0]).module()


def _converted(
    module: torch.fx.GraphModule,
    samples: Sequence[Inputs],
    program: torch.export.ExportedProgram,
    *,
    dynamic: bool,
) -> torch.fx.GraphModule:
    from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e
    from torchao.quantization.pt2e.quantizer.x86_inductor_quantizer import (
        X86InductorQuantizer,
        get_default_x86_inductor_quantization_config,
    )

    config = get_default_x86_inductor_quantization_config(
        is_dynamic=dynamic, reduce_range=not has_vnni()
    )
    quantiser = X86InductorQuantizer()
    if dynamic:  # Inductor has kernels that find ranges in each call for linear layers alone
        quantiser.set_module_type_qconfig(torch.nn.Linear, config)
    else:
        quantiser.set_global(config)
    _name_sources(module)
    observed = prepare_pt2e(module, quantiser)
    for sample in samples:
        args, kwargs = mapped((sample.args, dict(sample.kwargs)), as_tensor)
        observed(*args, **kwargs)
    if not samples:
        args, kwargs = program.example_inputs or ((), {})
        observed(*args, **kwargs)
    converted: torch.fx.GraphModule = convert_pt2e(observed)
    return converted


def _name_sources(module: torch.fx.GraphModule) -> None:
    """Say of each operator where it comes from, and that it is one of its own.

    The quantiser joins operators of one module to a pattern; of a module that is called twice (the
    ReLU in a block of ResNet) it would see one operator with two outputs, and fail.
    """
    for node in module.graph.nodes:
        source = SOURCES.get(operator_of(node))
        is_sum = source is operator.add
        if source is not None and not (is_sum and not _adds_tensors(node)):
            node.meta["source_fn_stack"] = [(node.name, source)]


def _adds_tensors(node: torch.fx.Node) -> bool:
    return all(isinstance(one, torch.fx.Node) for one in node.args[:2])


def _notes(module: torch.fx.GraphModule) -> tuple[str, ...]:
    """What stays in fp32.

    Raises:
        WorkloadError: (unsupported) everything does.
    """
    nodes = [node for node in module.graph.nodes if operator_of(node) in WITH_WEIGHTS]
    left = [operator_of(node) for node in nodes if not is_quantised(node)]
    if len(left) == len(nodes):
        raise WorkloadError(
            "unsupported",
            f"torchao's quantiser for x86 leaves all of this model in fp32 ({len(nodes)} "
            "convolutions and linear layers)",
        )
    notes = []
    if left:
        kinds = ", ".join(dict.fromkeys(left))
        notes.append(
            f"{len(left)} of {len(nodes)} convolutions and linear layers stay in fp32: {kinds}"
        )
    if not has_vnni():
        notes.append("without VNNI on this processor, activations have 7 bits in place of 8")
    return tuple(notes)


def has_vnni() -> bool:
    """Whether the processor multiplies int8 without overflow in between."""
    for name in ("_is_vnni_supported", "_is_avx512_vnni_supported"):
        found = getattr(torch.cpu, name, None)
        if found is not None and found():
            return True
    return False


def _exported(
    module: torch.fx.GraphModule, program: torch.export.ExportedProgram
) -> torch.export.ExportedProgram:
    """The quantised module as a program that takes the shapes of the one that it was made of."""
    args, kwargs = program.example_inputs or ((), {})
    names = set(program.graph_signature.user_inputs)
    open_axes = iter([_open_axes(node) for node in program.graph.nodes if node.name in names])

    def axes(leaf: Any) -> Any:  # noqa: ANN401 - any input
        found = next(open_axes)
        return found if isinstance(leaf, torch.Tensor) else None

    by_place, by_name = mapped((tuple(args), dict(kwargs)), axes)
    shapes = (*by_place, *by_name.values())
    return torch.export.export(module, tuple(args), dict(kwargs), dynamic_shapes=shapes)


def _open_axes(node: torch.fx.Node) -> dict[int, Any]:
    lengths = getattr(node.meta.get("val"), "shape", ())
    dim = torch.export.Dim.AUTO
    return {at: dim for at, length in enumerate(lengths) if not isinstance(length, int)}


@contextmanager
def _quietly() -> Iterator[None]:
    """Without warnings of torchao about torch's own names."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
