"""Shapes of inputs in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from inferometer.core.nested import leaves


def shape_text(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> str:
    """Shapes of all arrays in the arguments of a call, named where they have a name.

    `8x3x224x224`, or `input_ids=8x128, attention_mask=8x128`; `none` where there is no array.
    """
    return ", ".join(_parts(args, kwargs)) or "none"


def _parts(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Iterator[str]:
    for path, leaf in leaves((args, kwargs), ""):
        shape = getattr(leaf, "shape", None)
        if shape is None:
            continue
        # Paths look like `[0][1]` for the second positional, `[1].name` for a keyword.
        _, dot, name = path.partition(".")
        dimensions = "x".join(map(str, shape)) or "scalar"
        yield f"{name}={dimensions}" if dot else dimensions
