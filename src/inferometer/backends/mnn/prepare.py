"""Make files of MNN: from ONNX with its converter, in int8 with its tool for quantisation.

Both are functions of a compiled module of the package. Its Python around them, `MNN.tools`, is not
used: importing that installs a package and sends what is converted to the makers, and its call of
the tool for quantisation crashes.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inferometer.backends.arrays import placed
from inferometer.backends.mnn.kernels import computed, left_in_fp32
from inferometer.backends.mnn.network import Network
from inferometer.backends.mnn.options import quantization
from inferometer.backends.tools import failed, run_tool
from inferometer.core.artifact import Artifact, Preparation
from inferometer.core.errors import WorkloadError
from inferometer.core.format import Format
from inferometer.core.model import Inputs, LoadedModel
from inferometer.core.shown import shown
from inferometer.core.workload import Variant

if TYPE_CHECKING:
    from numpy.typing import NDArray

EXPORTED = frozenset({Format.TORCH_MODULE, Format.EXPORTED_PROGRAM, Format.TORCHSCRIPT})
"""Formats from which a model can be exported to ONNX."""

WEIGHTS_ALONE = "its weights alone are int8: it computes in fp32"
DYNAMIC = "its weights are int8, and activations are quantised in each call"

_METHODS = {"ema": "EMA", "admm": "ADMM"}
"""How the tool finds ranges of activations; it crashes with its default, KL."""

_REASONS = r"(?i)not support|error|fail"
_PLAIN = re.compile(r"\w[\w.-]*")


def preparation(form: Format, variant: Variant) -> Preparation | None:
    """What is to be made of a model of a format; a file of MNN runs as it is, except for int8.

    Raises:
        WorkloadError: (unsupported) the precision or an option cannot be served.
    """
    how = quantization(variant)
    if form not in EXPORTED | {Format.ONNX, Format.MNN} or (form is Format.MNN and how is None):
        return None
    return Preparation(
        wants=Format.MNN if form is Format.MNN else Format.ONNX,
        calibrates=how == "static",
        tools=("MNN",),
    )


def prepare(
    model: LoadedModel, variant: Variant, *, samples: Sequence[Inputs], into: Path
) -> Artifact:
    """Write the file of a variant.

    Raises:
        WorkloadError: (unsupported) it cannot be converted, or nothing in it would be computed in
            the precision; (bad_model) it is damaged.
    """
    how, made = quantization(variant), into / "model.mnn"
    notes: tuple[str, ...] = ()
    if how == "static":
        _convert(model, into / "float.mnn", into=into)
        method = _METHODS[dict(variant.options).get("calibration", "ema")]
        notes = _quantise(into / "float.mnn", made, samples, method, into)
    else:
        bits = () if how is None else ("--weightQuantBits", "8")
        _convert(model, made, *bits, into=into)
        notes = {None: (), "dynamic": (DYNAMIC,), "weights": (WEIGHTS_ALONE,)}[how]
    return Artifact(format=Format.MNN, files=(str(made),), notes=notes)


def _convert(model: LoadedModel, made: Path, *more: str, into: Path) -> None:
    """Convert a file of ONNX, or of MNN.

    Raises:
        WorkloadError: (unsupported) the converter fails.
    """
    form = "MNN" if model.format is Format.MNN else "ONNX"
    source = str(Path(model.files[0]).resolve())
    printed = _run(
        "mnnconvert", "-f", form, "--modelFile", source, "--MNNModel", str(made), *more, into=into
    )
    if not made.is_file():  # the converter's exit status tells nothing
        raise failed("mnnconvert", "does not convert it", printed, _REASONS)


def _run(tool: str, *arguments: str, into: Path) -> str:
    code = f"import sys, _tools; _tools.{tool}(sys.argv)"
    return run_tool(tool, (sys.executable, "-c", code, *arguments), within=into)


def _quantise(
    source: Path, made: Path, samples: Sequence[Inputs], method: str, into: Path
) -> tuple[str, ...]:
    """Quantise weights and activations of a file; gives notes.

    Raises:
        WorkloadError: (unsupported) it cannot be, or nothing of it is then computed in int8.
    """
    feeds = _feeds(source, samples)
    folder, settings = into / "samples", into / "settings.json"
    _write_samples(feeds, folder)
    shapes = [{"name": name, "shape": list(array.shape)} for name, array in feeds[0].items()]
    settings.write_text(
        json.dumps(
            {
                "path": str(folder),
                "input_type": "sequence",
                "inputs": shapes,
                "used_sample_num": len(feeds),
                "batch_size": 1,
                "feature_quantize_method": method,
                "weight_quantize_method": "MAX_ABS",
            }
        ),
        encoding="utf-8",
    )
    printed = _run("mnnquant", str(source), str(made), str(settings), into=into)
    if not made.is_file():
        raise failed("mnnquant", "does not quantise it", printed, _REASONS)
    lost = sorted(set(Network(str(source)).outputs) - set(Network(str(made)).outputs))
    _remove(folder, settings, source, made.with_suffix(".mnn.json"))
    if lost:
        raise WorkloadError(
            "unsupported",
            f"MNN's tool for quantisation drops outputs from which others are computed: "
            f"{shown(', '.join(lost))}; quantization=dynamic keeps them",
        )
    found = computed(made, feeds[0])
    if not any(int8 for int8, _ in found.values()):
        raise WorkloadError(
            "unsupported", "nothing in it would be computed in int8: MNN leaves all of it in fp32"
        )
    return left_in_fp32(found)


def _feeds(source: Path, samples: Sequence[Inputs]) -> list[dict[str, NDArray[Any]]]:
    """Arrays of the calls that calibrate.

    Raises:
        WorkloadError: (unsupported) the tool cannot read such inputs.
    """
    types = Network(str(source)).dtypes
    other = next((name for name, kind in types.items() if kind != "float32"), None)
    if other is not None:
        raise WorkloadError(
            "unsupported",
            f"MNN calibrates with inputs in float32 alone, and {shown(other)} is {types[other]}; "
            "quantization=weights needs none",
        )
    odd = next((name for name in types if not _PLAIN.fullmatch(name)), None)
    if odd is not None:
        raise WorkloadError(
            "unsupported",
            f"MNN calibrates from files with the names of inputs, and {shown(odd)} is no such name",
        )
    if not samples:
        raise WorkloadError("unsupported", "static quantisation needs calibration samples")
    return [dict(placed(one, types).kwargs) for one in samples]


def _write_samples(feeds: Sequence[dict[str, NDArray[Any]]], folder: Path) -> None:
    """A folder for each sample, and in it a text by input, as the tool reads them."""
    import numpy as np

    for number, feed in enumerate(feeds):
        sample = folder / f"{number:06}"
        sample.mkdir(parents=True)
        shapes = [{"name": name, "shape": list(array.shape)} for name, array in feed.items()]
        (sample / "input.json").write_text(json.dumps({"inputs": shapes}), encoding="utf-8")
        for name, array in feed.items():
            np.savetxt(sample / f"{name}.txt", array.reshape(1, -1), fmt="%.9g")


def _remove(folder: Path, *files: Path) -> None:
    shutil.rmtree(folder)
    for path in files:
        path.unlink(missing_ok=True)
