"""Make a TFLite file of a program of torch: litert-torch converts, litert-quantizer quantises."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from inferometer.backends.exported import batched, converting, read_exported
from inferometer.backends.litert.operators import notes_of
from inferometer.backends.litert.session import LiteRtSession, chosen, opened
from inferometer.core.artifact import Artifact
from inferometer.core.format import Format
from inferometer.core.model import Inputs, LoadedModel
from inferometer.core.workload import Variant
from inferometer.host.software import installed_version

SIGNATURE = "serving_default"
"""The name that litert-torch gives to what it converts."""
EVERY = ".*"


def prepare(
    model: LoadedModel,
    variant: Variant,
    *,
    samples: Sequence[Inputs],
    threads: int,
    into: Path,
) -> Artifact:
    """The file and what is to be said of it; floating inputs and outputs stay floating in it.

    Raises:
        WorkloadError: as `LiteRtBackend.prepare`.
    """
    made, whole = into / "model.tflite", into / "whole.tflite"
    with redirect_stdout(sys.stderr):  # the tools print their progress
        batch_size = _convert(model, made)
        if variant.precision != "fp32":
            made.rename(whole)
            _quantise(whole, made, variant, batched(samples, batch_size), threads)
            whole.unlink()
    interpreter = opened(str(made), threads, delegate=chosen(variant, "delegate"))
    kind = _kind(variant)
    return Artifact(
        format=Format.TFLITE,
        files=(str(made),),
        notes=notes_of(interpreter, kind=kind, delegate=chosen(variant, "delegate")),
    )


def _kind(variant: Variant) -> str:
    """`fp32`, `fp16`, or how int8 is made."""
    return chosen(variant, "quantization") if variant.precision == "int8" else variant.precision


def _convert(model: LoadedModel, to: Path) -> int:
    """Write the file; gives the batch size that it is for."""
    with _tool("litert-torch"):
        import litert_torch

        exported = read_exported(model)
        found = litert_torch.convert(
            exported.program.module(), exported.args, exported.kwargs or None
        )
        found.export(str(to))
        return exported.batch_size


def _quantise(
    source: Path, to: Path, variant: Variant, batches: list[Inputs], threads: int
) -> None:
    """Write the quantised file."""
    with _tool("litert-quantizer"):
        from litert_quantizer.quantizer import Quantizer

        quantizer = Quantizer(str(source))
        _RECIPES[_kind(variant)](quantizer)
        ranges = None
        if quantizer.need_calibration:
            session = LiteRtSession(opened(str(source), threads, delegate="xnnpack"))
            data = [dict(session.place(one).kwargs) for one in batches]
            ranges = quantizer.calibrate({SIGNATURE: data}, num_threads=threads)
        found = quantizer.quantize(ranges, enable_progress_report=False)
        found.export_model(str(to))


def _tool(name: str) -> Any:  # noqa: ANN401 - a context manager
    return converting(name, version=installed_version(name) or "", install="litert")


def _static(quantizer: Any) -> None:  # noqa: ANN401 - has no types
    from litert_quantizer import recipe

    quantizer.load_quantization_recipe(recipe.static_wi8_ai8())
    for ends in ("INPUT", "OUTPUT"):  # the file quantises its inputs itself, in the timing
        quantizer.update_quantization_recipe(EVERY, ends, algorithm_key="no_quantize")


def _dynamic(quantizer: Any) -> None:  # noqa: ANN401 - as above
    from litert_quantizer import recipe

    quantizer.load_quantization_recipe(recipe.dynamic_wi8_afp32())


def _weights(quantizer: Any) -> None:  # noqa: ANN401 - as above
    from litert_quantizer import recipe

    quantizer.load_quantization_recipe(recipe.weight_only_wi8_afp32())


def _fp16(quantizer: Any) -> None:  # noqa: ANN401 - as above
    quantizer.add_weight_only_config(EVERY, "*", num_bits=16, algorithm_key="float_casting")


_RECIPES: Mapping[str, Callable[[Any], None]] = {
    "static": _static,
    "dynamic": _dynamic,
    "weights": _weights,
    "fp16": _fp16,
}
