"""What somebody expects of the figures, in a form that can be tested."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["trend", "linear", "ratio"]

FIGURES: dict[str, str] = {
    "latency": "seconds of a call",
    "latency per input": "seconds of a call over its batch size",
    "throughput": "samples per second",
    "energy": "joules of a call",
    "energy per input": "joules of a call over its batch size",
    "memory": "peak memory",
}
"""What a hypothesis can be about."""

AXES = ("batch_size", "input_size", "threads")
"""Factors that a sweep varies while the model stays."""

PROPERTIES = ("parameters", "macs", "flops", "operator_bytes", "activation_bytes")
"""Factors that come with the model."""

FACTORS = (*AXES, *PROPERTIES)

THE_LABS = (
    "latency increases with parameters",
    "latency increases with input size",
    "latency increases with batch size",
)
"""What is tested where a study says nothing."""


@dataclass(frozen=True, kw_only=True)
class Hypothesis:
    """A statement about a figure.

    Attributes:
        text: as it was written.
        kind: `trend` (it rises or falls with a factor), `linear` (in proportion to the factor),
            `ratio` (at one value it is at most or at least so many times that at another).
        figure: a key of `FIGURES`.
        factor: for a trend and for `linear`: one of `FACTORS`.
        rises: for a trend: whether upwards.
        left: for a ratio: the value on the left, such as the name of a model or a precision.
        right: the value on the right.
        bound: the ratio of the figure at the left to that at the right is held against this.
        at_most: whether the bound is an upper one.
    """

    text: str
    kind: Kind
    figure: str
    factor: str = ""
    rises: bool = True
    left: str = ""
    right: str = ""
    bound: float = 1.0
    at_most: bool = True
