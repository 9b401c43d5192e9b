"""Inputs as an ONNX file declares them: names, types of elements, and axes that may be open."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inferometer.core.errors import ModelReferenceError, WorkloadError
from inferometer.core.model import Inputs
from inferometer.core.shown import shown
from inferometer.models.inputs.arrays import shape_text
from inferometer.models.inputs.generated import Fill, TensorSpec, repeated, rows_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from onnx import ModelProto, ValueInfoProto

WHOLE_NOTE = "whole numbers among its inputs are 0 and 1, as the file does not say what they mean"
_IMAGE_AXES = 4


@dataclass(frozen=True, kw_only=True)
class DeclaredInputs:
    """Inputs by the names that a file gives them; fits `core.model.InputSpec`.

    Attributes:
        header: an ONNX model that holds the declared inputs alone.
        path: its file, for messages.
        shape: of one sample, without the batch, where no input size is asked for; None is what the
            file declares.
    """

    header: ModelProto
    path: Path
    shape: tuple[int, ...] | None = None

    @property
    def batch_size(self) -> int:
        """Samples that the file was made for; 1 where it leaves that open."""
        from inferometer.models.cost.onnx.axes import own_batch

        return own_batch(self.header, self.path)

    def make(self, *, batch_size: int, input_size: int | None, seed: int) -> Inputs:
        """Inputs of one call, arrays of NumPy, the same for the same seed.

        Raises:
            WorkloadError: (unsupported) the file was made for another shape, or leaves one open
                that nothing was said of; (out_of_memory) nothing can hold the inputs.
        """
        import numpy as np

        from inferometer.models.cost.onnx.axes import set_axes

        model = type(self.header)()
        model.CopyFrom(self.header)
        if input_size is None and self.shape is not None:
            fill_axes(model.graph.input[0], self.shape)
        set_axes(model, self.path, batch_size=batch_size, input_size=input_size)
        random = np.random.default_rng(seed)
        arrays = {value.name: _array(value, random) for value in model.graph.input}
        return Inputs(args=(), kwargs=arrays, shape=shape_text((), arrays))


def declared_inputs(
    model: ModelProto, path: Path, shape: tuple[int, ...] | None
) -> tuple[DeclaredInputs, tuple[str, ...]]:
    """What an ONNX model declares, and a note where something had to be assumed.

    Args:
        model: what `open_onnx` gave.
        path: its file.
        shape: of one sample, as the user gave it; None where he did not.

    Raises:
        ModelReferenceError: a shape is given that does not go with the file.
        WorkloadError: (unsupported) an input is no tensor of numbers.
    """
    from inferometer.models.cost.onnx.node import real_inputs

    header = type(model)()
    header.graph.input.extend(real_inputs(model.graph))
    declared = header.graph.input
    if shape is not None:
        if len(declared) != 1:
            raise ModelReferenceError(
                f"{shown(path)} has {len(declared)} inputs; input= goes with one"
            )
        trial = type(declared[0])()
        trial.CopyFrom(declared[0])
        if not fill_axes(trial, shape):
            raise ModelReferenceError(
                f"{shown(path)} takes no input of {'x'.join(map(str, shape))}; leave input= out, "
                "or give the lengths of its axes without the batch"
            )
    kinds = {_dtype(value, path).kind for value in declared}
    notes = (WHOLE_NOTE,) if kinds & set("iub") else ()
    return DeclaredInputs(header=header, path=path, shape=shape), notes


def fill_axes(value: ValueInfoProto, shape: tuple[int, ...]) -> bool:
    """Give open axes of an input, after the batch, their lengths; False where a shape differs."""
    axes = list(value.type.tensor_type.shape.dim)[1:]
    if len(axes) != len(shape):
        return False
    for axis, length in zip(axes, shape, strict=True):
        if axis.HasField("dim_value") and axis.dim_value >= 0:
            if axis.dim_value != length:
                return False
        else:
            axis.dim_value = length
    return True


def _dtype(value: ValueInfoProto, path: Path) -> np.dtype[Any]:
    """The type of an input's elements.

    Raises:
        WorkloadError: (unsupported) they are no numbers, or it is no tensor.
    """
    from onnx import helper

    try:
        found: np.dtype[Any] = helper.tensor_dtype_to_np_dtype(value.type.tensor_type.elem_type)
    except (KeyError, ValueError, TypeError):
        found = None  # type: ignore[assignment]
    if found is None or found.kind not in "biufcV":
        raise WorkloadError(
            "unsupported",
            f"{shown(path)}: input {shown(value.name)} is no tensor of numbers; none can be made",
        )
    return found


def _array(value: ValueInfoProto, random: np.random.Generator) -> NDArray[Any]:
    from onnx import helper

    lengths = tuple(int(axis.dim_value) for axis in value.type.tensor_type.shape.dim)
    dtype = helper.tensor_dtype_to_np_dtype(value.type.tensor_type.elem_type)
    is_image = len(lengths) == _IMAGE_AXES and all(lengths)
    fill: Fill = "image" if is_image else "normal"
    if dtype.kind in "iub":
        fill = "ids"
    spec = TensorSpec(shape=lengths[1:], fill=fill, vocabulary=2)
    rows = rows_of(spec, lengths or (1,), random).astype(dtype)
    return repeated(rows, lengths[0]) if lengths else rows.reshape(())
