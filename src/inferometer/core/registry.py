"""Plug-ins by name, imported when they are first used.

Third parties add theirs through entry points of the group that a registry names. One of theirs
that cannot be used is one sentence, which names it and its package; the others go on working.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import Distribution, EntryPoint, distributions
from importlib.util import find_spec
from inspect import get_annotations
from operator import attrgetter
from typing import Any

from inferometer.core.errors import InputError, MissingExtraError, in_one_line
from inferometer.core.references import did_you_mean
from inferometer.core.shown import shown

_PATH = re.compile(r"\w+(\.\w+)*(\s*:\s*\w+(\.\w+)*)?")
_FILE = "entry_points.txt"
UNNAMED = "without-a-name"
"""Stands for the name of a package whose metadata are missing or damaged."""


@dataclass(frozen=True, kw_only=True)
class Plugin:
    """Where a plug-in lives.

    Attributes:
        path: `package.module:attribute`, or `package.module` where the module is the plug-in.
        extra: the extra of this project that installs what it needs; empty where nothing.
        requires: top-level modules that must be importable.
        lock: file of this package with the versions for an environment of its own; empty where it
            runs in ours.
        package: the installed package that offers it, with its version; empty for this project.
        problem: why it cannot be used, as a sentence, as far as that shows without importing it.
    """

    path: str
    extra: str = ""
    requires: tuple[str, ...] = ()
    lock: str = ""
    package: str = ""
    problem: str = ""

    @property
    def missing(self) -> list[str]:
        """Required modules that are not installed here. Imports none of them."""
        return [name for name in self.requires if find_spec(name) is None]


@dataclass(frozen=True, kw_only=True)
class Environment:
    """A Python that has what a plug-in needs.

    Attributes:
        python: the interpreter, as it names itself.
        version: of Python.
        path: folders in which it looks for packages.
        lock: digest of the lock file that it was made from; empty for one of the user's own.
    """

    python: str
    version: str
    path: tuple[str, ...]
    lock: str = ""


def nowhere(name: str) -> None:
    """The environment of a plug-in, where none has one."""
    del name


@dataclass(frozen=True, kw_only=True)
class Registry:
    """A lazy table: name → plug-in.

    Attributes:
        what: what the plug-ins are, for messages: `backend`.
        group: entry-point group in which third parties add theirs.
        table: the plug-ins of this project.
        contract: the protocol that an instance of a plug-in fits; `object` asks for nothing.
        elsewhere: gives the environment that a plug-in with a lock file runs in; None where that
            was not made, or is the one of this process.
    """

    what: str
    group: str
    table: dict[str, Plugin]
    contract: type = object
    elsewhere: Callable[[str], Environment | None] = nowhere

    def plugins(self) -> dict[str, Plugin]:
        """Ours, then those of installed packages; ours win where a name is taken twice."""
        found = dict(self.table)
        for name, plugin in _offered(self.group):
            taken = found.get(name)
            if taken is None:
                found[name] = self._examined(name, plugin)
            elif not taken.package:
                label = f"{name} ({plugin.package})"
                found[label] = self._spoilt(
                    name, plugin, "cannot be used: inferometer's own has that name"
                )
            else:
                both = " and ".join(dict.fromkeys((taken.package, plugin.package)))
                problem = f"the {self.what} {shown(name)} is offered twice, by {both}"
                found[name] = Plugin(path="", package=both, problem=problem)
        return found

    def names(self) -> list[str]:
        """Names of the plug-ins that nothing is known against. Imports none of them."""
        return [name for name, plugin in self.plugins().items() if not plugin.problem]

    def find(self, name: str) -> Plugin:
        """The plug-in of that name, whether or not it can be imported.

        Raises:
            InputError: there is none, or none that could be used.
        """
        plugin = self.plugins().get(name)
        if plugin is None:
            known = ", ".join(sorted(map(shown, self.names())))
            hint = did_you_mean(name, self.names())
            raise InputError(f"no {self.what} is called {shown(repr(name))}{hint}; known: {known}")
        if plugin.problem:
            raise InputError(plugin.problem)
        return plugin

    def load(self, name: str) -> Any:  # noqa: ANN401 - a class or a module
        """Import and return the plug-in.

        Raises:
            InputError: there is none of that name, or it cannot be imported.
            MissingExtraError: what it needs is not installed.
        """
        return self._loaded(name, self.find(name))

    def make(self, name: str) -> Any:  # noqa: ANN401 - fits the contract
        """An instance of the plug-in, which is a class that takes no arguments.

        Raises:
            InputError: there is none of that name, or it cannot be used.
            MissingExtraError: what it needs is not installed.
        """
        plugin = self.find(name)
        maker = self._loaded(name, plugin)
        try:
            made = maker()
            lacks = lacking(made, self.contract)
        except (Exception, SystemExit) as error:
            raise self._unloadable(name, plugin, error) from error
        if lacks:
            raise InputError(
                f"{self.named(name, plugin)} lacks {' and '.join(lacks)}, which "
                f"{self.contract.__module__}.{self.contract.__name__} asks for"
            )
        return made

    def missing(self, name: str, plugin: Plugin) -> list[str]:
        """Modules that a plug-in needs, and that neither we nor an environment of its own have."""
        return [] if plugin.lock and self.elsewhere(name) is not None else plugin.missing

    def install_command(self, name: str, plugin: Plugin) -> str | None:
        """The command that installs what a plug-in lacks; None where it lacks nothing."""
        lacks = self.missing(name, plugin)
        if lacks and plugin.lock:
            return f"inferometer {self.what}s install {name}"
        wanted = f"'inferometer[{plugin.extra}]'" if plugin.extra else " ".join(lacks)
        return f"pip install {wanted}" if lacks else None

    def peek(self, name: str) -> Any | None:  # noqa: ANN401 - as above
        """An instance, whether or not what it needs is installed; None where that is needed."""
        plugin = self.find(name)
        try:
            return _imported(plugin)()
        except Exception:  # noqa: BLE001 - whatever its module does
            return None

    def _loaded(self, name: str, plugin: Plugin) -> Any:  # noqa: ANN401 - as above
        lacks = self.missing(name, plugin)
        if lacks and plugin.lock:
            raise InputError(
                f"{self.what} {name} needs an environment of its own: "
                f"{self.install_command(name, plugin)}"
            )
        if lacks:
            raise MissingExtraError(f"{self.what} {name} needs {lacks[0]}, which", plugin.extra)
        try:
            return _imported(plugin)
        except (Exception, SystemExit) as error:
            raise self._unloadable(name, plugin, error) from error

    def _examined(self, name: str, plugin: Plugin) -> Plugin:
        if plugin.problem or _PATH.fullmatch(plugin.path):
            return plugin
        reason = f"has a malformed entry point, {shown(repr(plugin.path))}"
        return self._spoilt(name, plugin, f"{reason}; expected package.module:attribute")

    def _spoilt(self, name: str, plugin: Plugin, reason: str) -> Plugin:
        problem = f"{self.named(name, plugin)} {reason}"
        return Plugin(path="", package=plugin.package, problem=problem)

    def _unloadable(self, name: str, plugin: Plugin, error: BaseException) -> InputError:
        return InputError(f"{self.named(name, plugin)} cannot be loaded ({in_one_line(error)})")

    def named(self, name: str, plugin: Plugin) -> str:
        """A plug-in and its package, in the middle of a sentence."""
        package = f" of the package {shown(plugin.package)}" if plugin.package else ""
        return f"the {self.what} {shown(name)}{package}"


def lacking(offered: object, contract: type) -> list[str]:
    """Members of a protocol that an object does not have, in the protocol's order."""
    declared = [*get_annotations(contract), *vars(contract)]
    return [name for name in declared if name[0] != "_" and not hasattr(offered, name)]


def _imported(plugin: Plugin) -> Any:  # noqa: ANN401 - a class or a module
    module, _, attribute = (part.strip() for part in plugin.path.partition(":"))
    with redirect_stdout(sys.stderr):  # what it prints is not what a command was asked for
        imported = import_module(module)
    return attrgetter(attribute)(imported) if attribute else imported


def _offered(group: str) -> Iterator[tuple[str, Plugin]]:
    """Entry points of a group; of a package that is there twice, those of the first."""
    seen: set[str] = set()
    for found in distributions():
        if group not in _text(found):
            continue
        name, version = _identity(found)
        key = re.sub(r"[-_.]+", "-", name).lower()
        if key and key in seen:
            continue
        seen.add(key)
        yield from _of_package(found, group, f"{name or UNNAMED} {version}".strip())


def _of_package(found: Distribution, group: str, package: str) -> Iterator[tuple[str, Plugin]]:
    try:
        points: list[EntryPoint] = list(found.entry_points.select(group=group))
    except Exception as error:  # noqa: BLE001 - a damaged file hides no other package
        problem = f"the entry points of the package {shown(package)} cannot be read"
        yield package, Plugin(path="", package=package, problem=f"{problem} ({in_one_line(error)})")
        return
    for point in points:
        path = point.value.partition("[")[0].strip()  # extras, which nobody uses any more
        yield point.name, Plugin(path=path, package=package)


def _text(found: Distribution) -> str:
    try:
        return found.read_text(_FILE) or ""
    except UnicodeDecodeError as error:
        return error.object.decode(errors="replace")
    except OSError:
        return ""


def _identity(found: Distribution) -> tuple[str, str]:
    """Name and version of a package; empty where its metadata do not tell."""
    try:
        return found.metadata["Name"] or "", found.version or ""
    except Exception:  # noqa: BLE001 - they are missing or damaged
        return "", ""
