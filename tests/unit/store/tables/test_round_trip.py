"""What is imported exports again, and what was exported imports as the same."""

from __future__ import annotations

import pytest
from tests.data.published_tables import ALL

from inferometer.core.errors import ImportFileError
from inferometer.store import open_store
from inferometer.store.transfer import FORMATS, export_rows

MODEL = {"repetitions": ["latency_ms=TOTAL_LAT"], "two_lines": ["model=column 1"]}


@pytest.mark.parametrize("name", sorted(ALL))
def test_a_table_comes_back_as_it_was_understood(read, tmp_path, name):
    options = {"mapping": MODEL.get(name, []), "table": 2 if name == "readme" else None}
    constant = ["model=net"] if name in ("repetitions", "loadgen", "times") else []
    found = read(ALL[name], **options, constant=constant)
    with open_store(tmp_path / "x.db") as store:
        runs = store.import_runs((part.run, part.records) for part in found.runs)
        records = [record for run in runs for record in store.records(run.id)]
    for file_format in ("csv", "json"):
        content = FORMATS[file_format](records)
        again = [record for part in read(content, "export").runs for record in part.records]
        with open_store(tmp_path / f"{file_format}.db") as store:
            parts = read(content, "export").runs
            stored = store.import_runs((part.run, part.records) for part in parts)
            back = [record for run in stored for record in store.records(run.id)]
        assert len(again) == len(records)
        assert export_rows(back) == export_rows(records)
        assert FORMATS[file_format](back) == content


def test_what_is_refused_stores_nothing(read):
    with pytest.raises(ImportFileError):
        read("model,latency_ms\na,10\nb,fast\n")
