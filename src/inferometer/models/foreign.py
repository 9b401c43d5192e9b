"""Recognise model files of other runtimes by their content, and see where they are cut short."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from inferometer.core.format import Format
from inferometer.core.shown import shown
from inferometer.models.files.flatbuffer import Flatbuffer
from inferometer.models.guards import LOOKS
from inferometer.models.guards.refusal import damaged
from inferometer.models.paths import is_file

HEAD_BYTES = 4096
"""Of a file, read at once: a declaration of XML and comments may precede what tells."""

MOST_PARTS = 1_000_000
"""Parts of a file that are looked at; one that has more is nothing that is known."""

_ENGINES = (b"ptrt", b"ftrt")
_SIGNATURES = (
    (re.compile(rb"GGUF"), Format.GGUF),
    (re.compile(rb"\x89HDF\r\n\x1a\n"), Format.KERAS),
    (re.compile(b"|".join(_ENGINES)), Format.TENSORRT),
    (re.compile(rb".{4}TFL3", re.DOTALL), Format.TFLITE),
    (re.compile(rb".{4}ET\d\d", re.DOTALL), Format.EXECUTORCH),
    (re.compile(rb"7767517\r?\n(?!\s*\d+\s+\d+\s+pnnx\.)"), Format.NCNN),
    (re.compile(rb"\xdd\x85\x76\x00"), Format.NCNN),  # the same number, in binary
    (
        re.compile(
            rb"(\xef\xbb\xbf)?\s*(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)*"
            rb"<net(?=[^>]*\sname=)(?=[^>]*\sversion=)",
            re.DOTALL,
        ),
        Format.OPENVINO_IR,
    ),
)
"""What a file of a format begins with."""

_WEIGHTS = ".bin"
"""Ending of the file beside one that holds the network alone."""

_VARINT, _EIGHT, _BYTES, _FOUR = 0, 1, 2, 5
"""Ways in which protobuf writes a value."""

_ONNX_FIELDS = frozenset({1, 2, 3, 4, 5, 6, 7, 8, 14, 20, 25, 26})
_COREML_TYPES = 200
"""Fields of a Core ML model from this number on are the kinds of network."""

_MNN_FIELDS = 12
_MNN_OPERATORS, _MNN_NAMES = 3, 7
_TFLITE_BUFFERS = 4


@LOOKS.timed
def foreign_format(path: Path) -> Format | None:
    """The format of a file that is not of torch; None where it is nothing known.

    Raises:
        WorkloadError: (bad_model) it begins as such a file, but is cut short or lacks its weights.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        size_bytes = file.seek(0, 2)
        file.seek(0)
        head = file.read(HEAD_BYTES)
        found = _by_signature(file, head) or _protobuf(path, file, size_bytes)
        if found is None:
            return Format.MNN if _is_mnn(Flatbuffer(file, size_bytes)) else None
        if _is_cut(found, file, head, size_bytes):
            raise damaged(path, f"is cut short or damaged: it begins as a model of {found.value}")
    weights = weights_of(path, found)
    if weights is not None and not is_file(weights):
        raise damaged(
            path, f"is a model of {found.value} without its weights: there is no {shown(weights)}"
        )
    return found


def weights_of(path: Path, found: Format) -> Path | None:
    """The file of weights beside one that holds the network alone; None for other formats."""
    apart = found in (Format.OPENVINO_IR, Format.NCNN)
    return path.with_suffix(_WEIGHTS) if apart else None


def _by_signature(file: BinaryIO, head: bytes) -> Format | None:
    found = next((one for pattern, one in _SIGNATURES if pattern.match(head)), None)
    if found is None and head[4:5] == b"{":  # some tools write a description before an engine
        file.seek(4 + int.from_bytes(head[:4], "little"))
        if file.read(4) in _ENGINES:
            return Format.TENSORRT
    return found


def _is_cut(found: Format, file: BinaryIO, head: bytes, size_bytes: int) -> bool:
    if found is Format.OPENVINO_IR:
        file.seek(max(0, size_bytes - HEAD_BYTES))
        return not file.read().rstrip().endswith(b"</net>")
    if found is Format.NCNN:
        return head[:1] == b"7" and not _has_all_layers(file)
    if found is Format.EXECUTORCH and head[8:10] == b"eh" and len(head) >= 24:  # noqa: PLR2004 - its header
        (program_bytes,) = struct.unpack_from("<Q", head, 16)
        return bool(program_bytes > size_bytes)
    if found is Format.TFLITE:
        return not _has_all_buffers(Flatbuffer(file, size_bytes))
    return False


def _has_all_layers(file: BinaryIO) -> bool:
    """Whether a text of ncnn has as many layers as it says: a line for each."""
    file.seek(0)
    file.readline(HEAD_BYTES)
    counts = file.readline(HEAD_BYTES).split()
    if len(counts) != 2 or not all(one.isdigit() for one in counts):  # noqa: PLR2004 - layers, blobs
        return False
    wanted = int(counts[0][:9])
    lines = (file.readline(HEAD_BYTES) for _ in range(MOST_PARTS))
    for line in lines:
        wanted -= bool(line.strip())
        if not line or wanted <= 0:
            break
    return wanted <= 0


def _protobuf(path: Path, file: BinaryIO, size_bytes: int) -> Format | None:
    """The format of a protobuf message, by the fields that it has."""
    seen: set[tuple[int, int]] = set()
    is_cut = False
    try:
        for field in _fields(file, size_bytes):
            seen.add(field)
    except EOFError:
        is_cut = True
    except ValueError:
        return None
    found = _format_of_fields(seen, is_cut=is_cut)
    if found is not None and is_cut:
        raise damaged(path, f"is cut short: it begins as a model of {found.value}")
    return found


def _format_of_fields(seen: set[tuple[int, int]], *, is_cut: bool) -> Format | None:
    numbers = {number for number, _ in seen}
    if (1, _VARINT) in seen:
        if (7, _BYTES) in seen and numbers <= _ONNX_FIELDS:
            return Format.ONNX
        if any(number >= _COREML_TYPES and kind == _BYTES for number, kind in seen):
            return Format.COREML
    if is_cut:  # what is left may be the beginning of many things
        return None
    is_saved_model = seen == {(1, _VARINT), (2, _BYTES)}
    is_graph = {(1, _BYTES), (4, _BYTES)} <= seen and numbers <= {1, 2, 3, 4, 5}
    return Format.TENSORFLOW if is_saved_model or is_graph else None


def _fields(file: BinaryIO, size_bytes: int) -> Iterator[tuple[int, int]]:
    """Numbers of the fields of a message, and how each is written; their content is passed over.

    Raises:
        EOFError: the message ends within a field, which is given all the same.
        ValueError: it is no message, or has too many fields.
    """
    file.seek(0)
    for _ in range(MOST_PARTS):
        if file.tell() >= size_bytes:
            return
        tag = _varint(file)
        number, kind = tag >> 3, tag & 7
        if not number or kind not in (_VARINT, _EIGHT, _BYTES, _FOUR):
            raise ValueError(tag)
        yield number, kind
        if kind == _VARINT:
            _varint(file)
            continue
        length = _varint(file) if kind == _BYTES else {_EIGHT: 8, _FOUR: 4}[kind]
        if length > size_bytes - file.tell():
            raise EOFError
        file.seek(length, 1)
    raise ValueError(MOST_PARTS)


def _varint(file: BinaryIO) -> int:
    value = 0
    for shift in range(0, 70, 7):
        byte = file.read(1)
        if not byte:
            raise EOFError
        value |= (byte[0] & 0x7F) << shift
        if byte[0] < 0x80:  # noqa: PLR2004 - the last one
            return value
    raise ValueError(value)


def _has_all_buffers(found: Flatbuffer) -> bool:
    """Whether the weights of a TFLite model lie within its file."""
    try:
        for place in found.vector(found.target(0), _TFLITE_BUFFERS)[:MOST_PARTS]:
            data = found.field(found.target(place), 0)
            if data is not None:
                begin = found.target(data)
                if begin + 4 + found.number(begin) > found.size_bytes:
                    return False
    except EOFError:
        return False
    return True


def _is_mnn(found: Flatbuffer) -> bool:
    """Whether it is a flatbuffer with the tables of MNN, which has no signature."""
    try:
        net = found.target(0)
        described = net - found.number(net, "i")
        if found.number(described, "H") > 4 + 2 * _MNN_FIELDS:
            return False
        operators, names = (found.vector(net, one) for one in (_MNN_OPERATORS, _MNN_NAMES))
        if not operators or not names:
            return False
        found.field(found.target(operators[0]), 0)
        text = found.target(names[0])
        return not found.number(text + 4 + found.number(text), "B")  # texts end with a zero
    except EOFError:
        return False
