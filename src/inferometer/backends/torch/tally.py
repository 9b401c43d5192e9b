"""Add the events of profiled calls up to a tree of modules and operators. Imports no torch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from inferometer.core.profile import CallTree, Node, NodeKind, OperatorTime

Floats = NDArray[np.float64]


class Event(NamedTuple):
    """Something that the profiler saw.

    Attributes:
        name: of an operator, or of a module's range.
        start_ns: when it began.
        end_ns: when it ended, on the same clock.
        thread: that it ran on.
        kernels_ns: time of the kernels that it started on a device, nanoseconds.
    """

    name: str
    start_ns: int
    end_ns: int
    thread: int = 0
    kernels_ns: int = 0


@dataclass(kw_only=True)
class _Sum:
    """A place in the tree, with nanoseconds and calls by number of the profiled call."""

    name: str
    kind: NodeKind
    type: str
    self_ns: Counter[int] = field(default_factory=Counter)
    calls: Counter[int] = field(default_factory=Counter)
    children: dict[tuple[NodeKind, str], _Sum] = field(default_factory=dict)

    def walk(self) -> Iterator[_Sum]:
        yield self
        for child in self.children.values():
            yield from child.walk()


class Tally:
    """Takes calls one by one.

    Args:
        module_of: path and class of the module whose range has a name; None for an operator.
        device: whether kernels' times count, and not those on the host.
    """

    def __init__(
        self, module_of: Callable[[str], tuple[str, str] | None], *, device: bool = False
    ) -> None:
        self._module_of = module_of
        self._device = device
        self._root = _Sum(name="", kind="module", type="")
        self._durations_ns: list[int] = []
        self.events = 0

    def add(self, events: Sequence[Event], duration_ns: int) -> None:
        """Add a call.

        Args:
            events: what it did on its thread, by time of beginning, outer before inner.
            duration_ns: how long it took by a clock outside of the profiler.
        """
        number = len(self._durations_ns)
        self._durations_ns.append(duration_ns)
        self.events = len(events)
        self._root.self_ns[number] += duration_ns
        self._root.calls[number] += 1
        open_: list[tuple[int, _Sum]] = []
        for event in events:
            while open_ and event.start_ns >= open_[-1][0]:
                open_.pop()
            parent = open_[-1][1] if open_ else self._root
            place = self._place(parent, event.name)
            open_.append((event.end_ns, place))
            duration = event.kernels_ns if self._device else event.end_ns - event.start_ns
            place.self_ns[number] += duration
            (self._root if self._device else parent).self_ns[number] -= duration
            place.calls[number] += place is not self._root

    def tree(self, notes: Sequence[str] = ()) -> CallTree:
        """Where the time went.

        Raises:
            IndexError: no call was added.
        """
        middle = middle_half(self._durations_ns)
        return CallTree(
            root=self._node(self._root, middle)[0],
            operators=self._operators(middle),
            events=self.events,
            clock="device" if self._device else "host",
            notes=tuple(notes),
        )

    def _place(self, parent: _Sum, event: str) -> _Sum:
        """The place of an event below its parent; the network's own range is the root."""
        module = self._module_of(event)
        name, type_ = (event, "") if module is None else module
        kind: NodeKind = "operator" if module is None else "module"
        if kind == "module" and not name and parent is self._root:
            self._root.type = type_
            return self._root
        return parent.children.setdefault((kind, name), _Sum(name=name, kind=kind, type=type_))

    def _series(self, by_call: Counter[int]) -> Floats:
        return np.array([by_call[n] for n in range(len(self._durations_ns))], dtype=float)

    def _node(self, place: _Sum, middle: NDArray[np.int_]) -> tuple[Node, Floats]:
        """A place as a node, and its totals by call, nanoseconds."""
        below = [self._node(child, middle) for child in place.children.values()]
        own = self._series(place.self_ns)
        total = own + sum((totals for _, totals in below), np.zeros_like(own))
        low, high = np.quantile(total, (0.25, 0.75)) / 1e9
        node = Node(
            name=place.name,
            kind=place.kind,
            type=place.type,
            calls=float(self._series(place.calls)[middle].mean()),
            self_s=float(own[middle].mean()) / 1e9,
            total_s=float(total[middle].mean()) / 1e9,
            low_s=float(low),
            high_s=float(high),
            children=tuple(child for child, _ in below),
        )
        return node, total

    def _operators(self, middle: NDArray[np.int_]) -> tuple[OperatorTime, ...]:
        places: dict[str, list[_Sum]] = {}
        for place in self._root.walk():
            if place.kind == "operator":
                places.setdefault(place.name, []).append(place)
        rows = []
        for name, same in places.items():
            own = np.sum([self._series(place.self_ns) for place in same], axis=0)
            calls = np.sum([self._series(place.calls) for place in same], axis=0)
            low, high = np.quantile(own, (0.25, 0.75)) / 1e9
            rows.append(
                OperatorTime(
                    name=name,
                    calls=float(calls[middle].mean()),
                    self_s=float(own[middle].mean()) / 1e9,
                    low_s=float(low),
                    high_s=float(high),
                )
            )
        return tuple(sorted(rows, key=lambda row: -row.self_s))


def middle_half(values: Sequence[float]) -> NDArray[np.int_]:
    """Indices of the values between the quartiles, at least one: spikes and lucky calls are out.

    Raises:
        IndexError: there is no value.
    """
    order = np.argsort(values, kind="stable")
    if not order.size:
        raise IndexError("no call was profiled")
    cut = order.size // 4
    return np.sort(order[cut : order.size - cut])
