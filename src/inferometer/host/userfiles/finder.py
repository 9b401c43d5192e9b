"""Run a user's Python file so that its imports find the files that the user means.

Every file of the user's is a module of one private package, whose sub-packages are the folders of
the file system: `/home/ada/nets/model.py` is `_user_files.home.ada.nets.model`. So relative imports
work in every folder, and no file of the user's takes the place of an installed package.

Plain names are served in two ways. Where nothing else has the name, it leads to the user's file for
everyone and at any time: import statements, `importlib`, pickle. Where something else has it (an
installed package, or a module that was imported before), it leads to the user's file in the import
statements of the user's files alone (`statements`).
"""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from inferometer.host.userfiles.roots import INIT, Roots, is_same
from inferometer.host.userfiles.statements import Imports, redirecting

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

PRIVATE = "_user_files"


def run(path: Path) -> ModuleType:
    """Run a user's file anew as a module, and keep its neighbours importable from now on.

    Raises:
        Exception: whatever the file raises.
    """
    target = path.resolve().parent
    path = path.parent.resolve() / path.name
    if target != path.parent:  # the file is a link: both folders may hold its neighbours
        importable(target)
    imports = Imports.of(path)
    _FINDER.begin(Roots.around(path.parent, imports), imports)
    name = _name_among_imported(path)
    if name is None:
        name = _private_name(path)
        _FINDER.files[name] = path
        sys.modules.pop(name, None)
    return import_module(name)


def importable(folder: Path) -> None:
    """Keep the files of a folder importable from now on."""
    imports = Imports()
    _FINDER.begin(Roots.around(folder.resolve(), imports), imports)


def place_of(name: str) -> str | None:
    """Where a module of the user's lies or would lie, without its ending; None for others."""
    parent, _, tail = name.rpartition(".")
    path = getattr(sys.modules.get(parent), "__path__", None) if name.startswith(PRIVATE) else None
    return None if path is None else str(Path(next(iter(path), "")) / tail)


def package_of(folder: Path) -> str:
    """The private package of a folder."""
    name = PRIVATE
    _FINDER.folders.setdefault(name, _Folder(path=Path(folder.anchor)))
    for place in reversed([folder, *folder.parents][:-1]):
        name = f"{name}.{_identifier(place.name)}"
        _FINDER.folders.setdefault(name, _Folder(path=place))
    return name


@dataclass
class _Folder:
    """A folder as a package; whether it has been found to be a package of the user's."""

    path: Path
    runs_init: bool = False


class _Finder(MetaPathFinder):
    """Finds the user's files, by their private names and by their plain ones."""

    def __init__(self) -> None:
        self.roots: list[Roots] = []
        self.folders: dict[str, _Folder] = {}
        self.files: dict[str, Path] = {}

    def begin(self, roots: Roots, imports: Imports) -> None:
        """Serve the names around one more file."""
        if self not in sys.meta_path:
            sys.meta_path.insert(0, self)
        if roots not in self.roots:
            self.roots.append(roots)
        for folder in roots.packages(imports):
            self.run_init(package_of(folder))

    def run_init(self, name: str) -> None:
        """Let a folder be the package that it is, where it was taken for a mere folder."""
        folder = self.folders.get(name)
        if folder is None or folder.runs_init:
            return
        folder.runs_init = True
        module, init = sys.modules.get(name), folder.path / INIT
        if module is not None and init.is_file():
            module.__spec__, module.__file__ = _file_spec(name, init), str(init)
            _UserLoader(name, str(init)).exec_module(module)

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        del target
        if name == PRIVATE or name.startswith(f"{PRIVATE}."):
            return self._private(name, path)
        private = self.private_name(name)
        if private is None:
            return None
        self.run_init(private)
        return ModuleSpec(name, _Alias(private))

    def private_name(self, name: str) -> str | None:
        """The private name that a plain one stands for; None where it stands for another's."""
        parent, _, tail = name.rpartition(".")
        if parent:
            package = sys.modules.get(parent)
            if package is None or not _is_ours(package):
                return None
            private = f"{package.__name__}.{tail}"
            return private if self._private(private, list(package.__path__)) else None
        for roots in self.roots:
            found = roots.find(name)
            if found is not None:
                is_theirs = self._is_elsewhere(name, found.spec)
                return None if is_theirs else self._name(found.root, name)
        return None

    def redirected(self, name: str, roots: Roots, file: str) -> str | None:
        """The private name that a top-level one has in a file, where all others get another's."""
        found = roots.find(name, others=False)
        if found is None or found.spec.origin == file:  # what a file imports is not itself
            return None
        private = self._name(found.root, name)
        there = sys.modules.get(name)
        if there is None:
            is_it = self.private_name(name) == private
        else:
            is_it = there.__name__ == private or is_same(there.__spec__, found.spec)
        return None if is_it else private

    def roots_of(self, file: str) -> Roots | None:
        """Where a file looks: as the last file that was run in the same surroundings."""
        around = [roots for roots in self.roots if Path(file).is_relative_to(roots.broadest)]
        return max(reversed(around), key=lambda roots: len(roots.broadest.parts), default=None)

    def _private(self, name: str, path: Sequence[str] | None) -> ModuleSpec | None:
        if name in self.files:
            return _file_spec(name, self.files[name])
        if name in self.folders:
            return _folder_spec(name, self.folders[name])
        spec = PathFinder.find_spec(name, path)
        if spec is not None and type(spec.loader) is SourceFileLoader:
            spec.loader = _UserLoader(name, spec.loader.path)
        return spec

    def _is_elsewhere(self, name: str, found: ModuleSpec) -> bool:
        """Whether other finders find something else by a name."""
        for finder in sys.meta_path:
            other = None if finder is self else finder.find_spec(name, None)
            is_mere_folder = other is not None and other.origin is None
            if other is not None and not (is_mere_folder and found.origin is not None):
                return not is_same(other, found)
        return False

    def _name(self, root: Path, name: str) -> str:
        return f"{package_of(root)}.{name}"


class _UserLoader(SourceFileLoader):
    """Runs a file; import statements that would get another's module get the user's."""

    def exec_module(self, module: ModuleType) -> None:
        roots = _FINDER.roots_of(self.path)
        if roots is not None:
            named = Imports.of(Path(self.path)).absolute
            redirects = {
                top: private
                for top in {name.partition(".")[0] for name, _ in named}
                if (private := _FINDER.redirected(top, roots, self.path)) is not None
            }
            if redirects:
                module.__dict__["__builtins__"] = redirecting(
                    redirects, named, prepare=_FINDER.run_init
                )
        super().exec_module(module)

    def set_data(self, path: str, data: ReadableBuffer, *, _mode: int = 0o666) -> None:
        """Leave no bytecode beside a user's files: on a full disk Python may write half of it."""


class _Alias(Loader):
    """Gives a module of the user's under its plain name; it is run once whatever its name."""

    def __init__(self, private: str) -> None:
        self._private = private

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        del spec
        return None

    def exec_module(self, module: ModuleType) -> None:
        sys.modules[module.__name__] = import_module(self._private)


def _folder_spec(name: str, folder: _Folder) -> ModuleSpec:
    init = folder.path / INIT
    if folder.runs_init and init.is_file():
        return _file_spec(name, init)
    spec = ModuleSpec(name, None, is_package=True)
    spec.submodule_search_locations = [str(folder.path)]
    return spec


def _file_spec(name: str, file: Path) -> ModuleSpec:
    places = [str(file.parent)] if file.name == INIT else None
    loader = _UserLoader(name, str(file))
    spec = spec_from_file_location(name, file, loader=loader, submodule_search_locations=places)
    assert spec is not None
    return spec


def _name_among_imported(path: Path) -> str | None:
    """The name of a file in a package that was imported by others; None where none was.

    Run once more under another name, such a package might register its operators twice.
    """
    if path.suffix != ".py" or path.name == INIT:
        return None
    parts = path.parent.parts
    for start in range(len(parts) - 1, 0, -1):
        name = ".".join(parts[start:])
        places = getattr(sys.modules.get(name), "__path__", None)
        is_it = isinstance(places, list) and str(path.parent) in places
        if is_it and not _is_ours(sys.modules[name]):
            return f"{name}.{path.stem}"
    return None


def _is_ours(module: ModuleType) -> bool:
    return f"{module.__name__}.".startswith(f"{PRIVATE}.")


def _private_name(path: Path) -> str:
    package = package_of(path.parent)
    if path.name == INIT:
        return package
    is_plain = path.suffix == ".py" and path.stem.isidentifier()
    return f"{package}.{path.stem if is_plain else _identifier(path.name)}"


def _identifier(part: str) -> str:
    """A part of a path as a part of a module's name."""
    if part.isidentifier():
        return part
    return re.sub(r"\W", "_", f"_{part}_{hashlib.sha256(part.encode()).hexdigest()[:6]}")


_FINDER = _Finder()
