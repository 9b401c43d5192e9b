"""Records out of a store: the joint fit is there, and rounds are read only where it is made now."""

from __future__ import annotations

from dataclasses import replace

import pytest

from inferometer.figures import joint
from inferometer.figures.joint import has_joint, joined
from inferometer.figures.reading import records_across, records_of
from inferometer.figures.summary import counted_rounds, counting_rounds
from inferometer.store import Store, open_store

from .test_joint import PROCEDURE, run_of
from .test_joint import records_of as simulated


@pytest.fixture
def store(tmp_path, monkeypatch):
    """A store that notes for which runs rounds were read."""
    with open_store(tmp_path / "x.db") as opened:
        read = Store.records

        def noted(self, run_id, *, with_rounds=False):
            opened_for.extend([run_id] if with_rounds else [])
            return read(self, run_id, with_rounds=with_rounds)

        opened_for: list[str] = []
        monkeypatch.setattr(Store, "records", noted)
        yield opened, opened_for


def put(store, device="box", *, with_fit, **more):
    wanted = run_of(device=device)
    records, _ = simulated(wanted, **more)
    study = joint.Study.from_json(wanted.document)
    run = store.create_run(study, planned=len(records), device={"name": device}, software={})
    for record in joined(wanted, records) if with_fit else records:
        store.put_record(run.id, record, record.rounds)
    return run


def test_a_run_whose_fit_is_stored_is_read_without_its_rounds(store):
    opened, rounds_of = store
    run = put(opened, with_fit=True)
    assert all(map(has_joint, records_of(opened, run)))
    assert rounds_of == []


def test_a_run_without_a_fit_gets_one(store):
    opened, rounds_of = store
    run = put(opened, with_fit=False)
    assert all(map(has_joint, records_of(opened, run)))
    assert rounds_of == [run.id]


def test_a_run_too_large_for_a_fit_is_not_looked_at(store, monkeypatch):
    opened, rounds_of = store
    run = put(opened, with_fit=False)
    monkeypatch.setattr(joint, "LARGEST", 10)
    assert not any(map(has_joint, records_of(opened, run)))
    assert rounds_of == []
    records = opened.records(run.id, with_rounds=True)
    monkeypatch.setattr(joint, "counted_rounds", None)  # would fail if it were called
    assert joined(run, records) == records


def test_runs_of_two_devices_are_read_apart_and_of_one_together(store):
    opened, rounds_of = store
    one, other = put(opened, with_fit=True), put(opened, "other", with_fit=True, seed=2)
    same = put(opened, with_fit=True, seed=3, begin=60.0)
    first, second = records_across(opened, one, other)
    assert (rounds_of, first[0].fit, second[0].fit) == ([], "", "")
    first, second = records_across(opened, one, same)
    assert rounds_of == [one.id, same.id]
    assert first[0].fit == second[0].fit != ""


@pytest.mark.parametrize("drop", [0, 3])
def test_rounds_that_count_are_the_same_whether_or_not_they_are_looked_for(drop):
    run = run_of()
    for record in simulated(run)[0]:
        calls = record.figures["latency_calls"] - drop
        known = replace(record, figures={**record.figures, "latency_calls": calls})
        _, looked_for = counting_rounds(record.rounds, PROCEDURE, record.figures)
        assert counted_rounds(known, PROCEDURE) == looked_for
