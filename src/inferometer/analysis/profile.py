"""Put the operations of a call beside the time that a profile saw them take."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from inferometer.core.cost import FLOPS_PER_MAC, Cost, Kind
from inferometer.core.profile import CallTree, Node, OperatorTime
from inferometer.figures.counted import Counted, counted_nodes, modules_of, nearest


@dataclass(frozen=True, kw_only=True)
class ModuleRow:
    """A module at its place in the call tree.

    Attributes:
        node: its times.
        depth: how far below the network.
        macs: of it and what it called, per call of the network; None where they are not known.
    """

    node: Node
    depth: int
    macs: int | None

    @property
    def flops_per_s(self) -> float | None:
        """Floating-point operations of its multiply-accumulates, per second of its total time."""
        return _rate(self.macs, self.node.total_s)


@dataclass(frozen=True, kw_only=True)
class OperatorRow:
    """An operator, wherever it was called.

    Attributes:
        time: its times.
        kind: what it does; None where nothing that was counted has its name.
        macs: per call of the network; None where they are not known of each of its calls.
    """

    time: OperatorTime
    kind: Kind | None
    macs: int | None

    @property
    def flops_per_s(self) -> float | None:
        """Floating-point operations of its multiply-accumulates, per second of its own time."""
        return _rate(self.macs, self.time.self_s)


def module_rows(tree: CallTree, cost: Cost | None, depth: int | None = None) -> list[ModuleRow]:
    """The modules in the order in which they were called, parents first.

    Operations of a module that was counted but not seen (a fast path passes it by) are put down to
    the nearest module around it. Those of a module are not known where its calls are at several
    places of the tree, of which this is one, or where an operator in it is of an unknown kind.

    Args:
        tree: what was seen.
        cost: what was counted; None where nothing was.
        depth: how deep to go; None is to the bottom.
    """
    everywhere = Counter(node.name for node in modules_of(tree.root))
    macs, unknown = _by_module(cost, set(everywhere))

    def macs_of(node: Node) -> int | None:
        here = Counter(below.name for below in modules_of(node))
        whole = all(everywhere[name] == times for name, times in here.items() if macs[name])
        if cost is None or not whole or unknown & here.keys():
            return None
        return sum(macs[name] for name in here)

    return [
        ModuleRow(node=node, depth=level, macs=macs_of(node))
        for node, level in _levels(tree.root)
        if depth is None or level <= depth
    ]


def operator_rows(tree: CallTree, cost: Cost | None) -> list[OperatorRow]:
    """The operators, the slowest first.

    What was counted is found in the tree by name: where a module called an operator of that name as
    often as was counted, its operations are put beside the operator inside it that took longest
    (`convolution` hands them to `mkldnn_convolution`, say).
    """
    macs: Counter[str] = Counter()
    covered: Counter[str] = Counter()
    kinds: dict[str, Kind] = {}
    for found in _matched(tree, cost):
        macs[found.name] += found.macs
        covered[found.name] += round(found.calls)
        kinds.setdefault(found.name, found.kind)
    return [
        OperatorRow(
            time=time,
            kind=kinds.get(time.name),
            macs=macs[time.name] if covered[time.name] == time.calls else None,
        )
        for time in tree.operators
    ]


@dataclass(frozen=True, kw_only=True)
class _Match:
    """Operations that belong to calls of the operator of this name."""

    name: str
    kind: Kind
    calls: float
    macs: int


def _matched(tree: CallTree, cost: Cost | None) -> Iterator[_Match]:
    """What was counted, by the operator that did it; what is not found is left out."""
    pools: dict[str, list[tuple[Counted, list[Node]]]] = {}
    for counted, nodes in counted_nodes(tree, cost):
        pools.setdefault(counted.name, []).append((counted, nodes))
    for pool in pools.values():
        spent: defaultdict[str, float] = defaultdict(float)
        for below in _below([node for _, nodes in pool for node in nodes]):
            spent[below.name] += below.self_s
        for counted, nodes in pool:
            name = max({below.name for below in _below(nodes)}, key=spent.__getitem__)
            calls = sum(below.calls for below in _below(nodes) if below.name == name)
            yield _Match(name=name, kind=counted.kind, calls=calls, macs=counted.macs)


def _below(nodes: Sequence[Node]) -> Iterator[Node]:
    for node in nodes:
        yield from node.walk()


def _levels(node: Node, level: int = 0) -> Iterator[tuple[Node, int]]:
    yield node, level
    for child in node.modules:
        yield from _levels(child, level + 1)


def _by_module(cost: Cost | None, seen: set[str]) -> tuple[Counter[str], set[str]]:
    """Multiply-accumulates by module that was seen, and modules with unknown operators."""
    macs: Counter[str] = Counter()
    unknown: set[str] = set()
    for one in () if cost is None else cost.operators:
        name = nearest(one.module, seen)
        macs[name] += one.macs
        if one.kind == "unknown":
            unknown.add(name)
    return macs, unknown


def _rate(macs: int | None, seconds: float) -> float | None:
    return FLOPS_PER_MAC * macs / seconds if macs and seconds > 0 else None
