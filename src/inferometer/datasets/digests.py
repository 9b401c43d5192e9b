"""What makes two samples the same: digests of decoded contents, of labels, and of datasets.

The digest of a content does not depend on how it came in. What is the same picture has one digest,
whether its file was a PNG or a BMP, and its array was uint8 or float, from 0 to 255 or from 0 to 1,
grey or three equal channels, with channels first or last.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

DIGITS = 32
"""Hexadecimal digits of the digest of a sample: 128 bits."""
LEVELS = 255
CHANNELS = 3
TOLERANCE = 1e-4
"""Of a level, where values go from 0 to 1: more than float32 rounds, far less than a step."""

Array = NDArray[Any]


def content_digest(content: object) -> str:
    """The digest of an input: a text or several, an array, or a mapping of arrays."""
    found = hashlib.sha256()
    for part in _parts(content):
        found.update(part)
    return found.hexdigest()[:DIGITS]


def label_digest(label: object) -> str:
    """The digest of a label, of whatever form."""
    return hashlib.sha256(_label_bytes(label)).hexdigest()[:DIGITS]


def dataset_digest(contents: Iterable[str], labels: Iterable[str]) -> str:
    """The digest of samples with their labels, in their order."""
    found = hashlib.sha256()
    for content, label in zip(contents, labels, strict=True):
        found.update(f"{content} {label}\n".encode())
    return found.hexdigest()


def _parts(content: object) -> Iterable[bytes]:
    if isinstance(content, str):
        text = content.encode("utf-8", "surrogatepass")
        yield b"text %d\0" % len(text)
        yield text
    elif isinstance(content, Mapping):
        for name in sorted(content):
            yield f"name {name}\0".encode()
            yield from _parts(content[name])
    elif isinstance(content, (list, tuple)):
        for one in content:
            yield from _parts(one)
    else:
        array = canonical(np.asarray(content))
        yield f"{array.dtype.str} {array.shape}\0".encode()
        yield np.ascontiguousarray(array).tobytes()


def canonical(array: Array) -> Array:
    """An array in the form that all with the same content share."""
    plain: Array = np.squeeze(array)
    if plain.dtype.kind not in "biuf":
        return plain
    if plain.ndim == CHANNELS and plain.shape[0] == CHANNELS != plain.shape[-1]:
        plain = np.moveaxis(plain, 0, -1)
    if plain.ndim == CHANNELS and plain.shape[-1] == CHANNELS and _is_grey(plain):
        plain = plain[..., 0]
    return _levels(plain)


def _is_grey(picture: Array) -> bool:
    first = picture[..., 0]
    return bool(np.array_equal(first, picture[..., 1]) and np.array_equal(first, picture[..., 2]))


def _levels(array: Array) -> Array:
    """Values as levels from 0 to 255 where they are such; else floats, or large whole numbers."""
    if not array.size:
        return array.astype(np.uint8)
    low, high = float(array.min()), float(array.max())
    if array.dtype.kind in "biu":
        return array.astype(np.uint8 if low >= 0 and high <= LEVELS else np.int64)
    if 0 <= low <= high <= LEVELS:
        scale, off = (LEVELS, TOLERANCE) if high <= 1 else (1, 0.0)
        levels: Array = np.rint(array * scale)
        if np.abs(array * scale - levels).max() <= off and (levels.max() or not high):
            return levels.astype(np.uint8)
    with np.errstate(over="ignore"):
        wide: Array = array.astype(np.float32) + np.float32(0)  # minus zero is zero
    return wide


def _label_bytes(label: object) -> bytes:
    if label is None or isinstance(label, (str, bool)):
        return repr(label).encode("utf-8", "surrogatepass")
    if isinstance(label, Mapping):
        return b"".join(f"{name}:".encode() + _label_bytes(label[name]) for name in sorted(label))
    array = np.asarray(label)
    if array.dtype.kind not in "biuf":
        return repr(label).encode("utf-8", "surrogatepass")
    wide = array.astype(np.float64 if array.dtype.kind == "f" else np.int64)
    return f"{wide.dtype.str} {wide.shape}\0".encode() + wide.tobytes()
