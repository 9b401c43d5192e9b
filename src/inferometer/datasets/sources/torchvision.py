"""`torchvision:NAME`: a dataset of torchvision, whose own test split is judged."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from inferometer.core.errors import DatasetError, in_one_line
from inferometer.core.references import did_you_mean, quoted
from inferometer.core.shown import shown, visible
from inferometer.datasets.items import Item, pool_of
from inferometer.datasets.pool import Opening, Pool
from inferometer.datasets.reference import DatasetReference
from inferometer.datasets.roles import USER_SHARES, Part
from inferometer.host.cachefolder import cache_folder

YES = ("yes", "true")
TRAINING = ("train", "training")
JUDGED = ("test", "val", "valid", "validation")
"""Names of splits, the first that there is being taken."""
OPTIONS = ("root", "download", "split")


class TorchvisionSource:
    """Opens a dataset by the name of its class."""

    def check(self, reference: DatasetReference) -> None:
        """Check the options.

        Raises:
            DatasetError: it lacks one.
        """
        reference.refuse_others(*OPTIONS)
        if reference.rest.get("download", "no") not in (*YES, "no", "false"):
            said = shown(reference.rest["download"])
            raise DatasetError(f"{reference.name}: download={said}: write yes or no")

    def open(self, opening: Opening) -> Pool:
        """Open both of its splits.

        Raises:
            DatasetError: there is no such dataset, or it is not on this machine.
        """
        reference = opening.reference
        made = {part: _made(reference, part) for part in ("train", "test")}
        classes = getattr(made["test"], "classes", None)
        return pool_of(
            Splits([(part, found) for part, found in made.items() if found is not None]),
            opening,
            source=f"torchvision.datasets.{reference.target}",
            shares=USER_SHARES,
            classes=None if classes is None else tuple(map(_name, classes)),
        )


class Splits(Sequence[Item]):
    """Samples of several splits, one after the other, read one at a time."""

    def __init__(self, parts: Sequence[tuple[str, Any]]) -> None:
        self._parts = parts
        self._places = [
            (at, number) for at, (_, one) in enumerate(parts) for number in range(len(one))
        ]

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, number: Any) -> Any:  # noqa: ANN401 - of a sequence
        at, place = self._places[number]
        name, found = self._parts[at]
        content, label = found[place]
        part: Part = "test" if name == "test" else "train"
        return Item(content, label, "", f"{name} {place}", part)


def _made(reference: DatasetReference, part: str) -> Any:  # noqa: ANN401 - of torchvision
    """A split of the dataset; None where it has no such one."""
    maker = _maker(reference)
    taken = inspect.signature(maker).parameters
    arguments = _split(taken, reference, part)
    if arguments is None:
        return None
    if "download" in taken:
        arguments["download"] = reference.rest.get("download") in YES
    root = Path(reference.rest.get("root") or cache_folder() / "torchvision").expanduser()
    if arguments.get("download"):
        root.mkdir(parents=True, exist_ok=True)
    try:
        return maker(str(root), **arguments)
    except Exception as error:
        hint = "" if arguments.get("download") else "; ?download=yes fetches it, ?root= says where"
        raise DatasetError(
            f"{reference.name} cannot be opened in {shown(root)}: "
            f"{visible(in_one_line(error, 160))}{hint}"
        ) from error


def _maker(reference: DatasetReference) -> Any:  # noqa: ANN401 - a class of torchvision
    try:
        module = import_module("torchvision.datasets")
    except Exception as error:
        raise DatasetError(f"torchvision cannot be imported: {in_one_line(error)}") from error
    known = list(module.__all__)
    if reference.target not in known:
        raise DatasetError(
            f"torchvision has no dataset {quoted(reference.target)}"
            f"{did_you_mean(reference.target, known)}"
        )
    return getattr(module, reference.target)


def _split(taken: Any, reference: DatasetReference, part: str) -> dict[str, Any] | None:  # noqa: ANN401
    """The arguments that name a split; None where there is no such split."""
    if "train" in taken:
        return {"train": part == "train"}
    said = reference.rest.get("split")
    for name in ("split", "image_set"):
        if name in taken:
            return {name: said or "test"} if part == "test" else {name: "train"}
    return {} if part == "test" else None


def _name(value: Any) -> str:  # noqa: ANN401 - a text, or several that mean the same
    return str(value[0]) if isinstance(value, tuple) and value else str(value)
