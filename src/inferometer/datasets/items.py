"""Samples that are in memory, or that somebody's sequence gives one by one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from inferometer.core.dataset import Kind, Role, Skipped
from inferometer.core.errors import DatasetError
from inferometer.core.shown import shown
from inferometer.datasets.digests import content_digest, label_digest
from inferometer.datasets.files import sizes_of
from inferometer.datasets.labels import as_array, labelling, named_classes, plain
from inferometer.datasets.pictures import PictureError, as_pixels, channels_of
from inferometer.datasets.pool import Opening, Pool
from inferometer.datasets.roles import Entry, Part

MASK_AXES = 2


class Item(NamedTuple):
    """One sample as it was given.

    Attributes:
        content: its input.
        label: the right answer; None where there is none.
        unit: what it belongs to; itself where empty.
        name: for messages; its number where empty.
        part: where the source puts it.
    """

    content: Any
    label: Any = None
    unit: str = ""
    name: str = ""
    part: Part = ""


def pool_of(
    items: Sequence[Item],
    opening: Opening,
    *,
    source: str,
    shares: Mapping[Role, float],
    classes: tuple[str, ...] | None = None,
) -> Pool:
    """Look at each item once.

    Args:
        items: read one at a time, now and when a sample is asked for.
        opening: how the dataset is opened.
        source: where they come from, for people.
        shares: of roles.
        classes: their names, where the data say them.

    Raises:
        DatasetError: they are of several kinds, or their labels are wrong.
    """
    reference = opening.reference
    seen = _Seen(reference.name, reference.kind)
    for number in range(len(items)):
        seen.add(number, items[number])
        opening.on_progress(number + 1, len(items))
    found = labelling(
        seen.labels,
        lambda place: f"sample {shown(seen.names[place])}",
        what=reference.name,
        kind=seen.kind or "array",
        task=reference.task,
        classes=named_classes(reference.classes) or classes,
    )
    is_class = found.task == "classification"
    converted = [found.convert(label) if is_class else None for label in seen.labels]

    def read(place: int) -> tuple[Any, Any]:
        item = items[seen.numbers[place]]
        _, content = as_input(item.content, seen.kind)
        return content, found.convert(plain(item.label))

    return Pool(
        task=found.task,
        kind=seen.kind or "array",
        classes=found.classes,
        source=source,
        entries=[
            Entry(
                name=seen.names[place],
                unit=seen.units[place],
                content=seen.contents[place],
                label=label_digest(stratum) if is_class else seen.digests[place],
                stratum=stratum,
                part=seen.parts[place],
            )
            for place, stratum in enumerate(converted)
        ],
        read=read,
        shares=shares,
        unusable=tuple(seen.unusable),
        sizes=sizes_of(seen.sizes),
    )


def as_input(value: Any, kind: Kind | None) -> tuple[Kind, Any]:  # noqa: ANN401 - as users give it
    """An input in the form that all of its kind have, and the kind.

    Args:
        value: a picture, an array or what becomes one, a mapping of arrays, a text or several.
        kind: what it must be; None finds out.

    Raises:
        DatasetError: it is of another kind, or of none.
    """
    if is_text(value):
        found: Kind = "text"
        content: Any = value if isinstance(value, str) else tuple(value)
    elif isinstance(value, Mapping):
        found, content = "array", {str(name): _numbers(one) for name, one in value.items()}
    else:
        found, content = _picture_or_array(value, kind)
    if kind is not None and found != kind:
        raise DatasetError(f"is of the kind {found}, not {kind}")
    return found, content


def is_text(value: object) -> bool:
    """Whether an input is a text, or several."""
    if isinstance(value, str):
        return True
    is_many = isinstance(value, (list, tuple)) and bool(value)
    return is_many and all(isinstance(one, str) for one in value)  # type: ignore[attr-defined]


def _picture_or_array(value: Any, kind: Kind | None) -> tuple[Kind, Any]:  # noqa: ANN401 - as above
    if hasattr(value, "getbands"):  # a picture of Pillow
        return "image", as_pixels(value)
    array = _numbers(value)
    pixels = None if kind == "array" else channels_of(array)
    return ("array", array) if pixels is None else ("image", pixels)


def _numbers(value: Any) -> Any:  # noqa: ANN401 - as above
    try:
        array = as_array(value)
    except (TypeError, ValueError, RuntimeError) as error:
        raise DatasetError(
            f"is a {type(value).__name__}, which is not an array of numbers"
        ) from error
    if array.dtype.kind not in "biuf":
        raise DatasetError(f"is a {type(value).__name__} that holds no numbers")
    return array


class _Seen:
    """What is kept of items that were looked at: no input, and no large label."""

    def __init__(self, what: str, kind: Kind | None) -> None:
        self._what = what
        self.kind = kind
        self.numbers: list[int] = []
        self.names: list[str] = []
        self.units: list[str] = []
        self.contents: list[str] = []
        self.labels: list[Any] = []
        self.digests: list[str] = []
        self.parts: list[Part] = []
        self.sizes: list[tuple[int, ...]] = []
        self.unusable: list[Skipped] = []

    def add(self, number: int, item: Item) -> None:
        """Look at one more.

        Raises:
            DatasetError: it is of another kind than those before.
        """
        name = item.name or str(number)
        try:
            self.kind, content = as_input(item.content, self.kind)
        except PictureError as error:
            self.unusable.append(Skipped(name=name, why=str(error)))
            return
        except DatasetError as error:
            raise DatasetError(f"{self._what}: sample {shown(name)} {error}") from error
        label = plain(item.label)
        self.numbers.append(number)
        self.names.append(name)
        self.units.append(item.unit or name)
        self.contents.append(content_digest(content))
        self.digests.append(label_digest(label))
        self.labels.append(_in_short(label))
        self.parts.append(item.part)
        if isinstance(content, np.ndarray):
            self.sizes.append(content.shape[:2] if self.kind == "image" else content.shape)


def _in_short(label: Any) -> Any:  # noqa: ANN401 - any label
    """Of a mask the classes that it holds, as a small mask: all that is looked at."""
    is_mask = isinstance(label, np.ndarray) and label.ndim == MASK_AXES
    return np.unique(label)[None] if is_mask else label
