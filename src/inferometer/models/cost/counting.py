"""Look at every operator that torch calls, and add up what it costs. Knows no network."""

# ruff: noqa: ANN401 - torch's operators take and give anything

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from inferometer.core.cost import FLOPS_PER_MAC, Kind, OperatorCost
from inferometer.core.errors import WorkloadError
from inferometer.models.cost.conventions import (
    GATHERED,
    MOVEMENT,
    OVERWRITTEN,
    POINTWISE,
    REDUCTIONS,
    TABLE,
    UNWRITTEN,
)
from inferometer.models.cost.formulas import FORMULAS, Formula, Work
from inferometer.models.cost.storages import Storages, bytes_of, tensors_in

SILENT = frozenset({"aten._assert_tensor_metadata", "aten._assert_async", "aten._assert_scalar"})
"""Checks that an exported program makes of its own tensors; they are not on its device here."""

MASKS = (torch.bool, torch.uint8)
"""Elements are chosen by these where they are set: nobody knows how many that are."""


@dataclass(frozen=True, kw_only=True)
class Operator:
    """What there is to know of an operator before it is called.

    Attributes:
        name: in its library, such as `aten.addmm`.
        kind: what it does.
        formula: of its multiply-accumulates and other operations.
        names: of its arguments, in their order.
        written: names of those that it writes into.
        overwritten: the first of these that it does not read.
        gathers: whether it reads as much of a table as it writes.
        writes: whether it writes its result.
        depends: whether its result cannot be told without values.
    """

    name: str
    kind: Kind
    formula: Formula | None
    names: tuple[str, ...]
    written: frozenset[str]
    overwritten: str | None
    gathers: bool
    writes: bool
    depends: bool

    def arguments(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """Arguments by their names."""
        return {**dict(zip(self.names, args, strict=False)), **kwargs}


class Counter(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """While it is entered, counts the operators that this thread calls.

    Args:
        storages: what is in memory before.
        simulated: whether to keep operators from computing: only the shapes of their results are
            found, on the meta device. What follows from known values alone is computed.

    """

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Without this torch imports its compiler, which takes seconds and 40 MB."""
        return False

    def __init__(self, storages: Storages, *, simulated: bool) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._path = ""
        self._storages = storages
        self._simulated = simulated
        self._sums: dict[tuple[str, Kind, str], list[int]] = {}

    def enter(self, path: str) -> None:
        """Say which module is at work from now on."""
        self._path = path

    def operators(self) -> tuple[OperatorCost, ...]:
        """What has been counted, in the order of first calls."""
        return tuple(
            OperatorCost(
                operator=name,
                kind=kind,
                module=path,
                calls=calls,
                macs=macs,
                elementwise_flops=flops,
                bytes_read=read,
                bytes_written=written,
            )
            for (name, kind, path), (calls, macs, flops, read, written) in self._sums.items()
        )

    def __torch_dispatch__(
        self,
        func: Any,
        types: Any,
        args: Any = (),
        kwargs: Any = None,
    ) -> Any:
        """Call an operator, and count it."""
        operator = described(func)
        kwargs = kwargs or {}
        if self._simulated:
            if operator.name in SILENT:
                return None
            result = self._without_values(func, operator, args, kwargs)
        else:
            result = func(*args, **kwargs)
        self._count(operator, operator.arguments(args, kwargs), result)
        return result

    def _without_values(
        self,
        func: Any,
        operator: Operator,
        args: Any,
        kwargs: dict[str, Any],
    ) -> Any:
        """Call it where values are known, otherwise find out its result's shape."""
        given = operator.arguments(args, kwargs)
        device = kwargs.get("device")
        if (device is None or torch.device(device).type != "meta") and self._all_known(
            operator, given
        ):
            return func(*args, **kwargs)
        if operator.depends and not _by_number(given):
            raise WorkloadError(
                "unsupported",
                f"what it does depends on values that it computes ({operator.name}): "
                "its operations cannot be counted without running it",
            )
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
                if tensor.is_meta or not memory.known:
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

    def _count(self, operator: Operator, given: Mapping[str, Any], result: Any) -> None:
        written = 0
        for name in operator.written:
            written += sum(map(bytes_of, tensors_in(given.get(name))))
        new = [tensor for tensor in tensors_in(result) if not self._storages.seen(tensor)]
        for tensor in new:
            written += bytes_of(tensor) if operator.writes else 0
            self._storages.add_result(tensor)
        nothing_done = not new and not operator.written and not operator.depends
        work = Work(0, 0)
        if operator.formula is not None and not nothing_done:
            work = operator.formula(given, result)
        read = 0 if nothing_done else self._read(operator, given, max(written, bytes_in(work)))
        kind: Kind = "data movement" if nothing_done else operator.kind
        sums = self._sums.setdefault((operator.name, kind, self._path), [0, 0, 0, 0, 0])
        for place, value in enumerate((1, *work, read, written)):
            sums[place] += value

    def _read(self, operator: Operator, given: Mapping[str, Any], most_bytes: int) -> int:
        distinct = {
            id(tensor): tensor
            for name, value in given.items()
            if name != operator.overwritten
            for tensor in tensors_in(value)
        }
        most = most_bytes if operator.gathers else None
        return sum(self._storages.read(tensor, most) for tensor in distinct.values())


def bytes_in(work: Work) -> int:
    """Bytes that take part in an operation each: rows that are added up."""
    return 4 * work.elementwise_flops


@cache
def described(func: Any) -> Operator:
    """What there is to know of an operator."""
    name = str(func.overloadpacket)
    schema = func._schema  # noqa: SLF001 - there is no other way to it
    only_turned = torch.Tag.inplace_view in func.tags
    names = tuple(argument.name for argument in schema.arguments)
    written = frozenset(
        argument.name
        for argument in schema.arguments
        if not only_turned and argument.alias_info is not None and argument.alias_info.is_write
    )
    kind, formula = _found(func, name)
    return Operator(
        name=name,
        kind=kind,
        formula=formula,
        names=names,
        written=written,
        overwritten=names[0] if written and name in OVERWRITTEN else None,
        gathers=name in GATHERED,
        writes=name not in UNWRITTEN,
        depends=bool(
            {torch.Tag.data_dependent_output, torch.Tag.dynamic_output_shape} & set(func.tags)
        ),
    )


def _found(func: Any, name: str) -> tuple[Kind, Formula | None]:
    """Kind and formula of an operator; no formula for what moves data, and for the unknown."""
    if name in FORMULAS:
        return FORMULAS[name]
    if name in TABLE:
        kind, flops = TABLE[name]
        return kind, lambda given, result: Work(0, flops(given, result))
    if name in MOVEMENT or torch.Tag.inplace_view in func.tags:
        return "data movement", None
    if name in REDUCTIONS or torch.Tag.reduction in func.tags:
        return "reduction", _each_input
    if name in POINTWISE or torch.Tag.pointwise in func.tags:
        return "element-wise", _each_result
    return _registered(func)


def _registered(func: Any) -> tuple[Kind, Formula | None]:
    """What somebody taught torch's own counter, about an operator of his own for instance."""
    from torch.utils.flop_counter import flop_registry

    flops = flop_registry.get(func.overloadpacket)
    if flops is None:
        return "unknown", None
    names = tuple(argument.name for argument in func._schema.arguments)  # noqa: SLF001 - as above

    def formula(given: Mapping[str, Any], result: Any) -> Work:
        args = [given[name] for name in names if name in given]
        return Work(flops(*args, out_val=result) // FLOPS_PER_MAC)

    return "matrix product", formula


def _by_number(given: Mapping[str, Any]) -> bool:
    """Whether elements are chosen by their numbers: how many there are is known then."""
    chosen = list(tensors_in(given.get("indices")))
    return bool(chosen) and all(index.dtype not in MASKS for index in chosen)


def _each_input(given: Mapping[str, Any], _: Any) -> Work:
    return Work(0, next((tensor.numel() for tensor in _all(given)), 0))


def _each_result(_: Mapping[str, Any], result: Any) -> Work:
    return Work(0, next((tensor.numel() for tensor in tensors_in(result)), 0))


def _all(given: Mapping[str, Any]) -> Iterator[torch.Tensor]:
    for value in given.values():
        yield from tensors_in(value)


def _restored(result: Any, originals: Mapping[int, torch.Tensor]) -> Any:
    """What an operator gives, where it gives back what it was given."""
    if isinstance(result, torch.Tensor):
        return originals.get(id(result), result)
    if isinstance(result, list | tuple):
        return type(result)(_restored(part, originals) for part in result)
    return result
