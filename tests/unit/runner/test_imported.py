"""Bundles without figures: what follows from their rounds and readings, once and in parts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from inferometer.core.energy import SourceInfo
from inferometer.core.errors import ImportFileError
from inferometer.core.procedure import Procedure
from inferometer.core.record import Failure, Record, Round
from inferometer.core.run import Run
from inferometer.core.sweep import Study, Sweep
from inferometer.figures.joint import has_joint
from inferometer.figures.summary import summarise
from inferometer.runner.imported import figured, take_in
from inferometer.store import open_store
from inferometer.store.bundle import (
    Bundle,
    PowerReadings,
    bundle_bytes,
    bundle_of,
    read_bundle,
)

STUDY = Study(name="pi", sweep=Sweep(models=("a", "b", "c"), threads=2), procedure=Procedure())
A, B, C = STUDY.workloads()
CLOCK_S = 1e-5
RUN = Run(
    id="0badcafe",
    study="pi",
    signature=STUDY.signature,
    document=STUDY.to_json(),
    device={"name": "Pi"},
    software={"python": "3.6.9"},
    planned=3,
    created_at=1.7e9,
    finished_at=1.7e9 + 600,
)


def rounds_of(place, median_s, *, processes=3, count=4):
    """Interleaved rounds of a workload, with a warm-up for each of its processes."""
    rng = np.random.default_rng(place)
    made = []
    for process in range(processes):
        for number in range(-1, count):
            index = (process * (count + 1) + number + 1) * 3 + place
            values = median_s * np.exp(rng.normal(0, 0.01, 12)) * (1 + 0.005 * process)
            made.append(
                Round(
                    index=index,
                    process=process,
                    phase="warmup" if number < 0 else "measure",
                    started_at=1.7e9 + 2.0 * index,
                    calls_per_value=1,
                    settle=0 if number < 0 else 2,
                    starts_s=tuple(np.arange(12) * median_s * 1.2),
                    values_s=tuple(values),
                )
            )
    return tuple(made)


FACTS = {"latency_timer_overhead_s": CLOCK_S, "first_call_s": 0.5, "notes": ["sent by the board"]}
ROUNDS = {A.key: rounds_of(0, 0.010), B.key: rounds_of(1, 0.020)}
FAILED = Record(
    workload=C, status="failed", failure=Failure(stage="load", kind="crash", message="It died.")
)
RAW = Bundle(
    run=RUN,
    records=(*(Record(workload=one, status="ok", figures=FACTS) for one in (A, B)), FAILED),
    rounds=ROUNDS,
    raw=True,
)


@pytest.fixture
def store(tmp_path):
    with open_store(tmp_path / "x.db") as opened:
        yield opened


def sent(bundle):
    """As it is read from the file."""
    return read_bundle(bundle_bytes(bundle), "agent.json")


def part(*workloads, count=None, finished=False):
    """What a board has so far."""
    keys = [one.key for one in workloads]
    return replace(
        RAW,
        run=replace(RUN, finished_at=RUN.finished_at if finished else None),
        records=tuple(one for one in RAW.records if one.workload in workloads),
        rounds={key: ROUNDS[key][:count] for key in keys if key in ROUNDS},
    )


def test_figures_are_those_that_a_run_makes_of_the_same_rounds(store):
    found = take_in(store, sent(RAW))
    assert (len(found.records), len(found.rounds)) == (3, 30)
    first, second, failed = store.records(RUN.id)
    alone = summarise(A, ROUNDS[A.key], STUDY.procedure, FACTS)
    assert first["latency_mean_s"] == alone["latency_mean_s"] < 0.0101
    assert first["latency_std_s"] == alone["latency_std_s"]
    assert first["first_call_s"] == 0.5
    assert "sent by the board" in first["notes"]
    assert has_joint(first)
    assert first["latency_ci_low_s"] < 0.01005 - CLOCK_S < first["latency_ci_high_s"]
    assert second["latency_median_s"] / first["latency_median_s"] == pytest.approx(2, rel=0.01)
    assert first["verdict"] == "unknown"  # the board showed no signals
    assert first["usable_for"] is not None
    assert failed.failure == FAILED.failure
    assert store.run(RUN.id).origin == "measured"


def test_the_same_bundle_adds_nothing_and_leaves_the_figures_alone(store):
    take_in(store, sent(RAW))
    before = bundle_bytes(bundle_of(store, RUN.id))
    assert take_in(store, sent(RAW)).is_nothing
    changed = replace(store.records(RUN.id)[0], figures={"latency_mean_s": 7.0, **FACTS})
    store.put_record(RUN.id, changed)  # as another version would have made them
    assert take_in(store, sent(RAW)).is_nothing
    assert store.records(RUN.id)[0]["latency_mean_s"] == 7.0
    assert b"7.0" not in before


def test_parts_of_a_run_make_the_figures_of_the_whole(store, tmp_path):
    take_in(store, sent(part(A, count=7)))
    take_in(store, sent(part(A)))
    assert not any(map(has_joint, store.records(RUN.id)))
    take_in(store, sent(part(B)))  # the rest alone, as a board that forgets would send it
    take_in(store, sent(part(A, B, C, finished=True)))
    with open_store(tmp_path / "whole.db") as whole:
        take_in(whole, sent(RAW))
        assert bundle_bytes(bundle_of(store, RUN.id)) == bundle_bytes(bundle_of(whole, RUN.id))
    assert take_in(store, sent(part(A))).is_nothing


def test_what_says_something_else_is_refused_and_changes_nothing(store):
    take_in(store, sent(RAW))
    before = bundle_bytes(bundle_of(store, RUN.id))
    (first, *others), (done, *rest) = RAW.records, ROUNDS[A.key]
    other_round = replace(done, values_s=tuple(2 * one for one in done.values_s))
    other_fact = replace(first, figures={**FACTS, "first_call_s": 0.6})
    for bad, sentence in (
        (replace(RAW, rounds={**ROUNDS, A.key: (other_round, *rest)}), "other observations"),
        (replace(RAW, records=(other_fact, *others)), "another outcome"),
        (replace(RAW, records=(replace(FAILED, workload=A), *others)), "another outcome"),
    ):
        with pytest.raises(ImportFileError, match=sentence):
            take_in(store, sent(bad))
    assert bundle_bytes(bundle_of(store, RUN.id)) == before


def test_figures_that_a_board_makes_up_are_not_taken(store):
    lied = {**FACTS, "latency_median_s": 1e-9, "verdict": "trusted", "usable_for": "absolute"}
    records = tuple(replace(one, figures=lied) for one in RAW.records[:2])
    take_in(store, sent(replace(RAW, records=records)))
    assert store.records(RUN.id)[0]["latency_median_s"] > 0.009


def test_a_record_without_a_round_that_counts_is_refused():
    none = replace(RAW, rounds={A.key: ROUNDS[A.key]})
    with pytest.raises(ImportFileError, match="b own size/1 is ok, and no round of it counts"):
        sent(none)


def test_without_its_study_no_figures_can_be_made(store):
    with pytest.raises(ImportFileError, match="has to hold its study"):
        take_in(store, sent(replace(RAW, run=replace(RUN, document={}, origin="imported"))))


def test_durations_of_nothing_make_no_figures(store):
    nothing = {
        key: tuple(replace(one, values_s=(0.0,) * len(one.values_s)) for one in mine)
        for key, mine in ROUNDS.items()
    }
    with pytest.raises(
        ImportFileError, match="no figures can be made of the rounds of a own size/1"
    ):
        take_in(store, sent(replace(RAW, rounds=nothing)))
    assert store.runs() == []


def windows(count=6, watts=5.0, idle_w=2.0):
    """Rounds of work and idling in one process, and the readings of a sensor meanwhile."""
    made, at, power = [], 1.7e9 + 1000, []
    index = 1000

    def add(phase, seconds, values, level):
        nonlocal at, index
        starts = tuple(np.linspace(0, seconds, values, endpoint=False))
        made.append(
            Round(
                index=index, process=9, phase=phase, started_at=at, calls_per_value=1, settle=0,
                starts_s=starts, values_s=(seconds / values,) * values,
            )
        )  # fmt: skip
        power.extend((at + t, level) for t in np.arange(0, seconds, 0.05))
        at, index = at + seconds, index + 1

    add("idle", 14, 1, idle_w)
    for number in range(count):
        add("energy", 10 + 0.13 * number, 1000, watts)
        add("idle", 14, 1, idle_w)
    return tuple(made), power


def energy_bundle(*, readings=True):
    made, power = windows()
    info = SourceInfo(
        name="ina3221:VDD_IN", kind="ina3221", scope="module_input", method="measured",
        quantity="power", period_s=0.05, resolution=0.001, gain=0.01,
    )  # fmt: skip
    rounds = {**ROUNDS, A.key: (*ROUNDS[A.key], *made)}
    at_s, values = zip(*power, strict=True)
    said = (PowerReadings(info=info, at_s=at_s, values=values),) if readings else ()
    return replace(RAW, rounds=rounds, readings=said)


def test_energy_follows_from_the_windows_and_the_readings_of_the_board(store):
    take_in(store, sent(energy_bundle()))
    first, second, _ = store.records(RUN.id)
    assert first["energy_per_inference_j"] == pytest.approx(5.0 * 10.325 / 1000, rel=1e-3)
    assert first["energy_net_per_inference_j"] == pytest.approx(3.0 * 10.325 / 1000, rel=1e-3)
    assert first["energy_uncertainty_j"] > 0
    assert (first["energy_source"], first["energy_scope"]) == ("ina3221:VDD_IN", "module_input")
    assert second["energy_per_inference_j"] is None
    assert take_in(store, sent(energy_bundle())).is_nothing


def test_windows_without_readings_wait_for_a_log():
    first = figured(energy_bundle(readings=False)).records[0]
    assert first["energy_per_inference_j"] is None
    assert "energy attach" in first["energy_reason"]


def test_a_sensor_that_was_lost_gives_the_reason():
    bundle = energy_bundle()
    (one,) = bundle.readings
    lost = replace(bundle, readings=(replace(one, lost="the file is gone"),))
    assert "the file is gone" in figured(lost).records[0]["energy_reason"]
