"""Making of a model what a backend runs."""

from __future__ import annotations

from dataclasses import dataclass

from inferometer.core.workload import Shape, Variant


@dataclass(frozen=True, kw_only=True)
class PreparedAt:
    """Where a prepared model is.

    Attributes:
        folder: of the cache.
        shape: the only one that it serves; None where it serves all.
    """

    folder: str
    shape: Shape | None = None


@dataclass(frozen=True, kw_only=True)
class ExportModel:
    """Export the loaded model; answered by `Exported`.

    Attributes:
        model: the reference as the user gave it.
        seed: of random weights.
        wanted: value of the format.
        shape: the only one that is to be served; None for all.
        size: input size of the calibration samples; None is the model's own.
        data: reference of labelled data for them; None makes inputs up.
        samples: how many of them; 0 where none are needed.
        cache: its folder.
    """

    model: str
    seed: int
    wanted: str
    shape: Shape | None
    size: int | None
    data: str | None
    samples: int
    cache: str


@dataclass(frozen=True, kw_only=True)
class Exported:
    """A model was exported.

    Attributes:
        folder: of the cache.
        made: whether it was made just now, and not found there.
        samples: path of the calibration samples; None where none were asked for.
    """

    folder: str
    made: bool
    samples: str | None


@dataclass(frozen=True, kw_only=True)
class PrepareVariant:
    """Make of an exported model what its backend runs; answered by `VariantPrepared`.

    Attributes:
        variant: what it is for.
        threads: that the runtime may use.
        source: folder of the exported model.
        samples: path of the calibration samples; None where none are needed.
        tools: distributions whose versions decide what comes out.
        cache: its folder.
    """

    variant: Variant
    threads: int
    source: str
    samples: str | None
    tools: tuple[str, ...]
    cache: str


@dataclass(frozen=True, kw_only=True)
class VariantPrepared:
    """What a backend runs is there.

    Attributes:
        folder: of the cache.
        made: whether it was made just now, and not found there.
    """

    folder: str
    made: bool
