from __future__ import annotations

import numpy as np
import pytest


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """A folder of caches of this test alone."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("INFEROMETER_CACHE", str(folder))
    return folder


@pytest.fixture
def pictures():
    """Random pictures, all different, the same for the same number."""

    def make(count, *, height=9, width=12, seed=0):
        random = np.random.default_rng(seed)
        return random.integers(0, 256, (count, height, width, 3), dtype=np.uint8)

    return make


@pytest.fixture
def laid(tmp_path, pictures):
    """A folder with classes `cat` and `dog`; gives it and the pictures by their paths within."""
    from PIL import Image

    def lay(count=20, name="animals"):
        root = tmp_path / name
        found = {}
        for number, pixels in enumerate(pictures(count)):
            folder = root / ("cat" if number % 2 else "dog")
            folder.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(folder / f"{number:03}.png")
            found[f"{folder.name}/{number:03}.png"] = pixels
        return root, found

    return lay
