"""What is measured: a variant of a model, at one batch size and input size, on one device."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True, order=True)
class Variant:
    """What would be deployed: a model in one runtime at one precision.

    Attributes:
        model: the model reference exactly as the user gave it, such as `resnet18`.
        backend: name of the runtime, such as `torch`.
        precision: `fp32`, `bf16`, `fp16` …
    """

    model: str
    backend: str
    precision: str


@dataclass(frozen=True, kw_only=True)
class Workload:
    """One point of a sweep.

    Attributes:
        variant: what runs.
        device: `cpu`, `cuda`, `cuda:1`, `mps`.
        threads: threads that the runtime may use; None where unknown (an imported table).
        batch_size: inputs per call.
        input_size: height and width of an image or length of a sequence; None for the model's own.
    """

    variant: Variant
    device: str
    threads: int | None
    batch_size: int
    input_size: int | None

    def to_json(self) -> dict[str, Any]:
        """The workload as a flat JSON object; `from_json` reads it back."""
        return {
            "model": self.variant.model,
            "backend": self.variant.backend,
            "precision": self.variant.precision,
            "device": self.device,
            "threads": self.threads,
            "batch_size": self.batch_size,
            "input_size": self.input_size,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Workload:
        """Read what `to_json` wrote."""
        rest = dict(data)
        variant = Variant(**{name: rest.pop(name) for name in ("model", "backend", "precision")})
        return cls(variant=variant, **rest)

    @property
    def key(self) -> str:
        """Digest of the canonical JSON: the same workload has the same key in every run."""
        return digest(self.to_json())

    @property
    def label(self) -> str:
        """For people: `resnet18 224/8`, with the backend and the precision where they say more."""
        extra = [
            part
            for part, usual in (
                (self.variant.backend, "torch"),
                (self.variant.precision, "fp32"),
                (self.device, "cpu"),
            )
            if part not in (usual, "unknown")
        ]
        size = "own size" if self.input_size is None else str(self.input_size)
        return " ".join([self.variant.model, *extra, f"{size}/{self.batch_size}"])


def digest(data: object) -> str:
    """Sixteen hexadecimal digits of the SHA-256 of an object's canonical JSON."""
    canonical = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()[:16]
