"""The closing lines: the first screen of the report, and a command that can be copied."""

from __future__ import annotations

import io

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from inferometer.report.document.sources import RunRecords
from inferometer.report.terminal.closing import print_closing
from inferometer.report.terminal.output import wrapped


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


def test_no_figure_is_broken_from_its_unit():
    console = Console(file=io.StringIO(), width=80)
    text = Text("it takes 9.8 ± 0.9 ms, the target is ± 5 % of 3 GiB and 2 mm of 4 samples")
    lines = [line.plain.rstrip() for line in wrapped(console, text, 20)]
    assert lines == [
        *("it takes", "9.8 ± 0.9 ms, the", "target is ± 5 % of", "3 GiB and 2 mm of 4"),
        "samples",
    ]
