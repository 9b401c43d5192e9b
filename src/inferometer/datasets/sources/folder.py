"""`./FOLDER`: pictures, a folder for each class; or `images/` with `masks/`."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from inferometer.core.dataset import Skipped
from inferometer.core.errors import DatasetError
from inferometer.core.filenames import FileProblemError, expanded
from inferometer.core.shown import shown
from inferometer.datasets.files import VOID, About, Looked, SampleFile, look_at, pool_of_files
from inferometer.datasets.labels import class_order, named_classes
from inferometer.datasets.pictures import Pixels, is_picture
from inferometer.datasets.pool import Opening, Pool
from inferometer.datasets.reference import DatasetReference
from inferometer.datasets.roles import Part

MOST_FILES = 2_000_000
IMAGES, MASKS = "images", "masks"
SPLITS: dict[str, Part] = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "test": "test",
}
"""Names of folders that are no classes, but hold classes of a split."""
BINARY = frozenset({0, 255})


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a folder holds.

    Attributes:
        files: pictures, in the order of their names.
        classes: the name of the class of each; empty for masks.
        parts: where each belongs.
        names: of all classes, also of those without a picture.
        others: what is no picture.
        lacking: pictures without a mask.
    """

    files: list[SampleFile] = field(default_factory=list)
    classes: list[str] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    others: list[Skipped] = field(default_factory=list)
    lacking: list[Skipped] = field(default_factory=list)


class FolderSource:
    """Opens a folder of pictures."""

    def check(self, reference: DatasetReference) -> None:
        """Check that the folder is there.

        Raises:
            DatasetError: it is not.
        """
        reference.refuse_others("source")
        if reference.task not in (None, "classification", "segmentation", "other"):
            raise DatasetError(
                f"{reference.name}: a folder holds no labels for the task {reference.task}; "
                "write a function FILE.py:FUNCTION that gives them"
            )
        _folder(reference)

    def open(self, opening: Opening) -> Pool:
        """Look at each picture.

        Raises:
            DatasetError: there is none, or the classes are wrong.
        """
        reference = opening.reference
        root = _folder(reference)
        inside = {entry.name for entry in _entries(root) if entry.is_dir(follow_symlinks=False)}
        is_pair = inside >= {IMAGES, MASKS} and reference.task in (None, "segmentation")
        found = Found()
        if is_pair:
            _add_pairs(found, root, reference)
        elif reference.task == "segmentation":
            raise DatasetError(
                f"{reference.name}: for segmentation it needs {IMAGES}/ and {MASKS}/ with files "
                "of the same names"
            )
        else:
            _add_classes(found, root, inside, reference)
        if not found.files:
            raise DatasetError(f"{reference.name} holds no pictures{_first(found.others)}")
        looked = look_at(found.files, str(root), opening.on_progress)
        make = _segmentation if is_pair else _classification
        return make(found, looked, reference)


def _folder(reference: DatasetReference) -> Path:
    """The folder itself.

    Raises:
        DatasetError: it is not there, is no folder, or may not be read.
    """
    try:
        root = expanded(reference.target)
        if root.is_dir():
            _entries(root)
            return root.resolve()
    except FileProblemError as error:
        raise DatasetError(str(error)) from error
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise DatasetError(f"{shown(reference.target)}: it cannot be read: {why}") from error
    what = "it is a file, not a folder" if root.exists() else "there is no such folder"
    raise DatasetError(f"{shown(reference.target)}: {what}")


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    """What is in a folder, by name; what is hidden is left out."""
    with os.scandir(folder) as entries:
        return sorted((one for one in entries if one.name[0] != "."), key=lambda one: one.name)


def _first(others: Sequence[Skipped]) -> str:
    return f"; {others[0].name} is {others[0].why}" if others else ""


def _add_classes(found: Found, root: Path, inside: set[str], reference: DatasetReference) -> None:
    """Pictures of folders of classes, which may stand in folders of splits."""
    if reference.task == "other":
        _add(found, root, root, "", "")
        return
    if not inside:
        raise DatasetError(
            f"{reference.name} has no folders of classes: put the pictures of each class into a "
            "folder that is called like it, or write ?task=other where they have no labels"
        )
    splits = {name: SPLITS[name.lower()] for name in inside if name.lower() in SPLITS}
    are_splits = splits.keys() == inside and "test" in (*splits.values(), *_judged(splits))
    parts = {**splits, **_judged(splits)} if are_splits else {"": ""}
    for name, part in sorted(parts.items()):
        for entry in _entries(root / name):
            if entry.is_dir(follow_symlinks=False):
                found.names.add(entry.name)
                _add(found, Path(entry.path), root, entry.name, part)
            else:
                found.others.append(Skipped(name=shown(entry.name), why="in no folder of a class"))


def _judged(splits: Mapping[str, Part]) -> dict[str, Part]:
    """Where there is no test split, what was held out for validation is for the test."""
    if "test" in splits.values():
        return {}
    return {name: "test" for name, part in splits.items() if part == "validation"}


def _add(found: Found, folder: Path, root: Path, name: str, part: Part | str) -> None:
    """All pictures below a folder."""
    for path, why in _below(folder, root):
        relative = os.fspath(path.relative_to(root))
        if why or not is_picture(path):
            reason = why or "no picture, by its name"
            found.others.append(Skipped(name=shown(relative), why=reason))
            continue
        found.files.append(SampleFile(relative, path))
        found.classes.append(name)
        found.parts.append(part)  # type: ignore[arg-type]
        if len(found.files) > MOST_FILES:
            raise DatasetError(f"{shown(root)} holds more than {MOST_FILES:,} pictures")


def _below(folder: Path, root: Path) -> Iterator[tuple[Path, str]]:
    """Files below a folder by name, each with why it is not read: it leads out, or is no file."""
    for entry in _entries(folder):
        path = Path(entry.path)
        if entry.is_dir(follow_symlinks=False):
            yield from _below(path, root)
        elif entry.is_symlink():
            yield path, _link_problem(path, root)
        else:
            yield path, "" if entry.is_file(follow_symlinks=False) else "not an ordinary file"


def _link_problem(path: Path, root: Path) -> str:
    try:
        target = path.resolve(strict=True)
        if target.is_relative_to(root) and target.is_file():
            return ""
    except (OSError, RuntimeError):
        return "a link that leads nowhere"
    return "a link to a folder" if target.is_dir() else "a link that leads out of the folder"


def _add_pairs(found: Found, root: Path, reference: DatasetReference) -> None:
    """Pictures with the masks of the same names."""
    masks: dict[str, Path] = {}
    for path, why in _below(root / MASKS, root):
        stem = os.fspath(path.relative_to(root / MASKS).with_suffix(""))
        if why or not is_picture(path):
            found.others.append(Skipped(name=shown(path.name), why=why or "no picture"))
        elif stem in masks:
            raise DatasetError(f"{reference.name}: there are two masks for {shown(stem)}")
        else:
            masks[stem] = path
    pictures = Found()
    _add(pictures, root / IMAGES, root, "", "")
    found.others.extend(pictures.others)
    for file in pictures.files:
        mask = masks.get(os.fspath(file.path.relative_to(root / IMAGES).with_suffix("")))
        if mask is None:
            found.lacking.append(Skipped(name=shown(file.name), why="it has no mask"))
        else:
            found.files.append(SampleFile(file.name, file.path, mask))


def _classification(found: Found, looked: Looked, reference: DatasetReference) -> Pool:
    classes: tuple[str, ...] = ()
    labels: list[int] = []
    if reference.task != "other":
        named = named_classes(reference.classes)
        classes = class_order(sorted(found.names), named, reference.name)
        numbers = {name: number for number, name in enumerate(classes)}
        labels = [numbers[name] for name in found.classes]
    about = About(
        task="classification" if classes else "other", classes=classes, source=_source(reference)
    )
    return pool_of_files(
        found.files,
        looked,
        what=reference.name,
        about=about,
        labels=labels,
        parts=found.parts,
        others=tuple(found.others),
    )


def _segmentation(found: Found, looked: Looked, reference: DatasetReference) -> Pool:
    values: set[int] = set()
    values.update(*(looked.looks[number].values for number in looked.usable))
    is_binary = values <= BINARY and VOID in values
    named = named_classes(reference.classes)
    most = 2 if is_binary else 1 + max(values - {VOID}, default=0)
    if named is not None and len(named) < most:
        _raise_beyond(found, looked, reference, len(named))
    classes = named or tuple(map(str, range(most)))
    return pool_of_files(
        found.files,
        looked,
        what=reference.name,
        about=About(task="segmentation", classes=classes, source=_source(reference)),
        convert=_binary if is_binary else _as_numbers,
        others=tuple(found.others),
        lacking=tuple(found.lacking),
    )


def _raise_beyond(found: Found, looked: Looked, reference: DatasetReference, classes: int) -> None:
    for number in looked.usable:
        beyond = [one for one in looked.looks[number].values if classes <= one != VOID]
        if beyond:
            raise DatasetError(
                f"{reference.name}: the mask of {shown(found.files[number].name)} holds the class "
                f"{beyond[0]}, and there are {classes}, 0 to {classes - 1}"
            )


def _binary(mask: Pixels) -> Pixels:
    return (mask > 0).astype(np.uint8)


def _as_numbers(mask: Pixels) -> Pixels:
    return mask


def _source(reference: DatasetReference) -> str:
    return reference.rest.get("source") or "the user's folder"
