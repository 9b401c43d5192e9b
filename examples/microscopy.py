"""Simulated fluorescence microscopy: nuclei whose outlines are known, as a camera would see them.

Nothing here is a recording. The simulation follows the light: nuclei with a random outline and
texture, those out of focus as a haze, the diffraction pattern of the objective, the pixels of the
camera, and the noise of photons and of its electronics.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from scipy.signal import fftconvolve
from scipy.special import j1

Floats = NDArray[np.float32]
Mask = NDArray[np.uint8]

SIZE = 64
"""Height and width of a field, pixels."""
PIXEL_UM = 0.65
"""What a pixel covers: a camera of 6.5 µm behind an objective of ten times."""
APERTURE = 0.3
WAVELENGTH_UM = 0.461
"""Numerical aperture of the objective, and the light of DAPI, a stain of nuclei."""
FINER = 2
"""Points of the simulation along a pixel; two are enough for what passes the objective."""
PSF_RADIUS_UM = 4.0
FOCUS_BLUR_UM = 3.0
"""How far the light of a nucleus outside the focal plane spreads."""
RADIUS_UM = (3.5, 6.5)
PHOTONS = (12.0, 60.0)
"""Light of a nucleus in one pixel: few photons, as for a short exposure."""
BACKGROUND_PHOTONS = 4.0
READ_NOISE = 1.6
"""Standard deviation of the electronics' noise, photoelectrons."""
IN_FOCUS = (2, 7)
OUT_OF_FOCUS = (0, 4)
SCALE = 30.0
"""Photoelectrons that become 1 in what the network sees."""


def fields(numbers: Iterable[int], seed: int = 0) -> list[tuple[Floats, Mask]]:
    """Fields of view: what the camera saw, 1 x SIZE x SIZE, and the mask, 1 where a nucleus is.

    Args:
        numbers: of the fields; each has its own random numbers.
        seed: of all.
    """
    psf = airy_pattern()
    return [field(np.random.default_rng((seed, number)), psf) for number in numbers]


def field(random: np.random.Generator, psf: NDArray[np.float64]) -> tuple[Floats, Mask]:
    """One field of view, and its mask."""
    light, inside = _layer(random, IN_FOCUS)
    haze, _ = _layer(random, OUT_OF_FOCUS)
    photons = _pixels(fftconvolve(light, psf, mode="same"))
    photons += gaussian_filter(_pixels(haze), FOCUS_BLUR_UM / PIXEL_UM, mode="constant")
    counted = random.poisson(np.maximum(photons, 0) + BACKGROUND_PHOTONS)
    seen = counted + random.normal(0, READ_NOISE, counted.shape)
    mask = _pixels(inside) >= 0.5  # noqa: PLR2004 - half
    return (seen / SCALE).astype(np.float32)[None], mask.astype(np.uint8)


def airy_pattern() -> NDArray[np.float64]:
    """Diffraction pattern of a point, on the finer grid; its sum is 1."""
    reach = round(PSF_RADIUS_UM / PIXEL_UM * FINER)
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1] * PIXEL_UM / FINER
    v = 2 * np.pi * APERTURE / WAVELENGTH_UM * np.hypot(x, y)
    pattern: NDArray[np.float64] = np.ones_like(v)
    away = v > 0
    pattern[away] = (2 * j1(v[away]) / v[away]) ** 2
    pattern /= pattern.sum()
    return pattern


def _pixels(fine: NDArray[Any]) -> NDArray[np.float64]:
    """Means over the points of each pixel."""
    means: NDArray[np.float64] = fine.reshape(SIZE, FINER, SIZE, FINER).mean((1, 3))
    return means


def _layer(
    random: np.random.Generator, counts: tuple[int, int]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Light of some nuclei before it meets the objective, and where they are."""
    side = SIZE * FINER
    light = np.zeros((side, side))
    inside = np.zeros((side, side), dtype=bool)
    texture = gaussian_filter(random.normal(0, 1, (side, side)), FINER * 1.5, truncate=3)
    chromatin = np.maximum(1 + 0.25 * texture / texture.std(), 0)
    for _ in range(random.integers(*counts, endpoint=True)):
        window, nucleus = _nucleus(random, side)
        light[window] += nucleus * chromatin[window] * random.uniform(*PHOTONS)
        inside[window] |= nucleus
    return light, inside


def _nucleus(
    random: np.random.Generator, side: int
) -> tuple[tuple[slice, slice], NDArray[np.bool_]]:
    """A window around a nucleus, and where in it the nucleus is: an ellipse that waves a little."""
    middle = random.integers(0, side, 2)
    radius = random.uniform(*RADIUS_UM) / PIXEL_UM * FINER
    low = np.maximum(middle - round(1.5 * radius), 0)
    high = np.minimum(middle + round(1.5 * radius), side)
    y, x = np.mgrid[low[0] : high[0], low[1] : high[1]] - middle[:, None, None]
    angle = np.arctan2(y, x)
    outline: NDArray[np.float64] = 1 + random.uniform(0, 0.25) * np.cos(
        2 * (angle - random.uniform(0, np.pi))
    )
    for waves in (3, 4, 5):
        outline += random.normal(0, 0.03) * np.cos(waves * angle + random.uniform(0, 2 * np.pi))
    window = slice(low[0], high[0]), slice(low[1], high[1])
    return window, np.hypot(x, y) < radius * outline
