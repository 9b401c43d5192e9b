"""Where the files around a user's file look for modules, as the user lays them out.

A file in a package, or one that imports its neighbours relatively, names modules from the folder
that holds the package; any other file names its neighbours plainly, as a script does.
"""

from __future__ import annotations

import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path

from inferometer.host.userfiles.statements import Imports

INIT = "__init__.py"


@dataclass(frozen=True, kw_only=True)
class Found:
    """A module or package that was found, and the folder that it was found in."""

    spec: ModuleSpec
    root: Path


@dataclass(frozen=True, kw_only=True)
class Roots:
    """Folders in which a user's file and its neighbours look for plain names.

    Attributes:
        folder: that of the file.
        own: folders whose names come before those of installed packages.
        others: folders whose names are taken where nothing else has them.
        broadest: the folder whose files look here.
    """

    folder: Path
    own: tuple[Path, ...] = ()
    others: tuple[Path, ...] = ()
    broadest: Path

    @classmethod
    def around(cls, folder: Path, imports: Imports) -> Roots:
        """Those of a file with such imports in a folder (absolute, without links)."""
        outer = [folder, *folder.parents]
        last = len(outer) - 1
        outside = (i for i, place in enumerate(outer) if not (place / INIT).is_file())
        depth = min(max(next(outside, last), imports.levels), last)
        root = outer[depth]
        return cls(
            folder=folder,
            own=() if _is_installed(root) else (root,),
            others=(folder,) if depth else (),
            broadest=root,
        )

    def packages(self, imports: Imports) -> Iterator[Path]:
        """The packages that the file's relative imports name: their `__init__.py` is run.

        A file without such imports is a script, even in a package, which it may not need.
        """
        outer = [self.folder, *self.folder.parents]
        for place in outer[: imports.levels]:
            while (place / INIT).is_file():
                yield place
                place = place.parent  # noqa: PLW2901 - climbs

    def find(self, name: str, *, others: bool = True) -> Found | None:
        """What has a top-level name here.

        Args:
            name: name of the module.
            others: whether to look too where only names are taken that nothing else has.
        """
        above = (
            place.parent for place in (self.folder, *self.folder.parents) if place.name == name
        )
        for root in (*self.own, *above, *(self.others if others else ())):
            spec = PathFinder.find_spec(name, [str(root)])
            if spec is not None and (spec.origin is not None or _holds_code(root / name)):
                return Found(spec=spec, root=root)
        return None


def is_same(one: ModuleSpec | None, other: ModuleSpec) -> bool:
    """Whether two modules are one file, or two packages without a file have a folder in common."""
    if one is None:
        return False
    if one.origin is not None and other.origin is not None:
        return Path(one.origin).resolve() == Path(other.origin).resolve()
    places = set(one.submodule_search_locations or ())
    return bool(places & set(other.submodule_search_locations or ()))


def _holds_code(folder: Path) -> bool:
    """Whether a folder without `__init__.py` is more than a place for data."""
    return any(True for pattern in ("*.py", "*/*.py") for _ in folder.glob(pattern))


def _is_installed(folder: Path) -> bool:
    """Whether a folder holds installed packages, of which the user means none but the own one."""
    paths = sysconfig.get_paths()
    installed = {Path(paths[kind]).resolve() for kind in ("stdlib", "purelib", "platlib")}
    return folder in installed or folder.name in ("site-packages", "dist-packages")
