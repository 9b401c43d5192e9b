"""Caches of results beside a model: in the files of its classes, around its functions.

They are put back only where tensors came in; what else a model writes outside of itself stays.
"""

# ruff: noqa: ANN401 - a model holds anything

from __future__ import annotations

import functools
import gc
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import torch

from inferometer.models.inputs.arrays import is_array

Restorer = Callable[[], None]

OURS_ALONE = ("torch", "numpy", "builtins", "abc", "typing", "collections", "functools", "weakref")
"""Objects and classes of these packages have nothing that is the user's; containers apart."""

MOST_ITEMS = 100_000
"""Larger containers are data, and are not looked through; what they refer to is kept."""

EMPTY = object()
"""Stands where there is nothing."""


class Globals:
    """Mappings and tensors that the file of a model's class keeps for all: caches, mostly."""

    def __init__(self, module: ModuleType) -> None:
        self._names = vars(module)
        self._before = dict(self._names)
        self._mappings = [
            put_back_cache(value) for value in self._before.values() if isinstance(value, dict)
        ]

    def restore(self) -> None:
        """Take out the tensors that came in."""
        for name, value in list(self._names.items()):
            if isinstance(value, torch.Tensor) and value is not self._before.get(name):
                if name in self._before:
                    self._names[name] = self._before[name]
                else:
                    del self._names[name]
        for restore in self._mappings:
            restore()


def put_back_cache(kept: dict[Any, Any]) -> Restorer:
    """What gives a mapping outside the model its items back, where tensors came in.

    What else a model writes outside stays, and so do lists there: those are logs.
    """
    before = dict(kept) if len(kept) <= MOST_ITEMS else kept

    def restore() -> None:
        new = [value for key, value in kept.items() if before.get(key, EMPTY) is not value]
        if holds_tensors(new):
            kept.clear()
            kept.update(before)

    return restore


def result_caches() -> Iterator[Any]:
    """Every `functools.lru_cache` of this process but those of the runtimes and of ours."""
    kind = functools._lru_cache_wrapper  # noqa: SLF001 - there is no public name
    for one in gc.get_objects():
        if type(one) is kind and package(one) not in (*OURS_ALONE, "inferometer"):
            yield one


def holds_tensors(values: Any, depth: int = 3) -> bool:
    """Whether there are tensors or arrays in values, or in containers in them."""
    for value in values:
        if is_array(value):
            return True
        if depth and isinstance(value, dict) and holds_tensors(value.values(), depth - 1):
            return True
        if depth and isinstance(value, list | tuple | set) and holds_tensors(value, depth - 1):
            return True
        attributes = {} if callable(value) else getattr(value, "__dict__", {})
        if depth and holds_tensors(list(attributes.values()), depth - 1):
            return True
    return False


def package(value: Any) -> str:
    """Name of the package that defines a value or its class."""
    return str(getattr(value, "__module__", None) or "builtins").partition(".")[0]
