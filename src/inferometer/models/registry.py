"""The table of model sources. Each is imported when a reference first names it."""

from __future__ import annotations

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
        "file": Plugin(path=f"{_HERE}.file:FileSource", extra="torch", requires=("torch",)),
    },
)
"""The sources; each is a class that takes no arguments and fits `core.protocols.ModelSource`.

A source may also have `check(target, options)`, which raises an `InputError` for what can be seen
to be wrong without importing a runtime.
"""
