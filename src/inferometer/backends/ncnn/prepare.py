"""Make the files of ncnn of an ONNX file, with pnnx."""

from __future__ import annotations

import re
import shutil
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from inferometer.backends.ncnn.layout import Layout, Port
from inferometer.backends.ncnn.options import check_precision
from inferometer.backends.ncnn.param import Layer, read_param
from inferometer.backends.tools import failed, run_tool
from inferometer.core.artifact import Artifact, Preparation
from inferometer.core.errors import MissingExtraError, WorkloadError
from inferometer.core.format import Format
from inferometer.core.model import LoadedModel
from inferometer.core.shown import shown
from inferometer.core.workload import Variant

if TYPE_CHECKING:
    from onnx import ModelProto, ValueInfoProto

CONVERTED = frozenset(
    {Format.ONNX, Format.TORCH_MODULE, Format.EXPORTED_PROGRAM, Format.TORCHSCRIPT}
)
"""Formats that are an ONNX file, or can be exported to one.

pnnx reads TorchScript too, and made the same layers of it, in 2 to 10 times the time and with the
sizes of two examples in place of open axes."""

LOOPS = "a batch runs as a loop over its samples: pnnx found no batch axis that ncnn could take"

_INPUT = re.compile(r'ex\.input\("(\w+)", ncnn\.Mat\([^\n]*?batch_index=(\d+)\)')
_OUTPUT = re.compile(
    r'ex\.extract\("(\w+)"\)\s+out\.append\([^\n]*?\.numpy\([^\n]*?batch_index=(\d+)\)'
)
"""In the example that pnnx writes: which axis is the batch, 233 for none."""


def preparation(form: Format, variant: Variant) -> Preparation | None:
    """What is to be made of a model of a format; a file of ncnn runs as it is.

    Raises:
        WorkloadError: (unsupported) the precision cannot be served for it.
    """
    check_precision(variant.precision)
    if form not in CONVERTED:
        return None
    if variant.precision == "int8":
        raise WorkloadError(
            "unsupported",
            "ncnn quantises with its programs ncnn2table and ncnn2int8, which no package brings; "
            "files that they made run at int8",
        )
    return Preparation(wants=Format.ONNX, tools=("pnnx",))


def prepare(model: LoadedModel, *, into: Path) -> Artifact:
    """Convert an ONNX file; weights stay in fp32, whatever the precision of calls.

    Raises:
        WorkloadError: (unsupported) pnnx fails, or leaves operators that ncnn does not have;
            (bad_model) it is damaged.
    """
    work = into / "pnnx"
    work.mkdir()
    source = _beside(model.files, work)
    printed = run_tool("pnnx", (_program(), source.name, "fp16=0"), within=work)
    made, weights = source.with_suffix(".ncnn.param"), source.with_suffix(".ncnn.bin")
    if not made.is_file() or not weights.is_file():
        raise failed("pnnx", "made no file of ncnn", printed)
    _check_layers(read_param(made))
    example = (work / f"{source.stem}_ncnn.py").read_text(encoding="utf-8")
    layout = _layout(source, example)
    files = [into / "model.param", into / "model.bin"]
    for old, new in zip((made, weights), files, strict=True):
        shutil.move(old, new)
    shutil.rmtree(work)
    return Artifact(
        format=Format.NCNN,
        files=(*map(str, files), str(layout.write(into))),
        notes=(LOOPS,) if layout.loops else (),
    )


def _program() -> str:
    """The path of pnnx; its package is not imported, as that brings torch along.

    Raises:
        MissingExtraError: it is not installed.
    """
    found = find_spec("pnnx")
    if found is None or not found.submodule_search_locations:
        raise MissingExtraError("a conversion to ncnn needs pnnx, which", "ncnn")
    return str(Path(found.submodule_search_locations[0]) / "pnnx")


def _beside(files: tuple[str, ...], work: Path) -> Path:
    """The file under another path, with its weights beside it: pnnx writes where it reads."""
    paths = [Path(one).resolve() for one in files]
    for number, path in enumerate(paths):
        at = work / (path.relative_to(paths[0].parent) if number else Path("model.onnx"))
        at.parent.mkdir(parents=True, exist_ok=True)
        at.symlink_to(path)
    return work / "model.onnx"


def _check_layers(layers: list[Layer]) -> None:
    """See that ncnn has all layers: pnnx writes down what it could not convert as well.

    Raises:
        WorkloadError: (unsupported) it lacks some.
    """
    import ncnn

    lacking = sorted({one.kind for one in layers if ncnn.layer_to_index(one.kind) < 0})
    if lacking:
        raise WorkloadError(
            "unsupported",
            f"ncnn {ncnn.__version__} does not have what the model needs: "
            f"{', '.join(map(shown, lacking))}",
        )


def _layout(source: Path, example: str) -> Layout:
    """Inputs and outputs of an ONNX file, and what pnnx made of them.

    Raises:
        WorkloadError: (unsupported) pnnx says too little of them, or ncnn gives no such type.
    """
    import onnx

    model: ModelProto = onnx.load(str(source), load_external_data=False)
    weights = {one.name for one in model.graph.initializer}
    inputs = [one for one in model.graph.input if one.name not in weights]
    takes, gives = dict(_INPUT.findall(example)), dict(_OUTPUT.findall(example))
    layout = Layout(
        inputs=tuple(_port(one, f"in{n}", takes) for n, one in enumerate(inputs)),
        outputs=tuple(_port(one, f"out{n}", gives) for n, one in enumerate(model.graph.output)),
    )
    if not takes or gives.keys() != {one.blob for one in layout.outputs}:
        raise WorkloadError("unsupported", "pnnx did not tell inputs and outputs of what it made")
    other = next((one for one in layout.outputs if one.dtype != "float32"), None)
    if other is not None:
        raise WorkloadError(
            "unsupported",
            f"the output {shown(other.name)} is {other.dtype}, and ncnn tells no types of outputs",
        )
    return layout


def _port(value: ValueInfoProto, blob: str, batches: dict[str, str]) -> Port:
    from onnx import helper

    kind = value.type.tensor_type
    dtype = str(helper.tensor_dtype_to_np_dtype(kind.elem_type))
    axes = tuple(one.dim_value if one.HasField("dim_value") else None for one in kind.shape.dim)
    return Port(
        name=value.name,
        blob=blob,
        dtype="int32" if dtype.startswith(("int", "uint")) else dtype,
        shape=axes if kind.HasField("shape") else None,
        has_batch=batches.get(blob) == "0",
    )
