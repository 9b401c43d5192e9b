"""Train the lab's networks on small sets, to have models whose accuracy means something.

    python examples/train_small.py
    python examples/train_small.py --models resnet18,unet --data digits --seed 1

Three classifiers learn real digits; the U-Net learns to find nuclei in *simulated* microscopy. Only
samples of the roles `training` and `validation` are looked at, the latter to choose among passes.
Weights are kept in the user's cache, and not trained again while recipe, seed and training samples
are the same. Each network is trained on one thread, as many at a time as there are cores.
`examples/trained.py` has the factories that measure them.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch
from recipes import RECIPES, Recipe, Weights, cache_folder, find, stem
from safetensors.torch import save
from training import Batch, Trained, train

from inferometer.core.dataset import Dataset
from inferometer.core.errors import InputError
from inferometer.datasets import open_dataset, prepare

MODELS = ("unet", "squeezenet1_0", "mobilenet_v3_small", "resnet18")
"""Those that take longest first, so that cores are idle for a short time only."""
DATA = ("digits", "mnist_5k")
MOST_MINUTES = 10.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Train what is asked for and not there, side by side; the exit status."""
    asked = _parser().parse_args(arguments)
    recipes = chosen(asked.models, asked.data)
    train_one = partial(
        _attempt,
        seed=asked.seed,
        folder=asked.out or cache_folder(),
        minutes=asked.minutes,
        force=asked.force,
    )
    jobs = min(asked.jobs, len(recipes))
    if jobs == 1:
        return max(map(_told, map(train_one, recipes)))
    with ProcessPoolExecutor(jobs, get_context("spawn")) as pool:
        return max(map(_told, pool.map(train_one, recipes)))


def _attempt(
    recipe: Recipe, *, seed: int, folder: Path, minutes: float, force: bool
) -> tuple[str, bool]:
    """Train one network; what to say in the end, and whether it is there."""
    # of one thread the sums, and so the weights, do not depend on how many cores there are
    torch.set_num_threads(1)
    try:
        weights = trained(recipe, seed, folder, minutes=minutes, force=force)
    except InputError as error:
        return f"{recipe.name}: {error}", False
    said = weights.about["validation"]
    figure = f"{said['metric']} {said['value']:.4f} on validation"
    return f"{recipe.name}: {figure}, {weights.file}", True


def _told(result: tuple[str, bool]) -> int:
    text, is_there = result
    print(text, file=sys.stdout if is_there else sys.stderr, flush=True)
    return 0 if is_there else 2


def chosen(names: Sequence[str], data: Sequence[str]) -> list[Recipe]:
    """Recipes of models on data; the U-Net has data of its own."""
    found = [
        recipe
        for recipe in RECIPES.values()
        if recipe.model in names and (recipe.data in data or recipe.is_segmentation)
    ]
    return sorted(found, key=lambda recipe: names.index(recipe.model))


def trained(recipe: Recipe, seed: int, folder: Path, *, minutes: float, force: bool) -> Weights:
    """Weights of a recipe: those that are there, else new ones.

    Raises:
        InputError: the data cannot be opened.
    """
    training = open_dataset(recipe.reference, "training")
    known = find(recipe, seed, folder, training.digest[:12])
    if known is not None and not force:
        os.utime(known.file)  # the factory takes those that were asked for last
        return known
    validation = open_dataset(recipe.reference, "validation")
    samples = f"{len(training)} training samples, {len(validation)} for validation"
    print(f"{recipe.name}: {samples}", flush=True)
    made = train(
        recipe,
        batch(training, recipe),
        batch(validation, recipe),
        seed=seed,
        most_s=60 * minutes,
        say=lambda text: print(f"{recipe.name}: {text}", flush=True),
    )
    file = folder / f"{stem(recipe, seed, training.digest)}.safetensors"
    about = _about(made, recipe, seed) | {
        "training": _said(training),
        "validation": {**_said(validation), "metric": recipe.metric, "value": made.figure},
    }
    return _saved(file, save(made.state), about)


def batch(dataset: Dataset, recipe: Recipe) -> Batch:
    """All samples as the network takes them, and their labels."""
    samples = [dataset[index] for index in range(len(dataset))]
    pictures = [
        prepare(sample.input, dataset.kind, recipe.preprocessing, recipe.size) for sample in samples
    ]
    labels = np.stack([np.asarray(sample.label) for sample in samples]).astype(np.int64)
    return torch.from_numpy(np.stack(pictures)).float(), torch.from_numpy(labels)


def _about(made: Trained, recipe: Recipe, seed: int) -> dict[str, Any]:
    """How weights came to be."""
    return {
        "recipe": recipe.as_json(),
        "seed": seed,
        "epochs": made.epochs,
        "best_epoch": made.best_epoch,
        "stopped": made.stopped,
        "seconds": round(made.seconds, 1),
        "torch": torch.__version__,
    }


def _saved(file: Path, content: bytes, about: dict[str, Any]) -> Weights:
    """Write weights, then what is said of them: whoever finds the second finds the first."""
    about = {**about, "weights_sha256": hashlib.sha256(content).hexdigest()}
    _write(file, content)
    _write(file.with_suffix(".json"), json.dumps(about, indent=1).encode())
    return Weights(file=file, about=about)


def _said(dataset: Dataset) -> dict[str, Any]:
    return {
        "name": dataset.name,
        "role": dataset.role,
        "samples": len(dataset),
        "digest": dataset.digest,
        "contents": list(dataset.contents),
    }


def _write(path: Path, content: bytes) -> None:
    """Write a file that is there whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "--models", type=_names(MODELS), default=MODELS, help=f"some of {','.join(MODELS)}"
    )
    parser.add_argument(
        "--data", type=_names(DATA), default=DATA[:1], help="digits, mnist_5k or both"
    )
    parser.add_argument("--out", type=Path, help="folder of the weights; the user's cache if none")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--minutes", type=float, default=MOST_MINUTES, help="most for each network (%(default)s)"
    )
    parser.add_argument(
        "--jobs", type=int, default=os.cpu_count() or 1, help="networks at a time (%(default)s)"
    )
    parser.add_argument("--force", action="store_true", help="train again what is there")
    return parser


def _names(known: Sequence[str]) -> Any:  # noqa: ANN401 - what argparse calls a type
    def read(text: str) -> tuple[str, ...]:
        names = tuple(text.split(","))
        unknown = [name for name in names if name not in known]
        if unknown:
            raise argparse.ArgumentTypeError(f"{unknown[0]!r} is none of {', '.join(known)}")
        return names

    return read


if __name__ == "__main__":
    sys.exit(main())
