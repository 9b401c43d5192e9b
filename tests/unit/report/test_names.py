"""Names break after separators, and tables turn where they would break in a word."""

from __future__ import annotations

import io
import re

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from inferometer.report.terminal.names import Name, broken, longest_piece
from inferometer.report.terminal.output import bare_table, print_table
from inferometer.report.terminal.table import print_latencies

WORDS = st.lists(st.text("abc123", min_size=1, max_size=9), min_size=1, max_size=6)
NAMES = st.builds(lambda words, sign: sign.join(words), WORDS, st.sampled_from("_.-/:"))


@given(name=NAMES, extra=st.integers(0, 10))
def test_a_name_breaks_after_a_separator_alone(name, extra):
    width = longest_piece(name) + 1 + extra
    lines = broken(name, width)
    assert "".join(lines) == name
    assert all(cell_len(line) <= width for line in lines)
    assert all(line[-1] in "_.-/:" for line in lines[:-1])


@given(name=NAMES, width=st.integers(1, 12))
def test_no_line_is_too_long_and_nothing_is_lost(name, width):
    lines = broken(name, width)
    assert "".join(lines) == name
    assert all(cell_len(line) <= width for line in lines)


def shown(table, width):
    out = Console(file=io.StringIO(), width=width)
    print_table(out, table)
    return out.file.getvalue().splitlines()


def test_a_column_of_names_gives_way_at_separators():
    table = bare_table()
    table.add_column("model", overflow="fold")
    table.add_column("time", no_wrap=True)
    table.add_row(Name("  mobilenet_v3_small_digits"), "12.3 ms")
    assert shown(table, 40) == [
        "model                        time", "  mobilenet_v3_small_digits  12.3 ms"
    ]  # fmt: skip
    assert [line.split("  12")[0].rstrip() for line in shown(table, 26)[1:]] == [
        "  mobilenet_v3_", "  small_digits"
    ]  # fmt: skip


def grid_of(record, *, models, width=80, shapes=(1,)):
    records = [
        record(f"nets.py:{model}", batch=batch, backend=backend, half_s=0.002)
        for model in models
        for backend in ("torch", "onnxruntime", "openvino")
        for batch in shapes
    ]
    out = Console(file=io.StringIO(), width=width)
    print_latencies(records, console=out)
    return out.file.getvalue()


MODELS = ("resnet18_digits", "squeezenet1_0_digits", "mobilenet_v3_small_digits")


def test_a_table_of_many_variants_turns_to_a_row_for_each(record):
    text = grid_of(record, models=MODELS)
    lines = text.splitlines()
    at = lines.index("squeezenet1_0_digits")
    assert re.fullmatch(r"  torch +– +40\.0 ± 2\.0 ms", lines[at + 1])  # noqa: RUF001
    assert lines[at + 2].startswith("  onnxruntime ")
    assert max(map(cell_len, lines)) <= 80


def test_a_wide_terminal_is_used(record):
    assert "squeezenet1_0_digits\n" not in grid_of(record, models=MODELS, width=200)


def test_shapes_that_do_not_fit_beside_each_other_follow_below(record):
    text = grid_of(record, models=MODELS, shapes=(1, 2, 4, 8, 16, 32))
    assert text.count("size/batch") > 1
    assert text.count("40.0 ± 2.0 ms") == 9 * 6
    assert max(map(cell_len, text.splitlines())) <= 80
