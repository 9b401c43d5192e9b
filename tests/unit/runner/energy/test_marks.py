"""The file in which windows are written down."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pytest

from inferometer.core.errors import InputError
from inferometer.core.record import Round
from inferometer.core.workload import Shape, Target, Variant, Workload
from inferometer.runner.phases.energy.marks import Marks


def test_a_name_that_a_spreadsheet_would_run_is_neutralised(tmp_path):
    variant = Variant(model="=cmd()", backend="torch", precision="fp32")
    workload = Workload(
        variant=variant,
        target=Target(device="cpu", threads=1),
        shape=Shape(batch_size=1, input_size=None),
    )
    done = Round(
        index=0,
        process=0,
        phase="energy",
        started_at=1e9,
        calls_per_value=1,
        settle=0,
        starts_s=(0.0, 0.1),
        values_s=(0.1, 0.1),
    )
    marks = Marks(tmp_path / "marks.csv")
    marks.write(workload, done)
    marks.close()
    with (tmp_path / "marks.csv").open(encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["workload"] == f"'{workload.label}"
    assert float(row["start_unix_s"]) == 1e9


@pytest.mark.parametrize("name", [".", "n" * 300, "loop", "file", "file/x", "none/x", "~nosuch/x"])
def test_a_place_that_cannot_work_is_a_sentence(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "file").write_text("mine")
    with pytest.raises(InputError) as caught:
        Marks(Path(name))
    assert "\n" not in str(caught.value)
    assert (tmp_path / "file").read_text() == "mine"


def test_what_could_not_be_begun_is_not_left_behind(tmp_path, monkeypatch):
    def full(_descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputError, match="no space left on device"):
        Marks(tmp_path / "marks.csv")
    assert list(tmp_path.iterdir()) == []
