"""Follow the memory of tensors: who owns it, how much of it is alive. Knows no operator."""

# ruff: noqa: ANN401 - torch's operators take and give anything

from __future__ import annotations

import weakref
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import torch

from inferometer.core.errors import WorkloadError
from inferometer.core.nested import PASSIVE, leaves
from inferometer.models.cost.torch.layouts import (
    bytes_of,
    is_sparse,
    kind_of,
    parts_of,
    require_shapes,
)

Role = Literal["weight", "input", "constant", "result"]
"""`constant`: a tensor that was there before the call, and is neither weight nor input."""


@dataclass(kw_only=True, eq=False)
class Memory:
    """The memory behind one tensor or several.

    Attributes:
        role: of the tensor that owns it.
        size_bytes: its size.
        read_bytes: of these, so many at most have been read.
        known: whether it holds the values that it holds in a real call.
    """

    role: Role
    size_bytes: int
    read_bytes: int = 0
    known: bool = True


class Storages:
    """The memory that a call has seen, and how much of its results is alive.

    Attributes:
        device: where tensors lie that have twins.
        alive_bytes: of results, now.
        peak_bytes: of results, at most.
    """

    def __init__(self) -> None:
        self.device = torch.device("cpu")
        self.alive_bytes = 0
        self.peak_bytes = 0
        self._seen: dict[int, Memory] = {}
        self._kept: list[Any] = []
        self._references: dict[int, Any] = {}
        self._twins: dict[tuple[int, torch.dtype], torch.Tensor] = {}
        self._values: dict[int, torch.Tensor] = {}

    def own(self, tensors: Iterable[torch.Tensor], role: Role, *, known: bool) -> None:
        """Enter tensors that are there before the call; they stay alive until after it.

        Raises:
            WorkloadError: (bad_model) one has no shape yet.
        """
        tensors = list(tensors)
        require_shapes(tensors)
        for part in _all_parts(tensors):
            storage = _storage(part)
            if storage is not None and _key(storage) not in self._seen:
                self._seen[_key(storage)] = Memory(
                    role=role, size_bytes=storage.nbytes(), known=known
                )
                self._kept.append(storage)

    def of(self, tensor: torch.Tensor) -> Memory:
        """The memory behind a tensor; one never seen is a constant of the network.

        Of a tensor that lies in several, such as a sparse one, that of its values.
        """
        tensor = parts_of(tensor)[-1]
        storage = _storage(tensor)
        if storage is None:
            return Memory(role="constant", size_bytes=bytes_of(tensor))
        if _key(storage) not in self._seen:
            self.own([tensor], "constant", known=not tensor.is_meta)
        return self._seen[_key(storage)]

    def seen(self, tensor: torch.Tensor) -> bool:
        """Whether a tensor lies in memory that is known already: it is a view."""
        storages = [_storage(part) for part in parts_of(tensor)]
        return all(storage is not None and _key(storage) in self._seen for storage in storages)

    def add_result(self, tensor: torch.Tensor) -> None:
        """Enter a part of an operator's result; it is alive until nobody holds it any more."""
        storage = _storage(tensor)
        if storage is None:
            return
        key, size = _key(storage), storage.nbytes()
        self._seen[key] = Memory(role="result", size_bytes=size, known=not tensor.is_meta)
        dropped = weakref.WeakMethod(self._dropped)  # no cycle: it would keep the inputs alive

        def forget(_: object) -> None:
            method = dropped()
            if method is not None:
                method(key, size)

        self._references[key] = weakref.ref(storage, forget)
        self.alive_bytes += size
        self.peak_bytes = max(self.peak_bytes, self.alive_bytes)

    def read(self, tensor: torch.Tensor, most_bytes: int | None = None) -> int:
        """Note that an operator reads a tensor; gives the bytes that it reads.

        Args:
            tensor: what is read.
            most_bytes: where it is not read as a whole, so much of it at most.
        """
        total = 0
        for part in parts_of(tensor):
            memory = self.of(part)
            size = min(bytes_of(part), memory.size_bytes)
            if most_bytes is not None:
                size = min(size, most_bytes)
            memory.read_bytes = min(memory.size_bytes, memory.read_bytes + size)
            total += size
        return total

    def weight_bytes(self) -> int:
        """Bytes of weights that were read."""
        distinct = {id(memory): memory for memory in self._seen.values()}.values()
        return sum(memory.read_bytes for memory in distinct if memory.role == "weight")

    def twin(self, tensor: torch.Tensor) -> torch.Tensor:
        """A tensor like this on the meta device; the twins of views of one memory share one.

        A sparse tensor is its own twin: how much it stores is lost on the meta device.

        Raises:
            WorkloadError: (unsupported) tensors of this kind have no twin.
        """
        if is_sparse(tensor):
            return tensor
        kind = kind_of(tensor)
        if kind is not None:
            raise WorkloadError(
                "unsupported",
                f"it has {kind} tensors: its operations cannot be counted without running it",
            )
        if not tensor.is_meta:
            self.device = tensor.device
        storage = _storage(tensor)
        if storage is None:
            return tensor.to("meta")
        key = (_key(storage), tensor.dtype)
        if key not in self._twins:
            memory = self.of(tensor)
            base = torch.empty(
                memory.size_bytes // tensor.element_size(), dtype=tensor.dtype, device="meta"
            )
            self._twins[key] = base
            self._seen[_key(base.untyped_storage())] = memory
        return self._twins[key].as_strided(tensor.size(), tensor.stride(), tensor.storage_offset())

    def remember(self, tensor: torch.Tensor, values: torch.Tensor) -> None:
        """Keep the values of a tensor that lies on the meta device."""
        if values.stride() == tensor.stride():  # so views of it are views of them
            self._values[_key(tensor.untyped_storage())] = values

    def values(self, tensor: torch.Tensor) -> torch.Tensor | None:
        """Those of a tensor that lies on the meta device, where they are known."""
        storage = _storage(tensor)
        kept = None if storage is None else self._values.get(_key(storage))
        if kept is None or kept.dtype != tensor.dtype:
            return None
        return kept.as_strided(tensor.size(), tensor.stride(), tensor.storage_offset())

    def forget(self, tensor: torch.Tensor) -> None:
        """Values that nobody knows are written over those of a tensor."""
        self.of(tensor).known = False
        storage = _storage(tensor)
        if storage is not None:
            self._values.pop(_key(storage), None)

    def _dropped(self, key: int, size: int) -> None:
        self.alive_bytes -= size
        self._seen.pop(key, None)
        self._values.pop(key, None)
        self._references.pop(key, None)
        for twin in [twin for twin in self._twins if twin[0] == key]:
            self._seen.pop(_key(self._twins.pop(twin).untyped_storage()), None)


def tensors_in(value: object) -> Iterator[torch.Tensor]:
    """Every tensor in nested containers and objects."""
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from tensors_in(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from tensors_in(part)
    elif not isinstance(value, PASSIVE):
        yield from (leaf for _, leaf in leaves(value) if isinstance(leaf, torch.Tensor))


def _all_parts(tensors: Iterable[torch.Tensor]) -> Iterator[torch.Tensor]:
    for tensor in tensors:
        yield from parts_of(tensor)


def distinct_bytes(value: object) -> int:
    """Bytes of the memory that the tensors in a nested value take, once where they share it."""
    taken: dict[int, int] = {}
    for tensor in _all_parts({id(one): one for one in tensors_in(value)}.values()):
        storage = _storage(tensor)
        size = bytes_of(tensor)
        if storage is None:
            taken[id(tensor)] = size
        else:
            key = _key(storage)
            taken[key] = min(storage.nbytes(), taken.get(key, 0) + size)
    return sum(taken.values())


def _storage(tensor: torch.Tensor) -> Any:
    """The storage behind a part of a tensor; None for those without one, such as opaque ones."""
    try:
        return tensor.untyped_storage()
    except (NotImplementedError, RuntimeError):
        return None


def _key(storage: Any) -> int:
    """What tells a storage from others that are alive."""
    return int(storage._cdata)  # noqa: SLF001 - there is no other way to it
