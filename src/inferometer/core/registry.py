"""Plug-ins by name, imported when they are first used.

Third parties add theirs through entry points of the group that a registry names.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import entry_points
from importlib.util import find_spec
from typing import Any

from inferometer.core.errors import InputError, MissingExtraError


@dataclass(frozen=True, kw_only=True)
class Plugin:
    """Where a plug-in lives.

    Attributes:
        path: `package.module:attribute`.
        extra: the extra of this project that installs what it needs; empty where nothing.
        requires: top-level modules that must be importable.
    """

    path: str
    extra: str = ""
    requires: tuple[str, ...] = ()

    @property
    def missing(self) -> list[str]:
        """Required modules that are not installed. Imports none of them."""
        return [name for name in self.requires if find_spec(name) is None]


@dataclass(frozen=True, kw_only=True)
class Registry:
    """A lazy table: name → plug-in.

    Attributes:
        what: what the plug-ins are, for messages: `backend`.
        group: entry-point group in which third parties add theirs.
        table: the plug-ins of this project.
    """

    what: str
    group: str
    table: dict[str, Plugin]

    def plugins(self) -> dict[str, Plugin]:
        """Ours, and those of installed packages; ours win where a name is taken twice."""
        theirs = {point.name: Plugin(path=point.value) for point in entry_points(group=self.group)}
        return theirs | self.table

    def find(self, name: str) -> Plugin:
        """The plug-in of that name, whether or not it can be imported.

        Raises:
            InputError: there is none.
        """
        known = self.plugins()
        if name not in known:
            raise InputError(
                f"no {self.what} is called {name!r}; known: {', '.join(sorted(known))}"
            )
        return known[name]

    def get(self, name: str) -> Any:  # noqa: ANN401 - each registry's users know their protocol
        """Import and return the plug-in.

        Raises:
            InputError: there is none of that name.
            MissingExtraError: what it needs is not installed.
        """
        plugin = self.find(name)
        if plugin.missing:
            raise MissingExtraError(
                f"{self.what} {name} needs {plugin.missing[0]}, which", plugin.extra
            )
        module, _, attribute = plugin.path.partition(":")
        return getattr(import_module(module), attribute)
