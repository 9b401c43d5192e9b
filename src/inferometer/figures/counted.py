"""Find the operators that were counted in what a profile saw, by module and name."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from inferometer.core.cost import Cost, Kind, OperatorCost
from inferometer.core.profile import CallTree, Node


@dataclass(frozen=True, kw_only=True)
class Counted:
    """All that was counted of one operator in one module that the profile saw.

    Attributes:
        name: as the profiler spells it.
        module: path of that module.
        kind: what it does.
        calls: how often.
        macs: multiply-accumulates.
        costs: what was counted, in this module and in those within it that were not seen.
    """

    name: str
    module: str
    kind: Kind
    calls: int
    macs: int
    costs: tuple[OperatorCost, ...]


def counted_nodes(tree: CallTree, cost: Cost | None) -> Iterator[tuple[Counted, list[Node]]]:
    """What was counted, with the calls in the tree that did it; what is not found is left out."""
    if cost is None:
        return
    places: defaultdict[str, list[Node]] = defaultdict(list)
    for node in modules_of(tree.root):
        places[node.name].append(node)
    for counted in _by_operator(cost, set(places)):
        called = [operator for place in places[counted.module] for operator in place.operators]
        nodes = list(_topmost(called, counted.name))
        if sum(node.calls for node in nodes) == counted.calls:
            yield counted, nodes


def modules_of(root: Node) -> Iterator[Node]:
    """All modules of a tree."""
    return (node for node in root.walk() if node.kind == "module")


def nearest(module: str, seen: set[str]) -> str:
    """A module, or the first around it that was seen; the network itself always is."""
    while module and module not in seen:
        module = module.rpartition(".")[0]
    return module


def _by_operator(cost: Cost, seen: set[str]) -> Iterator[Counted]:
    """What was counted by module that was seen, and by operator as the profiler spells it."""
    found: defaultdict[tuple[str, str], list[OperatorCost]] = defaultdict(list)
    for one in cost.operators:
        found[nearest(one.module, seen), _spelt(one.operator)].append(one)
    for (module, name), costs in found.items():
        yield Counted(
            name=name,
            module=module,
            kind=costs[0].kind,
            calls=sum(one.calls for one in costs),
            macs=sum(one.macs for one in costs),
            costs=tuple(costs),
        )


def _spelt(operator: str) -> str:
    """`aten.addmm` and `aten.addmm.default` as `aten::addmm`."""
    return "::".join(operator.split(".")[:2])


def _topmost(operators: Iterable[Node], name: str) -> Iterator[Node]:
    for operator in operators:
        if operator.name == name:
            yield operator
        else:
            yield from _topmost(operator.operators, name)
