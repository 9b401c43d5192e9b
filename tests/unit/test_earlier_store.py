"""A store that the first version wrote: it exports, analyses, recomputes and resumes as it did.

`store-of-version-1.json` is what that version itself said of it.
"""

from __future__ import annotations

import gzip
import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from inferometer.analysis.analyse import analyse_runs
from inferometer.analysis.grid import build
from inferometer.core.sweep import Study
from inferometer.figures.summary import summarise
from inferometer.runner.journal import Journal
from inferometer.runner.phases.latency import apparatus
from inferometer.runner.phases.latency.campaign import Campaign
from inferometer.runner.run import missing_workloads
from inferometer.store import open_store
from inferometer.store.transfer import export_rows

from .runner.fakepool import FakeClock, FakePool

DATA = Path(__file__).parents[1] / "data"
SAID = json.loads((DATA / "store-of-version-1.json").read_text(encoding="utf-8"))


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "inferometer.db"
    file.write_bytes(gzip.decompress((DATA / "store-of-version-1.db.gz").read_bytes()))
    return file


@pytest.fixture
def store(path):
    with open_store(path) as opened:
        yield opened


def test_every_exported_field_is_what_it_was(store):
    rows = export_rows(store.records(store.run("latest").id))
    assert [{name: row[name] for name in SAID["export"][0]} for row in rows] == SAID["export"]


def test_workloads_have_the_keys_under_which_they_were_stored(store, path):
    with closing(sqlite3.connect(path)) as raw:
        stored = {key for (key,) in raw.execute("SELECT workload FROM records")}
    run = store.run("latest")
    assert {record.workload.key for record in store.records(run.id)} == stored
    study = Study.from_json(run.document)
    assert {workload.key for workload in study.workloads()} == stored
    assert study.signature == run.signature


def test_figures_follow_from_the_raw_rounds_as_they_did(store):
    run = store.run("latest")
    procedure = Study.from_json(run.document).procedure
    for record in store.records(run.id, with_rounds=True):
        anew = summarise(record.workload, record.rounds, procedure, record.figures)
        compared = {name for name in anew if name.startswith(("latency", "throughput", "verdict"))}
        assert len(compared) > 15
        for name in compared:
            assert anew[name] == record.figures[name], name


def test_findings_are_what_they_were(store):
    run = store.run("latest")
    grid = build(store.records(run.id, with_rounds=True))
    found = analyse_runs(grid, [run]).to_json()
    for kind in ("hypotheses", "anomalies", "scaling"):
        assert len(found[kind]) == len(SAID["analyze"][kind])
    outcomes = [one["outcome"] for one in found["hypotheses"]]
    assert outcomes == [one["outcome"] for one in SAID["analyze"]["hypotheses"]]
    for now, before in zip(found["scaling"], SAID["analyze"]["scaling"], strict=True):
        figures = before.keys() - {"sentence"}  # its words may change
        assert {name: now[name] for name in figures} == {name: before[name] for name in figures}


def test_a_run_of_it_resumes_from_its_rounds(path, monkeypatch):
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("UPDATE runs SET finished_at = NULL")
        raw.execute("DELETE FROM records")
        raw.commit()
    with open_store(path) as store:
        run = store.run("latest")
        study = Study.from_json(run.document)
        clock = FakeClock()
        pool = FakePool(clock, kill_after=0)
        monkeypatch.setattr(apparatus, "WorkerPool", pool)
        journal = Journal(store=store, run=run, done=0, listener=lambda _: None)
        # With limits that are met, what is stored is all that the figures may come from.
        procedure = replace(study.procedure, budget_s=None, max_time_s=1.0, span_s=0.0)
        missing = missing_workloads(study, [], retry_failed=False)
        Campaign(apparatus.Apparatus(procedure, journal, constants={})).execute(missing)
        rows = export_rows(store.records(run.id))
    for now, before in zip(rows, SAID["export"], strict=True):
        for name in ("latency_median_s", "latency_mean_s", "latency_calls", "latency_processes"):
            # But for the time that reading the clock takes, which each process finds anew.
            assert now[name] == pytest.approx(before[name], rel=1e-4), (now["model"], name)
