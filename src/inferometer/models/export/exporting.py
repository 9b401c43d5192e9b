"""One model to one file, with the notes that a reader needs and what the file takes."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inferometer.core.errors import WorkloadError
from inferometer.core.format import Format
from inferometer.core.model import Inputs, LoadedModel
from inferometer.core.shown import shown
from inferometer.core.workload import Shape
from inferometer.models.export import onnx
from inferometer.models.export.call import Call, flat, open_axes, outputs_of
from inferometer.models.export.capture import Axes, capture
from inferometer.models.export.quiet import depends_on_values, exporting, reason, silent
from inferometer.models.export.script import trace
from inferometer.models.failures import building
from inferometer.models.inputs import GeneratedInputs, described
from inferometer.models.inputs.described import constants, described_at

if TYPE_CHECKING:
    import torch

EXAMPLE_BATCH = 2
"""Samples of the example where the batch stays open: exporters take an axis of 1 for fixed."""

FILES = {
    Format.ONNX: "model.onnx",
    Format.EXPORTED_PROGRAM: "model.pt2",
    Format.TORCHSCRIPT: "model.pt",
}
"""What is exported to, and how the file is called."""

_EXPORTED = (Format.TORCH_MODULE, Format.EXPORTED_PROGRAM, Format.TORCHSCRIPT)
"""What is exported."""

_STEP = 32
"""The least difference between an input size and another one."""


@dataclass(frozen=True, kw_only=True)
class _Plan:
    """What is exported, and how.

    Attributes:
        network: the flat network.
        call: how it is called.
        inputs: what the file takes.
        tensors: arrays of the example.
        others: those of other calls, for a comparison.
        axes: those that stay open.
        outputs: what the example gives.
        path: of the file.
    """

    network: Any
    call: Call
    inputs: GeneratedInputs
    tensors: tuple[torch.Tensor, ...]
    others: Sequence[tuple[torch.Tensor, ...]]
    axes: Axes
    outputs: tuple[torch.Tensor, ...]
    path: Path


def export(
    model: LoadedModel, wanted: Format, *, shape: Shape | None, seed: int, into: Path
) -> LoadedModel:
    """Write a model as a file that other runtimes read.

    Args:
        model: a torch module, an exported program or TorchScript, on the processor, in evaluation
            mode.
        wanted: ONNX, exported program or TorchScript.
        shape: everything is fixed to it; None leaves batch and input size open.
        seed: of the inputs of the example.
        into: a folder for `model.onnx`, `model.pt2` or `model.pt`, and for weights beside it.

    Returns:
        The model as its file: without a network, and with inputs that are made without one.

    Raises:
        WorkloadError: (unsupported) it has no such form, or none with open axes; (bad_model) the
            network fails on the example.
        MissingExtraError: the exporter is not installed.
    """
    if wanted not in FILES:
        raise WorkloadError("unsupported", f"a model is not exported to {wanted.value}")
    if model.format not in _EXPORTED:
        raise WorkloadError(
            "unsupported",
            f"a {model.format.value} cannot be exported to {wanted.value}: only a torch.nn.Module, "
            "an exported program and TorchScript can",
        )
    if wanted is Format.ONNX:
        onnx.require_exporter()
    with silent():
        plan = _plan(model, wanted, shape, seed, into)
        with exporting(wanted.value):
            files, notes = _WRITERS[wanted](plan)
    return replace(
        model,
        network=None,
        format=wanted,
        inputs=plan.inputs,
        files=files,
        notes=(*model.notes, *notes, *_said_of(model, shape, seed)),
    )


def _plan(model: LoadedModel, wanted: Format, shape: Shape | None, seed: int, into: Path) -> _Plan:
    """Make the example and call the network once.

    Raises:
        WorkloadError: (unsupported) the inputs have no form as arrays; (bad_model) the call fails.
    """
    import torch

    network = _in_single_precision(model.network)
    inputs = _inputs(model, shape, seed)
    example = _example(model, inputs, shape, seed)
    call = Call.like(example)
    outer = flat(network, call)
    tensors = call.tensors(example)
    with torch.no_grad(), building("a call of the model"):
        given = call.of(network, [one.clone() for one in tensors])
    outputs = outputs_of(given)
    return _Plan(
        network=network if _is_flat_script(network, call, example) else outer,
        call=call,
        inputs=inputs,
        tensors=tensors,
        others=_others(model, inputs, call, shape, seed),
        axes={} if shape is not None else open_axes(inputs, call),
        outputs=outputs if isinstance(outputs, tuple) else (outputs,),
        path=into / FILES[wanted],
    )


def _inputs(model: LoadedModel, shape: Shape | None, seed: int) -> GeneratedInputs:
    """What the file will take."""
    try:
        found = described(model.inputs, seed=seed)
        if not found.as_list:
            return found
        refusal = WorkloadError("unsupported", "it takes a list with an array for each sample")
    except WorkloadError as error:
        refusal = error
    if shape is None:
        raise WorkloadError(
            refusal.kind, f"one file cannot serve other shapes: {refusal}"
        ) from refusal
    batch, size = shape.batch_size, shape.input_size
    return described_at(model.inputs, batch_size=batch, input_size=size, seed=seed)


def _example(model: LoadedModel, inputs: GeneratedInputs, shape: Shape | None, seed: int) -> Inputs:
    if shape is None:
        shape = Shape(batch_size=inputs.only_batch or EXAMPLE_BATCH, input_size=None)
    return model.inputs.make(batch_size=shape.batch_size, input_size=shape.input_size, seed=seed)


def _others(
    model: LoadedModel, inputs: GeneratedInputs, call: Call, shape: Shape | None, seed: int
) -> list[tuple[torch.Tensor, ...]]:
    """Arrays of other calls: of another shape where that is open, of other values, and negative."""
    if shape is None:
        shape = Shape(batch_size=inputs.only_batch or 1, input_size=_other_size(model, inputs))
    other = call.tensors(
        model.inputs.make(batch_size=shape.batch_size, input_size=shape.input_size, seed=seed + 1)
    )
    negative = tuple(-one if one.is_floating_point() else one for one in other)
    return [other, negative]


def _other_size(model: LoadedModel, inputs: GeneratedInputs) -> int | None:
    """An input size that is not the model's own; None where there is none."""
    own = {spec.shape[axis] for spec in inputs.tensors for axis in spec.size_axes}
    if len(own) != 1 or inputs.fixed_because:
        return None
    size = own.pop()
    if inputs is not model.inputs:
        return 2 * size  # what `described` tried
    step = -(-_STEP // inputs.multiple_of) * inputs.multiple_of
    return size - step if size > 2 * step else size + step


def _in_single_precision(network: Any) -> Any:  # noqa: ANN401 - any torch module
    """The network with floating weights in fp32, as what is called fp32 must have them."""
    import torch

    weights = [*network.parameters(), *network.buffers()]
    if all(one.dtype == torch.float32 for one in weights if one.is_floating_point()):
        return network
    return copy.deepcopy(network).float()


def _is_flat_script(network: Any, call: Call, example: Inputs) -> bool:  # noqa: ANN401
    """Whether a network is TorchScript that takes arrays alone, and can stay as it is."""
    import torch

    is_script = isinstance(network, torch.jit.ScriptModule)
    return is_script and len(example.args) + len(example.kwargs) == len(call.names)


def _to_program(plan: _Plan) -> tuple[tuple[str, ...], tuple[str, ...]]:
    import torch

    program = capture(plan.network, plan.call, plan.tensors, plan.axes, plan.others[0])
    torch.export.save(program, plan.path)
    return (str(plan.path),), (f"exported by torch {torch.__version__}",)


def _to_script(plan: _Plan) -> tuple[tuple[str, ...], tuple[str, ...]]:
    import torch

    if isinstance(plan.network, torch.jit.ScriptModule):
        script, how = plan.network, "saved"
    else:
        script, how = trace(plan.network, plan.call, plan.tensors, plan.others), "traced"
    torch.jit.save(script, str(plan.path))
    return (str(plan.path),), (f"{how} by torch {torch.__version__}",)


def _to_onnx(plan: _Plan) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """By torch's newer exporter; by the older one, what that has no operator for.

    What values of the inputs decide, and axes that cannot stay open, the older one would fix and
    say nothing.
    """
    import torch

    if any(one.is_complex() for one in plan.outputs):
        raise WorkloadError("unsupported", "it gives complex numbers, which ONNX files do not hold")
    said = f"exported to ONNX, opset {onnx.OPSET}, by torch {torch.__version__}"
    place = onnx.Place(
        path=plan.path,
        call=plan.call,
        tensors=plan.tensors,
        axes=plan.axes,
        outputs=len(plan.outputs),
    )
    if isinstance(plan.network, torch.jit.ScriptModule):
        files = onnx.write_trace(plan.network, place)
        return files, (f"{said}, from TorchScript",)
    try:
        program = capture(plan.network, plan.call, plan.tensors, plan.axes, plan.others[0])
        return onnx.write_program(program, place), (said,)
    except WorkloadError:
        raise
    except Exception as error:
        if depends_on_values(error):
            raise
        script = trace(plan.network, plan.call, plan.tensors, plan.others)
        files = onnx.write_trace(script, place)
        return files, (f"{said}, by its older exporter, as the newer one said: {reason(error)}",)


_WRITERS = {
    Format.ONNX: _to_onnx,
    Format.EXPORTED_PROGRAM: _to_program,
    Format.TORCHSCRIPT: _to_script,
}


def _said_of(model: LoadedModel, shape: Shape | None, seed: int) -> list[str]:
    """What is fixed in the file."""
    notes = [] if shape is None else [f"its file is for {shape.label} alone"]
    if isinstance(model.inputs, GeneratedInputs):
        return notes
    own = model.inputs.make(batch_size=model.inputs.batch_size, input_size=None, seed=seed)
    fixed = [f"{shown(name)} = {shown(repr(value))}" for name, value in constants(own).items()]
    return [*notes, f"fixed in its file: {', '.join(fixed)}"] if fixed else notes
