"""The analytical cost of a model at one shape, with what is needed to say whose cost it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from inferometer.core.cost import Cost


@dataclass(frozen=True, kw_only=True)
class Artifact:
    """A file that a model was read from.

    Attributes:
        path: where it is.
        size_bytes: how large it is.
    """

    path: str
    size_bytes: int


@dataclass(frozen=True, kw_only=True)
class Costing:
    """The cost of one call of one batch.

    Attributes:
        model: the reference as the user gave it, or the name of a live model.
        source: where it came from, as in `LoadedModel`.
        weights: where its weights came from, for people.
        backend: the runtime with the counted operators; None for a file that none was asked about.
        precision: `fp32`, `bf16`, `fp16` …
        batch_size: samples in the call; the model's own where none was asked for.
        input_size: height and width of images or length of sequences; None for the model's own.
        input_shape: for people, such as `8x3x224x224`.
        cost: the operations and bytes.
        parameters: fields of `ParameterCount`; one that the format does not tell is absent.
        artifacts: the files that it was read from.
        safetensors_bytes: size that its weights would have as a safetensors file, computed; None
            where that makes no sense.
        notes: what a reader of the figures should know.
    """

    model: str
    source: str
    weights: str
    backend: str | None
    precision: str
    batch_size: int
    input_size: int | None
    input_shape: str
    cost: Cost
    parameters: Mapping[str, Any] = field(default_factory=dict)
    artifacts: tuple[Artifact, ...] = ()
    safetensors_bytes: int | None = None
    notes: tuple[str, ...] = ()
