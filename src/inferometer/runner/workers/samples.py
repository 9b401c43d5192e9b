"""Inputs of calls as a file that any process reads with NumPy alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from inferometer.backends.tensors import as_numpy
from inferometer.core.errors import WorkloadError
from inferometer.core.model import Inputs
from inferometer.models.inputs.arrays import shape_text


def save_samples(samples: Sequence[Inputs], path: Path) -> None:
    """Write inputs, each of one call, to an archive of NumPy.

    Raises:
        WorkloadError: (unsupported) an argument is no array.
    """
    import numpy as np

    arrays: dict[str, Any] = {}
    for number, sample in enumerate(samples):
        named = [("a", str(at), value) for at, value in enumerate(sample.args)]
        named += [("k", name, value) for name, value in sample.kwargs.items()]
        for kind, name, value in named:
            array = np.asarray(as_numpy(value))
            if array.dtype.kind not in "biufc":
                raise WorkloadError(
                    "unsupported", f"an input is a {type(value).__name__}, which is not an array"
                )
            arrays[f"{number}/{kind}/{name}"] = array
    with path.open("wb") as file:
        np.savez(file, **arrays)


def load_samples(path: Path) -> list[Inputs]:
    """Inputs that `save_samples` wrote."""
    import numpy as np

    found: dict[int, dict[tuple[str, str], Any]] = {}
    with np.load(path, allow_pickle=False) as archive:
        for key in archive.files:
            number, kind, name = key.split("/", 2)
            found.setdefault(int(number), {})[kind, name] = archive[key]
    return [_inputs(arrays) for _, arrays in sorted(found.items())]


def _inputs(arrays: dict[tuple[str, str], Any]) -> Inputs:
    positional = {int(name): array for (kind, name), array in arrays.items() if kind == "a"}
    args = tuple(positional[at] for at in sorted(positional))
    kwargs = {name: array for (kind, name), array in arrays.items() if kind == "k"}
    return Inputs(args=args, kwargs=kwargs, shape=shape_text(args, kwargs))
