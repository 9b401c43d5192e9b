"""Make of an ONNX file another in fp16 or int8, and see what the runtime computes of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from inferometer.backends.onnxruntime import convert
from inferometer.backends.onnxruntime.kernels import computed, left_in_fp32
from inferometer.backends.onnxruntime.options import session_options
from inferometer.backends.onnxruntime.refusals import not_converted
from inferometer.core.artifact import Artifact, Preparation
from inferometer.core.errors import WorkloadError
from inferometer.core.format import Format
from inferometer.core.model import Inputs, LoadedModel
from inferometer.core.workload import Variant

EXPORTED = frozenset({Format.TORCH_MODULE, Format.EXPORTED_PROGRAM, Format.TORCHSCRIPT})
"""Formats from which a model can be exported to ONNX."""

LARGE = 1_500_000_000
"""Bytes from which weights go into a file of their own: one file holds 2 GB at most."""


def preparation(form: Format, variant: Variant) -> Preparation | None:
    """What is to be made of a model of a format for a variant.

    None where the file runs as it is, and for a format of which the runtime gets nothing.
    """
    if form is not Format.ONNX and form not in EXPORTED:
        return None
    if variant.precision == "fp32":
        return None if form is Format.ONNX else Preparation(wants=Format.ONNX, stays=True)
    how = dict(variant.options).get("quantization", "static")
    return Preparation(
        wants=Format.ONNX,
        calibrates=variant.precision == "int8" and how == "static",
        tools=("onnx", "onnxruntime"),
    )


def prepare(
    model: LoadedModel, variant: Variant, *, samples: Sequence[Inputs], into: Path, threads: int
) -> Artifact:
    """Convert the file of a model.

    Raises:
        WorkloadError: (unsupported) it cannot be converted, or nothing in it would be computed in
            int8; (bad_model) it is damaged.
    """
    import onnxruntime

    source, made = model.files[0], into / "model.onnx"
    size = sum(Path(one).stat().st_size for one in model.files)
    apart = len(model.files) > 1 or size > LARGE
    try:
        convert.check_plain(source)
        notes = _converter(variant, samples)(source, made, apart=apart)
    except WorkloadError:
        raise
    except Exception as error:
        version = onnxruntime.__version__
        raise not_converted(source, error, version, variant.precision) from error
    beside = made.with_name(made.name + convert.DATA)
    return Artifact(
        format=Format.ONNX,
        files=(str(made), *([str(beside)] if beside.exists() else [])),
        notes=(*notes, *_stays(str(made), variant, threads)),
    )


def _converter(variant: Variant, samples: Sequence[Inputs]) -> Callable[..., convert.Notes]:
    """What makes the file of a variant."""
    options = dict(variant.options)
    how = "fp16" if variant.precision == "fp16" else options.get("quantization", "static")
    provider = options.get("provider", "cpu")
    converters: dict[str, Callable[..., convert.Notes]] = {
        "fp16": convert.to_fp16,
        "static": partial(convert.statically, samples=samples, provider=provider),
        "dynamic": convert.dynamically,
        "weights": convert.weights_alone,
    }
    return converters[how]


def _stays(made: str, variant: Variant, threads: int) -> tuple[str, ...]:
    """What stays in fp32 on the processor, in sentences; of other providers nobody knows yet.

    Raises:
        WorkloadError: (unsupported) at int8, everything.
    """
    options = dict(variant.options)
    if options.get("provider", "cpu") != "cpu":
        return ()
    found = computed(made, session_options(options, threads), variant.precision)
    if variant.precision == "int8" and not any(one.asked for one in found.values()):
        raise WorkloadError(
            "unsupported", f"nothing in it would be computed in int8: {_reason(options)}"
        )
    return left_in_fp32(found)


def _reason(options: Mapping[str, str]) -> str:
    """Why nothing is computed in int8."""
    how, level = options.get("quantization", "static"), options.get("graph_optimization", "all")
    if how == "weights":
        return "quantization=weights is of matrix products with constant weights, and it has none"
    if how == "static" and level in ("disabled", "basic"):
        return f"int8 kernels come in with graph_optimization=extended, and it is {level}"
    return "the runtime has no int8 kernel for what it consists of"
