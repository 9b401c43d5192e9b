"""Labels of all forms: what task they are for, which classes they name, and what is wrong."""

from __future__ import annotations

import numbers
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from inferometer.core.dataset import Kind, Task
from inferometer.core.errors import DatasetError
from inferometer.core.filenames import MIB, FileProblemError, expanded, read_file
from inferometer.core.shown import shown

MOST_CLASSES = 1_000_000
MOST_NAMES_BYTES = 16 * MIB
FEW = 20
"""Different texts that may well be classes, however few samples there are."""
CORNERS = 4


@dataclass(frozen=True, kw_only=True)
class Labelling:
    """What labels are.

    Attributes:
        task: what is asked of a model.
        classes: names of classes, by number.
        convert: from a label as given to one as metrics take it.
    """

    task: Task
    classes: tuple[str, ...]
    convert: Callable[[Any], Any]


def plain(label: Any) -> Any:  # noqa: ANN401 - as users give it
    """A label without the scalar types of NumPy and the tensors of others.

    Numbers become Python's, arrays NumPy's, bytes text.
    """
    if label is None or isinstance(label, (bool, int, float, str)):
        return label
    if isinstance(label, bytes):
        return label.decode("utf-8", "replace")
    if isinstance(label, Mapping):
        return {str(name): plain(value) for name, value in label.items()}
    array = as_array(label)
    if array.ndim == 0 and array.dtype.kind in "biufSU":
        found: Any = array.item()
        return plain(found)
    return array


def as_array(value: Any) -> np.ndarray[Any, np.dtype[Any]]:  # noqa: ANN401 - as users give it
    """An array of NumPy of whatever is one, such as a tensor on another device."""
    detach = getattr(value, "detach", None)
    return np.asarray(detach().cpu() if callable(detach) else value)


def named_classes(option: str | None) -> tuple[str, ...] | None:
    """Classes that `?classes=` names: their number, their names, or a file with a name a line.

    Raises:
        DatasetError: it is no file that can be read, or there are too many.
    """
    if option is None:
        return None
    if option.isascii() and option.isdigit():
        if len(option) > len(str(MOST_CLASSES)) or not 1 <= int(option) <= MOST_CLASSES:
            raise DatasetError(f"classes={shown(option)} must be from 1 to {MOST_CLASSES:,}")
        return tuple(map(str, range(int(option))))
    if "," in option:
        return _distinct(option.split(","), "classes=")
    try:
        text = read_file(expanded(option), at_most=MOST_NAMES_BYTES).decode()
    except (FileProblemError, UnicodeDecodeError) as error:
        reason = "not UTF-8 text" if isinstance(error, UnicodeDecodeError) else str(error)
        raise DatasetError(
            f"classes={shown(option)}: {reason}; write a number, names with commas between them, "
            "or a file with a name a line"
        ) from error
    return _distinct(text.splitlines(), f"classes={shown(option)}")


def labelling(
    labels: Sequence[Any],
    name_of: Callable[[int], str],
    *,
    what: str,
    kind: Kind,
    task: Task | None = None,
    classes: tuple[str, ...] | None = None,
) -> Labelling:
    """What labels are, found out from all of them.

    Args:
        labels: as `plain` gives them; of arrays their form is enough.
        name_of: gives what to call the sample of a number.
        what: the dataset, for messages.
        kind: the form of the inputs.
        task: what the user says.
        classes: what the user or the data say.

    Raises:
        DatasetError: some are wrong; says which.
    """
    found = task or _task(labels, kind, what)
    if found == "classification":
        if any(isinstance(label, str) for label in labels):
            return _by_name(labels, name_of, what, classes, is_sure=task is not None)
        return _by_number(labels, name_of, what, classes)
    check = _CHECKS.get(found)
    for number, label in enumerate(labels):
        problem = check(label) if check is not None else None
        if problem:
            raise DatasetError(f"{what}: {name_of(number)}: {problem} (task {found})")
    if classes is None and found in ("segmentation", "detection"):
        classes = tuple(map(str, range(1 + max(map(_highest, labels), default=0))))
    return Labelling(task=found, classes=classes or (), convert=_CONVERTED.get(found, _as_is))


def _distinct(names: Sequence[str], what: str) -> tuple[str, ...]:
    given = tuple(name.strip() for name in names if name.strip())
    twice = next((name for at, name in enumerate(given) if name in given[:at]), None)
    if len(given) <= FEW * FEW and twice is not None:
        raise DatasetError(f"{what} names {shown(twice)!r} twice")
    if not given or len(set(given)) != len(given) or len(given) > MOST_CLASSES:
        raise DatasetError(f"{what} must name from 1 to {MOST_CLASSES:,} classes, each once")
    return given


def _task(labels: Sequence[Any], kind: Kind, what: str) -> Task:
    """The task that goes with the form of the labels.

    Raises:
        DatasetError: they are of several forms.
    """
    forms = {_form(label) for label in labels}
    if forms == {"whole", "number"}:
        forms = {"number"}
    if len(forms) > 1:
        raise DatasetError(f"{what}: its labels are of several forms: {', '.join(sorted(forms))}")
    form = next(iter(forms), "none")
    if form == "number" and kind == "text":
        return "similarity"
    return _TASKS[form]


_TASKS: dict[str, Task] = {
    "none": "other",
    "whole": "classification",
    "number": "other",
    "text": "classification",
    "boxes": "detection",
    "1 axis": "frames",
    "2 axes": "segmentation",
    "another form": "other",
}


def _form(label: Any) -> str:  # noqa: ANN401 - any label
    if label is None:
        return "none"
    if isinstance(label, str):
        return "text"
    if isinstance(label, Mapping):
        return "boxes" if "boxes" in label else "another form"
    if isinstance(label, numbers.Number):
        is_whole = isinstance(label, int) or (isinstance(label, float) and label.is_integer())
        return "whole" if is_whole else "number"
    if isinstance(label, np.ndarray) and label.ndim in (1, 2):
        return "1 axis" if label.ndim == 1 else "2 axes"
    return "another form"


def _by_number(
    labels: Sequence[Any],
    name_of: Callable[[int], str],
    what: str,
    classes: tuple[str, ...] | None,
) -> Labelling:
    seen: set[int] = set()
    most = len(classes) if classes else MOST_CLASSES
    for number, label in enumerate(labels):
        if _form(label) != "whole" or isinstance(label, bool):
            raise DatasetError(
                f"{what}: {name_of(number)}: the label {_told(label)} is not a class: classes are "
                "whole numbers from 0 (?task= says what else the labels are)"
            )
        if not 0 <= label < most:
            of = f" of the {most} classes, 0 to {most - 1}" if classes else "; they begin with 0"
            raise DatasetError(f"{what}: {name_of(number)}: the label {_told(label)} is none{of}")
        seen.add(int(label))
    if classes is None:
        _require_all(seen, what)
        classes = tuple(map(str, range(len(seen))))
    return Labelling(task="classification", classes=classes, convert=int)


def _require_all(seen: set[int], what: str) -> None:
    """Refuse gaps between numbers of classes: they may be counted otherwise than by the model."""
    lacking = next((number for number in range(len(seen)) if number not in seen), None)
    if lacking is not None or len(seen) == 1:
        why = f"class {lacking} has no sample" if lacking is not None else "there is one class only"
        raise DatasetError(
            f"{what}: its labels go from {min(seen)} to {max(seen)}, and {why}; count classes from "
            "0 as the model does, and say how many it has, as in ?classes=1000"
        )


def _by_name(
    labels: Sequence[Any],
    name_of: Callable[[int], str],
    what: str,
    classes: tuple[str, ...] | None,
    *,
    is_sure: bool,
) -> Labelling:
    for number, label in enumerate(labels):
        if not isinstance(label, str) or not label:
            raise DatasetError(
                f"{what}: {name_of(number)}: the label {_told(label)} is not a name, as others are"
            )
    names = sorted(set(labels))
    if not is_sure and len(names) > max(FEW, len(labels) // 2):
        raise DatasetError(
            f"{what}: {len(names)} different labels in {len(labels)} samples are hardly classes; "
            "write ?task=transcription or another, or ?task=classification where they are"
        )
    known = class_order(names, classes, what)
    numbered = {name: number for number, name in enumerate(known)}
    return Labelling(task="classification", classes=known, convert=numbered.__getitem__)


def class_order(
    names: Sequence[str], classes: tuple[str, ...] | None, what: str
) -> tuple[str, ...]:
    """Names of classes in the order of their numbers: as they were given, or sorted.

    Raises:
        DatasetError: the given ones lack some; there is one only; or they are numbers that sort
            otherwise as text.
    """
    if classes is not None:
        lacking = sorted(set(names) - set(classes))
        if lacking:
            raise DatasetError(f"{what}: {_told(lacking[0])} is none of the classes= that you name")
        return classes
    if len(names) == 1:
        raise DatasetError(
            f"{what} has one class only, {_told(names[0])}; say which of the model's classes it "
            "is, as in ?classes=FILE with all their names in the model's order"
        )
    ordered = sorted(names)
    if all(name.isascii() and name.isdigit() for name in ordered):
        by_number = sorted(ordered, key=int)
        if by_number != ordered:
            raise DatasetError(
                f"{what}: its classes are numbers, whose order as text ({', '.join(ordered[:3])}, "
                f"…) is another than as numbers ({', '.join(by_number[:3])}, …); say which the "
                "model was trained with, by ?classes=NAME,NAME,… or a file of names"
            )
    return tuple(ordered)


def _told(label: object) -> str:
    return shown(repr(label), 60)


def _as_is(label: Any) -> Any:  # noqa: ANN401 - any label
    return label


def _mask_problem(label: object) -> str | None:
    is_mask = isinstance(label, np.ndarray) and label.ndim == 2 and label.dtype.kind in "biu"  # noqa: PLR2004
    return None if is_mask else "its label is not a mask: height by width of whole numbers"


def _boxes_problem(label: object) -> str | None:
    if not isinstance(label, Mapping) or not {"boxes", "labels"} <= label.keys():
        return "its label has no `boxes` and `labels`"
    boxes, classes = np.asarray(label["boxes"]), np.asarray(label["labels"])
    if boxes.size and (boxes.ndim != 2 or boxes.shape[1] != CORNERS):  # noqa: PLR2004
        return f"its boxes have the shape {boxes.shape}; they have four numbers each"
    if len(boxes) != classes.size:
        return f"it has {len(boxes)} boxes and {classes.size} labels of boxes"
    if boxes.size and not (np.isfinite(boxes).all() and (boxes[:, 2:] >= boxes[:, :2]).all()):
        return "a box is not left, top, right, bottom"
    return "a class of a box is negative" if classes.size and classes.min() < 0 else None


def _text_problem(label: object) -> str | None:
    return None if isinstance(label, str) else f"its label {_told(label)} is not text"


def _frames_problem(label: object) -> str | None:
    is_row = isinstance(label, np.ndarray) and label.ndim == 1 and label.dtype.kind in "biuf"
    return None if is_row else "its label is not one number for each frame"


def _number_problem(label: object) -> str | None:
    is_number = isinstance(label, (int, float)) and bool(np.isfinite(label))
    return None if is_number else f"its label {_told(label)} is not a number"


def _highest(label: Any) -> int:  # noqa: ANN401 - a mask or boxes
    values = np.asarray(label["labels"] if isinstance(label, Mapping) else label)
    judged = values[values != 255] if values.dtype == np.uint8 else values  # noqa: PLR2004
    return int(judged.max()) if judged.size else 0


_CHECKS: dict[Task, Callable[[object], str | None]] = {
    "segmentation": _mask_problem,
    "detection": _boxes_problem,
    "transcription": _text_problem,
    "frames": _frames_problem,
    "similarity": _number_problem,
}
_CONVERTED: dict[Task, Callable[[Any], Any]] = {"similarity": float}
