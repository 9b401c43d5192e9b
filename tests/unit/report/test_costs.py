"""What a report says of costs, memory, starts and rooflines; the truth of the records is planted."""

from __future__ import annotations

import io
import re
from dataclasses import replace

import pytest
from markdown_it import MarkdownIt
from rich.cells import cell_len
from rich.console import Console

from inferometer.analysis.grid import build
from inferometer.report.document import explanation, markdown, memory, operations, start
from inferometer.report.document import roofline as section
from inferometer.report.document.content import content
from inferometer.report.document.sources import RunRecords
from inferometer.report.terminal.table import print_run


@pytest.fixture
def render(material):
    """Runs → the report in Markdown."""

    def write(runs, images=None):
        made_from = material(runs)
        return markdown.render(content(made_from), made_from, images or {})

    return write


@pytest.fixture
def text(known, render):
    return render([known], {f"{section.NAME}{known.run.id}": "plots/roofline.png"})


def column(table, head):
    """The texts of a column, by the first two of their row."""
    place = table.heads.index(head)
    return {(row[0], row[1]): row[place] for row in table.rows}


def test_operations_are_those_of_a_call_at_the_smallest_common_shape(known):
    table = operations.operations(build(known.records))
    assert column(table, "MACs")["resnet18", "224/1"] == "1.81 GMACs"
    assert column(table, "FLOPs")["resnet18", "224/1"] == "3.63 GFLOPs"
    assert column(table, "calls of operators")["mobilenet_v3_small", "224/1"] == "180"
    assert len(table.rows) == 4


def test_a_model_that_lacks_the_common_shape_is_told_at_its_own(record):
    at_64 = [record(m, size=64, macs=10**9, flops=2 * 10**9) for m in "ab"]
    table = operations.operations(build([*at_64, record("c", size=128, macs=10**6, flops=1)]))
    assert column(table, "MACs") == {
        ("a", "64/1"): "1.00 GMACs",
        ("b", "64/1"): "1.00 GMACs",
        ("c", "128/1"): "1.00 MMACs",
    }


def test_the_convention_is_told_and_unknown_operators_are_named(known):
    odd = [
        replace(r, figures={**r.figures, "unknown_operators": ["aten.odd (2)"]})
        for r in known.records[:1]
    ]
    lines = " ".join(operations.operation_notes(build([*odd, *known.records[1:]])))
    assert "1 MAC = 2 FLOPs; MACs are those of convolutions" in lines
    assert (
        "Not in the operations of unet, as the counter does not know them: aten.odd (2)." in lines
    )


def test_memory_has_its_layers_and_its_forecast_beside_it(known):
    table = memory.memory(build(known.records))
    assert column(table, "weights")["resnet18", "224/1"] == "44.6 MiB"
    assert column(table, "activations")["resnet18", "448/8"] == "422 MiB"
    assert set(column(table, "its error").values()) == {"+3 %"}
    notes = " ".join(memory.memory_notes(known.records))
    details = memory.memory_details(known.records, [known])
    assert details[0] == "Counter: VmHWM."
    assert "over 40 workloads the forecast was off by +3 % to +3 %" in notes
    assert details[1] == "A worker was allowed what the machine could give without swapping."


def test_a_forecast_that_was_too_low_has_a_minus(record):
    low = record(memory_forecast_bytes=96, peak_memory_bytes=100)
    assert memory.error_text(low) == "\N{MINUS SIGN}4 %"
    assert memory.error_text(record(memory_forecast_bytes=100, peak_memory_bytes=100)) == "+0 %"
    assert memory.error_text(record(peak_memory_bytes=100)) == ""


def test_a_forecast_that_learnt_nothing_is_a_lower_bound(record):
    note = (
        "the memory forecast is a lower bound: no smaller shape of this model was measured before"
    )
    figures = {"memory_forecast_bytes": 60, "peak_memory_bytes": 100}
    first, next_ = record(notes=[note], **figures), record(batch=2, **figures)
    assert memory.error_text(first) == "(\N{MINUS SIGN}40 %)"
    lines = memory.memory_notes([first, next_])
    assert any("over 1 workload the forecast" in line for line in lines)
    assert memory.memory_details([first, next_], [])[-1].endswith("which are lower bounds.")


def test_a_start_is_that_of_the_shape_that_started_cold(record):
    cold = record(batch=2, cold_start_s=3.1, first_call_s=0.5, load_s=0.4)
    table = start.start(build([record(batch=1, first_call_s=0.1, load_s=0.4), cold]))
    assert column(table, "cold start") == {("resnet18", "224/2"): "3.10 s"}
    assert column(table, "first call") == {("resnet18", "224/2"): "500 ms"}


def test_shares_of_the_roofline_come_with_the_limit(known):
    table = section.share_table(build(known.records))
    # 18.484 GFLOPs at 200 GFLOP/s are 92.4 ms, of 155 ms
    assert column(table, "roofline bound")["unet", "224/1"] == "92.4 ms"
    assert column(table, "share of the bound")["unet", "224/1"] == "60 %"
    assert column(table, "limit")["unet", "224/1"] == "compute"


def test_a_probe_is_told_with_what_it_ran(known):
    (row,) = section.roofline_table([known]).rows
    assert {"200 GFLOP/s", "20.0 GB/s", "32.0 MiB", "5.00 µs"} <= set(row)
    assert "matrix product 2048x2048; triad of 128 MiB; triad of 4 MiB" in row


def test_a_disturbed_probe_is_told(known, roofline, run, probed):
    assert section.roofline_note([known]) == section.HOW
    slow = replace(roofline, flops=replace(roofline.flops, median=2e9))
    note = section.roofline_note([replace(known, run=probed(run, slow))])
    assert "median of its repetitions was 1 % of the best. The rates may" in note
    squeezed = replace(roofline, granted=0.6)
    note = section.roofline_note([replace(known, run=probed(run, squeezed))])
    assert "The probe was disturbed: it had 60 % of the processor. The rates may" in note
    assert "shares too high" in note


def test_the_order_of_the_models_is_explained(text):
    part = text.split("### 7.4")[1].split("\n### ")[0]
    assert "ordered as by latency at 224/1: parameters 4 of 6, FLOPs 6 of 6," in part
    assert "At 224/1: of all orders of 4 models, 4.2 % agree as well by chance, and 5 costs" in part
    assert "mobilenet_v3_small does 1/14.5 of the FLOPs of squeezenet1_0, but takes 1/2.66" in part
    assert "explained by none" not in part
    assert "unet does 5.09\u00d7 the FLOPs of resnet18 and takes 4.06\u00d7 its time" in part
    assert "memory-bound" not in part


def test_every_section_is_there_and_all_tables_are_tables(text):
    html = MarkdownIt("commonmark").enable("table").render(text)
    assert html.count("<table>") == len(re.findall(r"^\|:?-", text, re.MULTILINE))
    for head in ("### 2.2 Operations", "### 4.1 Memory", "### 4.2 Start", "## 5 Roofline"):
        assert f"\n{head}\n" in text
    assert "](plots/roofline.png)" in text
    assert "\n\n\n" not in text
    assert "{'" not in text  # rooflines are no row of the table of the device


def test_what_was_not_measured_is_said_in_a_sentence(render, lab2_run, lab2):
    text = render([RunRecords(run=lab2_run, records=tuple(lab2))])
    for sentence in (
        operations.NOT_COUNTED,
        memory.NOT_MEASURED,
        start.NOT_MEASURED,
        section.NOT_MEASURED,
    ):
        assert f"\n{sentence}\n" in text
    assert "FLOP/s" not in text
    assert "\n\n\n" not in text


def test_operations_without_rooflines_claim_no_share(render, run, lab_of, costed):
    records = costed(lab_of(run), None)
    text = render([RunRecords(run=run, records=tuple(records))])
    assert section.NOT_MEASURED in text
    assert "of the attained arithmetic rate" not in text


def test_two_models_have_no_order(known):
    few = [r for r in known.records if r.workload.variant.model in {"unet", "resnet18"}]
    grid = build(few)
    assert not explanation.order(grid)
    assert any("5.09" in line for line in explanation.order_lines(grid, {}))


def test_hostile_names_stay_text_in_the_new_sections(render, run, roofline, record, probed):
    evil = "x|y\n# h <script>`*"
    bad = replace(roofline, flops=replace(roofline.flops, what=evil))
    odd = [
        record(evil, half_s=0.001, run=run, flops=10**9, macs=10**9 // 2, unknown_operators=[evil],
               operations_method=evil, memory_counter=evil, peak_memory_bytes=9, roof_limit=evil,
               roof_share=0.5),
        record("z", latency_s=0.5, half_s=0.001, run=run, flops=10**9),
    ]  # fmt: skip
    text = render([RunRecords(run=probed(run, bad), records=tuple(odd))])
    html = MarkdownIt("commonmark").enable("table").render(text)
    assert "<script>" not in html
    assert html.count("<h1>") == 1


def shown(*things):
    file = io.StringIO()
    print_run(*things, console=Console(file=file, width=80))
    return file.getvalue()


def test_a_terminal_shows_costs_within_80_columns(known):
    text = shown(known.run, known.records)
    assert "Costs of a call at 224/1:" in text
    assert re.search(r"^unet +9\.24 G +60 % +compute +243 MiB +\+3 %$", text, re.MULTILINE)
    assert max(map(cell_len, text.splitlines())) <= 80


def test_a_terminal_is_silent_on_what_was_not_counted(run, lab, lab2_run, lab2):
    assert "Costs" not in shown(run, lab)
    assert "Costs" not in shown(lab2_run, lab2)
