"""How fast a call can be at best on a device, from its operations, its bytes and attained rates.

The roofline of Williams, Waterman and Patterson (Communications of the ACM 52, 2009), with the
caches as a second memory.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Limit = Literal["compute", "memory"]


@dataclass(frozen=True, kw_only=True)
class Rates:
    """What a device attains.

    Attributes:
        flops_per_s: floating-point operations.
        memory_per_s: bytes between memory and the cores.
        cache_per_s: bytes between the caches and the cores; None where there are none, or they
            were not measured: then everything moves at the memory's rate.
        cache_bytes: what the caches hold together; None where nobody knows: then everything may
            have been in them.
    """

    flops_per_s: float
    memory_per_s: float
    cache_per_s: float | None = None
    cache_bytes: int | None = None

    @property
    def fastest_per_s(self) -> float:
        """Bytes per second, from wherever they move fastest."""
        return max(self.memory_per_s, self.cache_per_s or 0.0)

    @property
    def ridge(self) -> float:
        """Operations per byte above which arithmetic limits, and below which the memory does."""
        return self.flops_per_s / self.memory_per_s

    @property
    def held_bytes(self) -> float:
        """Bytes that may come from the caches; infinite where their size is not known."""
        if self.cache_per_s is None:
            return 0.0
        return math.inf if self.cache_bytes is None else float(self.cache_bytes)


@dataclass(frozen=True, kw_only=True)
class Bound:
    """The least time of a call.

    Attributes:
        compute_s: of its arithmetic.
        memory_s: of its bytes.
    """

    compute_s: float
    memory_s: float

    @property
    def latency_s(self) -> float:
        """The longer of the two: at best they overlap."""
        return max(self.compute_s, self.memory_s)

    @property
    def limit(self) -> Limit:
        """Which of the two that is."""
        return "memory" if self.memory_s > self.compute_s else "compute"

    def share(self, latency_s: float) -> float:
        """Bound over a latency: 1 at the roofline; above 1 the roofline is wrong."""
        return self.latency_s / latency_s


def bound(flops: float, moved: float, rates: Rates) -> Bound:
    """The least time of a call that is made again and again with the same weights and inputs.

    What the caches can hold may still be there from the call before, so that only what exceeds
    them has to come from memory; all of it has to come at least from the caches. Both at once
    take the longer time, as long as fetching overlaps.

    Args:
        flops: operations of its multiply-accumulates.
        moved: bytes that it reads and writes at the least, each once.
        rates: of the device.
    """
    beyond = max(moved - rates.held_bytes, 0.0)
    memory_s = max(moved / rates.fastest_per_s, beyond / rates.memory_per_s)
    return Bound(compute_s=flops / rates.flops_per_s, memory_s=memory_s)


@dataclass(frozen=True, kw_only=True)
class Work:
    """Calls of one operator, added up.

    Attributes:
        flops: operations of their multiply-accumulates.
        moved: bytes of their inputs and outputs.
        calls: how often it is called.
    """

    flops: float
    moved: float
    calls: int = 1


@dataclass(frozen=True, kw_only=True)
class OperatorBound:
    """The least time of operators that run one after the other.

    Attributes:
        latency_s: of all together.
        memory_bound_s: of those that bytes limit.
    """

    latency_s: float
    memory_bound_s: float

    @property
    def memory_bound_share(self) -> float | None:
        """Share of the time that goes to operators that bytes limit; None where there is none."""
        return self.memory_bound_s / self.latency_s if self.latency_s else None


def operator_bound(work: Iterable[Work], moved: float, rates: Rates) -> OperatorBound:
    """The least time where each operator reads its inputs and writes its outputs, in turn.

    An operator's bytes come from the caches where they hold what one call of it touches. Weights
    are touched once in a call of the network, though: where the caches cannot hold what such a
    call moves at the least, operators with multiply-accumulates have theirs from memory.

    Args:
        work: the operators.
        moved: bytes that the call of the network moves at the least.
        rates: of the device.
    """
    streams = moved > rates.held_bytes
    total, memory = [], []
    for one in work:
        fits = one.moved / max(one.calls, 1) <= rates.held_bytes
        cached = fits and not (streams and one.flops)
        compute_s = one.flops / rates.flops_per_s
        memory_s = one.moved / (rates.fastest_per_s if cached else rates.memory_per_s)
        total.append(max(compute_s, memory_s))
        memory.append(memory_s if memory_s > compute_s else 0.0)
    return OperatorBound(latency_s=math.fsum(total), memory_bound_s=math.fsum(memory))
