"""The closing lines: the first screen of the report, and a command that can be copied."""

from __future__ import annotations

import io

from rich.cells import cell_len
from rich.console import Console

from inferometer.report.document.sources import RunRecords
from inferometer.report.terminal.closing import print_closing


def closing(run, records, in_store=""):
    out = Console(file=io.StringIO(), width=80)
    print_closing([RunRecords(run=run, records=tuple(records))], in_store, console=out)
    return out.file.getvalue()


def test_the_order_is_that_of_the_page(run, lab):
    text = closing(run, lab)
    places = [
        text.index(part)
        for part in ("fastest", "Precision ", "Disturbed ", "Missing ", "with parameters", run.id)
    ]
    assert places == sorted(places)
    assert max(map(cell_len, text.splitlines()[:-1])) <= 80


def test_the_command_says_where_the_store_is(run, lab):
    last = closing(run, lab, " --store my.db").splitlines()[-1]
    assert last.startswith("  inferometer ")
    assert last.endswith(" --store my.db")


def test_a_run_without_records_has_none(run):
    assert closing(run, []) == ""


def test_what_cannot_be_tested_is_left_out(run, record):
    assert "untestable" not in closing(run, [record()])
