"""Make of an ONNX file, or of one of OpenVINO, the file of a variant; int8 ones with NNCF."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from inferometer.backends.arrays import placed
from inferometer.backends.openvino.kernels import computed, left_in_fp32
from inferometer.backends.openvino.model import check_precision, dtypes, fixed, read
from inferometer.backends.openvino.options import properties, quantization
from inferometer.backends.openvino.refusals import cannot
from inferometer.core.artifact import Artifact, Preparation
from inferometer.core.errors import WorkloadError
from inferometer.core.format import Format
from inferometer.core.model import Inputs, LoadedModel
from inferometer.core.shown import shown
from inferometer.core.workload import Variant

if TYPE_CHECKING:
    from openvino import Model

READ = frozenset({Format.ONNX, Format.OPENVINO_IR})
"""Formats that the runtime reads."""

EXPORTED = frozenset({Format.TORCH_MODULE, Format.EXPORTED_PROGRAM, Format.TORCHSCRIPT})
"""Formats from which a model can be exported to ONNX."""


def preparation(form: Format, variant: Variant) -> Preparation | None:
    """What is to be made of a model of a format for a variant.

    A file that the runtime reads is run as it is, except for int8. Of other models comes a file of
    the runtime's own: reading it takes a tenth of the time that an ONNX file does.
    """
    how = quantization(variant)
    if form not in READ | EXPORTED or (form in READ and variant.precision != "int8"):
        return None
    is_int8 = variant.precision == "int8"
    return Preparation(
        wants=form if form in READ else Format.ONNX,
        calibrates=is_int8 and how == "static",
        tools=("openvino", "nncf") if is_int8 else ("openvino",),
    )


def prepare(
    model: LoadedModel, variant: Variant, *, samples: Sequence[Inputs], into: Path, threads: int
) -> Artifact:
    """Write the file of a variant; the weights stay in the precision that they have.

    Raises:
        WorkloadError: (unsupported) it cannot be converted, or nothing in it would be computed in
            the precision; (bad_model) it is damaged.
    """
    import openvino

    check_precision(variant.precision)
    found, made = read(model.files, to_convert=True), into / "model.xml"
    if variant.precision == "int8":
        try:
            found = _quantised(found, variant, samples)
        except Exception as error:
            raise cannot(f"{shown(model.files[0])} is not quantised by NNCF", error) from error
    openvino.save_model(found, made, compress_to_fp16=False)
    return Artifact(
        format=Format.OPENVINO_IR,
        files=(str(made), str(made.with_suffix(".bin"))),
        notes=_notes(found, variant, samples, threads),
    )


def _quantised(model: Model, variant: Variant, samples: Sequence[Inputs]) -> Model:
    """The model in int8, as NNCF makes it."""
    import nncf

    if quantization(variant) != "static":
        return nncf.compress_weights(model)
    options, types = dict(variant.options), dtypes(model)
    feeds = [list(placed(one, types).kwargs.values()) for one in samples]
    is_transformer = options.get("model_type") == "transformer"
    return nncf.quantize(
        model,
        nncf.Dataset(feeds),
        subset_size=len(feeds),
        preset=nncf.QuantizationPreset(options.get("preset", "performance")),
        fast_bias_correction=options.get("bias_correction") != "full",
        model_type=nncf.ModelType.TRANSFORMER if is_transformer else None,
    )


def _notes(
    model: Model, variant: Variant, samples: Sequence[Inputs], threads: int
) -> tuple[str, ...]:
    """What stays in fp32, in sentences.

    Raises:
        WorkloadError: (unsupported) everything.
    """
    import openvino

    if variant.precision == "fp32":
        return ()
    if variant.precision == "int8" and quantization(variant) == "weights":
        return ("its weights alone are int8: it computes in fp32",)
    if samples:
        fixed(model, placed(samples[0], dtypes(model)))
    compiled = openvino.Core().compile_model(model, "CPU", properties(variant, threads))
    found = computed(compiled, variant.precision)
    if not any(one.asked for one in found.values()):
        raise WorkloadError(
            "unsupported",
            f"nothing in it would be computed in {variant.precision}: {_reason(variant)}",
        )
    return left_in_fp32(found)


def _reason(variant: Variant) -> str:
    """Why nothing is computed in the precision of a variant."""
    if quantization(variant) == "dynamic":
        return "quantization=dynamic is of matrix products with constant weights, and it has none"
    return "the runtime has no kernel for what it consists of"
