"""Dataclasses as lines of JSON, and back with every value checked against its type.

It is JSON as Python's `json` has it: NaN, infinities and text that is no Unicode go through.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from functools import cache
from types import UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

Kind = TypeVar("Kind")
Wanted = TypeVar("Wanted")
Other = TypeVar("Other")
Reader = Callable[[object], object]

SHOWN_CHARACTERS = 60


class MisfitError(Exception):
    """A message does not fit: it says where, and what is there."""


def encode(message: object) -> bytes:
    """A dataclass as a line of JSON, under the name of its class; without the end of the line."""
    tagged = {type(message).__name__: message}
    return json.dumps(tagged, default=_content, separators=(",", ":")).encode()


def decode(line: bytes, wanted: type[Wanted], *others: type[Other]) -> Wanted | Other:
    """What `encode` made a line of.

    Args:
        line: the line.
        wanted: the dataclass that it should be.
        others: what it may be as well.

    Raises:
        MisfitError: it is none of them.
    """
    kinds: tuple[type[Wanted | Other], ...] = (wanted, *others)
    try:
        return _decoded(json.loads(line), kinds)
    except ValueError:
        raise MisfitError(f"{_shown(line)} is no JSON") from None
    except RecursionError:
        raise MisfitError(f"{_shown(line)} is nested too deeply") from None


def _decoded(data: object, kinds: tuple[type[Kind], ...]) -> Kind:
    for kind in kinds:
        if isinstance(data, dict) and data.keys() == {kind.__name__}:
            found = _within(kind.__name__, _dataclass(kind), data[kind.__name__])
            assert isinstance(found, kind)
            return found
    raise MisfitError(f"{_shown(data)} is none of {', '.join(kind.__name__ for kind in kinds)}")


def _content(message: object) -> dict[str, object]:
    if not is_dataclass(message):
        raise TypeError(f"a {type(message).__name__} is in a message: {_shown(message)}")
    return {field.name: vars(message)[field.name] for field in fields(message)}


@cache
def _reader(hint: object) -> Reader:
    """What reads a value of a type."""
    origin, args = get_origin(hint), get_args(hint)
    if isinstance(hint, type) and is_dataclass(hint):
        return _dataclass(hint)
    if origin in (Union, UnionType):
        return _union(hint, [_reader(arg) for arg in args])
    if origin is tuple:
        return _tuple([_reader(arg) for arg in args if arg is not ...], repeats=args[-1] is ...)
    if origin is list:
        items = _tuple([_reader(args[0])], repeats=True)
        return lambda data: list(items(data))
    if origin in (dict, Mapping):
        return _mapping(_reader(args[1]))
    return _plain(hint, args if origin is Literal else ())


def _dataclass(kind: type) -> Reader:
    def read(data: object) -> object:
        if not isinstance(data, dict):
            raise MisfitError(f"{_shown(data)} is no {kind.__name__}")
        readers = _readers(kind)
        if unknown := data.keys() - readers.keys():
            raise MisfitError(f"{kind.__name__} has no {_shown(min(unknown))}")
        found = {name: _within(name, readers[name], value) for name, value in data.items()}
        try:
            return kind(**found)
        except (TypeError, ValueError) as error:  # something is missing, or does not go together
            raise MisfitError(str(error)) from None

    return read


@cache
def _readers(kind: type) -> dict[str, Reader]:
    hints = get_type_hints(kind)
    return {field.name: _reader(hints[field.name]) for field in fields(kind)}


def _union(hint: object, readers: Sequence[Reader]) -> Reader:
    def read(data: object) -> object:
        for reader in readers:
            try:
                return reader(data)
            except MisfitError:  # noqa: PERF203 - of a handful
                continue
        raise MisfitError(f"{_shown(data)} is no {hint}")

    return read


def _tuple(readers: Sequence[Reader], *, repeats: bool) -> Callable[[object], tuple[object, ...]]:
    def read(data: object) -> tuple[object, ...]:
        if not isinstance(data, list):
            raise MisfitError(f"{_shown(data)} is no list")
        if repeats:
            (reader,) = readers
            return tuple(map(reader, data))
        if len(data) != len(readers):
            raise MisfitError(f"{_shown(data)} has not {len(readers)} items")
        return tuple(reader(item) for reader, item in zip(readers, data, strict=True))

    return read


def _mapping(reader: Reader) -> Reader:
    def read(data: object) -> object:
        if not isinstance(data, dict):
            raise MisfitError(f"{_shown(data)} is no object")
        return {name: _within(name, reader, value) for name, value in data.items()}

    return read


def _plain(hint: object, choices: tuple[object, ...]) -> Reader:
    """What reads a single value; a whole number may stand for a float, and stays as it is."""
    if hint is Any:
        return lambda data: data
    kinds = (float, int) if hint is float else (hint,)

    def read(data: object) -> object:
        if data in choices if choices else type(data) in kinds:
            return data
        raise MisfitError(f"{_shown(data)} is no {' or '.join(map(str, choices)) or hint}")

    return read


def _within(name: str, reader: Reader, data: object) -> object:
    try:
        return reader(data)
    except MisfitError as error:
        raise MisfitError(f"{name[:SHOWN_CHARACTERS]}: {error}") from None


def _shown(data: object) -> str:
    text = repr(data)
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}…"
