"""Look at every operator that torch calls, and add up what it costs. Knows no network."""

# ruff: noqa: ANN401 - torch's operators take and give anything

from __future__ import annotations

from collections.abc import Mapping
from threading import get_ident
from typing import Any, Self

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from inferometer.core.cost import Kind, OperatorCost
from inferometer.models.cost.formulas import Work
from inferometer.models.cost.torch.layouts import WRAPS, bytes_of, parts_of
from inferometer.models.cost.torch.operators import Operator, described
from inferometer.models.cost.torch.placement import Placement
from inferometer.models.cost.torch.simulation import Simulation
from inferometer.models.cost.torch.storages import Storages, tensors_in

Row = tuple[str, Kind, str, bool]
"""Operator, kind, path of the module, and whether it convolves each channel alone."""

COMPARES = "aten.equal"
"""Before it runs, a frozen program looks which of its weights are equal: no part of the call."""

COMPLEX_MACS = 4
"""Multiply-accumulates of one of complex numbers."""

ELSEWHERE = "modules called by other threads"
"""What these call passes by: it is named, and in no sum; how often is not known."""


class Counter(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """While it is entered, counts the operators that this thread calls.

    Args:
        storages: what is in memory before.
        simulated: whether to keep operators from computing: only the shapes of their results are
            found, on the meta device.
    """

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Without this torch imports its compiler, which takes seconds and 40 MB."""
        return False

    def __init__(self, storages: Storages, *, simulated: bool) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._path = ""
        self._storages = storages
        self._simulation = Simulation(storages) if simulated else None
        self._placements: list[Placement] = []
        self._sums: dict[Row, list[int]] = {}
        self._thread = get_ident()

    def __enter__(self) -> Self:
        """Count from now on."""
        self._placements.append(Placement(self._storages.device, self._leaves))
        self._placements[-1].__enter__()  # type: ignore[no-untyped-call]
        super().__enter__()  # type: ignore[no-untyped-call]
        return self

    def __exit__(self, *error: object) -> None:
        """Count no more."""
        super().__exit__(*error)  # type: ignore[no-untyped-call]
        # not kept: it holds this object, and both would keep the results of the call alive
        self._placements.pop().__exit__(*error)  # type: ignore[no-untyped-call]

    def enter(self, path: str) -> None:
        """Say which module is at work from now on."""
        if get_ident() == self._thread:
            self._path = path
        else:
            self._sums[ELSEWHERE, "unknown", "", False] = [1, 0, 0, 0, 0]

    def _leaves(self, name: str) -> None:
        _add(self._sums, (name, "unknown", self._path, False), Work(0), 0, 0)

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
                depthwise=depthwise,
            )
            for (name, kind, path, depthwise), (
                calls,
                macs,
                flops,
                read,
                written,
            ) in self._sums.items()
        )

    def __torch_dispatch__(
        self,
        func: Any,
        types: Any,
        args: Any = (),
        kwargs: Any = None,
    ) -> Any:
        """Call an operator, and count it; those around other tensors come back with these."""
        if any(hasattr(kind, WRAPS) for kind in types):
            return NotImplemented
        with torch._C.DisableTorchFunction():  # noqa: SLF001
            return self._called(func, args, kwargs or {})

    def _called(self, func: Any, args: Any, kwargs: dict[str, Any]) -> Any:
        operator = described(func)
        if self._simulation is None:
            result = func(*args, **kwargs)
        else:
            result = self._simulation.call(func, operator, args, kwargs)
        self._count(operator, operator.arguments(args, kwargs), result)
        return result

    def _count(self, operator: Operator, given: Mapping[str, Any], result: Any) -> None:
        # what was there before is entered here, so that a view of it is no result
        roles = {self._storages.of(tensor).role for tensor in tensors_in(given)}
        if operator.name == COMPARES and not roles - {"weight", "constant"}:
            return
        new = [
            part
            for tensor in tensors_in(result)
            for part in parts_of(tensor)
            if not self._storages.seen(part)
        ]
        if not (new or operator.written or operator.depends):  # a view
            _add(self._sums, (operator.name, "data movement", self._path, False), Work(0), 0, 0)
            return
        written = self._written(operator, given, new)
        kind, work = operator.kind, operator.work(given, result)
        if work is None:
            kind, work = "unknown", Work(0)
        if work.macs and next(tensors_in(result)).is_complex():
            work = work._replace(macs=COMPLEX_MACS * work.macs)
        read = self._read(operator, given, work, result)
        depthwise = kind == "convolution" and _is_depthwise(given)
        _add(self._sums, (operator.name, kind, self._path, depthwise), work, read, written)

    def _written(
        self, operator: Operator, given: Mapping[str, Any], new: list[torch.Tensor]
    ) -> int:
        written = sum(
            bytes_of(one) for name in operator.written for one in tensors_in(given.get(name))
        )
        for tensor in new:
            if not self._storages.seen(tensor):  # several may lie in one memory
                self._storages.add_result(tensor)
            written += bytes_of(tensor) if operator.writes else 0
        return written

    def _read(self, operator: Operator, given: Mapping[str, Any], work: Work, result: Any) -> int:
        read = {name: part for name, part in given.items() if name not in operator.overwritten}
        distinct = {id(tensor): tensor for tensor in tensors_in(read)}
        total = 0
        if operator.gathers:
            table = distinct.pop(id(given[operator.names[0]]))
            # one of its elements for each of the result, or for each that is added up
            taken = work.elementwise_flops if operator.formula else next(tensors_in(result)).numel()
            total = self._storages.read(table, taken * table.element_size())
        return total + sum(self._storages.read(tensor) for tensor in distinct.values())


def _is_depthwise(given: Mapping[str, Any]) -> bool:
    """Whether a convolution has a group for each channel of its input, and several of them."""
    groups, data = given.get("groups"), given.get("input")
    return (
        isinstance(groups, int)
        and groups > 1
        and isinstance(data, torch.Tensor)
        and groups == data.shape[1]
    )


def _add(sums: dict[Row, list[int]], row: Row, work: Work, read: int, written: int) -> None:
    """Add one call."""
    found = sums.setdefault(row, [0, 0, 0, 0, 0])
    for place, value in enumerate((1, *work, read, written)):
        found[place] += value
