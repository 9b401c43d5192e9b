"""Share the time of profiled calls out among kinds of operators, beside their roofline bound."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from inferometer.core.cost import Cost, OperatorCost
from inferometer.core.operators import DEPTHWISE, OTHER, OUTSIDE, KindTime
from inferometer.core.profile import CallTree, Node
from inferometer.figures.counted import Counted, counted_nodes
from inferometer.stats.roofline import Rates, Work, operator_bound

Place = tuple[str, str]
"""A kind and a top-level module."""


@dataclass(kw_only=True)
class _Sum:
    seconds: list[float] = field(default_factory=list)
    lows: list[float] = field(default_factory=list)
    highs: list[float] = field(default_factory=list)
    bounds: list[float] = field(default_factory=list)
    macs: int = 0
    bytes: int = 0
    calls: int = 0


def operator_times(tree: CallTree, cost: Cost | None, rates: Rates | None) -> list[KindTime]:
    """The time of each kind in each top-level module, the longest first; together all of a call.

    An operator that was counted has all the time below it. One around it, which only hands on, has
    its kind too. What no count names goes to `OTHER`, and what no operator holds to `OUTSIDE`.

    Args:
        tree: what a profile saw.
        cost: what was counted of the same call; None where nothing was.
        rates: what the device attains; None where nobody knows.
    """
    kinds: dict[int, str] = {}
    sums: dict[Place, _Sum] = {}
    for counted, nodes in counted_nodes(tree, cost):
        kind = _kind(counted)
        kinds |= {id(node): kind for node in nodes}
        found = sums.setdefault((kind, _top(counted.module)), _Sum())
        _add_work(found, counted)
        if cost is not None and rates is not None and kind != OTHER:
            found.bounds += [_bound(one, cost, rates) for one in counted.costs]
    for place, node, is_whole in _places(tree.root, "", kinds):
        found = sums.setdefault(place, _Sum())
        found.seconds.append(node.total_s if is_whole else node.self_s)
        found.lows.append(node.low_s if is_whole else node.self_s)
        found.highs.append(node.high_s if is_whole else node.self_s)
    total = tree.root.total_s
    rows = [_row(place, found, total) for place, found in sums.items() if found.seconds]
    return sorted(rows, key=lambda row: -row.seconds)


def _places(node: Node, top: str, kinds: Mapping[int, str]) -> Iterator[tuple[Place, Node, bool]]:
    """Where the time of a node goes, and whether all of its total does or its own time alone."""
    if node.kind == "module":
        top = _top(node.name)
        yield (OUTSIDE, top), node, False
    else:
        below = {kinds[id(one)] for one in node.walk() if id(one) in kinds}
        holds_modules = any(one.kind == "module" for one in node.walk())
        if len(below) <= 1 and not holds_modules:
            yield (next(iter(below), OTHER), top), node, True
            return
        yield (kinds.get(id(node), OTHER), top), node, False
    for child in node.children:
        yield from _places(child, top, kinds)


def _kind(counted: Counted) -> str:
    """Its kind; of a convolution whether it is depthwise; an unknown one is another operator."""
    if all(one.depthwise for one in counted.costs):
        return DEPTHWISE
    return OTHER if counted.kind == "unknown" else counted.kind


def _add_work(found: _Sum, counted: Counted) -> None:
    found.macs += counted.macs
    found.calls += counted.calls
    found.bytes += sum(one.bytes_read + one.bytes_written for one in counted.costs)


def _bound(one: OperatorCost, cost: Cost, rates: Rates) -> float:
    moved = (one.bytes_read + one.bytes_written) if one.bytes_written else 0
    work = Work(flops=one.flops, moved=moved, calls=one.calls)
    return operator_bound([work], cost.compulsory_bytes, rates).latency_s


def _row(place: Place, found: _Sum, total_s: float) -> KindTime:
    kind, module = place
    seconds = max(sum(found.seconds), 0.0)  # a difference of clocks may be below 0
    return KindTime(
        kind=kind,
        module=module,
        share=seconds / total_s,
        low=max(min(sum(found.lows) / total_s, seconds / total_s), 0.0),
        high=max(sum(found.highs) / total_s, seconds / total_s),
        seconds=seconds,
        bound_seconds=sum(found.bounds) if found.bounds else None,
        macs=found.macs,
        bytes=found.bytes,
        calls=found.calls,
    )


def _top(module: str) -> str:
    return module.partition(".")[0]
