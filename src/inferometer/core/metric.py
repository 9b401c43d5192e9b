"""Figures with their interval, where there is one."""

from __future__ import annotations

from dataclasses import dataclass


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
