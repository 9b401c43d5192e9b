"""Record → its latency taken apart: what the roofline explains of it, and what it does not."""

from __future__ import annotations

from dataclasses import dataclass

from inferometer.analysis.grid import measured
from inferometer.core.record import Record


@dataclass(frozen=True, kw_only=True)
class Parts:
    """A latency and what its parts take at the measured rates, seconds per call.

    They are a model, not lower bounds: a runtime that fuses operators moves less.

    Attributes:
        latency_s: as measured.
        arithmetic_s: operators that the arithmetic limits, at the attained rate.
        moving_s: operators that moving their inputs and outputs limits, at the rate of the memory
            or, where they fit, of the caches.
        dispatch_s: dispatch overhead of the operators; None where it is not known.
        overlaps: whether the device works while operators are dispatched, as accelerators do.
    """

    latency_s: float
    arithmetic_s: float
    moving_s: float
    dispatch_s: float | None
    overlaps: bool

    @property
    def work_s(self) -> float:
        """All operators at the roofline."""
        return self.arithmetic_s + self.moving_s

    @property
    def explained_s(self) -> float:
        """What these take together: the sum, or the longer where dispatch overlaps with work."""
        dispatch = self.dispatch_s or 0.0
        return max(self.work_s, dispatch) if self.overlaps else self.work_s + dispatch

    @property
    def unexplained_s(self) -> float:
        """What none of them explains; below 0 where they together take longer than the call did."""
        return self.latency_s - self.explained_s

    def share(self, part_s: float) -> float:
        """A part as a share of the latency."""
        return part_s / self.latency_s


def parts_of(record: Record | None) -> Parts | None:
    """The parts of a record's latency; None without a latency or a roofline."""
    latency = measured(record)
    if record is None or latency is None:
        return None
    work, moving = record.number("operator_roof_latency_s"), record.number("memory_bound_share")
    if work is None or moving is None:
        return None
    return Parts(
        latency_s=latency.value,
        arithmetic_s=work * (1 - moving),
        moving_s=work * moving,
        dispatch_s=record.number("dispatch_latency_s"),
        overlaps=not record.workload.device.startswith("cpu"),
    )


def flops_per_s(record: Record | None) -> float | None:
    """Floating-point operations per second that a call attained; None where either is unknown."""
    latency = measured(record)
    flops = None if record is None or unknown_operators(record) else record.number("flops")
    return None if latency is None or not flops else flops / latency.value


def bound_share(record: Record) -> float | None:
    """The roofline bound over the latency; as it was stored where either is not known.

    Earlier versions stored it over the median before the joint fit.
    """
    latency, bound_s = measured(record), record.number("roof_latency_s")
    if latency is None or bound_s is None:
        return record.number("roof_share")
    return bound_s / latency.value


def unknown_operators(record: Record) -> list[str]:
    """Operators whose operations are in no sum of a record: its MACs are a lower bound then."""
    found = record.figures.get("unknown_operators")
    return [str(name) for name in found] if isinstance(found, list) else []
