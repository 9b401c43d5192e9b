"""What a picture goes through before a model sees it, as the model's own source says it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

Interpolation = Literal["nearest", "bilinear", "bicubic", "lanczos"]
Fit = Literal["crop", "squash", "natural"]
"""`crop`: the shorter side to `resize`, then the middle; `squash`: both sides to `size`; `natural`:
as large as the picture is."""


@dataclass(frozen=True, kw_only=True)
class Preprocessing:
    """From height by width by 3 of uint8 to channels by height by width of floats.

    Attributes:
        size: height and width, pixels, where the workload asks for no input size; None leaves the
            picture as large as it is then.
        crop_share: for `crop`, `size` as a share of the shorter side after resizing.
        fit: how a picture comes to its size.
        interpolation: of resizing.
        mean: of each channel, subtracted after values were brought to 0 to 1.
        std: of each channel, divided by.
        channels: 3, or 1 for grey.
        source: who says so, for people: `torchvision IMAGENET1K_V1`, `the user`, `a default`.
    """

    size: int | None = None
    crop_share: float = 0.875
    fit: Fit = "crop"
    interpolation: Interpolation = "bilinear"
    mean: tuple[float, ...] = (0.485, 0.456, 0.406)
    std: tuple[float, ...] = (0.229, 0.224, 0.225)
    channels: int = 3
    source: str = "a default"


@runtime_checkable
class SaysPreprocessing(Protocol):
    """A network, or another callable, that says what its pictures go through.

    Attributes:
        preprocessing: a `Preprocessing`; anything else says nothing to us.
    """

    preprocessing: object


def said_by(network: object) -> Preprocessing | None:
    """What a network of the user's says of its pictures; None where it says nothing."""
    found = network.preprocessing if isinstance(network, SaysPreprocessing) else None
    return found if isinstance(found, Preprocessing) else None
