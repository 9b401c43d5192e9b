"""Everything that a live model holds, to be put back after others have called it.

What is reached from a model is looked at once: its modules, parameters and buffers, hooks with what
they close over, containers and objects of the user's own classes, random generators, the classes
themselves, and caches of results beside it. Objects that a runtime made for itself are left alone.
"""

# ruff: noqa: ANN401 - a model holds anything

from __future__ import annotations

import functools
import gc
import sys
from types import ModuleType
from typing import Any

import torch

from inferometer.models.snapshot.outside import (
    EMPTY,
    OURS_ALONE,
    Globals,
    Restorer,
    holds_tensors,
    package,
    result_caches,
)
from inferometer.models.snapshot.tensors import TensorState
from inferometer.models.snapshot.values import KEEPERS, put_back_mapping


class Snapshot:
    """What a model holds now.

    Args:
        model: a `torch.nn.Module`, or any callable.
    """

    def __init__(self, model: Any) -> None:
        self._restorers: list[Restorer] = []
        self._tensors: list[TensorState] = []
        self._seen: dict[int, Any] = {}
        self._modules: dict[int, ModuleType] = {}
        self._look(model)
        self._caches = {id(one): (one, one.cache_info().misses) for one in result_caches()}
        self._globals = [Globals(module) for module in self._modules.values()]

    def restore(self) -> None:
        """Put everything back."""
        for restore in reversed(self._restorers):
            restore()
        for state in self._tensors:
            state.restore()
        for cache in result_caches():
            _, misses = self._caches.get(id(cache), (cache, 0))
            if cache.cache_info().misses != misses and holds_tensors(gc.get_referents(cache)):
                cache.cache_clear()
        for kept in self._globals:
            kept.restore()

    def _look(self, model: Any) -> None:
        waiting = [model]
        while waiting:
            value = waiting.pop()
            if id(value) in self._seen:
                continue
            self._seen[id(value)] = value
            waiting += self._take(value)

    def _take(self, value: Any) -> list[Any]:
        """Note how one value is put back, and give what it holds."""
        if isinstance(value, torch.Tensor):
            self._tensors.append(TensorState(value))
            return [value.grad, *vars(value).values()] if value.is_leaf else []
        for kinds, keep in KEEPERS:
            if isinstance(value, kinds):
                restore, below = keep(value)
                self._restorers += [] if restore is None else [restore]
                return below
        if isinstance(value, type):
            return self._take_class(value)
        return self._take_object(value)

    def _take_class(self, kind: type) -> list[Any]:
        """Attributes of a user's class that hold data."""
        if package(kind) in OURS_ALONE:
            return []
        module = sys.modules.get(kind.__module__)
        if module is not None:
            self._modules[id(module)] = module
        data = {name: value for name, value in vars(kind).items() if _is_data(name, value)}

        def restore() -> None:
            for name, value in list(vars(kind).items()):
                if name not in data and _is_data(name, value):
                    delattr(kind, name)
            for name, value in data.items():
                if vars(kind).get(name) is not value:
                    setattr(kind, name, value)

        self._restorers.append(restore)
        return [*data.values(), *kind.__bases__]

    def _take_object(self, value: Any) -> list[Any]:
        is_module = isinstance(value, torch.nn.Module) and not isinstance(
            value, torch.jit.ScriptModule
        )
        if isinstance(value, torch.jit.ScriptModule):
            return [*value.parameters(), *value.buffers()]
        if not is_module and package(type(value)) in OURS_ALONE:
            return []
        below: list[Any] = [type(value)]
        attributes = getattr(value, "__dict__", None)
        if isinstance(attributes, dict):
            self._restorers.append(put_back_mapping(attributes))
            below += attributes.values()
        for name in _slots(type(value)):
            if hasattr(value, name):
                held = getattr(value, name)
                self._restorers.append(functools.partial(_put_back_slot, value, name, held))
                below.append(held)
        return below


def _is_data(name: str, value: Any) -> bool:
    """Whether a class attribute is data: no method, no property, none of Python's own."""
    if name.startswith("__") and name.endswith("__"):
        return False
    return not (callable(value) or hasattr(type(value), "__get__"))


def _slots(kind: type) -> list[str]:
    found: list[str] = []
    for one in kind.__mro__:
        slots = vars(one).get("__slots__", ())
        found += [slots] if isinstance(slots, str) else list(slots)
    return [name for name in found if name not in ("__dict__", "__weakref__")]


def _put_back_slot(value: Any, name: str, held: Any) -> None:
    if getattr(value, name, EMPTY) is not held:
        object.__setattr__(value, name, held)
