"""How much memory a workload will need, from its analytical cost and from smaller shapes.

Pure: it knows no worker and no limit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import fmean

from inferometer.core.cost import Cost
from inferometer.core.record import Value

NEAR = 0.5
"""Shapes with at least this share of the largest observed activations are learnt from."""

ERROR = 0.2
"""Share by which a forecast may be too high; what it was seen to be is in docs/method/memory.md."""


@dataclass(frozen=True, kw_only=True)
class Observed:
    """What a shape of the same variant took, bytes.

    Attributes:
        analytical: most results alive at a time, of the analytical cost.
        activation: rise of the resident memory by its calls.
        peak: resident memory at the most.
        inputs: the call's inputs, which are part of the peak; 0 where they are not known, so that
            a forecast learnt from it is that much too high.
    """

    analytical: int
    activation: int
    peak: int
    inputs: int = 0

    @classmethod
    def of(cls, figures: Mapping[str, Value], *, inputs: int = 0) -> Observed | None:
        """Read the figures of a record; None where one of the three is missing."""
        names = "activation_peak_bytes", "memory_activation_bytes", "peak_memory_bytes"
        analytical, activation, peak = (figures.get(name) for name in names)
        if isinstance(analytical, int) and isinstance(activation, int) and isinstance(peak, int):
            found = cls(analytical=analytical, activation=activation, peak=peak, inputs=inputs)
            return found if analytical > 0 else None
        return None


@dataclass(frozen=True, kw_only=True)
class MemoryForecast:
    """What a workload is expected to take.

    Attributes:
        peak: resident memory at the most, bytes.
        least: what its results take by the analytical cost, bytes.
        shapes: how many shapes it was learnt from; with none, the forecast is a lower bound.
    """

    peak: int
    least: int
    shapes: int

    def exceeds(self, limit: int) -> bool:
        """Whether it is clear that the workload does not fit into a limit, bytes.

        Without an observed shape only the analytical results are sure: they alone must exceed it.
        """
        return (self.peak * (1 - ERROR) if self.shapes else self.least) > limit

    def may_exceed(self, limit: int) -> bool:
        """Whether the workload may not fit into a limit, bytes."""
        return self.peak * (1 + ERROR) > limit


def forecast_memory(
    cost: Cost, *, loaded: int | None, observed: Sequence[Observed]
) -> MemoryForecast | None:
    """Peak = what the process holds beside the inputs and the activations + these two.

    The activations are the analytical ones and a slack: blocks that the runtime allocates beside
    them, and free ones that the C library keeps. It grew about as the square root of the
    activations, because large blocks are given back at once. Where a runtime took less than is
    counted (it reuses more), that share is kept.

    Args:
        cost: the workload's analytical cost.
        loaded: bytes that the process holds with the model loaded; None where it is not known.
        observed: smaller shapes of the same variant.

    Returns:
        The forecast; None where nothing is known of what the process holds.
    """
    analytical = cost.activation_peak_bytes
    if not observed:
        if loaded is None or analytical <= 0:
            return None
        peak = loaded + cost.input_bytes + analytical
        return MemoryForecast(peak=peak, least=analytical, shapes=0)
    largest = max(one.analytical for one in observed)
    near = [one for one in observed if one.analytical >= NEAR * largest]
    beside = max(one.peak - one.activation - one.inputs for one in observed)
    activation = analytical + round(fmean(_slack(one, analytical) for one in near))
    return MemoryForecast(
        peak=beside + cost.input_bytes + activation, least=analytical, shapes=len(observed)
    )


def _slack(one: Observed, analytical: int) -> float:
    """Bytes to expect beyond the analytical ones, as of one shape; negative where it took less."""
    slack, times = one.activation - one.analytical, analytical / one.analytical
    return slack * (sqrt(times) if slack > 0 else times)
