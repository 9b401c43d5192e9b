"""How much memory a workload will need, from its activations on paper and from smaller shapes.

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
        paper: most results alive at a time, as counted on paper.
        activation: rise of the resident memory by its calls.
        peak: resident memory at the most.
        inputs: the call's inputs, which are part of the peak; 0 where they are not known, so that
            a forecast learnt from it is that much too high.
    """

    paper: int
    activation: int
    peak: int
    inputs: int = 0

    @classmethod
    def of(cls, figures: Mapping[str, Value], *, inputs: int = 0) -> Observed | None:
        """Read the figures of a record; None where one of the three is missing."""
        names = "activation_peak_bytes", "memory_activation_bytes", "peak_memory_bytes"
        paper, activation, peak = (figures.get(name) for name in names)
        if isinstance(paper, int) and isinstance(activation, int) and isinstance(peak, int):
            found = cls(paper=paper, activation=activation, peak=peak, inputs=inputs)
            return found if paper > 0 else None
        return None


@dataclass(frozen=True, kw_only=True)
class MemoryForecast:
    """What a workload is expected to take.

    Attributes:
        peak: resident memory at the most, bytes.
        least: what its results take on paper, bytes.
        shapes: how many shapes it was learnt from; with none, the forecast is a lower bound.
    """

    peak: int
    least: int
    shapes: int

    def exceeds(self, limit: int) -> bool:
        """Whether it is clear that the workload does not fit into a limit, bytes.

        Without an observed shape only the results on paper are sure: they alone must exceed it.
        """
        return (self.peak * (1 - ERROR) if self.shapes else self.least) > limit

    def may_exceed(self, limit: int) -> bool:
        """Whether the workload may not fit into a limit, bytes."""
        return self.peak * (1 + ERROR) > limit


def forecast_memory(
    cost: Cost, *, loaded: int | None, observed: Sequence[Observed]
) -> MemoryForecast | None:
    """Peak = what the process holds beside the inputs and the activations + these two.

    The activations are those on paper and a slack: blocks that the runtime allocates beside them,
    and free ones that the C library keeps. It grew about as the square root of the activations,
    because large blocks are given back at once. Where a runtime took less than the paper says
    (it reuses more), that share is kept.

    Args:
        cost: of the workload on paper.
        loaded: bytes that the process holds with the model loaded; None where it is not known.
        observed: smaller shapes of the same variant.

    Returns:
        The forecast; None where nothing is known of what the process holds.
    """
    paper = cost.activation_peak_bytes
    if not observed:
        if loaded is None or paper <= 0:
            return None
        return MemoryForecast(peak=loaded + cost.input_bytes + paper, least=paper, shapes=0)
    largest = max(one.paper for one in observed)
    near = [one for one in observed if one.paper >= NEAR * largest]
    beside = max(one.peak - one.activation - one.inputs for one in observed)
    activation = paper + round(fmean(_slack(one, paper) for one in near))
    return MemoryForecast(
        peak=beside + cost.input_bytes + activation, least=paper, shapes=len(observed)
    )


def _slack(one: Observed, paper: int) -> float:
    """What an observed shape lets expect beyond the paper's bytes; negative where it took less."""
    slack, times = one.activation - one.paper, paper / one.paper
    return slack * (sqrt(times) if slack > 0 else times)
