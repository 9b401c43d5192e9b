"""Quantities with a unit, a direction and, where there is one, an interval."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Direction = Literal["lower", "higher"]
"""Which way is better."""


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A quantity that is measured: its field in the exported record, its unit, which way is better.

    Attributes:
        field: name of the field in the exported record, SI unit in the name.
        label: the words a reader sees on an axis or in a heading.
        unit: SI unit symbol.
        better: whether lower or higher values are better.
    """

    field: str
    label: str
    unit: str
    better: Direction


LATENCY = Metric(field="latency_mean_s", label="latency per call", unit="s", better="lower")
THROUGHPUT = Metric(field="throughput_per_s", label="throughput", unit="inputs/s", better="higher")
PEAK_MEMORY = Metric(field="peak_memory_bytes", label="peak memory", unit="B", better="lower")


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A figure with its interval, or with none where the data cannot support one.

    Attributes:
        value: the estimate, in the unit of its metric.
        low: lower end of the interval; None where there is no interval.
        high: upper end of the interval; None where there is no interval.
        confidence: nominal coverage of the interval, 0 to 1.
        method: how the interval was made, in a few words.
        n: number of observations behind it.
    """

    value: float
    low: float | None
    high: float | None
    confidence: float
    method: str
    n: int

    @property
    def relative_half_width(self) -> float | None:
        """Half the interval over the value; None where there is no interval or the value is 0."""
        if self.low is None or self.high is None or self.value == 0:
            return None
        return (self.high - self.low) / 2 / abs(self.value)
