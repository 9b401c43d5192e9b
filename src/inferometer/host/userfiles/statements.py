"""The import statements of a file, and what to do where two modules have the name in one.

Of an installed package and a file of the user's that have one name, a statement means the one that
has what the file takes from it: `import timm; timm.create_model` in a folder `timm` of the user's
means the installed package. Where both have it, the user's is meant, unless the other is of
Python's own library.
"""

from __future__ import annotations

import ast
import builtins
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

Key = tuple[str, tuple[str, ...]]
"""A statement as `__import__` gets it: the name of the module, and the names taken from it."""


@dataclass(frozen=True, kw_only=True)
class Imports:
    """The import statements of a file, those in its functions too.

    Attributes:
        levels: most dots before a relative import; 0 where there is none.
        absolute: the others, with what the file takes of each module.
    """

    levels: int = 0
    absolute: Mapping[Key, frozenset[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, path: Path) -> Imports:
        """Those of a file; none where it is no Python, which running it will tell."""
        try:
            tree = ast.parse(path.read_bytes())
        except (SyntaxError, ValueError, OSError):
            return cls()
        levels, absolute = 0, dict[Key, frozenset[str]]()
        taken = _attributes(tree)
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom):
                levels = max(levels, node.level)
                if not node.level and node.module:
                    names = tuple(alias.name for alias in node.names)
                    absolute[node.module, names] = frozenset(names) - {"*"}
            elif isinstance(node, ast.Import):
                for alias in node.names:
                    is_bound = alias.asname is not None or "." not in alias.name
                    bound = alias.asname or alias.name
                    before = absolute.get((alias.name, ()), frozenset())
                    new = taken.get(bound, frozenset()) if is_bound else frozenset()
                    absolute[alias.name, ()] = before | new
        return cls(levels=levels, absolute=absolute)


def _attributes(tree: ast.AST) -> dict[str, frozenset[str]]:
    """Name → attributes that are taken of it."""
    found: dict[str, set[str]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            found.setdefault(node.value.id, set()).add(node.attr)
    return {name: frozenset(attributes) for name, attributes in found.items()}


def redirecting(
    redirects: Mapping[str, str],
    statements: Mapping[Key, frozenset[str]],
    *,
    prepare: Callable[[str], None],
) -> dict[str, Any]:
    """Built-in names for a module whose import statements shall find the user's files.

    Args:
        redirects: top-level name → name under which the user's module of that name is imported.
        statements: of the module, with what it takes of each.
        prepare: called with a name of the user's before it is imported.
    """
    plain = builtins.__import__
    chosen: dict[Key, str | None] = {
        key: None for key in statements if key[0].partition(".")[0] not in redirects
    }

    def of_the_users(key: Key) -> str | None:
        if key not in chosen:
            top, _, rest = key[0].partition(".")
            private = ".".join(part for part in (redirects[top], rest) if part)
            takes = statements.get(key, frozenset(key[1]))
            is_meant = _means(private, key[0], takes, prepare=lambda: prepare(redirects[top]))
            chosen[key] = private if is_meant else None
        return chosen[key]

    def importing(
        name: str,
        globals: Mapping[str, Any] | None = None,  # noqa: A002 - the name of the built-in
        locals: Mapping[str, Any] | None = None,  # noqa: A002
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> ModuleType:
        top = name.partition(".")[0]
        private = (
            of_the_users((name, tuple(fromlist or ()))) if not level and top in redirects else None
        )
        if private is None:
            return plain(name, globals, locals, fromlist or (), level)
        if fromlist:
            return plain(private, globals, locals, fromlist, 0)
        import_module(private)
        return sys.modules[redirects[top]]

    return {**vars(builtins), "__import__": importing}


def _means(private: str, name: str, takes: frozenset[str], *, prepare: Callable[[], None]) -> bool:
    """Whether a statement means the user's module, not the other of its name.

    Raises:
        Exception: the user's is meant, and raised in its own code.
    """
    if name.partition(".")[0] in sys.stdlib_module_names and _offers(name, takes):
        return False
    try:
        prepare()
        if _offers(private, takes):
            return True
    except Exception:
        if _offers(name, takes):
            return False
        raise
    return not _offers(name, takes)


def _offers(name: str, takes: frozenset[str]) -> bool:
    """Whether there is such a module, with all that is taken of it."""
    try:
        module = import_module(name)
    except ModuleNotFoundError as error:
        if f"{name}.".startswith(f"{error.name}."):
            return False
        raise
    is_package = hasattr(module, "__path__")
    return all(
        hasattr(module, one) or (is_package and find_spec(f"{module.__name__}.{one}") is not None)
        for one in takes
    )
