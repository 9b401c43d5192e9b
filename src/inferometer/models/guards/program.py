"""The program in an exported file: a JSON text of which torch makes Python code.

Names of values become names in that code, texts become texts in it, operators are looked up by
their names in torch and in Python's own library, formulas are evaluated. So each field must have
the type that the format says, and what is named must be what it may be.
"""

from __future__ import annotations

import dataclasses
import enum
import re
import types
import typing
from collections.abc import Callable
from pathlib import Path
from typing import Any

from inferometer.core.shown import shown
from inferometer.models.guards.formula import is_condition, is_formula, is_plain
from inferometer.models.guards.operators import is_known
from inferometer.models.guards.refusal import damaged, untrusted
from inferometer.models.guards.trees import is_tree

DEEPEST = 60
"""Graphs in graphs, each of several levels of the format."""

_UNBACKED = ("u", "zuf")
_COUNTED = re.compile(r"(u|zuf)[0-9]{1,6}( .*)?")
"""Lengths that only a call decides: torch counts up to the number in such a name."""


class _Unfit(Exception):  # noqa: N818 - becomes a refusal that names the file
    """A field is not what the format says."""


def check_program(path: Path, content: bytes) -> Any:  # noqa: ANN401 - torch's own dataclass
    """Read a program and refuse what torch would not have written.

    Returns:
        The program as torch's reader makes it.

    Raises:
        WorkloadError: (bad_model) it is damaged, or could run code.
    """
    from torch._export.serde import schema

    program = read_part(path, schema.ExportedProgram, content)
    try:
        for name in program.range_constraints:
            is_small = not name.startswith(_UNBACKED) or bool(_COUNTED.fullmatch(name))
            _require(is_small and is_formula(name), name)
        for text in getattr(program, "guards_code", ()):  # which older releases do not have
            _require(is_condition(text), text)
    except _Unfit as error:
        raise _refusal(path, error) from error
    return program


def read_part(path: Path, kind: type, content: bytes) -> Any:  # noqa: ANN401 - torch's dataclass
    """Read a part of an exported file and check the type of each of its fields.

    Args:
        path: the file, for messages.
        kind: torch's dataclass for the part.
        content: the part, as JSON.

    Raises:
        WorkloadError: (bad_model) it is damaged, or could run code.
    """
    from torch._export.serde import serialize

    try:
        part = serialize._bytes_to_dataclass(kind, content)  # noqa: SLF001 - what its loader calls
    except (ValueError, TypeError, KeyError, AttributeError, AssertionError, IndexError) as error:
        raise damaged(path, f"is damaged: its program cannot be read: {shown(error)}") from error
    except RecursionError as error:
        raise damaged(path, "is damaged: its program is nested too deeply") from error
    try:
        _check(part, kind, DEEPEST)
    except _Unfit as error:
        raise _refusal(path, error) from error
    return part


def _refusal(path: Path, error: _Unfit) -> Exception:
    return untrusted(path, f"holds a program that torch would not write ({error})")


def _require(holds: bool, what: object) -> None:  # noqa: FBT001 - what it is about
    if not holds:
        raise _Unfit(shown(repr(what), 100))


def _check(value: Any, hint: Any, depth: int) -> None:  # noqa: ANN401 - any field of the format
    """Check a value against the type that the format gives it."""
    _require(depth > 0, "nested too deeply")
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Annotated:
        _check(value, inner[0], depth)
    elif origin in (typing.Union, types.UnionType):
        if value is not None:
            _check(value, inner[0], depth)
    elif origin is list:
        _require(isinstance(value, list), value)
        for one in value:
            _check(one, inner[0], depth - 1)
    elif origin is dict:
        _require(isinstance(value, dict) and all(isinstance(key, str) for key in value), value)
        for one in value.values():
            _check(one, inner[1], depth - 1)
    elif dataclasses.is_dataclass(hint):
        _require(isinstance(value, typing.cast("type", hint)), value)
        _check_fields(value, depth)
    else:
        _require(_is_plain_value(value, hint), value)


def _is_plain_value(value: object, hint: Any) -> bool:  # noqa: ANN401 - a type
    if hint is float:
        return isinstance(value, int | float)
    if isinstance(hint, type) and issubclass(hint, enum.IntEnum):
        return isinstance(value, int)
    return isinstance(hint, type) and isinstance(value, hint)


def _check_fields(value: Any, depth: int) -> None:  # noqa: ANN401 - a dataclass of the format
    from torch._export.serde import schema

    kind = type(value)
    hints = typing.get_type_hints(kind, globalns=vars(schema), include_extras=True)
    is_union = hasattr(value, "_type")
    for name, hint in hints.items():
        if name.startswith("_") or (is_union and name != str(value.type)):
            continue
        found = getattr(value, name)
        _check(found, hint, depth - 1)
        rule = _RULES.get((kind.__name__, name)) or _RULES.get(("", name))
        if rule is not None and found is not None:
            _require(rule(found), found)


def _is_name(text: str) -> bool:
    """Whether a text is a name and nothing else, in Python code too."""
    return text.isidentifier() and not text.startswith("__")


def _is_path(text: str) -> bool:
    """Whether a text names an attribute: parts of any letters that end no quotes."""
    return is_plain(text) and all(text.split("."))


def _are_names(names: list[str]) -> bool:
    return all(_is_name(name) for name in names)


def _are_plain_texts(found: list[Any]) -> bool:
    """Whether what a graph takes holds no text that ends the quotes around it."""
    texts = [one.as_string for one in found if str(one.type) == "as_string"]
    return all(is_plain(text) for text in texts)


def _never(found: object) -> bool:
    """Objects of compiled classes are made by code."""
    del found
    return False


_RULES: dict[tuple[str, str], Callable[[Any], bool]] = {
    **dict.fromkeys([("", "as_name"), ("GraphArgument", "name")], _is_name),
    **dict.fromkeys([("TensorArgument", "name"), ("TokenArgument", "name")], _is_name),
    ("Node", "name"): _is_name,
    ("NamedArgument", "name"): lambda name: not name or _is_name(name),
    ("InputToConstantInputSpec", "name"): lambda name: not name or _is_name(name),
    ("InputToConstantInputSpec", "value"): lambda value: _are_plain_texts([value]),
    ("Graph", "inputs"): _are_plain_texts,
    ("Graph", "custom_obj_values"): lambda found: not found,
    ("SymExpr", "expr_str"): is_formula,
    ("Node", "target"): is_known,
    ("Argument", "as_operator"): is_known,
    ("Argument", "as_custom_obj"): _never,
    ("InputSpec", "custom_obj"): _never,
    **dict.fromkeys(
        [
            ("", "parameter_name"),
            ("", "buffer_name"),
            ("", "tensor_constant_name"),
            ("", "user_input_name"),
        ],
        _is_path,
    ),
    ("ModuleCallEntry", "fqn"): is_plain,
    ("ModuleCallSignature", "in_spec"): lambda text: is_tree(text, arguments=True),
    ("ModuleCallSignature", "out_spec"): is_tree,
    ("ModuleCallSignature", "forward_arg_names"): _are_names,
}
"""(Dataclass or any, field) → whether its value may be what it is."""
