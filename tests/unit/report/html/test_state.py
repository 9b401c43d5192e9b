"""The strip of a machine's state, from rounds to points and words."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from inferometer.core.record import Round
from inferometer.report.document.sources import RunRecords
from inferometer.report.html.state import MOST_POINTS, Strip, place_of, strips

MODELS = ("a", "b", "c", "d")
DISTURBED = range(40, 60)
"""Rounds of the run in which every workload takes twice as long."""


def make_round(at, latency_s, process, begin):
    """A round of calls, the machine being slower while it is disturbed."""
    value_s = latency_s * (2 if at in DISTURBED else 1) * (1 + at % 3 / 100)
    return Round(
        index=at,
        process=process,
        phase="measure",
        started_at=begin + at,
        calls_per_value=1,
        settle=0,
        starts_s=tuple(value_s * n for n in range(5)),
        values_s=(value_s,) * 5,
    )


@pytest.fixture
def measured(run, record):
    """A run of four workloads that take turns, in three processes each."""

    def make(begin=1.79e9, device="cpu"):
        records = []
        for number, model in enumerate(MODELS):
            rounds = tuple(
                make_round(at, 0.01 * 2**number, at // 40, begin)
                for at in range(number, 120, len(MODELS))
            )
            one = record(model, latency_s=0.01 * 2**number)
            target = replace(one.workload.target, device=device)
            workload = replace(one.workload, target=target)
            records.append(replace(one, workload=workload, rounds=rounds))
        return RunRecords(run=run, records=tuple(records))

    return make


def test_a_neighbour_comes_and_goes(measured):
    one = measured()
    (strip,) = strips([one]).values()
    disturbed = [f for at, f in zip(strip.at_s, strip.factor, strict=True) if 42 < at < 58]
    calm = [f for at, f in zip(strip.at_s, strip.factor, strict=True) if not 38 < at < 62]
    assert min(disturbed) > 1.5 * max(calm)
    begin, end = re.search(r"1\.1 times or more from (\d+) to (\d+) s", strip.words).groups()
    assert 36 < int(begin) < 46
    assert 54 < int(end) < 64
    assert "(at most 1." in strip.words


def test_time_is_told_from_the_first_call_of_the_run(measured):
    one = measured()
    first, *others = one.records
    warmed = replace(first.rounds[0], phase="warmup", started_at=1.79e9 - 100)
    records = (replace(first, rounds=(warmed, *first.rounds)), *others)
    (strip,) = strips([replace(one, records=records)]).values()
    assert strip.begin_s == 1.79e9 - 100
    assert strip.at_s[0] == pytest.approx(100, abs=1)


def test_each_device_has_a_state_of_its_own(measured):
    cpu, gpu = measured(), measured(device="cuda")
    both = replace(cpu, records=cpu.records + gpu.records)
    found = strips([both])
    assert set(found) == {place_of(cpu.records[0]), place_of(gpu.records[0])}


def test_without_a_joint_fit_there_is_no_strip(measured):
    one = measured()
    assert strips([replace(one, records=one.records[:1])]) == {}
    bare = tuple(replace(record, rounds=()) for record in one.records)
    assert strips([replace(one, records=bare)]) == {}


def test_of_very_many_points_the_extremes_stay():
    factor = [1.0] * 10_000
    factor[5_000] = 3.0
    strip = Strip(
        begin_s=0.0, at_s=tuple(map(float, range(10_000))), factor=tuple(factor), words=""
    )
    shown = strip.to_json()
    assert len(shown["at"]) == len(shown["factor"]) <= MOST_POINTS
    assert shown["factor"][shown["at"].index(5_000)] == 3.0
