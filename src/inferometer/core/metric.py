"""Figures with their interval, where there is one."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace


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
        relative_low: lower end of the interval for comparisons with others of the same fit.
        relative_high: its upper end.
        fit: what it was fitted together with; empty where it stands alone.
    """

    value: float
    low: float | None
    high: float | None
    confidence: float
    method: str
    n: int
    relative_low: float | None = None
    relative_high: float | None = None
    fit: str = ""

    def divided(self, by: float) -> Estimate:
        """The estimate and the ends of its intervals over a number above 0."""
        ends = ("low", "high", "relative_low", "relative_high")
        scaled = {name: end / by for name in ends if (end := getattr(self, name)) is not None}
        return replace(self, value=self.value / by, **scaled)

    def inverted(self) -> Estimate:
        """One over the estimate, whose upper ends are missing where the lower ones reach 0."""

        def over(end: float | None) -> float | None:
            return 1 / end if end is not None and end > 0 else None

        return replace(
            self,
            value=1 / self.value,
            low=over(self.high),
            high=over(self.low),
            relative_low=over(self.relative_high),
            relative_high=over(self.relative_low),
        )

    def compared(self) -> Estimate:
        """The estimate with the interval for comparisons in place of the other."""
        return replace(self, low=self.relative_low, high=self.relative_high)

    @property
    def log_half_width(self) -> float:
        """Half of the interval of the logarithm; infinite where there is none."""
        if self.low is None or self.high is None or not 0 < self.low <= self.high:
            return math.inf
        return math.log(self.high / self.low) / 2

    @property
    def relative_half_width(self) -> float | None:
        """Half the interval over the value; None where there is no interval or the value is 0."""
        if self.low is None or self.high is None or self.value == 0:
            return None
        return (self.high - self.low) / 2 / abs(self.value)
