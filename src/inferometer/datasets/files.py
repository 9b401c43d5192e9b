"""Samples that are files: looked at one by one and remembered, and read when they are needed."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inferometer.core.dataset import Skipped, Task
from inferometer.core.errors import DatasetError
from inferometer.core.shown import shown
from inferometer.datasets.digests import content_digest, label_digest
from inferometer.datasets.index import Index, Look
from inferometer.datasets.pictures import (
    PictureError,
    Pixels,
    UnreadableError,
    mask_of,
    pixels_of,
    read_picture,
)
from inferometer.datasets.pool import Pool, Progress
from inferometer.datasets.roles import USER_SHARES, Entry, Part

VOID = 255
"""In a mask: not judged."""


@dataclass(frozen=True, slots=True)
class SampleFile:
    """The file of a sample, and that of its mask.

    Attributes:
        name: for messages: its path within the dataset.
        path: of the picture.
        mask: of the mask; None where the label is no picture.
    """

    name: str
    path: Path
    mask: Path | None = None


@dataclass(frozen=True, kw_only=True)
class About:
    """What is the same for all samples of a dataset of files.

    Attributes:
        task: what is asked of a model.
        classes: names of classes, by number.
        source: where the samples come from, and under which licence.
    """

    task: Task
    classes: tuple[str, ...] = ()
    source: str


@dataclass(frozen=True, kw_only=True)
class Looked:
    """Files as they were seen.

    Attributes:
        usable: numbers of those that can be used.
        looks: what was seen, of each.
        stamps: sizes and times of each, which show whether it has changed since.
        unusable: the others.
    """

    usable: list[int]
    looks: list[Look]
    stamps: list[str]
    unusable: tuple[Skipped, ...]


def decoder_version() -> str:
    """Of what decodes pictures."""
    import PIL

    return f"pillow {PIL.__version__}"


def look_at(files: Sequence[SampleFile], name: str, on_progress: Progress) -> Looked:
    """Look at each file that has changed since the last time, or is new."""
    index = Index(name, decoder_version())
    looks: list[Look] = []
    stamps: list[str] = []
    try:
        for number, file in enumerate(files):
            stamp = stamp_of(file)
            looks.append(_looked(file, stamp, index))
            stamps.append(stamp)
            on_progress(number + 1, len(files))
    finally:
        index.save(complete=len(looks) == len(files))
    return Looked(
        usable=[number for number, look in enumerate(looks) if not look.why],
        looks=looks,
        stamps=stamps,
        unusable=tuple(
            Skipped(name=shown(file.name), why=look.why)
            for file, look in zip(files, looks, strict=True)
            if look.why
        ),
    )


def stamp_of(file: SampleFile) -> str:
    """Size and time of change of the files of a sample; empty where they cannot be seen."""
    try:
        found = [os.stat(path) for path in (file.path, file.mask) if path is not None]  # noqa: PTH116
    except OSError:
        return ""
    return " ".join(f"{one.st_size} {one.st_mtime_ns}" for one in found)


def reader(
    files: Sequence[SampleFile], looked: Looked, *, what: str
) -> Callable[[int], tuple[Pixels, Pixels | None]]:
    """What reads the picture and the mask of the file of a number.

    Raises:
        DatasetError: (when called) the file has changed, or is gone.
    """

    def read(number: int) -> tuple[Pixels, Pixels | None]:
        file = files[number]
        if stamp_of(file) != looked.stamps[number]:
            raise DatasetError(f"{what}: {shown(file.name)} was changed meanwhile; begin anew")
        try:
            picture = pixels_of(read_picture(file.path))
            return picture, None if file.mask is None else mask_of(read_picture(file.mask))
        except PictureError as error:
            raise DatasetError(f"{what}: {shown(file.name)}: {error}") from error

    return read


def pool_of_files(
    files: Sequence[SampleFile],
    looked: Looked,
    *,
    what: str,
    about: About,
    labels: Sequence[Any] = (),
    convert: Callable[[Pixels], Any] = lambda mask: mask,
    parts: Sequence[Part] = (),
    units: Sequence[str] = (),
    others: tuple[Skipped, ...] = (),
    lacking: tuple[Skipped, ...] = (),
) -> Pool:
    """Samples of files that were looked at.

    Args:
        files: of the samples.
        looked: what was seen of them.
        what: the dataset, for messages.
        about: what is the same for all samples.
        labels: of each file; none where masks are the labels, or there are none.
        convert: from a mask to a label.
        parts: where the source puts each file; none is nowhere.
        units: what each file belongs to; none where it stands alone.
        others: files that are no samples.
        lacking: samples that lack something, such as a mask.
    """
    read = reader(files, looked, what=what)
    is_class = about.task == "classification"

    def read_labelled(place: int) -> tuple[Any, Any]:
        number = looked.usable[place]
        picture, mask = read(number)
        if mask is not None:
            return picture, convert(mask)
        return picture, labels[number] if labels else None

    return Pool(
        task=about.task,
        kind="image",
        classes=about.classes,
        source=about.source,
        entries=[
            Entry(
                name=shown(files[number].name),
                unit=units[number] if units else files[number].name,
                content=looked.looks[number].content,
                label=looked.looks[number].label
                or label_digest(labels[number] if labels else None),
                stratum=labels[number] if is_class else None,
                part=parts[number] if parts else "",
            )
            for number in looked.usable
        ],
        read=read_labelled,
        shares=USER_SHARES,
        skipped=others,
        unusable=(*looked.unusable, *lacking),
        sizes=sizes_of([looked.looks[number].size for number in looked.usable]),
    )


def sizes_of(sizes: Sequence[tuple[int, ...]]) -> str:
    """Sizes of pictures for people: `32x32`, or the smallest and the largest."""
    if not sizes:
        return ""
    texts = ["x".join(map(str, size)) for size in (min(sizes, key=_area), max(sizes, key=_area))]
    return texts[0] if len(set(sizes)) == 1 else " to ".join(texts)


def _area(size: tuple[int, ...]) -> tuple[int, tuple[int, ...]]:
    area = 1
    for length in size:
        area *= length
    return area, size


def _looked(file: SampleFile, stamp: str, index: Index) -> Look:
    key = f"{stamp} {file.path}"
    known = index.get(key) if stamp else None
    if known is not None:
        return known
    try:
        look = _seen(file)
    except UnreadableError as error:  # another time it may be
        return Look(why=str(error))
    if stamp:
        index.put(key, look)
    return look


def _seen(file: SampleFile) -> Look:
    try:
        picture = pixels_of(read_picture(file.path))
    except UnreadableError:
        raise
    except PictureError as error:
        return Look(why=str(error))
    if file.mask is None:
        return Look(content=content_digest(picture), size=picture.shape[:2])
    try:
        mask = mask_of(read_picture(file.mask))
    except UnreadableError:
        raise
    except PictureError as error:
        return Look(why=f"its mask: {error}")
    if mask.shape != picture.shape[:2]:
        sizes = [sizes_of([shape]) for shape in (mask.shape, picture.shape[:2])]
        return Look(why=f"its mask is {sizes[0]}, the picture {sizes[1]}")
    values = tuple(sorted(set(mask.ravel().tolist())))
    return Look(content_digest(picture), label_digest(mask), picture.shape[:2], values)
