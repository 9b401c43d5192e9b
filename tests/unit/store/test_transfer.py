from __future__ import annotations

import builtins
import csv
import io
import json
import os
from dataclasses import replace

import pytest

from inferometer.core.errors import InputError, MissingExtraError
from inferometer.core.record import FIELDS
from inferometer.store.transfer import export_rows, to_csv, to_json, to_parquet

RUN = {"run_id": "0123abcd", "study": "lab", "device_name": "Pi 5", "origin": "measured"}


@pytest.fixture
def records(make):
    ok = make.record(
        latency_mean_s=0.1 + 0.2,
        macs=2**53 + 1,
        steady=False,
        causes=["swap, heavy", 'said "no"'],
        energy_reason="old\rlines",
    )
    return [replace(record, run=RUN) for record in (ok, make.failed())]


def test_a_row_has_every_field_in_order(records):
    assert [list(row) for row in export_rows(records)] == [list(FIELDS)] * 2


def test_json_is_an_array_of_the_rows(records, tmp_path):
    to_json(records, tmp_path / "x.json")
    assert json.loads((tmp_path / "x.json").read_text("utf-8")) == export_rows(records)


def test_csv_says_unknown_true_false_and_lists(records, tmp_path):
    to_csv(records, str(tmp_path / "x.csv"))
    with (tmp_path / "x.csv").open(encoding="utf-8", newline="") as file:
        header, ok, failed = csv.reader(file)
    assert header == list(FIELDS)
    cells = dict(zip(header, ok, strict=True))
    assert cells["latency_mean_s"] == "0.30000000000000004"
    assert cells["macs"] == "9007199254740993"
    assert cells["steady"] == "false"
    assert cells["latency_target_met"] == ""
    assert json.loads(cells["causes"]) == ["swap, heavy", 'said "no"']
    assert cells["energy_reason"] == "old\rlines"
    assert dict(zip(header, failed, strict=True))["failure_kind"] == "out_of_memory"


def test_csv_of_no_records_is_its_header():
    stream = io.BytesIO()
    to_csv([], stream)
    assert stream.getvalue().decode() == ",".join(FIELDS) + "\n"


def test_parquet_has_typed_columns(records, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    to_parquet(records, tmp_path / "x.parquet")
    table = parquet.read_table(tmp_path / "x.parquet")
    assert table.to_pylist() == export_rows(records)
    types = {name: str(table.schema.field(name).type) for name in FIELDS}
    assert types["macs"] == "int64"
    assert types["accuracy"] == "double"  # without a single value
    assert types["steady"] == "bool"
    assert types["causes"] == "list<element: string>"


def test_parquet_without_pyarrow_says_what_to_install(records, tmp_path, monkeypatch):
    real = builtins.__import__

    def without_pyarrow(name, *args, **kwargs):
        if name.startswith("pyarrow"):
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without_pyarrow)
    with pytest.raises(MissingExtraError, match=r"pip install 'inferometer\[parquet\]'"):
        to_parquet(records, tmp_path / "x.parquet")
    assert list(tmp_path.iterdir()) == []


class TestFile:
    def test_is_replaced_whole(self, records, tmp_path):
        path = tmp_path / "x.json"
        path.write_text("old" * 100_000)
        to_json(records, path)
        assert len(json.loads(path.read_text("utf-8"))) == 2
        assert list(tmp_path.iterdir()) == [path]

    def test_that_cannot_be_written_is_an_error_and_leaves_nothing(self, records, tmp_path):
        with pytest.raises(InputError, match=r"nowhere/x\.json: it cannot be written"):
            to_json(records, tmp_path / "nowhere" / "x.json")
        with pytest.raises(InputError, match="cannot be written: a folder, not a file"):
            to_json(records, tmp_path)
        assert list(tmp_path.iterdir()) == []

    def test_that_is_a_link_stays_one(self, records, tmp_path):
        link, path = tmp_path / "link.json", tmp_path / "x.json"
        link.symlink_to(path)
        to_json(records, link)
        assert link.is_symlink()
        assert len(json.loads(path.read_text("utf-8"))) == 2

    def test_that_is_a_device_is_written_to_and_not_replaced(self, records):
        to_json(records, os.devnull)
        assert not os.path.isfile(os.devnull)  # noqa: PTH113 - a device is meant


def test_json_holds_no_character_that_acts_on_a_terminal(records, tmp_path):
    name = "\x1b[2J\x7f\x9b\u202e\u2066\xad\ue000\U000e0001 caf\xe9 \U0001f600"
    (record,) = [replace(records[0], run=RUN | {"study": name})]
    to_json([record], tmp_path / "x.json")
    text = (tmp_path / "x.json").read_text("utf-8")
    assert json.loads(text) == export_rows([record])
    assert text.replace("\n", "").isprintable()
    assert "caf\xe9 \U0001f600" in text
