"""Figures that should not be believed, or not without an explanation, as they stand."""

from __future__ import annotations

from inferometer.analysis.anomalies.cells import (
    faster_with_more_work,
    few_calls,
    first_call_in_mean,
    jumps,
    off_fit,
    repeated,
)
from inferometer.analysis.anomalies.rounds import device_changed, order_effects
from inferometer.analysis.findings import Anomaly
from inferometer.analysis.grid import Grid

__all__ = ["find_anomalies"]


def find_anomalies(grid: Grid) -> list[Anomaly]:
    """Everything odd in a table, kind by kind; what needs rounds only where there are some."""
    steps = [*faster_with_more_work(grid), *jumps(grid)]
    return [
        *repeated(grid),
        *steps,
        *off_fit(grid, steps),
        *first_call_in_mean(grid),
        *few_calls(grid),
        *device_changed(grid),
        *order_effects(grid),
    ]
