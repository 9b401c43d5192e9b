"""Call operators of torch without computing: only the shapes of their results are found.

What follows from integers and constants alone is computed, since it may decide what is done.
"""

# ruff: noqa: ANN401 - torch's operators take and give anything

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch

from inferometer.core.errors import WorkloadError
from inferometer.models.cost.torch.layouts import is_sparse, stands_for
from inferometer.models.cost.torch.operators import Operator
from inferometer.models.cost.torch.storages import Storages, tensors_in

SILENT = frozenset({"aten._assert_tensor_metadata", "aten._assert_async", "aten._assert_scalar"})
"""Checks that an exported program makes of its own tensors; they are not on its device here."""

CHOOSING = frozenset({"aten.index", "aten._unsafe_index"})
"""These choose elements by their places, or by masks."""

SPARSE_PRODUCTS = frozenset(
    f"aten.{name}"
    for name in ("mm", "bmm", "mv", "addmm", "addmm_", "addmv", "addmv_", "_sparse_addmm")
)
"""These give a plain matrix where one of their arguments is sparse."""

MASKS = (torch.bool, torch.uint8)
"""Elements are chosen by these where they are set: nobody knows how many that are."""

MOST_VALUES = 1 << 18
"""Elements of the largest constant of a floating type whose values are kept."""

META = torch.device("meta")


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
        if any(is_sparse(tensor) for tensor in tensors_in(given)):
            return self._of_sparse(func, operator, args, kwargs)
        if self._all_known(operator, given):
            return self._computed(func, operator, args, kwargs)
        if operator.name in CHOOSING:
            args, kwargs = (given["self"], self._places(given["indices"])), {}
            given = operator.arguments(args, kwargs)
        if operator.depends and not _by_number(given):
            raise WorkloadError(
                "unsupported",
                f"what it does depends on values that it computes ({operator.name}): "
                "its operations cannot be counted without running it",
            )
        if operator.name in SHAPED:
            return SHAPED[operator.name](func, **given)
        self._forget_written(operator, given)
        return self._followed(func, args, kwargs)

    def _forget_written(self, operator: Operator, given: Mapping[str, Any]) -> None:
        for name in operator.written:
            for tensor in tensors_in(given.get(name)):
                self._storages.forget(tensor)

    def _of_sparse(self, func: Any, operator: Operator, args: Any, kwargs: dict[str, Any]) -> Any:
        """What an operator gives that takes sparse tensors, which keep their values.

        How much they store is lost on the meta device, so that only what needs nothing but their
        shape can be followed there: products that give plain matrices.
        """
        given = operator.arguments(args, kwargs)
        tensors = list(tensors_in(given))
        if all(self._has_values(tensor) for tensor in tensors):
            self._keep_own(operator, given)
            result = func(*_mapped(self._valued, args), **_mapped(self._valued, kwargs))
            return _mapped(lambda one: self._off_device(operator, one), result)
        if operator.name in SPARSE_PRODUCTS and sum(map(is_sparse, tensors)) == 1:
            self._forget_written(operator, given)
            return self._followed(func, _mapped(_plain, args), _mapped(_plain, kwargs))
        raise WorkloadError(
            "unsupported",
            f"it makes sparse tensors of values that it computes ({operator.name}): its "
            "operations cannot be counted without running it",
        )

    def _has_values(self, tensor: torch.Tensor) -> bool:
        return not tensor.is_meta or self._storages.values(tensor) is not None

    def _keep_own(self, operator: Operator, given: Mapping[str, Any]) -> None:
        """Refuse to write into sparse tensors of the network or of its inputs."""
        for name in operator.written:
            if any(self._storages.of(one).role != "result" for one in tensors_in(given.get(name))):
                raise WorkloadError(
                    "unsupported",
                    f"it writes into its own sparse tensors ({operator.name}): its operations "
                    "cannot be counted without running it",
                )

    def _off_device(self, operator: Operator, tensor: torch.Tensor) -> torch.Tensor:
        """A plain floating tensor on the meta device; a view of what there was stays a view."""
        if is_sparse(tensor) or not _floating(tensor):
            return tensor
        return (
            self._storages.twin(tensor)
            if self._storages.seen(tensor)
            else self._forgotten(operator, tensor)
        )

    def _all_known(self, operator: Operator, given: Mapping[str, Any]) -> bool:
        """Whether its arguments have their values, and none is written that was there before."""
        for name, value in given.items():
            for tensor in tensors_in(value):
                if not self._known(tensor, floating=operator.depends):
                    return False
                if tensor.is_meta and operator.aliases:
                    return False
                if name in operator.written and self._storages.of(tensor).role != "result":
                    return False
        return True

    def _known(self, tensor: torch.Tensor, *, floating: bool = False) -> bool:
        """Whether a tensor has its values; floating ones are only looked at where they must be."""
        if tensor.is_meta:
            return self._storages.values(tensor) is not None
        return self._storages.of(tensor).known and (floating or not _floating(tensor))

    def _computed(self, func: Any, operator: Operator, args: Any, kwargs: dict[str, Any]) -> Any:
        """What an operator gives, with values.

        Tensors of floating types go to the meta device, and leave their values behind: some
        operators demand that their tensors lie on one device, and what follows from inputs lies
        there.
        """
        if operator.makes:  # there is no need to fill memory first
            result = func(*args, **{**kwargs, "device": META})
            if _floating(result) and result.numel() > MOST_VALUES:
                return result
        device = kwargs.get("device")
        if device is not None and torch.device(device) == META:
            kwargs = {**kwargs, "device": torch.device("cpu")}
        result = func(*_mapped(self._valued, args), **_mapped(self._valued, kwargs))
        return _mapped(lambda tensor: self._forgotten(operator, tensor), result)

    def _valued(self, tensor: torch.Tensor) -> Any:
        """A tensor with its values, which are known."""
        return self._storages.values(tensor) if tensor.is_meta else tensor

    def _forgotten(self, operator: Operator, tensor: torch.Tensor) -> torch.Tensor:
        """A tensor on the meta device, if it is of a floating type; small ones leave values."""
        if not _floating(tensor):
            return tensor
        twin = torch.empty_like(tensor, device=META)
        if tensor.numel() <= MOST_VALUES and not (operator.random or tensor.is_complex()):
            self._storages.remember(twin, tensor)
        return twin

    def _followed(self, func: Any, args: Any, kwargs: dict[str, Any]) -> Any:
        """What an operator gives on the meta device; where that is an argument, the argument."""
        originals: dict[int, torch.Tensor] = {}

        def moved(tensor: torch.Tensor) -> torch.Tensor:
            if tensor.is_meta:
                return tensor
            twin = self._storages.twin(tensor)
            originals[id(twin)] = tensor
            return twin

        args, kwargs = _mapped(moved, args), _mapped(moved, kwargs)
        if kwargs.get("device") is not None:
            kwargs["device"] = META
        return _mapped(lambda tensor: originals.get(id(tensor), tensor), func(*args, **kwargs))

    def _places(self, indices: Any) -> list[torch.Tensor | None]:
        """Indices, with those masks whose values are known as the places where they are set."""
        places: list[torch.Tensor | None] = []
        for index in indices:
            if index is not None and index.dtype in MASKS and self._known(index):
                places.extend(index.nonzero(as_tuple=True))
            else:
                places.append(index)
        return places


def _mapped(change: Callable[[torch.Tensor], Any], value: Any) -> Any:
    """A nested value with other tensors."""
    if isinstance(value, torch.Tensor):
        return change(value)
    if isinstance(value, list | tuple):
        return type(value)(_mapped(change, part) for part in value)
    if isinstance(value, dict):
        return {name: _mapped(change, part) for name, part in value.items()}
    return value


def _plain(tensor: torch.Tensor) -> torch.Tensor:
    return stands_for(tensor) if is_sparse(tensor) else tensor


def _floating(tensor: torch.Tensor) -> bool:
    return tensor.is_floating_point() or tensor.is_complex()


def _by_number(given: Mapping[str, Any]) -> bool:
    """Whether elements are chosen by their numbers: how many there are is known then."""
    chosen = list(tensors_in(given.get("indices")))
    return bool(chosen) and all(index.dtype not in MASKS for index in chosen)


def _packed(func: Any, input: torch.Tensor, lengths: torch.Tensor, batch_first: bool) -> Any:  # noqa: A002, FBT001 - torch's
    """Sequences behind each other: how many steps they have is found with single numbers."""
    data, sizes = func(torch.empty((*input.shape[:2], 1)), lengths, batch_first)
    shape = (len(data), *input.shape[2:])
    return torch.empty(shape, dtype=input.dtype, device=META), sizes


def _grouped_product(
    _: Any,
    *,
    self: torch.Tensor,
    mat2: torch.Tensor,
    offs: torch.Tensor | None = None,
    out_dtype: torch.dtype | None = None,
    **_more: Any,
) -> torch.Tensor:
    """Products of a mixture of experts, which torch has on the meta device in bf16 only."""
    groups: tuple[int, ...] = ()
    if self.dim() == mat2.dim():  # neither has them in a row: they stay apart
        groups = self.shape[:-2] or offs.shape  # type: ignore[union-attr]
    shape = (*groups, self.shape[-2], mat2.shape[-1])
    return torch.empty(shape, dtype=out_dtype or self.dtype, device=META)


SHAPED: dict[str, Callable[..., Any]] = {
    "aten._pack_padded_sequence": _packed,
    "aten._grouped_mm": _grouped_product,
}
"""The shapes of these torch finds with values only, or not for all types."""
