"""What a device can do at best, as a short probe measured it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Attained:
    """The best rate of a probe, and how far its repetitions were apart.

    Attributes:
        best: the highest rate of all repetitions, per second.
        median: their median, per second.
        repeats: how many there were.
        what: what was run, such as `matrix product 2048x2048`.
    """

    best: float
    median: float
    repeats: int
    what: str


@dataclass(frozen=True, kw_only=True)
class Roof:
    """Attainable rates of one device, at one precision and number of threads.

    Attributes:
        device: `cpu`, `cuda` …
        precision: of the arithmetic and of the elements moved.
        threads: threads that the runtime used.
        flops: floating-point operations per second of a large matrix product.
        memory: bytes per second of a triad over arrays that no cache holds, reads and writes
            counted (not the reads that a write may cause).
        cache: bytes per second of a triad over arrays that fit into the caches; None where that
            makes no sense.
        dispatch_s: seconds that the runtime takes to start one operator with next to no work.
        at: Unix time of the probe, seconds.
    """

    device: str
    precision: str
    threads: int
    flops: Attained
    memory: Attained
    cache: Attained | None
    dispatch_s: float
    at: float

    def to_json(self) -> dict[str, Any]:
        """As a JSON object; `from_json` reads it back."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Roof:
        """Read what `to_json` wrote."""
        rest = dict(data)
        for name in ("flops", "memory", "cache"):
            rest[name] = None if rest[name] is None else Attained(**rest[name])
        return cls(**rest)
