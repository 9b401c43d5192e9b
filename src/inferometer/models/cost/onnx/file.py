"""Reads an ONNX file for counting: its graph without its weights. Runs nothing that it holds."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inferometer.core.errors import (
    MissingExtraError,
    ModelReferenceError,
    WorkloadError,
    in_one_line,
)
from inferometer.core.filenames import FileProblemError, check_file, reason_of
from inferometer.core.format import Format
from inferometer.core.shown import shown, visible
from inferometer.models.cost.onnx.dialect import agree, modernise
from inferometer.models.cost.onnx.node import OnnxDamagedError, bodies, library
from inferometer.models.cost.onnx.tensor import Tensor
from inferometer.models.cost.onnx.values import mark
from inferometer.models.guards.refusal import blaming, damaged
from inferometer.models.paths import path_of, require_file

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, NodeProto, TensorProto

SUFFIX = ".onnx"
LARGEST_BYTES = 2**31 - 1
"""A protobuf message cannot be larger; weights beyond that lie in files of their own."""

MOST_NODES = 1_000_000
"""Of a graph; functions that call others twice make any number of a short file."""

KEPT_ELEMENTS = 1024
"""A constant of more elements is no shape and no list of axes: its values are not needed."""

_TERM = rb"[A-Za-z ]*(\.\.\.)?[A-Za-z ]*"
_EQUATION = re.compile(rb"%b(,%b)*(->%b)?" % (_TERM, _TERM, _TERM))
"""Of an Einsum: letters for axes of an operand, three points for those without a letter."""

_DATA = ("raw_data", "float_data", "int32_data", "int64_data", "double_data", "uint64_data")


def onnx_path(reference: str) -> Path | None:
    """The file that a reference names, where that is an ONNX file; None for any other reference.

    One that is called so and holds nothing known is meant to be one.

    Raises:
        ModelReferenceError: there is no such file, or the reference has options.
        MissingExtraError: the package that reads it is not installed.
    """
    from inferometer.models import format_of
    from inferometer.models.reference import parse

    parsed = parse(reference)
    found = format_of(reference) if parsed.source == "file" else None
    is_called_so = parsed.source == "file" and parsed.target.lower().endswith(SUFFIX)
    if found is not Format.ONNX and (found is not None or not is_called_so):
        return None
    path = path_of(parsed.target)
    if parsed.options:
        name = shown(min(parsed.options))
        raise ModelReferenceError(f"{shown(path)}: an ONNX file has no option {name!r}")
    require_file(path)
    if find_spec("onnx") is None:
        raise MissingExtraError(f"{shown(path)} needs onnx, which", "onnx")
    return path


def read_onnx(path: Path) -> tuple[ModelProto, tuple[str, ...]]:
    """What `open_onnx` gives, made plain to count.

    Local functions are written out where they are called, operators of old opsets as newer ones.

    Raises:
        WorkloadError: as `open_onnx`.
    """
    model, files = open_onnx(path)
    agree(model)
    whole = _inlined(model, path)
    modernise(whole)
    return whole, files


def open_onnx(path: Path) -> tuple[ModelProto, tuple[str, ...]]:
    """The model without the values of its larger tensors, and the files that it consists of.

    Raises:
        WorkloadError: (bad_model) the file is damaged or no ONNX, or takes weights from outside of
            its folder; (unsupported) it is larger than the format allows.
    """
    if check_file(path).st_size > LARGEST_BYTES:
        raise WorkloadError(
            "unsupported", f"{shown(path)} is larger than 2 GiB; save its weights as external data"
        )
    model = _parsed(path)
    if not model.ir_version or not (model.graph.node or model.graph.output):
        raise damaged(path, "is not an ONNX model: it holds no graph")
    _check_texts(model)
    _check_nodes(model.graph.node)
    for function in model.functions:
        _check_nodes(function.node)
    files = [str(path)]
    kinds = _kinds()
    for tensor in all_tensors(model):
        mark(tensor)
        if tensor.data_type not in kinds:
            raise damaged(path, f"says that {shown(tensor.name)} is of no type that there is")
        if min(tensor.dims, default=0) < 0:
            raise damaged(path, f"says that {shown(tensor.name)} has a negative length")
        if tensor.data_location == tensor.EXTERNAL:
            files.append(str(_external(path, tensor)))
        elif math.prod(tensor.dims) > KEPT_ELEMENTS:
            for name in _DATA:
                tensor.ClearField(name)
    return model, tuple(dict.fromkeys(files))


def _kinds() -> frozenset[int]:
    """Types of elements that a tensor may have."""
    from onnx import TensorProto

    return frozenset(TensorProto.DataType.values())


def _check_nodes(nodes: Iterable[NodeProto]) -> None:
    """Refuse operators that give nothing, which nothing here is ready for.

    Raises:
        OnnxDamagedError: there is one.
    """
    for node in nodes:
        if not node.output:
            raise OnnxDamagedError(f"an operator {shown(node.op_type, 80)} gives no result")
        for attribute in node.attribute:
            if attribute.name == "equation" and not _EQUATION.fullmatch(attribute.s):
                # The library's shape inference would not come to an end.
                raise OnnxDamagedError("an Einsum has an equation that is none")
        for body in bodies(node):
            _check_nodes(body.node)


def _check_texts(message: Any) -> None:  # noqa: ANN401 - any part of a model
    """Refuse texts that are none: the library gives bytes in their place.

    Raises:
        OnnxDamagedError: there is one.
        UnicodeDecodeError: there is one, in other releases of the library.
    """
    for field, found in message.ListFields():
        values = [found] if isinstance(found, str | bytes) or not _is_listed(found) else found
        if field.type == field.TYPE_MESSAGE:
            for one in values:
                _check_texts(one)
        elif field.type == field.TYPE_STRING and not all(isinstance(one, str) for one in values):
            raise OnnxDamagedError(f"a text in it ({field.name}) is none")


def _is_listed(found: object) -> bool:
    """Whether a field has several values."""
    return hasattr(found, "__len__") and not hasattr(found, "ListFields")


def all_tensors(model: ModelProto) -> Iterator[TensorProto]:
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

    with blaming(path, "is damaged, or no ONNX model"):
        return onnx.load_model(str(path), load_external_data=False)


def _external(path: Path, tensor: TensorProto) -> Path:
    """The file of a tensor; the values of a small one are read from it.

    Raises:
        WorkloadError: (bad_model) it is missing, or outside of the model's folder.
    """
    entries: dict[str, str] = {entry.key: entry.value for entry in tensor.external_data}
    folder, name = path.parent.resolve(), shown(tensor.name)
    try:
        file = (folder / entries.get("location", "")).resolve()  # links are followed
        outside = not file.is_relative_to(folder)
        if not outside:
            check_file(file)
    except FileProblemError as error:
        raise damaged(path, f"takes {name} from {error}") from error
    except (OSError, ValueError, RuntimeError) as error:
        raise damaged(
            path, f"takes {name} from a place that cannot be: {reason_of(error)}"
        ) from error
    if outside:
        raise damaged(path, f"takes {name} from outside of its folder: {shown(file)}")
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
        problem = visible(in_one_line(error))
        message = f"does not say where {shown(tensor.name)} lies: {problem}"
        raise damaged(path, message) from error
    if len(data) < size_bytes:
        raise damaged(file, f"ends before {shown(tensor.name)} of {shown(path)} does")
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
    try:
        written_out = _nodes_written_out(model.graph.node, functions, {})
    except RecursionError as error:
        raise damaged(path, "has functions that call each other too deeply") from error
    if written_out > MOST_NODES:
        raise damaged(path, f"has over {MOST_NODES:,} operators where its functions are called")
    inline: Any = onnx.inliner.inline_local_functions
    with library():
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
