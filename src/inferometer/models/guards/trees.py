"""How an exported program's arguments are nested: a JSON text of which torch makes containers."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any

from inferometer.models.guards.formula import is_plain

DEEPEST = 50
"""Containers in containers."""

_BUILT_IN = "bool bytes complex dict float frozenset int list set str tuple"
_DEFAULTS = frozenset(_BUILT_IN.split())
"""What a `defaultdict` may make of nothing: torch would import and call anything."""

_DEFAULTDICT = "collections.defaultdict"
_CONTAINERS = frozenset(
    {
        "builtins.dict",
        "builtins.list",
        "builtins.tuple",
        "collections.OrderedDict",
        "collections.deque",
        "collections.namedtuple",
        "torch.Size",
        "torch.fx.immutable_collections.immutable_dict",
        "torch.fx.immutable_collections.immutable_list",
    }
)


def is_tree(text: str, *, arguments: bool = False) -> bool:
    """Whether a text describes containers that are known, under keys that are plain.

    Args:
        text: JSON, as torch writes it.
        arguments: whether it is that of positional and keyword arguments; the names of the latter
            become names in Python code.
    """
    try:
        _, tree = json.loads(text)
        if arguments and not _are_arguments(tree):
            return False
        return _is_node(tree, DEEPEST)
    except (ValueError, TypeError, KeyError, IndexError, RecursionError, AttributeError):
        return False


def _are_arguments(tree: Mapping[str, Any]) -> bool:
    children = tree["children_spec"]
    has_keywords = len(children) == 2 and children[1]["type"] == "builtins.dict"  # noqa: PLR2004
    names = json.loads(children[1]["context"]) if has_keywords else []
    return all(isinstance(name, str) and name.isidentifier() for name in names)


def _is_node(tree: Mapping[str, Any], depth: int) -> bool:
    kind, context, children = tree["type"], tree["context"], tree["children_spec"]
    if kind is None:
        return context is None and not children
    if kind == _DEFAULTDICT:
        known = _is_defaultdict(context)
    else:
        known = (kind in _CONTAINERS or _is_registered(kind)) and _is_context(context)
    return depth > 0 and known and all(_is_node(one, depth - 1) for one in children)


def _is_registered(kind: object) -> bool:
    """Whether torch knows a class by that name: one that the user's own code declared."""
    pytree: Any = sys.modules["torch.utils._pytree"]
    return isinstance(kind, str) and kind in pytree.SERIALIZED_TYPE_TO_PYTHON_TYPE


def _is_defaultdict(context: Mapping[str, Any]) -> bool:
    return (
        context["default_factory_module"] == "builtins"
        and context["default_factory_name"] in _DEFAULTS
        and _are_keys(context["dict_context"], DEEPEST)
    )


def _is_context(context: object) -> bool:
    """Whether what describes a container is plain, as JSON in a text or as it is."""
    if isinstance(context, str) and not is_plain(context):
        context = json.loads(context)
    return _are_keys(context, DEEPEST)


def _are_keys(found: object, depth: int) -> bool:
    """Whether there are only plain texts and numbers; of a mapping, torch imports a class."""
    if isinstance(found, list):
        return depth > 0 and all(_are_keys(one, depth - 1) for one in found)
    if isinstance(found, str):
        return is_plain(found)
    return found is None or isinstance(found, bool | int | float)
