"""Where the time of a call goes: by module and by operator, as a runtime's profiler saw it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, Protocol

from inferometer.core.metric import Estimate

NodeKind = Literal["module", "operator"]


@dataclass(frozen=True, kw_only=True)
class Node:
    """All calls of a module, or of an operator, at one place of the call tree, added up.

    Seconds are per call of the network. `self_s` and `total_s` are means over the middle half of
    the profiled calls, by latency, so that they add up exactly; the quartiles are those of
    `total_s` over all profiled calls.

    Attributes:
        name: dotted path of a module, empty for the network itself; an operator's name in its
            runtime, such as `aten::addmm`.
        kind: `module` or `operator`.
        type: class of a module; empty for an operator.
        calls: how often, per call of the network.
        self_s: time in it and in nothing that it called.
        total_s: time in it, whatever it called included.
        low_s: lower quartile of the total.
        high_s: upper quartile of the total.
        children: what it called, in the order of the first call.
    """

    name: str
    kind: NodeKind
    type: str
    calls: float
    self_s: float
    total_s: float
    low_s: float
    high_s: float
    children: tuple[Node, ...] = ()

    def walk(self) -> Iterator[Node]:
        """This node and everything below it, parents first."""
        yield self
        for child in self.children:
            yield from child.walk()

    @property
    def modules(self) -> list[Node]:
        """Modules that it called."""
        return [child for child in self.children if child.kind == "module"]

    @property
    def operators(self) -> list[Node]:
        """Operators that it called itself."""
        return [child for child in self.children if child.kind == "operator"]

    @property
    def own_s(self) -> float:
        """Time in a module and in no module that it called: operators, Python, dispatch."""
        return self.total_s - sum(child.total_s for child in self.modules)


@dataclass(frozen=True, kw_only=True)
class OperatorTime:
    """All calls of one operator, wherever they were made; seconds as in `Node`.

    Attributes:
        name: in its runtime, such as `aten::addmm`.
        calls: per call of the network, those by other operators included.
        self_s: time in it and in no operator that it called.
        low_s: lower quartile of that.
        high_s: upper quartile of that.
    """

    name: str
    calls: float
    self_s: float
    low_s: float
    high_s: float


@dataclass(frozen=True, kw_only=True)
class CallTree:
    """What a runtime's profiler saw in the profiled calls.

    Attributes:
        root: the network.
        operators: by name, the slowest first.
        events: operators and modules that a call ran through.
        clock: `host`, where times are those on the thread that called; `device`, where they are
            those of the device's kernels, by the operator that started them.
        notes: what a reader should know.
    """

    root: Node
    operators: tuple[OperatorTime, ...]
    events: int
    clock: Literal["host", "device"] = "host"
    notes: tuple[str, ...] = ()

    @property
    def outside_s(self) -> float:
        """Time in no operator: Python, dispatch, the profiler; on a device, all but kernels."""
        return sum(node.self_s for node in self.root.walk() if node.kind == "module")


@dataclass(frozen=True, kw_only=True)
class Profile:
    """A profile of one workload.

    Attributes:
        plain: median latency of calls without the profiler, seconds.
        profiled: median latency of calls under it, seconds.
        added: what it adds, as a share of the plain latency; from plain and profiled blocks that
            alternate.
        tree: where the time of the profiled calls went. Nothing is scaled.
        input_shape: for people, such as `1x3x224x224`.
    """

    plain: Estimate
    profiled: Estimate
    added: Estimate
    tree: CallTree
    input_shape: str


class Profiler(Protocol):
    """Profiles calls of one session with one batch, a few at a time.

    A session that has one offers it as `profiler(inputs)`.
    """

    def run(self, calls: int, *, warmup: int) -> list[float]:
        """Call so often under the profiler, and remember where the time went.

        Args:
            calls: how many count.
            warmup: calls before these, which count for nothing.

        Returns:
            Latencies, seconds.
        """
        ...

    def forget(self) -> None:
        """Leave out what was seen so far."""
        ...

    @property
    def events(self) -> int:
        """Operators and modules that a call ran through; 0 before any."""
        ...

    def tree(self) -> CallTree:
        """Where the time went, over all calls so far."""
        ...

    def save_trace(self, path: str) -> None:
        """Write the last calls in the trace format of Chrome and Perfetto.

        Raises:
            InputError: it cannot be written.
        """
        ...
