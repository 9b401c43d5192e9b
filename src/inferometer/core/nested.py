"""Inputs and outputs of models: tensors in tuples, mappings, dataclasses and objects, nested.

Knows no runtime: a tensor is a leaf, like all that has no parts which Python code can see.
"""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import PurePath
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any

PASSIVE = (
    *(type(None), bool, int, float, complex, str, bytes, bytearray, range, slice, Enum, type),
    *(FunctionType, BuiltinFunctionType, MethodType, ModuleType, PurePath, type(Ellipsis)),
)
"""What surely holds no tensor."""

RUNTIMES = ("torch", "numpy", "jax", "jaxlib", "tensorflow")
"""Objects of these packages are leaves (tensors, modules, types of elements) unless they are
containers: their attributes are not a user's."""


def parts(value: object) -> list[tuple[str, Any]] | None:
    """The parts of a nested value with what leads to them, `.name` or `[0]`; None for a leaf."""
    if isinstance(value, Mapping):
        return [(f".{key}", part) for key, part in value.items()]
    names = getattr(value, "_fields", None)
    if isinstance(value, tuple) and isinstance(names, tuple):
        return [(f".{name}", part) for name, part in zip(names, value, strict=False)]
    if isinstance(value, list | tuple | deque | AbstractSet):
        return [(f"[{index}]", part) for index, part in enumerate(value)]
    if isinstance(value, PASSIVE) or _is_foreign(value):
        return None
    if is_dataclass(value):
        return [
            (f".{name}", part) for name, part in _readable(value, [f.name for f in fields(value)])
        ]
    attributes = _attributes(value)
    return None if attributes is None else [(f".{name}", part) for name, part in attributes]


def is_opaque(leaf: object) -> bool:
    """Whether a leaf may hold tensors that nobody can see: an object of a compiled type, say."""
    return not isinstance(leaf, PASSIVE) and not _is_foreign(leaf)


def leaves(
    value: object, path: str = "output", *, whole: Callable[[object], bool] | None = None
) -> Iterator[tuple[str, Any]]:
    """Every leaf of a nested value, with a path to it such as `output.logits[0]`.

    An object that holds itself is walked once.

    Args:
        value: the nested value.
        path: to the value itself.
        whole: what else is a leaf, though it has parts.
    """
    yield from _leaves(value, path, whole or _never, frozenset())


def _never(_: object) -> bool:
    return False


def _leaves(
    value: object, path: str, whole: Callable[[object], bool], above: frozenset[int]
) -> Iterator[tuple[str, Any]]:
    below = None if whole(value) else parts(value)
    if below is None:
        yield path, value
    elif id(value) not in above:
        for step, part in below:
            yield from _leaves(part, f"{path}{step}", whole, above | {id(value)})


def mapped(
    value: Any,  # noqa: ANN401 - nests as it likes
    change: Callable[[Any], Any],
    *,
    whole: Callable[[object], bool] | None = None,
) -> Any:  # noqa: ANN401
    """A nested value of the same types with other leaves; what is shared in it stays shared.

    Args:
        value: the nested value; it stays as it is.
        change: gives what takes the place of a leaf.
        whole: what else is a leaf, though it has parts.
    """
    return _Mapping(change, whole or _never).of(value)


class _Mapping:
    """Makes a nested value with other leaves."""

    def __init__(self, change: Callable[[Any], Any], whole: Callable[[object], bool]) -> None:
        self.change = change
        self.whole = whole
        self.made: dict[int, tuple[Any, Any]] = {}
        """By their ids, with the originals, so that none of these gives its id to another."""

    def of(self, value: Any) -> Any:  # noqa: ANN401 - nests as it likes
        """What takes the place of a value."""
        if id(value) in self.made:
            return self.made[id(value)][1]
        below = None if self.whole(value) else parts(value)
        if below is None:
            other = self.change(value)
        elif isinstance(value, tuple | AbstractSet):
            changed = [self.of(part) for _, part in below]
            named = hasattr(value, "_fields")
            other = type(value)(*changed) if named else type(value)(changed)  # type: ignore[call-arg]
        else:
            other = _shell(value)
            self.made[id(value)] = (value, other)  # before its parts: it may hold itself
            _fill(other, value, self.of)
        self.made[id(value)] = (value, other)
        return other


def _shell(value: Any) -> Any:  # noqa: ANN401
    """Another object of the type, whose parts may be replaced without a change to the first."""
    return type(value)() if type(value) in (dict, list, deque) else copy.copy(value)


def _fill(other: Any, value: Any, new: Callable[[Any], Any]) -> None:  # noqa: ANN401
    """Put changed parts in the place of those that a copy shares with its original."""
    if isinstance(value, MutableMapping):
        for key, part in value.items():
            other[key] = new(part)
    elif isinstance(value, list | deque):
        filled = [new(part) for part in value]
        other.clear()
        other.extend(filled)
    else:
        for step, part in parts(value) or ():
            if (changed := new(part)) is not part:
                object.__setattr__(other, step[1:], changed)  # frozen dataclasses too


def _readable(value: object, names: list[str]) -> Iterator[tuple[str, Any]]:
    """Those of some attributes that are there, and give a value; reading one may run code."""
    for name in names:
        with suppress(Exception):
            yield name, getattr(value, name)


def _attributes(value: object) -> list[tuple[str, Any]] | None:
    """Attributes of an object of a class that Python code made; None of any other."""
    found: dict[str, Any] = {}
    seen = False
    for kind in type(value).__mro__:
        slots = kind.__dict__.get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            seen = True
            if name not in ("__dict__", "__weakref__"):
                found |= dict(_readable(value, [name]))
    if hasattr(value, "__dict__"):
        seen = True
        found |= vars(value)
    return list(found.items()) if seen else None


def _is_foreign(value: object) -> bool:
    """Whether an object is a runtime's own; subclasses that users write of a tensor are, too."""
    return any(kind.__module__.partition(".")[0] in RUNTIMES for kind in type(value).__mro__)


def first_problem(output: object, problem: Callable[[object], str | None]) -> str | None:
    """What is wrong with the first leaf that has something wrong, and where; None if none has."""
    for path, leaf in leaves(output):
        found = problem(leaf)
        if found:
            return f"{path}: {found}"
    return None
