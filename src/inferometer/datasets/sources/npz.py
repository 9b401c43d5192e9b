"""`FILE.npz`: arrays of inputs and labels. Nothing in such a file is run."""

from __future__ import annotations

import math
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inferometer.core.errors import DatasetError, in_one_line
from inferometer.core.filenames import MIB, FileProblemError, check_file, expanded
from inferometer.core.shown import shown, visible
from inferometer.core.units import byte_count
from inferometer.datasets.items import Item, pool_of
from inferometer.datasets.pool import Opening, Pool
from inferometer.datasets.reference import DatasetReference
from inferometer.datasets.roles import USER_SHARES, Part

MOST_BYTES = 8 * 1024 * MIB
"""Of a file, and of the arrays in it that are read."""
INPUTS = ("x", "inputs", "images", "data", "features", "texts", "text")
LABELS = ("y", "labels", "label", "targets", "target")
UNITS = ("units", "unit", "groups")
CLASSES = ("classes", "class_names")
ENDINGS: dict[str, Part] = {"": "", "_train": "train", "_val": "validation", "_test": "test"}
"""Of names of arrays: those of splits."""

Array = NDArray[Any]


class NpzSource:
    """Opens arrays that `numpy.savez` wrote."""

    def check(self, reference: DatasetReference) -> None:
        """Check that the file is there.

        Raises:
            DatasetError: it is not.
        """
        reference.refuse_others("inputs", "labels", "source")
        path = file_of(reference, MOST_BYTES)
        if not zipfile.is_zipfile(path):
            raise DatasetError(f"{shown(path)}: not an .npz file; write it with numpy.savez")

    def open(self, opening: Opening) -> Pool:
        """Read the arrays.

        Raises:
            DatasetError: it lacks some, or they do not fit each other.
        """
        reference = opening.reference
        path = file_of(reference, MOST_BYTES)
        with _archive(path) as archive:
            names = _names(archive)
            pairs = _pairs(names, reference)
            wanted = [name for pair in pairs for name in pair[:2]]
            extras = [_of(names, known, "") for known in (UNITS, CLASSES)]
            arrays = _arrays(archive, names, [*wanted, *filter(None, extras)], path)
        units, classes = (arrays.get(name or "") for name in extras)
        items = [item for pair in pairs for item in _items(arrays, pair, units, reference)]
        return pool_of(
            items,
            opening,
            source=reference.rest.get("source", "the user's file"),
            shares=USER_SHARES,
            classes=None if classes is None else tuple(map(str, classes.tolist())),
        )


def file_of(reference: DatasetReference, at_most: int) -> Path:
    """The file of a reference.

    Raises:
        DatasetError: it is not there, no ordinary file, or too large.
    """
    try:
        path = expanded(reference.target)
        check_file(path, at_most=at_most)
    except FileProblemError as error:
        raise DatasetError(str(error)) from error
    return path


@contextmanager
def _archive(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error, RuntimeError) as error:
        raise DatasetError(
            f"{shown(path)}: it is damaged ({visible(in_one_line(error, 120))})"
        ) from error
    except NotImplementedError as error:
        raise DatasetError(
            f"{shown(path)}: compressed in a way that cannot be read; write it with numpy.savez"
        ) from error


def _names(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """Its arrays by name."""
    return {
        info.filename[: -len(".npy")]: info
        for info in archive.infolist()
        if info.filename.endswith(".npy")
    }


def _of(names: Mapping[str, object], known: Sequence[str], ending: str) -> str | None:
    """The array that is called like one of the known names, whatever its case."""
    lower = {name.lower(): name for name in names}
    return next((lower[one + ending] for one in known if one + ending in lower), None)


def _pairs(
    names: Mapping[str, object], reference: DatasetReference
) -> list[tuple[str, str | None, Part]]:
    """Names of inputs and labels, and where they belong.

    Raises:
        DatasetError: there are none.
    """
    said = {key: reference.rest.get(key) for key in ("inputs", "labels")}
    for key, name in said.items():
        if name is not None and name not in names:
            raise _lacking(reference, f"{key}={shown(name)}", names)
    if said["inputs"]:
        return [(said["inputs"], said["labels"] or _of(names, LABELS, ""), "")]
    pairs: list[tuple[str, str | None, Part]] = []
    for ending, part in ENDINGS.items():
        inputs = _of(names, INPUTS, ending)
        if inputs is not None:
            labels = _of(names, LABELS, ending)
            pairs.append((inputs, said["labels"] or labels, part))
    if not pairs:
        raise _lacking(reference, "inputs such as x", names)
    if any(labels is None for _, labels, _ in pairs) and reference.task != "other":
        raise _lacking(reference, "labels such as y", names)
    return pairs


def _lacking(reference: DatasetReference, what: str, names: Mapping[str, object]) -> DatasetError:
    return DatasetError(
        f"{reference.name} has no {what}; it has {shown(', '.join(names)) or 'no arrays'}: "
        "name them, as in ?inputs=NAME&labels=NAME, or write ?task=other where there are no labels"
    )


def _arrays(
    archive: zipfile.ZipFile,
    names: Mapping[str, zipfile.ZipInfo],
    wanted: Sequence[str | None],
    path: Path,
) -> dict[str, Array]:
    """Arrays by name, of which the sizes are known before they are read."""
    left = MOST_BYTES
    found: dict[str, Array] = {}
    for name in wanted:
        if name is None or name in found:
            continue
        left -= _check_header(archive, names[name], name, path)
        if left < 0:
            raise DatasetError(
                f"{shown(path)}: its arrays take more than {byte_count(MOST_BYTES)}; split it"
            )
        with archive.open(names[name]) as stream:
            found[name] = np.lib.format.read_array(stream, allow_pickle=False)
    return found


def _check_header(archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str, path: Path) -> int:
    """Bytes of an array.

    Raises:
        DatasetError: it holds objects, or is larger than the file says.
    """
    with archive.open(info) as stream:
        version = np.lib.format.read_magic(stream)
        read = (
            np.lib.format.read_array_header_1_0
            if version == (1, 0)
            else np.lib.format.read_array_header_2_0
        )
        shape, _, kind = read(stream)
    if kind.hasobject:
        raise DatasetError(
            f"{shown(path)}: {shown(name)} holds objects of Python, which would be run; save plain "
            "arrays of numbers or of text"
        )
    size = math.prod(shape) * kind.itemsize
    if min(shape, default=0) < 0 or size > info.file_size:
        raise DatasetError(f"{shown(path)}: {shown(name)} is larger than its file")
    return size


def _items(
    arrays: Mapping[str, Array],
    pair: tuple[str, str | None, Part],
    units: Array | None,
    reference: DatasetReference,
) -> list[Item]:
    inputs, labels, part = pair
    given = arrays[inputs]
    answers = [None] * len(given) if labels is None else arrays[labels]
    lengths = {inputs: _length(given), labels or inputs: _length(answers)}
    if not part and units is not None:
        lengths["units"] = _length(units)
    if len(set(lengths.values())) > 1:
        said = ", ".join(f"{shown(name)} {length:,}" for name, length in lengths.items())
        raise DatasetError(f"{reference.name}: the numbers of samples differ: {said}")
    belongs = [""] * len(given) if units is None or part else [str(one) for one in units.tolist()]
    return [
        Item(_plain(one), answer, unit, f"{inputs}[{number}]", part)
        for number, (one, answer, unit) in enumerate(zip(given, answers, belongs, strict=True))
    ]


def _length(array: Any) -> int:  # noqa: ANN401 - an array, or a list
    return -1 if np.ndim(array) == 0 else len(array)


def _plain(value: Any) -> Any:  # noqa: ANN401 - an element of an array
    return str(value) if isinstance(value, np.str_) else value
