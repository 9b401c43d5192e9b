"""Everything that a live model holds, to be put back after others have called it.

What is reached from a model is looked at once: its modules, parameters and buffers, hooks with what
they close over, containers and objects of the user's own classes, random generators, the classes
themselves, and caches of results beside it. Objects that a runtime made for itself are left alone.
"""

# ruff: noqa: ANN401 - a model holds anything

from __future__ import annotations

import functools
import gc
import random
import sys
from array import array
from collections import deque
from collections.abc import Callable, Iterator
from types import FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np
import torch

from inferometer.models.inputs.arrays import is_array
from inferometer.models.snapshot_tensors import TensorState

Restorer = Callable[[], None]

OURS_ALONE = ("torch", "numpy", "builtins", "abc", "typing", "collections", "functools", "weakref")
"""Objects and classes of these packages have nothing that is the user's; containers apart."""

MOST_ITEMS = 100_000
"""Larger containers are data, and are not looked through; what they refer to is kept."""


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
        self._caches = {id(one): (one, one.cache_info().misses) for one in _result_caches()}
        self._globals = [_Globals(module) for module in self._modules.values()]

    def restore(self) -> None:
        """Put everything back."""
        for restore in reversed(self._restorers):
            restore()
        for state in self._tensors:
            state.restore()
        for cache in _result_caches():
            _, misses = self._caches.get(id(cache), (cache, 0))
            if cache.cache_info().misses != misses and _holds_tensors(gc.get_referents(cache)):
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
        for kinds, keep in _KEEPERS:
            if isinstance(value, kinds):
                restore, below = keep(value)
                self._restorers += [] if restore is None else [restore]
                return below
        if isinstance(value, type):
            return self._take_class(value)
        return self._take_object(value)

    def _take_class(self, kind: type) -> list[Any]:
        """Attributes of a user's class that hold data."""
        if _package(kind) in OURS_ALONE:
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
        if not is_module and _package(type(value)) in OURS_ALONE:
            return []
        below: list[Any] = [type(value)]
        attributes = getattr(value, "__dict__", None)
        if isinstance(attributes, dict):
            self._restorers.append(_put_back_mapping(attributes))
            below += attributes.values()
        for name in _slots(type(value)):
            if hasattr(value, name):
                held = getattr(value, name)
                self._restorers.append(functools.partial(_put_back_slot, value, name, held))
                below.append(held)
        return below


def _put_back_mapping(kept: Any) -> Restorer:
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
    return _put_back_mapping(value), [*_few(value.values()), *extra]


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
    if _package(value) in OURS_ALONE:
        return None, []
    cells = list(value.__closure__ or ())
    before = [_content(cell) for cell in cells]
    caches = [_put_back_cache(content) for content in before if isinstance(content, dict)]

    def restore() -> None:
        for cell, content in zip(cells, before, strict=True):
            if content is not _EMPTY and _content(cell) is not content:
                cell.cell_contents = content
        for put_back in caches:
            put_back()

    outside = (dict, list, deque, set)
    below = [one for one in before if one is not _EMPTY and not isinstance(one, outside)]
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


_KEEPERS: tuple[tuple[Any, Callable[[Any], tuple[Restorer | None, list[Any]]]], ...] = (
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


class _Globals:
    """Mappings and tensors that the file of a model's class keeps for all: caches, mostly."""

    def __init__(self, module: ModuleType) -> None:
        self._names = vars(module)
        self._before = dict(self._names)
        self._mappings = [
            _put_back_cache(value) for value in self._before.values() if isinstance(value, dict)
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


def _put_back_cache(kept: dict[Any, Any]) -> Restorer:
    """What gives a mapping outside the model its items back, where tensors came in.

    What else a model writes outside stays, and so do lists there: those are logs.
    """
    before = dict(kept) if len(kept) <= MOST_ITEMS else kept

    def restore() -> None:
        new = [value for key, value in kept.items() if before.get(key, _EMPTY) is not value]
        if _holds_tensors(new):
            kept.clear()
            kept.update(before)

    return restore


def _result_caches() -> Iterator[Any]:
    """Every `functools.lru_cache` of this process but those of the runtimes and of ours."""
    kind = functools._lru_cache_wrapper  # noqa: SLF001 - there is no public name
    for one in gc.get_objects():
        if type(one) is kind and _package(one) not in (*OURS_ALONE, "inferometer"):
            yield one


def _holds_tensors(values: Any, depth: int = 3) -> bool:
    """Whether there are tensors or arrays in values, or in containers in them."""
    for value in values:
        if is_array(value):
            return True
        if depth and isinstance(value, dict) and _holds_tensors(value.values(), depth - 1):
            return True
        if depth and isinstance(value, list | tuple | set) and _holds_tensors(value, depth - 1):
            return True
        attributes = {} if callable(value) else getattr(value, "__dict__", {})
        if depth and _holds_tensors(list(attributes.values()), depth - 1):
            return True
    return False


_EMPTY = object()


def _content(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # not filled yet
        return _EMPTY


def _few(values: Any) -> list[Any]:
    found = list(values)
    return found if len(found) <= MOST_ITEMS else []


def _package(value: Any) -> str:
    return str(getattr(value, "__module__", None) or "builtins").partition(".")[0]


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
    if getattr(value, name, _EMPTY) is not held:
        object.__setattr__(value, name, held)
