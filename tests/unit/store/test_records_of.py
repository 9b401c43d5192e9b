"""Records of a model in all runs of a store."""

from __future__ import annotations

import sqlite3

import pytest
from tests.unit.store.conftest import Make

from inferometer.store import open_store


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "x.db"
    with open_store(path) as store:
        for number in range(3):
            models = ("resnet18", "unet") if number else ("resnet18",)
            run = store.create_run(
                Make.study(models=models), planned=2, device={"name": "board"}, software={}
            )
            for model in models:
                store.put_record(run.id, Make.record(model, latency_median_s=1.0 + number))
    return path


def test_each_comes_with_its_run(path):
    with open_store(path) as store:
        found = store.records_of(["resnet18", "unet", "resnet18", "other"])
        runs = {run.id for run in store.runs()}
    assert [record.workload.variant.model for _, record in found].count("resnet18") == 3
    assert len(found) == 5
    assert {run.id for run, _ in found} == runs
    assert all(record.run["run_id"] == run.id for run, record in found)


def test_models_are_listed(path):
    with open_store(path) as store:
        assert store.models() == ["resnet18", "unet"]


def test_it_reads_by_an_index(path):
    with sqlite3.connect(path) as connection:
        plan = str(
            connection.execute(
                "EXPLAIN QUERY PLAN SELECT * FROM records WHERE model = 'unet'"
            ).fetchall()
        )
    assert "ix_records_model" in plan


def test_a_damaged_record_is_told_of_and_passed_over(path):
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE records SET figures = 'x' WHERE sequence = 1")
    connection.close()
    told = []
    with open_store(path, tell=told.append) as store:
        found = store.records_of(["resnet18"])
    assert len(found) == 2
    assert len(told) == 1
