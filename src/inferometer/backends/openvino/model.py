"""Models as OpenVINO reads them, before they are compiled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from inferometer.backends.openvino.refusals import cannot, refused
from inferometer.core.errors import WorkloadError
from inferometer.core.model import PlacedInputs

if TYPE_CHECKING:
    from openvino import ConstOutput, Model, Output

CAPABILITIES = {"bf16": "BF16", "fp16": "FP16"}
"""Precision → what the runtime says of a processor that computes in it."""

_DTYPES = {"boolean": "bool", "f16": "float16", "f32": "float32", "f64": "float64"} | {
    f"{short}{bits}": f"{name}{bits}"
    for short, name in (("i", "int"), ("u", "uint"))
    for bits in (8, 16, 32, 64)
}


def check_precision(precision: str) -> None:
    """Refuse a precision in whose place the runtime would silently take another.

    Raises:
        WorkloadError: (unsupported) the processor lacks it.
    """
    import openvino

    able = openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    if precision in CAPABILITIES and CAPABILITIES[precision] not in able:
        raise WorkloadError(
            "unsupported",
            f"openvino computes nothing in {precision} on this processor: it would silently take "
            "another precision",
        )


def read(files: Sequence[str], *, to_convert: bool = False) -> Model:
    """A model from its file, and from that of its weights where there is one.

    Inputs and outputs in bf16, which NumPy does not have, become fp32; each call converts them.

    Args:
        files: an ONNX file, or one of the runtime with that of its weights.
        to_convert: an ONNX file is read by the runtime's converter, which folds and fuses what NNCF
            does not know otherwise: it would leave MobileNet's depthwise convolutions in fp32.

    Raises:
        WorkloadError: (unsupported) the runtime lacks an operator; (bad_model) it is damaged.
    """
    import openvino

    path, weights = files[0], next((one for one in files[1:] if one.endswith(".bin")), None)
    try:
        if to_convert and weights is None:
            found = openvino.convert_model(path)
        else:
            found = openvino.Core().read_model(path, *([] if weights is None else [weights]))
    except Exception as error:
        raise refused(path, error, openvino.__version__.partition("-")[0]) from error
    return _in_types_of_numpy(found)


def dtypes(model: Model) -> dict[str, str]:
    """The type of each input's elements, as NumPy names it, by the input's name."""
    types = ((name_of(one), one.get_element_type().get_type_name()) for one in model.inputs)
    return {name: _DTYPES.get(kind, kind) for name, kind in types}


def name_of(port: Output | ConstOutput) -> str:
    """The name of an input or an output."""
    names = sorted(port.get_names())
    return names[0] if names else str(port.get_node().get_friendly_name())


def fixed(model: Model, inputs: PlacedInputs) -> None:
    """Fix the axes of a model, which may be fixed to others again.

    Raises:
        WorkloadError: (unsupported) it does not take such inputs.
    """
    shapes = [list(array.shape) for array in inputs.kwargs.values()]
    try:
        model.reshape(dict(enumerate(shapes)))
    except Exception as error:
        raise cannot(f"the model does not take inputs of {inputs.shape}", error) from error


def _in_types_of_numpy(model: Model) -> Model:
    from openvino import Type
    from openvino.preprocess import PrePostProcessor

    steps = PrePostProcessor(model)
    for ports, step in ((model.inputs, steps.input), (model.outputs, steps.output)):
        for place, port in enumerate(ports):
            if port.get_element_type() == Type.bf16:
                step(place).tensor().set_element_type(Type.f32)
    return steps.build()
