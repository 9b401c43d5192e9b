"""Call a network to look at it, and leave it as it was. Knows no operator."""

# ruff: noqa: ANN401 - torch's operators take and give anything

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch.nn.modules.module import (
    register_module_forward_hook,
    register_module_forward_pre_hook,
)


@contextmanager
def left_as_it_was(network: torch.nn.Module) -> Iterator[None]:
    """Give modules their attributes back, and these what lay in their own lists and mappings.

    What a network keeps deeper than that stays as a call leaves it.
    """
    modules = [one for one in network.modules() if not isinstance(one, torch.jit.ScriptModule)]
    kept = [(vars(module), dict(vars(module))) for module in modules]
    restorers = [
        restorer
        for _, before in kept
        for restorer in map(_restorer, before.values())
        if restorer is not None
    ]
    try:
        yield
    finally:
        for attributes, before in kept:
            attributes.clear()
            attributes.update(before)
        for restore in restorers:
            restore()


def _restorer(value: object) -> Callable[[], None] | None:
    """What puts the content of a list or mapping back; nothing for other values."""
    if isinstance(value, dict):
        items = dict(value)

        def restore() -> None:
            value.clear()
            value.update(items)

        return restore
    if isinstance(value, list):
        return partial(value.__setitem__, slice(None), list(value))
    return None


def replace_weights(
    network: torch.nn.Module, other: Callable[[torch.Tensor], torch.Tensor]
) -> None:
    """Put other tensors in the place of parameters and buffers; `left_as_it_was` brings them back.

    They lie in mappings of their modules and, of recurrent layers, in lists too. A script module
    keeps its own.
    """
    others: dict[int, torch.Tensor] = {id(one): other(one) for one in network.buffers()}
    for one in network.parameters():
        # kept a parameter: matrix products go other ways where a gradient might be asked for
        others[id(one)] = torch.nn.Parameter(other(one), requires_grad=one.requires_grad)

    for module in network.modules():
        if isinstance(module, torch.jit.ScriptModule):
            continue
        for value in vars(module).values():
            if isinstance(value, dict):
                places: Any = value.items()
            elif isinstance(value, list):
                places = enumerate(value)
            else:
                continue
            for place, part in [(place, part) for place, part in places if id(part) in others]:
                value[place] = others[id(part)]


@contextmanager
def in_parts() -> Iterator[None]:
    """Keep encoder layers from their fast path, one operator that does all of it."""
    from torch.backends import mha

    before = mha.get_fastpath_enabled()
    mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        mha.set_fastpath_enabled(before)


@contextmanager
def watched(network: torch.nn.Module, at: Callable[[str], None]) -> Iterator[None]:
    """Tell which module is at work, by its dotted path, whenever that changes.

    A module that is used under several names goes by the first of them; one that is no part of
    the network, by that of the part that calls it.
    """
    names = {id(module): name for name, module in network.named_modules()}
    path = [""]

    def enter(module: torch.nn.Module, _: Any) -> None:
        path.append(names.get(id(module), path[-1]))
        at(path[-1])

    def leave(*_: Any) -> None:
        path.pop()
        at(path[-1])

    hooks = [
        register_module_forward_pre_hook(enter),
        register_module_forward_hook(leave, always_call=True),
    ]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
