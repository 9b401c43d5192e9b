from __future__ import annotations

import pytest

from inferometer.stats.intervals import independent_mean_interval
from inferometer.store.tables.asked import asked
from inferometer.store.tables.importing import read_runs
from inferometer.store.tables.told import told


@pytest.fixture
def read(tmp_path):
    """Writes a file and reads it as a table."""

    def read(content: str | bytes, name: str = "table.csv", **options):
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return read_runs(path, asked(**options), interval=independent_mean_interval)

    return read


@pytest.fixture
def records(read):
    """The records of the only run of a file."""

    def records(content: str | bytes, name: str = "table.csv", **options):
        (run,) = read(content, name, **options).runs
        return run.records

    return records


@pytest.fixture
def said(read, tmp_path):
    """What is said of a file, in one text."""

    def said(content: str | bytes, name: str = "table.csv", **options) -> str:
        return "\n".join(told(tmp_path / name, read(content, name, **options)))

    return said
