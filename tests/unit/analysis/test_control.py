"""The control is a record like any other, and nothing to choose or explain."""

from __future__ import annotations

from dataclasses import replace

from inferometer.analysis.analyse import analyse
from inferometer.analysis.grid import build
from inferometer.analysis.recommend.points import candidates
from inferometer.core.workload import control_at


def with_control(record):
    own = [
        record(model, latency_s=0.02 * batch, half_s=0.001, batch=batch, size=None)
        for model in ("a", "b")
        for batch in (1, 2)
    ]
    return [*own, replace(record(latency_s=0.001, half_s=0.0001), workload=control_at(2))]


def test_it_is_no_candidate(record):
    found = candidates(with_control(record))
    assert {one.record.workload.variant.model for one in found.points} == {"a", "b"}


def test_it_is_in_no_finding(record):
    records = with_control(record)
    assert analyse(build(records)) == analyse(build(records[:-1]))
