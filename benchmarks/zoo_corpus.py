"""The models of the zoo, by source, each as a reference that the tool opens."""

from __future__ import annotations

import gc
import re
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from itertools import zip_longest
from pathlib import Path
from typing import Any

import torch

import inferometer as im
from inferometer.models.torchvision_compat import import_torchvision


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A model.

    Attributes:
        source: of it, as in `SOURCES`.
        name: in that source.
        prepared: gives the reference; makes the files that it needs. Called in the process that
            looks at the model.
    """

    source: str
    name: str
    prepared: Callable[[], str]


class NotThereError(Exception):
    """A source names a model that cannot be built here; the message says why."""


def prepare() -> None:
    """Import all that models need, before processes are forked."""
    warnings.simplefilter("ignore")
    import_torchvision()
    for name in ("timm", "transformers"):
        import_module(name)
    import_module("zoo_look")
    im.cost(torch.nn.Conv2d(3, 4, 3), torch.zeros(1, 3, 8, 8))  # this imports more
    gc.collect()
    gc.freeze()  # processes forked from here need not look at all that


def torchvision_models() -> Iterator[Entry]:
    """Every model of every task."""
    for name in import_torchvision().models.list_models():
        yield Entry(source="torchvision", name=name, prepared=_named(f"torchvision:{name}"))


def timm_models() -> Iterator[Entry]:
    """The smallest of every family: of every module the names that differ in more than size.

    The first family of each module comes before the second of any.
    """
    timm = import_module("timm")
    of_modules: list[list[Entry]] = []
    for module in timm.list_modules():
        families: dict[str, list[str]] = {}
        for name in timm.list_models(module=module):
            families.setdefault(_family(name), []).append(name)
        of_modules.append(
            [
                Entry(source="timm", name=f"{module} {family}", prepared=_smallest(names))
                for family, names in families.items()
            ]
        )
    for row in zip_longest(*of_modules):
        yield from (entry for entry in row if entry is not None)


def _smallest(names: list[str]) -> Callable[[], str]:
    return lambda: f"timm:{min(names, key=_parameters) if len(names) > 1 else names[0]}"


SIZES = re.compile(
    r"(?<![a-z])(atto|femto|pico|nano|zepto|tiny|mini|micro|xtiny|little|xsmall|small|medium|base"
    r"|large|xlarge|huge|giant|gigantic|enormous|xxlarge|so150m2?|so400m|betwixt|mediumd|pwee|wee"
    r"|lite[a-z]*|xxs|xs|xxl|xl|[a-z]{0,2}[0-9]+[a-z0-9]*|s|m|l|n|t|b|h|g|c|d)(?![a-z])"
)


def _family(name: str) -> str:
    """A name without what is a size: words, numbers."""
    return re.sub(r"[0-9_.]+", "_", SIZES.sub("", name)).strip("_")


def _parameters(name: str) -> int:
    """Parameters of a model of timm, told without memory for them; many where that fails."""
    timm = import_module("timm")
    try:
        with torch.device("meta"):
            network = timm.create_model(name)
    except Exception:  # noqa: BLE001 - it will be looked at
        return 1 << 40
    return sum(one.numel() for one in network.parameters())


def transformers_models() -> Iterator[Entry]:
    """Every architecture, as small as its configuration can be made."""
    from zoo_configs import architectures, small_folder

    for kind in architectures():
        yield Entry(source="transformers", name=kind, prepared=_small(small_folder, kind))


def _small(folder: Callable[[str], Path], kind: str) -> Callable[[], str]:
    return lambda: f"transformers:{folder(kind)}"


def factories(source: str, file: str) -> Callable[[], Iterator[Entry]]:
    """Models of packages that functions of a file make, where the packages are installed."""

    def entries() -> Iterator[Entry]:
        path = Path(__file__).with_name(file)
        module: Any = import_module(path.stem)
        for name, package in module.NEEDS.items():
            if find_spec(package) is not None:
                yield Entry(source=source, name=name, prepared=_named(f"{path}:{name}"))

    return entries


def _named(reference: str) -> Callable[[], str]:
    return lambda: reference


SOURCES: dict[str, Callable[[], Iterator[Entry]]] = {
    "torchvision": torchvision_models,
    "timm": timm_models,
    "transformers": transformers_models,
    "torchaudio": factories("torchaudio", "zoo_audio.py"),
    "packages": factories("packages", "zoo_packages.py"),
}
