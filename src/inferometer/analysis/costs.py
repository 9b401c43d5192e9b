"""Adds a cost up by kind, by operator and by module, and gives it as one flat JSON object."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from inferometer.core.cost import FLOPS_PER_MAC, Cost, OperatorCost
from inferometer.core.costing import Costing

CONVENTION = (
    f"1 MAC = {FLOPS_PER_MAC} FLOPs; MACs are those of convolutions, matrix products, attention "
    "and recurrent cells; element-wise operations are counted apart"
)

COUNTED = (
    "parameters",
    "parameters_with_duplicates",
    "trainable_parameters",
    "frozen_parameters",
    "parameter_bytes",
    "buffers",
    "buffer_bytes",
    "parameters_by_dtype",
    "parameter_bytes_by_dtype",
    "tied",
)
"""Fields of the JSON object that come from a `ParameterCount`; None where it does not tell."""


@dataclass(frozen=True, kw_only=True)
class Group:
    """Operators added up.

    Attributes:
        name: of the kind, the operator or the module; a module's own name without its parents.
        path: dotted path of a module; empty for the network, kinds and operators.
        depth: how deep it lies under the first row.
        calls: of operators.
        macs: multiply-accumulates.
        share: of all MACs; None where there are none, or where not all of them are known.
        elementwise_flops: operations that are no multiply-accumulates.
        bytes_moved: read and written.
    """

    name: str
    path: str
    depth: int
    calls: int
    macs: int
    share: float | None
    elementwise_flops: int
    bytes_moved: int


def by_kind(cost: Cost) -> list[Group]:
    """A row for each kind of operator, the one with the most MACs first."""
    rows = [
        _group(cost, kind, [one for one in cost.operators if one.kind == kind])
        for kind in dict.fromkeys(one.kind for one in cost.operators)
    ]
    return sorted(rows, key=_weight)


def by_operator(cost: Cost) -> list[Group]:
    """A row for each kind, and under it a row for each of its operators."""
    rows = []
    for kind in by_kind(cost):
        alike = [one for one in cost.operators if one.kind == kind.name]
        names = dict.fromkeys(one.operator for one in alike)
        inside = [
            _group(cost, name, [one for one in alike if one.operator == name], depth=1)
            for name in names
        ]
        rows += [kind, *sorted(inside, key=_weight)]
    return rows


def by_module(cost: Cost, depth: int | None = None) -> list[Group]:
    """The tree of modules in the order of their first calls; each with all that is in it.

    Args:
        cost: what was counted.
        depth: how deep to look; 0 is the network alone, None goes to the bottom.
    """
    return list(_rows(cost, _tree(cost.operators), depth))


def row(costing: Costing) -> dict[str, Any]:
    """A costing as one JSON object, with its operators and its modules."""
    cost = costing.cost
    return {
        "model": costing.model,
        "source": costing.source,
        "weights": costing.weights,
        "backend": costing.backend,
        "precision": costing.precision,
        "batch_size": costing.batch_size,
        "input_size": costing.input_size,
        "input_shape": costing.input_shape,
        "macs": cost.macs,
        "flops": cost.flops,
        "elementwise_flops": cost.elementwise_flops,
        **{name: costing.parameters.get(name) for name in COUNTED},
        "activation_bytes": cost.activation_bytes,
        "activation_peak_bytes": cost.activation_peak_bytes,
        "input_bytes": cost.input_bytes,
        "output_bytes": cost.output_bytes,
        "weight_bytes": cost.weight_bytes,
        "compulsory_bytes": cost.compulsory_bytes,
        "operator_bytes": cost.operator_bytes,
        "operator_calls": cost.operator_calls,
        "arithmetic_intensity": intensity_of(cost, cost.operator_bytes),
        "compulsory_arithmetic_intensity": intensity_of(cost, cost.compulsory_bytes),
        "arithmetic_intensity_reason": why_no_intensity(cost),
        "artifacts": [{"path": one.path, "bytes": one.size_bytes} for one in costing.artifacts],
        "safetensors_bytes": costing.safetensors_bytes,
        "unknown_operators": cost.unknown_operators,
        "convention": CONVENTION,
        "method": cost.method,
        "notes": list(costing.notes),
        "operators": [_operator(one) for one in cost.operators],
        "modules": [_module(one) for one in by_module(cost)],
    }


def intensity(flops: int, moved_bytes: int) -> float | None:
    """FLOPs for each byte that is moved (Williams and others, 2009); None for no bytes."""
    return flops / moved_bytes if moved_bytes else None


def intensity_of(cost: Cost, moved_bytes: int) -> float | None:
    """That of a cost; None also where not all of its operations are known."""
    return None if cost.unknown_operators else intensity(cost.flops, moved_bytes)


def why_no_intensity(cost: Cost) -> str | None:
    """The reason why a cost has no arithmetic intensity; None where it has one."""
    if cost.unknown_operators:
        return f"operations of {', '.join(cost.unknown_operators)} are not known"
    return None if cost.operator_bytes else "no operator moves a byte"


@dataclass(kw_only=True)
class _Node:
    """A module, with the operators that it calls itself."""

    name: str = ""
    own: list[OperatorCost] = field(default_factory=list)
    children: dict[str, _Node] = field(default_factory=dict)

    def everything(self) -> Iterator[OperatorCost]:
        """Its operators and those of all modules in it."""
        yield from self.own
        for child in self.children.values():
            yield from child.everything()


def _tree(operators: Iterable[OperatorCost]) -> _Node:
    root = _Node()
    for one in operators:
        node = root
        for name in one.module.split(".") if one.module else ():
            node = node.children.setdefault(name, _Node(name=name))
        node.own.append(one)
    return root


def _rows(
    cost: Cost, node: _Node, deepest: int | None, path: str = "", depth: int = 0
) -> Iterator[Group]:
    yield _group(cost, node.name, list(node.everything()), path=path, depth=depth)
    if deepest is not None and depth >= deepest:
        return
    for child in node.children.values():
        inside = f"{path}.{child.name}" if path else child.name
        yield from _rows(cost, child, deepest, inside, depth + 1)


def _group(
    cost: Cost, name: str, operators: list[OperatorCost], *, path: str = "", depth: int = 0
) -> Group:
    macs = sum(one.macs for one in operators)
    return Group(
        name=name,
        path=path,
        depth=depth,
        calls=sum(one.calls for one in operators),
        macs=macs,
        share=macs / cost.macs if cost.macs and not cost.unknown_operators else None,
        elementwise_flops=sum(one.elementwise_flops for one in operators),
        bytes_moved=sum(one.bytes_read + one.bytes_written for one in operators),
    )


def _weight(group: Group) -> tuple[int, int]:
    return (-group.macs, -group.bytes_moved)


def _operator(one: OperatorCost) -> dict[str, Any]:
    return {
        "operator": one.operator,
        "kind": one.kind,
        "module": one.module,
        "calls": one.calls,
        "macs": one.macs,
        "flops": one.flops,
        "elementwise_flops": one.elementwise_flops,
        "bytes_read": one.bytes_read,
        "bytes_written": one.bytes_written,
    }


def _module(group: Group) -> dict[str, Any]:
    return {
        "module": group.path,
        "depth": group.depth,
        "calls": group.calls,
        "macs": group.macs,
        "flops": FLOPS_PER_MAC * group.macs,
        "elementwise_flops": group.elementwise_flops,
        "bytes_moved": group.bytes_moved,
    }
