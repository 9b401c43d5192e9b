"""Work of torchvision's compiled operators."""

# ruff: noqa: ANN401 - torch's operators take and give anything

from __future__ import annotations

from math import prod
from typing import Any

from inferometer.core.cost import Kind
from inferometer.models.cost.formulas import Arguments, Formula, Work

BILINEAR_FLOPS = 8
"""Of a place between four others: a product and a sum for each."""


def _deformable(given: Arguments, result: Any) -> Work:
    """A convolution, whose inputs are each read between four others, and scaled where masked."""
    read = result.shape[0] * given["input"].shape[1] * prod(result.shape[2:])
    each = BILINEAR_FLOPS + bool(given["use_mask"])
    return Work(
        result.numel() * prod(given["weight"].shape[1:]),
        read * prod(given["weight"].shape[2:]) * each,
    )


def _sampled_regions(given: Arguments, result: Any) -> Work | None:
    """The mean of a grid of places in each part of a region.

    Without a number of places it follows from the size of each region, which is a value.
    """
    pooled = result[0] if isinstance(result, tuple) else result
    places = given["sampling_ratio"] ** 2
    return Work(0, pooled.numel() * places * (BILINEAR_FLOPS + 1)) if places > 0 else None


def _boxes(given: Arguments, _: Any) -> Work:
    return Work(0, given["dets"].numel())


VISION: dict[str, tuple[Kind, Formula]] = {
    "torchvision.deform_conv2d": ("convolution", _deformable),
    "torchvision.roi_align": ("pooling", _sampled_regions),
    "torchvision.ps_roi_align": ("pooling", _sampled_regions),
    "torchvision.nms": ("reduction", _boxes),
}
"""What they do, by operator; those that are missing are unknown."""

DEPENDING = frozenset({"torchvision.nms", "torchvision.qnms"})
"""How much these give depends on values, which they do not say themselves."""
