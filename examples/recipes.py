"""How each small network is trained, and where its weights are kept."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from torch import nn

from inferometer import models
from inferometer.core.errors import WorkloadError
from inferometer.core.preprocessing import Preprocessing

HERE = Path(__file__).parent
CELLS = f"{HERE / 'data.py'}:cells"
TORCH_DEFAULT_MOMENTUM = 0.1


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How a network of the catalogue is trained.

    Attributes:
        model: its name in the catalogue.
        data: short name of the data, for names of files and factories.
        reference: the data, as `inferometer run --data` takes it.
        options: of the network, as after `?` in a reference.
        channels: of its input.
        size: height and width of its input.
        epochs: passes over the training samples, at the most.
        patience: passes without a lower validation loss, after which it stops.
        batch_size: samples a step.
        learning_rate: the highest of the schedule.
        shift: pixels that a picture is moved at random, up to; not mirrored, as digits are read.
        version: of the recipe; another one makes other weights.
    """

    model: str
    data: str
    reference: str
    options: str = "num_classes=10"
    channels: int = 3
    size: int = 32
    epochs: int = 10
    patience: int = 5
    batch_size: int = 32
    learning_rate: float = 1e-3
    shift: int = 2
    version: int = 1

    @property
    def name(self) -> str:
        """Model and data, which is what the factory is called too."""
        return f"{self.model}_{self.data}"

    @property
    def is_segmentation(self) -> bool:
        """Whether labels are masks."""
        return self.model == "unet"

    @property
    def metric(self) -> str:
        """Of its validation."""
        return "dice" if self.is_segmentation else "top1"

    @property
    def preprocessing(self) -> Preprocessing | None:
        """What a picture goes through; None where samples are arrays already."""
        if self.is_segmentation:
            return None
        half = (0.5,) * self.channels
        return Preprocessing(
            size=self.size, fit="squash", mean=half, std=half, source="examples/recipes.py"
        )

    def network(self, seed: int) -> nn.Module:
        """The network with random weights of a seed."""
        loaded = models.load(f"{self.model}?{self.options}", seed=seed)
        network: nn.Module = loaded.network
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                # MobileNetV3's own, 0.01, follows too slowly for the few steps of a small set
                module.momentum = TORCH_DEFAULT_MOMENTUM
        return network

    def as_json(self) -> dict[str, Any]:
        """All of it; without the folder, which is another on each machine."""
        return {**asdict(self), "reference": self.reference.replace(f"{HERE}/", "examples/")}


def _digits(model: str, **changes: Any) -> Recipe:  # noqa: ANN401 - fields of the recipe
    return Recipe(model=model, data="digits", reference="digits", **changes)


def _mnist(model: str, **changes: Any) -> Recipe:  # noqa: ANN401 - fields of the recipe
    return Recipe(model=model, data="mnist_5k", reference="mnist_5k", **changes)


_SQUEEZENET: dict[str, Any] = {"size": 64, "epochs": 20, "learning_rate": 6e-4}
_MOBILENET: dict[str, Any] = {"size": 64, "epochs": 12, "learning_rate": 3e-3}

RECIPES: dict[str, Recipe] = {
    recipe.name: recipe
    for recipe in (
        _digits("resnet18"),
        _digits("squeezenet1_0", **_SQUEEZENET),
        _digits("mobilenet_v3_small", **_MOBILENET),
        _mnist("resnet18", epochs=6, batch_size=64),
        _mnist("squeezenet1_0", **{**_SQUEEZENET, "epochs": 8}),
        _mnist("mobilenet_v3_small", **{**_MOBILENET, "epochs": 8, "batch_size": 64}),
        Recipe(
            model="unet",
            data="cells",
            reference=CELLS,
            options="in_channels=1",
            channels=1,
            size=64,
            epochs=8,
            batch_size=8,
            learning_rate=2e-3,
            shift=0,
        ),
    )
}
"""Name → recipe."""


@dataclass(frozen=True, kw_only=True)
class Weights:
    """Trained weights on the disk.

    Attributes:
        file: the state dict.
        about: how they came to be, as written beside them.
    """

    file: Path
    about: dict[str, Any]


def cache_folder() -> Path:
    """Where weights are kept: the user's cache."""
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(cache).expanduser() / "inferometer" / "trained"


def stem(recipe: Recipe, seed: int, digest: str) -> str:
    """Name of the files of weights, without an ending."""
    return f"{recipe.name}-seed{seed}-v{recipe.version}-{digest[:12]}"


def find(recipe: Recipe, seed: int, folder: Path, digest: str = "*") -> Weights | None:
    """Weights that were trained before; those that were trained or asked for last, of several."""
    newest = sorted(_all(stem(recipe, seed, digest), folder), key=_age)
    return newest[-1] if newest else None


def require(name: str, seed: int, folder: Path) -> Weights:
    """Trained weights.

    Raises:
        WorkloadError: (bad_model) there are none yet; says how to make them.
    """
    recipe = RECIPES[name]
    found = find(recipe, seed, folder)
    if found is None:
        data = "" if recipe.is_segmentation else f" --data {recipe.data}"
        where = "" if folder == cache_folder() else f" --out {folder}"
        raise WorkloadError(
            "bad_model",
            f"no trained weights yet: run python {HERE / 'train_small.py'} --models {recipe.model}"
            f"{data} --seed {seed}{where} (looked for {stem(recipe, seed, '…')} in {folder})",
        )
    return found


def _all(pattern: str, folder: Path) -> Iterator[Weights]:
    for about in folder.glob(f"{pattern}.json"):
        file = about.with_suffix(".safetensors")
        if file.is_file():
            yield Weights(file=file, about=json.loads(about.read_text(encoding="utf-8")))


def _age(weights: Weights) -> float:
    return weights.file.stat().st_mtime
