"""A fixed piece of work on the processor, to tell a slower machine from a slower model.

It computes and moves memory as a network does, with NumPy alone, so that no runtime changes it. It
stays as it is for good: another one would be another model, `control-v2`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

ROWS, WIDTH, LAYERS = 128, 512, 4
"""A quarter of a GFLOP: a few milliseconds on a PC, some tens on a small board."""
MOVED = 2 * 1024 * 1024
"""Numbers that are read and written, beyond what caches of one core hold."""


def v1() -> Callable[[], Floats]:
    """A call that multiplies matrices, and goes through memory once."""
    random = np.random.default_rng(0)
    spread = (2 / WIDTH) ** 0.5
    weights = [
        (spread * random.standard_normal((WIDTH, WIDTH))).astype(np.float32) for _ in range(LAYERS)
    ]
    rows = random.standard_normal((ROWS, WIDTH)).astype(np.float32)
    read = random.standard_normal(MOVED).astype(np.float32)
    written = np.empty_like(read)

    def call() -> Floats:
        found = rows
        for weight in weights:
            found = np.maximum(found @ weight, 0)
        np.add(read, 1, out=written)
        return found

    return call


VERSIONS: dict[str, Callable[[], Callable[[], Floats]]] = {"control-v1": v1}
"""By the name that follows `builtin:`."""
