"""`hf:NAME`: a dataset of Hugging Face `datasets`, in a folder or of the hub."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from inferometer.core.errors import DatasetError, MissingExtraError, in_one_line
from inferometer.core.filenames import FileProblemError, expanded
from inferometer.core.shown import shown, visible
from inferometer.datasets.items import Item, pool_of
from inferometer.datasets.pictures import pixels_of, read_picture
from inferometer.datasets.pool import Opening, Pool
from inferometer.datasets.reference import DatasetReference
from inferometer.datasets.roles import USER_SHARES, Part
from inferometer.datasets.sources.torchvision import JUDGED, TRAINING, YES

INPUTS = ("image", "img", "picture", "pixel_values", "input", "x", "text", "sentence")
LABELS = ("label", "labels", "fine_label", "class", "target", "y", "annotation", "mask")
UNIT = "unit"
OPTIONS = ("split", "config", "inputs", "label", "download", "source")
OFFLINE = "HF_HUB_OFFLINE"
OFFLINE_IN = ("datasets.config", "huggingface_hub.constants")


class HuggingFaceSource:
    """Opens a dataset in a folder, or of the hub."""

    def check(self, reference: DatasetReference) -> None:
        """Check the options, and that a folder is there.

        Raises:
            DatasetError: it is not so.
        """
        reference.refuse_others(*OPTIONS)
        is_path = reference.target[:1] in "./~"
        if is_path and not _is_there(reference.target):
            raise DatasetError(f"{shown(reference.target)}: there is no such folder or file")

    def open(self, opening: Opening) -> Pool:
        """Open its splits.

        Raises:
            DatasetError: it cannot be opened, or lacks a column.
        """
        reference = opening.reference
        splits = _splits(reference)
        chosen = _chosen(splits, reference)
        columns = _columns(chosen[-1][1], reference)
        return pool_of(
            _Rows(chosen, columns),
            opening,
            source=reference.rest.get("source") or _licence(chosen[-1][1], reference),
            shares=USER_SHARES,
            classes=_classes(chosen[-1][1], columns),
        )


Columns = tuple[tuple[str, ...], str | None]


class _Rows(Sequence[Item]):
    """Rows of splits, one after the other, read one at a time."""

    def __init__(self, parts: Sequence[tuple[Part, Any, str]], columns: Columns) -> None:
        self._inputs, self._label = columns
        self._parts = parts
        self._places = [
            (at, number) for at, (_, one, _) in enumerate(parts) for number in range(len(one))
        ]

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, number: Any) -> Any:  # noqa: ANN401 - of a sequence
        at, place = self._places[number]
        part, rows, name = self._parts[at]
        row = rows[place]
        contents = [_content(row[column]) for column in self._inputs]
        label = None if self._label is None else row[self._label]
        return Item(
            content=contents[0] if len(contents) == 1 else tuple(contents),
            label=_mask(label),
            unit=str(row.get(UNIT) or ""),
            name=f"{name} {place}",
            part=part,
        )


def _content(value: Any) -> Any:  # noqa: ANN401 - a cell
    """A cell; an encoded picture is decoded as any other."""
    if isinstance(value, Mapping) and value.keys() == {"bytes", "path"}:
        return pixels_of(value["bytes"] or read_picture(Path(value["path"])))
    return value


def _mask(label: Any) -> Any:  # noqa: ANN401 - a cell
    found = _content(label)
    return found if found is label else found[..., 0]


def _splits(reference: DatasetReference) -> Mapping[str, Any]:
    """All splits by name, pictures still encoded.

    Raises:
        DatasetError: the dataset cannot be opened.
    """
    is_local = _is_there(reference.target)
    module = import_module("datasets")
    if not hasattr(module, "load_dataset"):  # a folder of the user's that is called so
        raise MissingExtraError("hf: needs the package datasets of Hugging Face, which", "hf-data")
    with _network(allowed=reference.rest.get("download") in YES):
        try:
            return _loaded(module, reference, is_local=is_local)
        except Exception as error:
            hint = "" if is_local else "; ?download=yes fetches it from the hub"
            raise DatasetError(
                f"{reference.name} cannot be opened: {visible(in_one_line(error, 200))}{hint}"
            ) from error


def _loaded(module: Any, reference: DatasetReference, *, is_local: bool) -> Mapping[str, Any]:  # noqa: ANN401
    target = str(expanded(reference.target)) if is_local else reference.target
    saved = [Path(target) / name for name in ("dataset_dict.json", "dataset_info.json")]
    if is_local and any(file.is_file() for file in saved):
        found = module.load_from_disk(target)
    else:
        found = module.load_dataset(target, reference.rest.get("config"))
    splits = dict(found) if isinstance(found, Mapping) else {"": found}
    return {name: _encoded(module, one) for name, one in splits.items()}


def _encoded(module: Any, rows: Any) -> Any:  # noqa: ANN401 - of their package
    for name, feature in rows.features.items():
        if isinstance(feature, module.Image):
            rows = rows.cast_column(name, module.Image(decode=False))
    return rows


@contextmanager
def _network(*, allowed: bool) -> Iterator[None]:
    """Nothing is fetched that the user did not ask for.

    Their variable of the environment is read when their packages are imported, perhaps long ago.
    """
    places = [import_module(name) for name in OFFLINE_IN]
    before = [place.__dict__[OFFLINE] for place in places]
    try:
        for place, was in zip(places, before, strict=True):
            place.__dict__[OFFLINE] = was or not allowed
        yield
    finally:
        for place, was in zip(places, before, strict=True):
            place.__dict__[OFFLINE] = was


def _chosen(splits: Mapping[str, Any], reference: DatasetReference) -> list[tuple[Part, Any, str]]:
    """The splits that are used: one for training where there is one, and one that is judged."""
    said = reference.rest.get("split")
    if said is not None and said not in splits:
        raise DatasetError(
            f"{reference.name} has no split {shown(said)}; it has {shown(', '.join(splits))}"
        )
    judged = said or next((name for name in JUDGED if name in splits), None)
    training = next((name for name in TRAINING if name in splits and name != judged), None)
    if judged is None or judged in TRAINING or training is None:
        name = judged or training or next(iter(splits))
        return [("", splits[name], name or "row")]
    return [("train", splits[training], training), ("test", splits[judged], judged)]


def _columns(rows: Any, reference: DatasetReference) -> Columns:  # noqa: ANN401 - of their package
    names = list(rows.features)
    said = reference.rest.get("inputs")
    inputs = tuple(said.split(",")) if said else _inputs(names)
    label = reference.rest.get("label") or next((one for one in LABELS if one in names), None)
    for column in (*inputs, *([label] if label else [])):
        if column not in names:
            raise DatasetError(
                f"{reference.name} has no column {shown(column)}; it has {shown(', '.join(names))}"
            )
    if not inputs or (label is None and reference.task != "other"):
        what = "inputs" if not inputs else "labels"
        raise DatasetError(
            f"{reference.name}: which column holds the {what} is not clear; it has "
            f"{shown(', '.join(names))}: write ?inputs=NAME&label=NAME"
        )
    return inputs, label


def _inputs(names: Sequence[str]) -> tuple[str, ...]:
    pair = ("sentence1", "sentence2")
    if set(pair) <= set(names):
        return pair
    return tuple(one for one in INPUTS if one in names)[:1]


def _classes(rows: Any, columns: Columns) -> tuple[str, ...] | None:  # noqa: ANN401 - as above
    names = getattr(rows.features.get(columns[1]), "names", None)
    return tuple(map(str, names)) if isinstance(names, list) else None


def _licence(rows: Any, reference: DatasetReference) -> str:  # noqa: ANN401 - as above
    said = getattr(rows.info, "license", "") or "licence not told"
    return f"Hugging Face datasets {shown(reference.target)}; {shown(said, 60)}"


def _is_there(target: str) -> bool:
    try:
        return expanded(target).exists()
    except (FileProblemError, OSError, ValueError):
        return False
