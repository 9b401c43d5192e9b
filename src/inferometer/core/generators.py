"""The global generators of random numbers: Python's, and those of NumPy and torch where loaded."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any


def seed_generators(seed: int) -> None:
    """Seed them all."""
    random.seed(seed)
    numpy, torch = sys.modules.get("numpy"), sys.modules.get("torch")
    if numpy is not None:
        numpy.random.seed(seed % 2**32)
    if torch is not None:
        torch.manual_seed(seed)


def generator_states() -> Mapping[str, Any]:
    """Where they stand, by library and device."""
    numpy, torch = sys.modules.get("numpy"), sys.modules.get("torch")
    found: dict[str, Any] = {"python": random.getstate()}
    if numpy is not None:
        found["numpy"] = numpy.random.get_state()
    if torch is not None:
        found["torch"] = torch.get_rng_state()
        if torch.cuda.is_available() and torch.cuda.is_initialized():
            found["cuda"] = torch.cuda.get_rng_state_all()
        if torch.backends.mps.is_available():
            found["mps"] = torch.mps.get_rng_state()
    return found


def restore_generators(states: Mapping[str, Any]) -> None:
    """Put them back to where they stood."""
    random.setstate(states["python"])
    if "numpy" in states:
        sys.modules["numpy"].random.set_state(states["numpy"])
    if "torch" in states:
        torch = sys.modules["torch"]
        torch.set_rng_state(states["torch"])
        if "cuda" in states:
            torch.cuda.set_rng_state_all(states["cuda"])
        if "mps" in states:
            torch.mps.set_rng_state(states["mps"])


@contextmanager
def kept_generators() -> Iterator[None]:
    """Put them back afterwards; what is drawn within disturbs nobody."""
    states = generator_states()
    try:
        yield
    finally:
        restore_generators(states)
