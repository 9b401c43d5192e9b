"""`path/to/file.py:function`: whatever samples a function of the user's gives."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

from inferometer.core.dataset import ROLES, TASKS, Role
from inferometer.core.errors import DatasetError, InferometerError, in_one_line
from inferometer.core.filenames import FileProblemError, check_file, expanded
from inferometer.core.generators import seed_generators
from inferometer.core.references import did_you_mean, quoted
from inferometer.core.shown import shown, visible
from inferometer.datasets.items import Item, is_text, pool_of
from inferometer.datasets.pool import Opening, Pool
from inferometer.datasets.reference import DatasetReference
from inferometer.datasets.roles import USER_SHARES, Part
from inferometer.host.userfiles import as_by_itself, place_of, run

Result = TypeVar("Result")
MOST_ITEMS = 10_000_000
PAIR, TRIPLE = 2, 3
OURS = ("role", "seed", "limit")
"""Arguments that a function gets where it takes them."""
KEYS = ("inputs", "labels", "units", "task", "classes", "source")
WHAT = (
    "a tuple (inputs, labels), a dict with these, or a list or another iterable of pairs "
    "(input, label)"
)


class PythonSource:
    """Calls a function."""

    def check(self, reference: DatasetReference) -> None:
        """Check that the file is there.

        Raises:
            DatasetError: it is not.
        """
        path, _ = _split(reference)
        try:
            check_file(path)
        except FileProblemError as error:
            raise DatasetError(str(error)) from error

    def open(self, opening: Opening) -> Pool:
        """Run the file, then its function.

        Raises:
            DatasetError: the file or the function raised, or gave no samples.
        """
        reference = opening.reference
        path, name = _split(reference)
        with as_by_itself(path):
            function = _function(path, name, reference)
            given = {
                part: _Given.of(_called(function, opening, role), function, reference)
                for part, role in _parts(function, opening)
            }
            first = next(iter(given.values()))
            items = _All([(part, one.items) for part, one in given.items()])
            return _pool(items, first, opening)


class _Given:
    """What a function gave: samples, and what it says of them."""

    def __init__(self, items: Sequence[Item], said: Mapping[str, Any]) -> None:
        self.items = items
        self.said = said

    @classmethod
    def of(cls, made: Any, function: object, reference: DatasetReference) -> _Given:  # noqa: ANN401
        said = {key: getattr(made, key, getattr(function, key, None)) for key in KEYS[3:]}
        what = reference.name
        if isinstance(made, Mapping):
            unknown = set(made) - set(KEYS)
            if unknown or not {"inputs", "labels"} <= made.keys():
                raise DatasetError(
                    f"{what} gave a dict with {shown(', '.join(map(str, made)))}; it takes inputs "
                    f"and labels, and may have {', '.join(KEYS[2:])}"
                )
            said |= {key: made[key] for key in KEYS[3:] if key in made}
            made = tuple(made[key] for key in KEYS[:3] if made.get(key) is not None)
        if made is None:
            return cls([], said)
        if isinstance(made, tuple):
            return cls(_of_arrays(made, what), said)
        if is_text(made) or not (hasattr(made, "__getitem__") or isinstance(made, Iterable)):
            raise DatasetError(f"{what} gave a {type(made).__name__}; a function returns {WHAT}")
        if not (hasattr(made, "__getitem__") and hasattr(made, "__len__")):
            made = list(islice(made, MOST_ITEMS))
        return cls(_Pairs(made, what), said)


class _Pairs(Sequence[Item]):
    """Somebody's sequence of pairs, read one at a time."""

    def __init__(self, made: Any, what: str) -> None:  # noqa: ANN401 - as users give it
        self._made = made
        self._what = what

    def __len__(self) -> int:
        return len(self._made)

    def __getitem__(self, number: Any) -> Any:  # noqa: ANN401 - of a sequence
        pair = self._made[number]
        if not isinstance(pair, (tuple, list)) or len(pair) not in (PAIR, TRIPLE):
            raise DatasetError(
                f"{self._what}: sample {number} is a {type(pair).__name__}, not a pair "
                f"(input, label); a function returns {WHAT}"
            )
        return Item(pair[0], pair[1], str(pair[2]) if len(pair) == TRIPLE else "")


class _Rows(Sequence[Item]):
    """Inputs and labels side by side."""

    def __init__(self, inputs: Any, labels: Any, units: Any) -> None:  # noqa: ANN401 - as above
        self._inputs, self._labels, self._units = inputs, labels, units

    def __len__(self) -> int:
        return len(self._labels)

    def __getitem__(self, number: Any) -> Any:  # noqa: ANN401 - of a sequence
        inputs = self._inputs
        content = (
            {name: one[number] for name, one in inputs.items()}
            if isinstance(inputs, Mapping)
            else inputs[number]
        )
        unit = "" if self._units is None else str(self._units[number])
        return Item(content, self._labels[number], unit)


class _All(Sequence[Item]):
    """The samples of several parts, one after the other."""

    def __init__(self, parts: Sequence[tuple[Part, Sequence[Item]]]) -> None:
        self._parts = parts
        self._places = [
            (part, items, number) for part, items in parts for number in range(len(items))
        ]

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, number: Any) -> Any:  # noqa: ANN401 - of a sequence
        part, items, place = self._places[number]
        name = f"{part} {place}" if part else str(place)
        return items[place]._replace(part=part, name=name)


def _of_arrays(made: tuple[Any, ...], what: str) -> Sequence[Item]:
    if len(made) not in (PAIR, TRIPLE):
        raise DatasetError(f"{what} gave a tuple of {len(made)}; a function returns {WHAT}")
    inputs, labels, units = (*made, None)[:TRIPLE]
    named = inputs if isinstance(inputs, Mapping) else {"inputs": inputs}
    parts = {**named, "labels": labels, **({} if units is None else {"units": units})}
    lengths = {str(name): _length(part) for name, part in parts.items()}
    if None in lengths.values():
        name = next(name for name, length in lengths.items() if length is None)
        raise DatasetError(
            f"{what}: its {shown(name)} are a {type(parts[name]).__name__} without a length; a "
            f"function returns {WHAT}"
        )
    if len(set(lengths.values())) > 1:
        said = ", ".join(f"{shown(name)} {length:,}" for name, length in lengths.items())
        raise DatasetError(f"{what}: the numbers of samples differ: {said}")
    return _Rows(inputs, labels, units)


def _length(part: Any) -> int | None:  # noqa: ANN401 - as users give it
    try:
        return len(part)
    except TypeError:
        return None


def _split(reference: DatasetReference) -> tuple[Path, str]:
    file, _, function = reference.target.rpartition(":")
    if not file or not function.isidentifier():
        raise DatasetError(f"python:{shown(reference.target)} is not path/to/file.py:FUNCTION")
    try:
        return expanded(file), function
    except FileProblemError as error:
        raise DatasetError(str(error)) from error


def _function(path: Path, name: str, reference: DatasetReference) -> Callable[..., Any]:
    module = _guarded(lambda: _module(path), reference)
    function = getattr(module, name, None)
    if callable(function):
        found: Callable[..., Any] = function
        return found
    known = [key for key, value in vars(module).items() if inspect.isfunction(value)]
    raise DatasetError(
        f"{shown(path)} defines no function {quoted(name)}{did_you_mean(name, known)}; its "
        f"functions: {', '.join(known) or 'none'}"
    )


def _module(path: Path) -> ModuleType:
    try:
        return run(path)
    except ModuleNotFoundError as error:
        place = place_of(error.name or "")
        if place is None:
            raise
        raise DatasetError(f"{shown(path)}: there is no module {shown(place)}") from error


def _parts(function: Callable[..., Any], opening: Opening) -> list[tuple[Part, Role]]:
    """The parts to ask a function for: all roles where it knows them, to tell what they share."""
    return [(role, role) for role in ROLES] if "role" in _taken(function) else [("", opening.role)]


def _taken(function: Callable[..., Any]) -> frozenset[str]:
    try:
        return frozenset(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return frozenset()


def _called(function: Callable[..., Any], opening: Opening, role: Role) -> Any:  # noqa: ANN401
    """What a function gives for a role.

    Raises:
        DatasetError: it raised.
    """
    ours = {"role": role, "seed": opening.seed, "limit": opening.limit}
    taken = _taken(function)
    options = {name: _literal(value) for name, value in opening.reference.rest.items()}
    arguments = {**{name: ours[name] for name in OURS if name in taken}, **options}
    seed_generators(opening.seed)
    return _guarded(lambda: function(**arguments), opening.reference)


def _guarded(call: Callable[[], Result], reference: DatasetReference) -> Result:
    try:
        return call()
    except (InferometerError, MemoryError):
        raise
    except (Exception, SystemExit) as error:
        raise DatasetError(f"{reference.name}: {visible(in_one_line(error))}") from error


def _literal(value: str) -> Any:  # noqa: ANN401 - a scalar of any kind
    if re.fullmatch("[-+]?[0-9]{1,300}", value):
        return int(value)
    number = re.fullmatch(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]{1,3})?", value)
    return float(value) if number else _WORDS.get(value.lower(), value)


_WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None}


def _pool(items: Sequence[Item], given: _Given, opening: Opening) -> Pool:
    task, classes, source = (given.said[key] for key in KEYS[3:])
    reference = opening.reference
    if task is not None and task not in TASKS:
        raise DatasetError(
            f"{reference.name} says the task {quoted(str(task))}; known: {', '.join(TASKS)}"
        )
    if reference.task is None:
        opening = replace(opening, reference=replace(reference, task=task))
    return _guarded(
        lambda: pool_of(
            items,
            opening,
            source=str(source or "a function of the user's"),
            shares=USER_SHARES,
            classes=None if classes is None else tuple(map(str, classes)),
        ),
        reference,
    )
