from __future__ import annotations

from dataclasses import replace

import pytest

from inferometer.core.lines import attempt, lines
from inferometer.core.record import Failure, Record
from inferometer.core.workload import Shape, Target, Variant, Workload


def record(batch=4, size=224, failure=None, model="net", **figures):
    variant = Variant(model=model, backend="torch", precision="fp32")
    return Record(
        workload=Workload(
            variant=variant,
            target=Target(device="cpu", threads=1),
            shape=Shape(batch_size=batch, input_size=size),
        ),
        status="failed" if failure else "ok",
        failure=failure,
        figures=figures,
    )


def skipped(kind, batch):
    failure = Failure(stage="measure", kind=kind, message="so it went")
    return replace(record(batch, failure=failure), status="skipped")


def failed(kind, stage="measure", batch=4):
    return record(batch, failure=Failure(stage=stage, kind=kind, message="so it went"))


MEASURED = {
    "latency_median_s": 0.1,
    "latency_ci_low_s": 0.08,
    "latency_ci_high_s": 0.125,
    "latency_processes": 3,
}


def test_a_line_holds_what_differs_in_its_batch_alone_and_was_tried():
    records = [record(1), record(8), record(1, 448), record(1, model="other")]
    records += [skipped("budget", 16), skipped("out_of_memory", 32)]
    found = lines(records)
    assert [[one.workload.batch_size for one in line] for line in found.values()] == [
        [1, 8],
        [1],
        [1],
    ]


def test_the_rate_is_that_of_the_median_and_its_interval_is_turned_over():
    point = attempt(record(**MEASURED))
    assert point.rate == pytest.approx(40)
    assert (point.low, point.high) == (pytest.approx(32), pytest.approx(50))
    assert point.allowance == 0


@pytest.mark.parametrize(
    "change", [{"latency_processes": 1}, {"latency_ci_low_s": None}, {"latency_ci_low_s": 0.0}]
)
def test_something_is_allowed_where_no_interval_holds_all(change):
    assert attempt(record(**{**MEASURED, **change})).allowance == 0.25


def test_more_is_allowed_where_a_neighbour_was_seen():
    assert attempt(record(**MEASURED, verdict="contended")).allowance == 1
    assert attempt(record(**MEASURED, verdict="throttled")).allowance == 0


def test_a_record_without_a_latency_is_no_point():
    assert attempt(record()) is None


@pytest.mark.parametrize(
    ("kind", "stage", "hopeful"),
    [
        ("out_of_memory", "warmup", True),
        ("timeout", "measure", True),
        ("out_of_memory", "load", False),
        ("crash", "measure", False),
    ],
)
def test_only_memory_and_time_may_suffice_for_a_smaller_batch(kind, stage, hopeful):
    point = attempt(failed(kind, stage))
    assert (point.rate, point.failure, point.hopeful) == (None, kind, hopeful)
