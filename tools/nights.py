"""Writes a store of sixty simulated nights, for the pages about runs over time.

    python tools/nights.py STORE [DEVICE …]

Each night one of the devices, drawn by chance, measured resnet18 and the control beside it. Devices
move by 15 % from night to night, of which the control tells; from the 45th night on, with a new
version of torch, resnet18 is 8 % slower.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from inferometer.core.record import Record, Value
from inferometer.core.run import Run
from inferometer.core.workload import Shape, Target, Variant, Workload, control_at
from inferometer.store import open_store

FIRST = datetime(2026, 10, 2, 3, tzinfo=UTC)
NIGHTS, SLOWER_FROM, SLOWER_BY = 60, 45, 1.08
MOVES, OWN = 0.15, 0.015
"""Standard deviations of what a night does to all workloads, and of what it does to one alone."""
HALF = 0.01
"""Half-width of the intervals of latencies."""
MODEL = Workload(
    variant=Variant(model="resnet18", backend="torch", precision="fp32"),
    target=Target(threads=2),
    shape=Shape(batch_size=1, input_size=224),
)


def runs(devices: Sequence[str]) -> Iterator[tuple[Run, list[Record]]]:
    """The nights, with their records."""
    random = np.random.default_rng(54)
    speeds = np.exp(random.normal(0, MOVES, len(devices)))
    for night in range(1, NIGHTS + 1):
        which = int(random.integers(len(devices)))
        machine = speeds[which] * np.exp(random.normal(0, MOVES))
        late = night >= SLOWER_FROM
        own = np.exp(random.normal(0, OWN)) * (SLOWER_BY if late else 1)
        torch = "2.13.0" if late else "2.12.1"
        yield (
            _run(night, devices[which], torch),
            [_record(MODEL, 0.036 * machine * own), _record(control_at(2), 0.004 * machine)],
        )


def _run(night: int, device: str, torch: str) -> Run:
    began = (FIRST + timedelta(days=night - 1)).timestamp()
    return Run(
        id=hashlib.sha256(f"night {night}".encode()).hexdigest()[:8],
        study="nightly",
        signature="nightly",
        document={},
        device={"name": device},
        software={"torch": torch, "numpy": "2.3.5"},
        planned=2,
        created_at=began,
        finished_at=began + 60,
    )


def _record(workload: Workload, latency_s: float) -> Record:
    low, high = latency_s * (1 - HALF), latency_s * (1 + HALF)
    figures: dict[str, Value] = {
        "latency_median_s": latency_s,
        "latency_mean_s": latency_s,
        "latency_confidence": 0.95,
        "latency_ci_low_s": low,
        "latency_ci_high_s": high,
        "latency_relative_ci_low_s": low,
        "latency_relative_ci_high_s": high,
        "latency_relative_freedom": 10.0,
        "latency_processes": 3,
        "latency_rounds": 12,
        "verdict": "trusted",
    }
    return Record(workload=workload, status="ok", figures=figures)


def main() -> None:
    """Write the store."""
    path, *devices = sys.argv[1:]
    with open_store(Path(path)) as store:
        store.import_runs(runs(devices or ["Raspberry Pi 5"]))


if __name__ == "__main__":
    main()
