"""What a TFLite file takes and gives: names, types, shapes, and scales of whole numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from inferometer.backends.tensors import as_numpy
from inferometer.core.errors import WorkloadError
from inferometer.core.shown import shown

if TYPE_CHECKING:
    from ai_edge_litert.interpreter import Interpreter

OPEN = -1
"""Stands for an axis of any length."""


@dataclass(frozen=True, kw_only=True)
class Slot:
    """An input or an output.

    Attributes:
        name: of the signature; where the file has none, of the tensor.
        index: of the tensor.
        dtype: type of its elements, as NumPy names it.
        shape: at present.
        axes: lengths that it takes, -1 for any.
        scale: a step of its whole numbers, which stand for other numbers; 0 where they do not.
        zero_point: the whole number that stands for 0.
    """

    name: str
    index: int
    dtype: str
    shape: tuple[int, ...]
    axes: tuple[int, ...]
    scale: float = 0.0
    zero_point: int = 0

    def stored(self, value: Any) -> Any:  # noqa: ANN401 - an array, a tensor or a number
        """Floating numbers as the whole ones that stand for them; anything else as it is."""
        import numpy as np

        array = np.asarray(as_numpy(value))
        if not self.scale or array.dtype.kind != "f":
            return value
        limits = np.iinfo(self.dtype)
        steps = np.rint(array / self.scale) + self.zero_point
        return np.clip(steps, limits.min, limits.max).astype(self.dtype)

    def meant(self, array: Any) -> Any:  # noqa: ANN401 - an array
        """The numbers that whole ones stand for; floating ones in single precision."""
        import numpy as np

        if self.scale:
            return (array.astype(np.float32) - self.zero_point) * np.float32(self.scale)
        return array.astype(np.float32) if array.dtype.kind == "f" else array

    def check(self, shape: tuple[int, ...]) -> None:
        """Check the shape of an array.

        Raises:
            WorkloadError: (unsupported) the file does not take it.
        """
        fits = len(shape) == len(self.axes) and all(
            axis in (OPEN, length) for axis, length in zip(self.axes, shape, strict=True)
        )
        if not fits:
            wanted = "x".join("?" if axis == OPEN else str(axis) for axis in self.axes)
            given = "x".join(map(str, shape))
            raise WorkloadError(
                "unsupported",
                f"input {shown(self.name)} takes {wanted or 'a number'}, and was given "
                f"{given or 'a number'}",
            )


def slots(interpreter: Interpreter) -> tuple[Mapping[str, Slot], Mapping[str, Slot]]:
    """Inputs and outputs of the first subgraph by their names, each in the order of the file."""
    ours_in, ours_out = interpreter.get_input_details(), interpreter.get_output_details()
    for key in interpreter.get_signature_list():
        runner = interpreter.get_signature_runner(key)
        named_in, named_out = runner.get_input_details(), runner.get_output_details()
        if _places(named_in.values()) == _places(ours_in):  # else it is of another subgraph
            return _slots(ours_in, named_in), _slots(ours_out, named_out)
    return _slots(ours_in, {}), _slots(ours_out, {})


def _places(details: Any) -> set[tuple[int, str]]:  # noqa: ANN401 - what the runtime tells
    return {(int(one["index"]), str(one["name"])) for one in details}


def _slots(details: Any, named: Mapping[str, Any]) -> dict[str, Slot]:  # noqa: ANN401 - as above
    names = {int(one["index"]): name for name, one in named.items()}
    found = [_slot(one, names.get(int(one["index"]), str(one["name"]))) for one in details]
    return {slot.name: slot for slot in found}


def _slot(detail: Any, name: str) -> Slot:  # noqa: ANN401 - as above
    import numpy as np

    dtype, told = np.dtype(detail["dtype"]), detail["quantization_parameters"]
    is_quantised = dtype.kind in "iu" and len(told["scales"]) == 1
    shape = tuple(map(int, detail["shape"]))
    axes = tuple(map(int, detail["shape_signature"]))
    return Slot(
        name=name,
        index=int(detail["index"]),
        dtype=dtype.name,
        shape=shape,
        axes=axes if len(axes) == len(shape) else shape,
        scale=float(told["scales"][0]) if is_quantised else 0.0,
        zero_point=int(told["zero_points"][0]) if is_quantised else 0,
    )
