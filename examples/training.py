"""The training loop: few samples, small pictures, a processor; best weights by validation."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from recipes import Recipe
from torch import nn

Batch = tuple[torch.Tensor, torch.Tensor]
Say = Callable[[str], None]

VALIDATION_BATCH = 64
CLIPPED_AT = 5.0
"""Largest norm of a gradient: SqueezeNet has no normalisation that would hold it."""
WARM_SHARE = 0.2
"""Share of the steps over which the learning rate rises."""


@dataclass(frozen=True, kw_only=True)
class Trained:
    """What came of a training.

    Attributes:
        state: weights of the pass with the lowest validation loss, as a plain state dict.
        figure: its share of validation samples that were right, or its Dice coefficient.
        epochs: passes that were made.
        best_epoch: the one whose weights were kept.
        stopped: why it ended: `all epochs`, `no better` or `out of time`.
        seconds: how long it took.
    """

    state: dict[str, torch.Tensor]
    figure: float
    epochs: int
    best_epoch: int
    stopped: str
    seconds: float


def train(
    recipe: Recipe, training: Batch, validation: Batch, *, seed: int, most_s: float, say: Say
) -> Trained:
    """Train a network of a recipe; the same for the same seed on the same machine and threads.

    Args:
        recipe: how.
        training: samples to learn from, and their labels.
        validation: samples to choose among passes.
        seed: of the first weights, of the order and of the moves.
        most_s: no further pass is begun that would end later.
        say: told of each pass.
    """
    loop = _Loop(recipe, training, seed)
    best, best_epoch, stopped = _Pass(math.inf, 0.0, {}), 0, "all epochs"
    start, epoch = time.monotonic(), 0
    while epoch < recipe.epochs:
        epoch += 1
        loss = loop.epoch()
        seen = _seen(loop.network, validation, recipe)
        if seen.loss < best.loss:
            best, best_epoch = seen, epoch
        elapsed = time.monotonic() - start
        left = elapsed / epoch * (recipe.epochs - epoch)
        say(
            f"epoch {epoch}/{recipe.epochs}, loss {loss:.3f}, validation {seen.figure:.3f}, "
            f"{left:.0f} s left"
        )
        if epoch - best_epoch >= recipe.patience:
            stopped = "no better"
            break
        if epoch < recipe.epochs and elapsed + elapsed / epoch > most_s:
            stopped = "out of time"
            break
    return Trained(
        state=best.state,
        figure=best.figure,
        epochs=epoch,
        best_epoch=best_epoch,
        stopped=stopped,
        seconds=time.monotonic() - start,
    )


class _Pass(NamedTuple):
    """Loss and figure of the validation samples after a pass, and the weights."""

    loss: float
    figure: float
    state: dict[str, torch.Tensor]


class _Loop:
    """The network with what changes its weights."""

    def __init__(self, recipe: Recipe, training: Batch, seed: int) -> None:
        self._recipe = recipe
        self._pictures, self._labels = training
        network = recipe.network(seed).train()
        self.network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._optimizer = torch.optim.AdamW(self.network.parameters(), weight_decay=1e-3)
        self._schedule = torch.optim.lr_scheduler.OneCycleLR(
            self._optimizer,
            recipe.learning_rate,
            epochs=recipe.epochs,
            steps_per_epoch=-(-len(self._labels) // recipe.batch_size),
            pct_start=WARM_SHARE,
        )
        torch.manual_seed(seed)  # of what is dropped out
        self._random = torch.Generator().manual_seed(seed)

    def epoch(self) -> float:
        """One pass over the training samples in a random order; the mean loss."""
        order = torch.randperm(len(self._labels), generator=self._random)
        parts = order.split(self._recipe.batch_size)  # type: ignore[no-untyped-call]
        losses = [self._step(chosen) for chosen in parts]
        return sum(losses) / len(losses)

    def _step(self, chosen: torch.Tensor) -> float:
        pictures = _shifted(self._pictures[chosen], self._recipe.shift, self._random)
        outputs = self.network(pictures.contiguous(memory_format=torch.channels_last))
        loss = _loss(outputs, self._labels[chosen], self._recipe)
        self._optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.network.parameters(), CLIPPED_AT)
        self._optimizer.step()
        self._schedule.step()
        return loss.item()


def _seen(network: nn.Module, samples: Batch, recipe: Recipe) -> _Pass:
    """How well samples are predicted: right ones, or for masks Dice over all their pixels."""
    pictures, labels = samples
    network.eval()
    with torch.inference_mode():
        parts = pictures.split(VALIDATION_BATCH)  # type: ignore[no-untyped-call]
        outputs = torch.cat([network(part) for part in parts])
    network.train()
    if recipe.is_segmentation:
        inside = outputs[:, 0] > 0.5  # noqa: PLR2004 - half
        both = (inside & (labels > 0)).sum().item()
        figure = 2 * both / max(inside.sum().item() + labels.sum().item(), 1)
    else:
        figure = (outputs.argmax(1) == labels).float().mean().item()
    return _Pass(_loss(outputs, labels, recipe).item(), figure, _copy(network))


def _loss(outputs: torch.Tensor, labels: torch.Tensor, recipe: Recipe) -> torch.Tensor:
    if not recipe.is_segmentation:
        return nn.functional.cross_entropy(outputs, labels)
    inside, truth = outputs[:, 0], labels.float()
    dice = 1 - (2 * (inside * truth).sum() + 1) / (inside.sum() + truth.sum() + 1)
    return nn.functional.binary_cross_entropy(inside, truth) + dice


def _shifted(pictures: torch.Tensor, most: int, order: torch.Generator) -> torch.Tensor:
    """Pictures moved by up to so many pixels, each by its own; what is left over is background."""
    if not most:
        return pictures
    padded = nn.functional.pad(pictures, (most,) * 4, mode="replicate")
    height, width = pictures.shape[2:]
    moves = torch.randint(0, 2 * most + 1, (len(pictures), 2), generator=order).tolist()
    parts = zip(padded, moves, strict=True)
    return torch.stack([part[:, y : y + height, x : x + width] for part, (y, x) in parts])


def _copy(network: nn.Module) -> dict[str, torch.Tensor]:
    """Weights that later steps do not change, in the usual order of axes."""
    usual = torch.contiguous_format
    state = network.state_dict()
    return {name: value.detach().clone(memory_format=usual) for name, value in state.items()}
