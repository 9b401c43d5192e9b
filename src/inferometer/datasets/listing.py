"""Datasets that have a name, ways to name others, and what each needs to be installed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypedDict

from inferometer.core.registry import Plugin
from inferometer.datasets.registry import BUILT_IN, SOURCES


@dataclass(frozen=True, kw_only=True)
class KnownDataset:
    """A dataset, or a form of naming one.

    Attributes:
        name: what a user writes.
        about: what it is, in a few words.
        task: what is asked of a model; empty where the samples say it.
        samples: how many, all roles together; None where that depends.
        installed: whether all that it needs is there.
        install: the command that installs it; None where it is there.
        source: where the samples come from, and under which licence; empty where that depends.
        problem: why it cannot be used though it is installed; None where it can.
    """

    name: str
    about: str
    task: str = ""
    samples: int | None = None
    installed: bool = True
    install: str | None = None
    source: str = ""
    problem: str | None = None


class State(TypedDict):
    """Whether it can be used; see `KnownDataset`."""

    installed: bool
    install: str | None
    problem: str | None


FORMS = {
    "folder": ("./FOLDER", "a folder for each class; or images/ and masks/"),
    "npz": ("FILE.npz", "arrays x and y of NumPy"),
    "csv": ("FILE.csv", "columns path or text or numbers, and label"),
    "torchvision": ("torchvision:NAME", "such as CIFAR10; ?download=yes fetches it"),
    "hf": ("hf:NAME", "Hugging Face datasets, a folder or of the hub"),
    "python": ("FILE.py:FUNCTION", "a function that returns (inputs, labels)"),
}
"""Source → how it is written, and what it takes."""


def known() -> list[KnownDataset]:
    """All that have a name, then the forms."""
    named = [
        KnownDataset(
            name=entry.name,
            about=entry.about,
            task=entry.task,
            samples=entry.samples,
            source=entry.source,
            **_state(Plugin(path="", extra="data", requires=(entry.package,))),
        )
        for entry in BUILT_IN.values()
    ]
    forms = [
        KnownDataset(name=FORMS[name][0], about=FORMS[name][1], **_state(plugin))
        if name in FORMS
        else KnownDataset(name=f"{name}:…", about=f"of {plugin.package}", **_state(plugin))
        for name, plugin in SOURCES.plugins().items()
        if name != "builtin"
    ]
    return [*named, *forms]


def _state(plugin: Plugin) -> State:
    lacks = bool(plugin.missing)
    return State(
        installed=not lacks and not plugin.problem,
        install=f"pip install 'inferometer[{plugin.extra}]'" if lacks else None,
        problem=plugin.problem or None,
    )
