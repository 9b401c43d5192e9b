"""Records made by hand."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from inferometer.core.record import Failure, FailureKind, Record, Value
from inferometer.core.workload import Shape, Target, Variant, Workload


def make(
    model: str = "net",
    *,
    batch: int = 1,
    size: int | None = 224,
    latency_s: float | None = 0.04,
    half_s: float | None = None,
    failure: FailureKind | None = None,
    skipped: bool = False,
    message: str = "It went wrong.",
    backend: str = "torch",
    precision: str = "fp32",
    device: str = "cpu",
    threads: int | None = 2,
    run_id: str = "3fa91c02",
    device_name: str = "board",
    **figures: Value,
) -> Record:
    known: dict[str, Value] = {}
    if latency_s is not None:
        known["latency_mean_s"] = latency_s
    if latency_s is not None and half_s is not None:
        known |= {
            "latency_ci_low_s": latency_s - half_s,
            "latency_ci_high_s": latency_s + half_s,
            "latency_confidence": 0.95,
        }
    variant = Variant(model=model, backend=backend, precision=precision)
    return Record(
        workload=Workload(
            variant=variant,
            target=Target(device=device, threads=threads),
            shape=Shape(batch_size=batch, input_size=size),
        ),
        status="skipped" if skipped else "failed" if failure else "ok",
        failure=Failure(stage="measure", kind=failure, message=message) if failure else None,
        figures=known | figures,
        run={"run_id": run_id, "device_name": device_name},
    )


@pytest.fixture
def record() -> Callable[..., Record]:
    return make
