"""What is measured: a variant of a model, on a target, at one shape."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

Options = tuple[tuple[str, str], ...]
"""Pairs of name and value, sorted by name: `(("memory_format", "channels_last"),)`."""
CONTROL = "builtin:control-v1"
"""The model that shows how fast the machine is, whatever the others of a run do."""


@dataclass(frozen=True, kw_only=True, order=True)
class Variant:
    """What would be deployed: a model in one runtime at one precision, with options of that.

    Attributes:
        model: the model reference exactly as the user gave it, such as `resnet18`.
        backend: name of the runtime, such as `torch`.
        precision: `fp32`, `bf16`, `fp16` …
        options: of the backend, sorted by name; none is what the backend does by itself.
    """

    model: str
    backend: str
    precision: str
    options: Options = ()

    def __post_init__(self) -> None:
        """Check the order, on which keys of workloads rest.

        Raises:
            ValueError: the options are not sorted, or one is there twice.
        """
        names = [name for name, _ in self.options]
        if names != sorted(set(names)):
            raise ValueError(f"options are not sorted, each once: {', '.join(names)}")

    @property
    def options_text(self) -> str:
        """For people: `graph_optimization=all spinning=off`; empty without options."""
        return " ".join(f"{name}={value}" for name, value in self.options)


@dataclass(frozen=True, kw_only=True)
class Target:
    """Where a variant runs on the host.

    Attributes:
        device: `cpu`, `cuda`, `cuda:1`, `mps`.
        threads: threads that the runtime may use; None where unknown (an imported table).
    """

    device: str = "cpu"
    threads: int | None = None


@dataclass(frozen=True, kw_only=True)
class Shape:
    """How much goes into a call.

    Attributes:
        batch_size: samples per call.
        input_size: height and width of an image or length of a sequence; None for the model's own.
    """

    batch_size: int
    input_size: int | None

    @property
    def order(self) -> tuple[int, int]:
        """A key that sorts by input size, the models' own first, then by batch size."""
        return (self.input_size or 0, self.batch_size)

    @property
    def label(self) -> str:
        """For people: `224/8`, input size before batch size."""
        return f"{size_label(self.input_size)}/{self.batch_size}"


def size_label(input_size: int | None) -> str:
    """An input size for people: `224`, or `own`."""
    return "own" if input_size is None else str(input_size)


@dataclass(frozen=True, kw_only=True)
class Workload:
    """One point of a sweep.

    Attributes:
        variant: what runs.
        target: device and threads on the host.
        shape: on how much.
    """

    variant: Variant
    target: Target
    shape: Shape

    @property
    def device(self) -> str:
        """The target's."""
        return self.target.device

    @property
    def threads(self) -> int | None:
        """The target's."""
        return self.target.threads

    @property
    def batch_size(self) -> int:
        """The shape's."""
        return self.shape.batch_size

    @property
    def input_size(self) -> int | None:
        """The shape's."""
        return self.shape.input_size

    @property
    def is_control(self) -> bool:
        """Whether it is fixed work that nobody would deploy."""
        return self.variant.model == CONTROL

    def at(self, batch_size: int) -> Workload:
        """The same at another batch size."""
        return replace(self, shape=replace(self.shape, batch_size=batch_size))

    def to_json(self) -> dict[str, Any]:
        """The workload as a flat JSON object; `from_json` reads it back.

        Without options there is no key `options`: stored runs are found by the digest of this.
        """
        flat = {
            "model": self.variant.model,
            "backend": self.variant.backend,
            "precision": self.variant.precision,
            "device": self.device,
            "threads": self.threads,
            "batch_size": self.batch_size,
            "input_size": self.input_size,
        }
        return {**flat, "options": dict(self.variant.options)} if self.variant.options else flat

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Workload:
        """Read what `to_json` wrote."""
        return cls(
            variant=Variant(
                **{name: data[name] for name in ("model", "backend", "precision")},
                options=tuple(sorted(data.get("options", {}).items())),
            ),
            target=Target(device=data["device"], threads=data["threads"]),
            shape=Shape(batch_size=data["batch_size"], input_size=data["input_size"]),
        )

    @property
    def key(self) -> str:
        """Digest of the canonical JSON: the same workload has the same key in every run."""
        return digest(self.to_json())

    @property
    def label(self) -> str:
        """For people: `resnet18 224/8`, with what else matters where it is not the usual."""
        variant = self.variant
        extra = [
            part
            for part, usual in (
                (variant.backend, "torch"),
                (variant.precision, "fp32"),
                (self.device, "cpu"),
            )
            if part not in (usual, "unknown")
        ]
        extra += [f"{name}={value}" for name, value in variant.options]
        size = "own size" if self.input_size is None else str(self.input_size)
        return " ".join([variant.model, *extra, f"{size}/{self.batch_size}"])


def control_at(threads: int | None) -> Workload:
    """The control of a run whose workers have so many threads."""
    return Workload(
        variant=Variant(model=CONTROL, backend="python", precision="fp32"),
        target=Target(threads=threads),
        shape=Shape(batch_size=1, input_size=None),
    )


def digest(data: object) -> str:
    """Sixteen hexadecimal digits of the SHA-256 of an object's canonical JSON."""
    canonical = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()[:16]
