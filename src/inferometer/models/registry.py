"""The table of model sources. Each is imported when a reference first names it."""

from __future__ import annotations

from inferometer.core.protocols import ModelSource
from inferometer.core.registry import Plugin, Registry

_HERE = "inferometer.models.sources"

SOURCES = Registry(
    what="model source",
    group="inferometer.model_sources",
    table={
        "catalogue": Plugin(
            path=f"{_HERE}.catalogue:CatalogueSource", extra="torch", requires=("torch",)
        ),
        "torchvision": Plugin(
            path=f"{_HERE}.torchvision:TorchvisionSource",
            extra="torch",
            requires=("torch", "torchvision"),
        ),
        "timm": Plugin(path=f"{_HERE}.timm:TimmSource", extra="timm", requires=("torch", "timm")),
        "transformers": Plugin(
            path=f"{_HERE}.transformers:TransformersSource",
            extra="transformers",
            requires=("torch", "transformers"),
        ),
        "hub": Plugin(path=f"{_HERE}.hub:HubSource", extra="torch", requires=("torch",)),
        "python": Plugin(path=f"{_HERE}.python:PythonSource"),
        "file": Plugin(path=f"{_HERE}.file:FileSource"),
        "builtin": Plugin(path=f"{_HERE}.fixed:FixedSource"),
    },
    contract=ModelSource,
)
"""The sources; each is a class that takes no arguments and fits `core.protocols.ModelSource`."""


def source(name: str) -> ModelSource:
    """A model source by its name. Imports no runtime.

    Raises:
        InputError: there is none of that name, or it cannot be used.
        MissingExtraError: what it needs is not installed.
    """
    found: ModelSource = SOURCES.make(name)
    return found
