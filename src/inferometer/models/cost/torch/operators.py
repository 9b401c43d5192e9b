"""What there is to know of an operator of torch before it is called. Knows no call."""

# ruff: noqa: ANN401 - torch's operators take and give anything

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch

from inferometer.core.cost import FLOPS_PER_MAC, Kind
from inferometer.models.cost.formulas import FORMULAS, Formula, Work
from inferometer.models.cost.torch.conventions import (
    GATHERED,
    HIDDEN_VIEWS,
    MOVEMENT,
    OVERWRITTEN,
    POINTWISE,
    REDUCTIONS,
    TABLE,
    UNWRITTEN,
)
from inferometer.models.cost.torch.gradients import GRADIENTS
from inferometer.models.cost.torch.layouts import elements_of
from inferometer.models.cost.torch.storages import tensors_in
from inferometer.models.cost.torch.vision import DEPENDING, VISION

KNOWN = FORMULAS | GRADIENTS | VISION


@dataclass(frozen=True, kw_only=True)
class Operator:
    """What there is to know of an operator before it is called.

    Attributes:
        name: in its library, such as `aten.addmm`.
        kind: what it does.
        formula: of its multiply-accumulates and other operations.
        names: of its arguments, in their order.
        written: names of those that it writes into.
        overwritten: those of them that it does not read.
        gathers: whether it reads as much of a table as it writes.
        writes: whether it writes its result.
        makes: whether it makes a tensor of none.
        aliases: whether its result may lie in the memory of its arguments.
        depends: whether its result cannot be told without values.
        random: whether it draws its values.
    """

    name: str
    kind: Kind
    formula: Formula | None
    names: tuple[str, ...]
    written: frozenset[str]
    overwritten: frozenset[str]
    gathers: bool
    writes: bool
    makes: bool
    aliases: bool
    depends: bool
    random: bool

    def arguments(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """Arguments by their names."""
        return {**dict(zip(self.names, args, strict=False)), **kwargs}

    def work(self, given: Mapping[str, Any], result: Any) -> Work | None:
        """What a call computes; None where that is not known of such arguments."""
        if self.formula is None:
            return Work(0)
        try:
            return self.formula(given, result)
        except RuntimeError:
            if any(tensor.is_nested for tensor in tensors_in(given)):
                return None  # some have no shape, and raise where they are asked for it
            raise


@cache
def described(func: Any) -> Operator:
    """What there is to know of an operator."""
    name = str(func.overloadpacket)
    schema = func._schema  # noqa: SLF001 - there is no other way to it
    only_turned = torch.Tag.inplace_view in func.tags
    names = tuple(argument.name for argument in schema.arguments)
    writing = [
        argument
        for argument in schema.arguments
        if not only_turned and argument.alias_info is not None and argument.alias_info.is_write
    ]
    unread = {argument.name for argument in writing if argument.is_out}
    if writing and name in OVERWRITTEN:
        unread.add(names[0])
    kind, formula = _found(func, name)
    return Operator(
        name=name,
        kind=kind,
        formula=formula,
        names=names,
        written=frozenset(argument.name for argument in writing),
        overwritten=frozenset(unread),
        gathers=name in GATHERED,
        writes=name not in UNWRITTEN,
        makes="device" in names and not any(str(one.type) == "Tensor" for one in schema.arguments),
        aliases=name in HIDDEN_VIEWS or any(one.alias_info is not None for one in schema.returns),
        depends=bool(
            {torch.Tag.data_dependent_output, torch.Tag.dynamic_output_shape} & set(func.tags)
        )
        or name in DEPENDING,
        random=torch.Tag.nondeterministic_seeded in func.tags,
    )


def _found(func: Any, name: str) -> tuple[Kind, Formula | None]:
    """Kind and formula of an operator; no formula for what moves data, and for the unknown."""
    tags = _tags(func, name)
    for one in (name, name.removesuffix("_")):  # it may work in place
        if one in KNOWN:
            return KNOWN[one]
    if name in TABLE:
        kind, flops = TABLE[name]
        return kind, lambda given, result: Work(0, flops(given, result))
    if name in MOVEMENT or torch.Tag.inplace_view in tags or _is_view(func):
        return "data movement", None
    if name in REDUCTIONS:
        return "reduction", _each_input
    if name in POINTWISE or torch.Tag.pointwise in tags:
        return "element-wise", _each_result
    return _registered(func)


def _is_view(func: Any) -> bool:
    """Whether an operator shows its argument in another way; of a sparse one it makes a copy."""
    schema = func._schema  # noqa: SLF001 - there is no other way to it
    shown = [one.alias_info for one in schema.returns if one.alias_info is not None]
    return bool(shown) and not any(one.is_write for one in shown)


def _tags(func: Any, name: str) -> set[Any]:
    """What torch says of an operator, and of the one that does not work in place."""
    tags = set(func.tags)
    if name.startswith("aten.") and name.endswith("_"):
        plain = getattr(torch.ops.aten, name.removeprefix("aten.").removesuffix("_"), None)
        tags |= set(getattr(getattr(plain, func._overloadname, None), "tags", ()))  # noqa: SLF001
    return tags


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


def _each_input(given: Mapping[str, Any], _: Any) -> Work:
    """What goes in is the first tensor, or what is added into that."""
    added = given.get("src", given.get("source"))
    return Work(0, _elements(given if added is None else added))


def _each_result(_: Mapping[str, Any], result: Any) -> Work:
    return Work(0, _elements(result))


def _elements(value: Any) -> int:
    """Of the first tensor in it."""
    return next((elements_of(tensor) for tensor in tensors_in(value)), 0)
