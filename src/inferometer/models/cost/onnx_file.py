"""Reads an ONNX file for counting: its graph without its weights. Runs nothing that it holds."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inferometer.core.errors import (
    MissingExtraError,
    ModelReferenceError,
    WorkloadError,
    in_one_line,
    is_out_of_memory,
)
from inferometer.models.cost.onnx_dialect import agree, modernise
from inferometer.models.cost.onnx_node import bodies
from inferometer.models.cost.onnx_tensor import Tensor
from inferometer.models.cost.onnx_values import mark

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, NodeProto, TensorProto

SUFFIX = ".onnx"
LARGEST_BYTES = 2**31 - 1
"""A protobuf message cannot be larger; weights beyond that lie in files of their own."""

MOST_NODES = 1_000_000
"""Of a graph; functions that call others twice make any number of a short file."""

KEPT_ELEMENTS = 1024
"""A constant of more elements is no shape and no list of axes: its values are not needed."""

_DATA = ("raw_data", "float_data", "int32_data", "int64_data", "double_data", "uint64_data")


def onnx_path(reference: str) -> Path | None:
    """The file that a reference names, where that is an ONNX file; None for any other reference.

    Raises:
        ModelReferenceError: there is no such file, or the reference has options.
        MissingExtraError: the package that reads it is not installed.
    """
    from inferometer.models.reference import parse

    parsed = parse(reference)
    path = Path(parsed.target).expanduser()
    if parsed.source != "file" or path.suffix.lower() != SUFFIX:
        return None
    if parsed.options:
        raise ModelReferenceError(f"{path}: an ONNX file has no option {min(parsed.options)!r}")
    if not path.is_file():
        raise ModelReferenceError(f"{path}: there is no such file")
    if find_spec("onnx") is None:
        raise MissingExtraError(f"{path} needs onnx, which", "onnx")
    return path


def read_onnx(path: Path) -> tuple[ModelProto, tuple[str, ...]]:
    """The model without the values of its larger tensors, and the files that it consists of.

    Local functions are written out where they are called, operators of old opsets as newer ones.

    Raises:
        WorkloadError: (bad_model) the file is damaged or no ONNX, or takes weights from outside of
            its folder; (unsupported) it is larger than the format allows.
    """
    if path.stat().st_size > LARGEST_BYTES:
        raise WorkloadError(
            "unsupported", f"{path} is larger than 2 GiB; save its weights as external data"
        )
    model = _parsed(path)
    if not model.ir_version or not (model.graph.node or model.graph.output):
        raise WorkloadError("bad_model", f"{path} is no ONNX model: it holds no graph")
    files = [str(path)]
    for tensor in _all_tensors(model):
        mark(tensor)
        if min(tensor.dims, default=0) < 0:
            raise WorkloadError("bad_model", f"{path}: {tensor.name} has a negative length")
        if tensor.data_location == tensor.EXTERNAL:
            files.append(str(_external(path, tensor)))
        elif math.prod(tensor.dims) > KEPT_ELEMENTS:
            for name in _DATA:
                tensor.ClearField(name)
    agree(model)
    whole = _inlined(model, path)
    modernise(whole)
    return whole, tuple(dict.fromkeys(files))


def _all_tensors(model: ModelProto) -> Iterator[TensorProto]:
    """Every constant tensor of a file."""
    yield from _tensors(model.graph)
    for function in model.functions:
        yield from _tensors_of(function.node)


def _tensors(graph: GraphProto) -> Iterator[TensorProto]:
    yield from graph.initializer
    for sparse in graph.sparse_initializer:
        yield from (sparse.values, sparse.indices)
    yield from _tensors_of(graph.node)


def _tensors_of(nodes: Iterable[NodeProto]) -> Iterator[TensorProto]:
    """Those that nodes hold, and the graphs in them."""
    for node in nodes:
        for attribute in node.attribute:
            if attribute.HasField("t"):
                yield attribute.t
            if attribute.HasField("sparse_tensor"):
                yield from (attribute.sparse_tensor.values, attribute.sparse_tensor.indices)
            yield from attribute.tensors
        for body in bodies(node):
            yield from _tensors(body)


def _parsed(path: Path) -> ModelProto:
    import onnx

    try:
        return onnx.load_model(str(path), load_external_data=False)
    except Exception as error:
        if is_out_of_memory(error):
            raise
        message = f"{path} is damaged, or no ONNX model: {in_one_line(error)}"
        raise WorkloadError("bad_model", message) from error


def _external(path: Path, tensor: TensorProto) -> Path:
    """The file of a tensor; the values of a small one are read from it.

    Raises:
        WorkloadError: (bad_model) it is missing, or outside of the model's folder.
    """
    entries: dict[str, str] = {entry.key: entry.value for entry in tensor.external_data}
    folder = path.parent.resolve()
    file = (folder / entries.get("location", "")).resolve()
    if not file.is_relative_to(folder):
        raise WorkloadError(
            "bad_model", f"{path} takes {tensor.name} from outside of its folder: {file}"
        )
    if not file.is_file():
        raise WorkloadError("bad_model", f"{path} takes {tensor.name} from {file}: no such file")
    if math.prod(tensor.dims) <= KEPT_ELEMENTS:
        _fill(path, tensor, file, entries)
    return file


def _fill(path: Path, tensor: TensorProto, file: Path, entries: dict[str, str]) -> None:
    """Read a small tensor, such as a shape, into the model: as many bytes as its shape needs."""
    size_bytes = Tensor(tensor.data_type, tuple(tensor.dims)).size_bytes
    try:
        with file.open("rb") as opened:
            opened.seek(int(entries.get("offset", 0)))
            data = opened.read(size_bytes)
    except (OSError, ValueError, OverflowError) as error:
        message = f"{path} does not say where {tensor.name} lies: {in_one_line(error)}"
        raise WorkloadError("bad_model", message) from error
    if len(data) < size_bytes:
        raise WorkloadError("bad_model", f"{file} ends before {tensor.name} of {path} does")
    tensor.raw_data = data
    tensor.data_location = tensor.DEFAULT
    del tensor.external_data[:]


def _inlined(model: ModelProto, path: Path) -> ModelProto:
    """Write local functions out where they are called.

    Raises:
        WorkloadError: (bad_model) those that call each other grow beyond all bounds.
    """
    if not model.functions:
        return model
    import onnx.inliner

    functions = {(one.domain, one.name): one.node for one in model.functions}
    if _nodes_written_out(model.graph.node, functions, {}) > MOST_NODES:
        raise WorkloadError(
            "bad_model", f"{path} has over {MOST_NODES:,} operators where its functions are called"
        )
    inline: Any = onnx.inliner.inline_local_functions
    found: ModelProto = inline(model)
    return found


def _nodes_written_out(
    nodes: Iterable[NodeProto],
    functions: Mapping[tuple[str, str], Iterable[NodeProto]],
    sizes: dict[tuple[str, str], int],
) -> int:
    """How many nodes some become; a circle counts as nothing, since the library refuses it."""
    count = 0
    for node in nodes:
        called = node.domain, node.op_type
        if called in functions and called not in sizes:
            sizes[called] = 0
            sizes[called] = _nodes_written_out(functions[called], functions, sizes)
        count += sizes.get(called, 1)
        count += sum(_nodes_written_out(body.node, functions, sizes) for body in bodies(node))
    return count
