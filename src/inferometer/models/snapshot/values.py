"""How a value of each kind is put back, and what it holds. Knows no model."""

# ruff: noqa: ANN401 - a model holds anything

from __future__ import annotations

import functools
import random
from array import array
from collections import deque
from collections.abc import Callable
from types import FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np
import torch

from inferometer.models.snapshot.outside import (
    EMPTY,
    MOST_ITEMS,
    OURS_ALONE,
    Restorer,
    package,
    put_back_cache,
)


def put_back_mapping(kept: Any) -> Restorer:
    """What gives a mapping its items back, in their order."""
    before = dict(kept)

    def restore() -> None:
        same = len(kept) == len(before) and all(
            one is two and kept[one] is before[two] for one, two in zip(kept, before, strict=True)
        )
        if not same:
            kept.clear()
            kept.update(before)

    return restore


def _keep_mapping(value: dict[Any, Any]) -> tuple[Restorer, list[Any]]:
    extra = [vars(value)] if hasattr(value, "__dict__") else []
    return put_back_mapping(value), [*_few(value.values()), *extra]


def _keep_sequence(value: Any) -> tuple[Restorer, list[Any]]:
    before = list(value)

    def restore() -> None:
        if len(value) != len(before) or any(
            one is not two for one, two in zip(value, before, strict=True)
        ):
            value.clear()
            value.extend(before)

    return restore, _few(before)


def _keep_set(value: set[Any]) -> tuple[Restorer, list[Any]]:
    before = set(value)

    def restore() -> None:
        if value != before:
            value.clear()
            value.update(before)

    return restore, _few(before)


def _keep_bytes(value: bytearray) -> tuple[Restorer, list[Any]]:
    before = bytes(value)
    return lambda: value.__setitem__(slice(None), before), []


def _keep_numbers(value: array[Any]) -> tuple[Restorer, list[Any]]:
    before = array(value.typecode, value)
    return lambda: value.__setitem__(slice(None), before), []


def _keep_array(value: np.ndarray[Any, Any]) -> tuple[Restorer | None, list[Any]]:
    if not value.flags.writeable or value.dtype.hasobject:
        return None, []
    before = value.copy()
    return lambda: np.copyto(value, before), []


def _keep_fixed(value: Any) -> tuple[None, list[Any]]:
    return None, _few(value)


def _keep_function(value: Any) -> tuple[Restorer | None, list[Any]]:
    """A function with the variables that it closes over, its defaults and its attributes."""
    if package(value) in OURS_ALONE:
        return None, []
    cells = list(value.__closure__ or ())
    before = [_content(cell) for cell in cells]
    caches = [put_back_cache(content) for content in before if isinstance(content, dict)]

    def restore() -> None:
        for cell, content in zip(cells, before, strict=True):
            if content is not EMPTY and _content(cell) is not content:
                cell.cell_contents = content
        for put_back in caches:
            put_back()

    outside = (dict, list, deque, set)
    below = [one for one in before if one is not EMPTY and not isinstance(one, outside)]
    return restore, [*below, *(value.__defaults__ or ()), value.__dict__]


def _keep_method(value: Any) -> tuple[None, list[Any]]:
    return None, [value.__self__, value.__func__]


def _keep_partial(value: Any) -> tuple[None, list[Any]]:
    return None, [value.func, *value.args, value.keywords]


def _stated(put: Callable[[Any], object], state: Any) -> Restorer:
    def restore() -> None:
        put(state)

    return restore


def _keep_torch_generator(value: torch.Generator) -> tuple[Restorer, list[Any]]:
    return _stated(value.set_state, value.get_state()), []


def _keep_random(value: random.Random) -> tuple[Restorer, list[Any]]:
    return _stated(value.setstate, value.getstate()), []


def _keep_numpy_generator(value: Any) -> tuple[Restorer, list[Any]]:
    source = value.bit_generator if isinstance(value, np.random.Generator) else value
    if isinstance(source, np.random.RandomState):
        return _stated(source.set_state, source.get_state()), []
    state = source.state
    return lambda: setattr(source, "state", state), []


def _keep_nothing(_: Any) -> tuple[None, list[Any]]:
    return None, []


KEEPERS: tuple[tuple[Any, Callable[[Any], tuple[Restorer | None, list[Any]]]], ...] = (
    ((type(None), bool, int, float, complex, str, bytes, ModuleType, torch.device), _keep_nothing),
    (dict, _keep_mapping),
    ((list, deque), _keep_sequence),
    (set, _keep_set),
    (bytearray, _keep_bytes),
    (array, _keep_numbers),
    (np.ndarray, _keep_array),
    ((tuple, frozenset), _keep_fixed),
    (FunctionType, _keep_function),
    (MethodType, _keep_method),
    (functools.partial, _keep_partial),
    (torch.Generator, _keep_torch_generator),
    (random.Random, _keep_random),
    ((np.random.Generator, np.random.RandomState, np.random.BitGenerator), _keep_numpy_generator),
)
"""How values of these types are put back, and what they hold."""


def _content(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # not filled yet
        return EMPTY


def _few(values: Any) -> list[Any]:
    found = list(values)
    return found if len(found) <= MOST_ITEMS else []
