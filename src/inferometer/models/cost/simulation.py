"""Call operators of torch without computing: only the shapes of their results are found.

What follows from integers and constants alone is computed, since it may decide what is done.
"""

# ruff: noqa: ANN401 - torch's operators take and give anything

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from inferometer.core.errors import WorkloadError
from inferometer.models.cost.operators import Operator
from inferometer.models.cost.storages import Storages, tensors_in

SILENT = frozenset({"aten._assert_tensor_metadata", "aten._assert_async", "aten._assert_scalar"})
"""Checks that an exported program makes of its own tensors; they are not on its device here."""

PACKING = "aten._pack_padded_sequence"
"""This reads the lengths of its sequences on the processor, wherever the sequences are."""

MASKS = (torch.bool, torch.uint8)
"""Elements are chosen by these where they are set: nobody knows how many that are."""


class Simulation:
    """Calls operators on the meta device.

    Args:
        storages: of the call; they tell which values are known.
    """

    def __init__(self, storages: Storages) -> None:
        self._storages = storages

    def call(self, func: Any, operator: Operator, args: Any, kwargs: dict[str, Any]) -> Any:
        """What an operator gives: with values where all of its arguments have theirs.

        Raises:
            WorkloadError: (unsupported) the shape of its result depends on values.
        """
        if operator.name in SILENT:
            return None
        given = operator.arguments(args, kwargs)
        device = kwargs.get("device")
        if self._all_known(operator, given):
            if device is not None and torch.device(device).type == "meta":
                kwargs = {**kwargs, "device": torch.device("cpu")}
            return _computed(func, operator, args, kwargs)
        if operator.depends and not _by_number(given):
            raise WorkloadError(
                "unsupported",
                f"what it does depends on values that it computes ({operator.name}): "
                "its operations cannot be counted without running it",
            )
        if operator.name == PACKING:
            return _packed(func, **given)
        originals: dict[int, torch.Tensor] = {}
        for name in operator.written:
            for tensor in tensors_in(given.get(name)):
                self._storages.of(tensor).known = False
        args, kwargs = self._moved(args, originals), self._moved(kwargs, originals)
        if device is not None:
            kwargs["device"] = torch.device("meta")
        return _restored(func(*args, **kwargs), originals)

    def _all_known(self, operator: Operator, given: Mapping[str, Any]) -> bool:
        """Whether its arguments have their values, and none is written that was there before."""
        for name, value in given.items():
            for tensor in tensors_in(value):
                memory = self._storages.of(tensor)
                if tensor.is_meta or _floating(tensor) or not memory.known:
                    return False
                if name in operator.written and memory.role != "result":
                    return False
        return True

    def _moved(self, value: Any, originals: dict[int, torch.Tensor]) -> Any:
        """Arguments with their tensors on the meta device, and what these stand for."""
        if isinstance(value, torch.Tensor):
            if value.is_meta:
                return value
            twin = self._storages.twin(value)
            originals[id(twin)] = value
            return twin
        if isinstance(value, list | tuple):
            return type(value)(self._moved(part, originals) for part in value)
        if isinstance(value, dict):
            return {name: self._moved(part, originals) for name, part in value.items()}
        return value


def _by_number(given: Mapping[str, Any]) -> bool:
    """Whether elements are chosen by their numbers: how many there are is known then."""
    chosen = list(tensors_in(given.get("indices")))
    return bool(chosen) and all(index.dtype not in MASKS for index in chosen)


def _packed(func: Any, input: torch.Tensor, lengths: torch.Tensor, batch_first: bool) -> Any:  # noqa: A002, FBT001 - torch's
    """Sequences behind each other: how many steps they have is found with single numbers."""
    data, sizes = func(torch.empty((*input.shape[:2], 1)), lengths, batch_first)
    shape = (len(data), *input.shape[2:])
    return torch.empty(shape, dtype=input.dtype, device="meta"), sizes


def _computed(func: Any, operator: Operator, args: Any, kwargs: dict[str, Any]) -> Any:
    """What an operator gives, without values of floating types: nothing is decided by those.

    Some operators demand that their tensors lie on one device, and what follows from inputs lies
    on the meta device.
    """
    if operator.makes:  # there is no need to fill memory first
        result = func(*args, **{**kwargs, "device": torch.device("meta")})
        if _floating(result):
            return result
    return _forgotten(func(*args, **kwargs))


def _forgotten(result: Any) -> Any:
    if isinstance(result, torch.Tensor):
        return torch.empty_like(result, device="meta") if _floating(result) else result
    if isinstance(result, list | tuple):
        return type(result)(_forgotten(part) for part in result)
    return result


def _floating(tensor: torch.Tensor) -> bool:
    return tensor.is_floating_point() or tensor.is_complex()


def _restored(result: Any, originals: Mapping[int, torch.Tensor]) -> Any:
    """What an operator gives, where it gives back what it was given."""
    if isinstance(result, torch.Tensor):
        return originals.get(id(result), result)
    if isinstance(result, list | tuple):
        return type(result)(_restored(part, originals) for part in result)
    return result
