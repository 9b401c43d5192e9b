"""Where the time goes, in a report: table, sentences, bars and files."""

from __future__ import annotations

import pytest

from inferometer.analysis.grid import build
from inferometer.analysis.operators import time_shares
from inferometer.core.operators import DEPTHWISE, OTHER, OUTSIDE, KindTime, to_text
from inferometer.report.document import markdown, operators
from inferometer.report.document.content import content
from inferometer.report.document.sources import RunRecords
from inferometer.report.html import charts, rows
from inferometer.report.plots.operators import draw_operators

PARTS = {"convolution": 0.5, DEPTHWISE: 0.2, "pooling": 0.16, OUTSIDE: 0.14}


def held(*, roofline=True):
    found = [
        KindTime(
            kind=kind,
            module="features",
            share=share,
            low=share,
            high=share,
            seconds=share / 100,
            bound_seconds=0.001 if roofline and kind != OUTSIDE else None,
            macs=100 if "convolution" in kind else 0,
            bytes=1_000,
            calls=1,
        )
        for kind, share in PARTS.items()
    ]
    return {
        "operator_times": to_text(found),
        "operator_times_latency_s": 0.041,
        "operator_times_added": 0.1,
    }


@pytest.fixture
def records(record):
    return [
        record("mobile", latency_s=0.04, half_s=0.001, **held()),
        record("mobile", batch=2, latency_s=0.07, half_s=0.001),
        record("other", latency_s=0.05, half_s=0.001),
    ]


def test_the_table_has_the_kinds_that_take_a_tenth(records):
    found = operators.operator_table(build(records))
    assert found.heads == ("model", "operators", "share", "time", "times the bound")
    assert [row[1] for row in found.rows] == list(PARTS)
    assert found.rows[0] == ("mobile 224/1", "convolution", "50 %", "20.0 ms", "20.0\u00d7")
    assert found.rows[-1][-1] == ""  # nothing bounds Python


def test_how_far_to_trust_it_is_said(records, record):
    lines = operators.operator_lines(build(records))
    assert lines[-1].startswith("Profiling slowed the calls by 10 %;")
    off = held() | {"operator_times_added": 0.8}
    lines = operators.operator_lines(build([*records, record("slow", latency_s=0.04, **off)]))
    assert lines[-2].startswith("Profiling slowed the calls by 10 % to 80 %;")
    assert lines[-1].startswith("The profile of slow is too far from the latency")
    assert operators.operator_lines(build([record()])) == []


def test_rare_kinds_are_among_the_others_in_the_bars(records):
    (bar,) = operators.bars(time_shares(build(records)))
    assert bar.label == "mobile 224/1"
    assert dict(zip(operators.KINDS, bar.parts, strict=True))[OTHER] == pytest.approx(0.16)
    assert sum(bar.parts) == pytest.approx(1)
    assert bar.bound == pytest.approx(0.003 / 0.04)


def test_the_plot_is_drawn_with_and_without_a_bound(records, record):
    unbound = record("plain", latency_s=0.04, **held(roofline=False))
    files = draw_operators(operators.bars(time_shares(build([*records, unbound]))))
    assert set(files) == {"operators.png", "operators.svg"}
    assert b"depthwise convolution" in files["operators.svg"]
    assert files["operators.svg"].count(b"roofline bound") == 1


def test_the_page_has_a_bar_for_each_profiled_variant(records):
    table = rows.results(build(records))
    row = table.rows[0]
    assert row["operators_bound"] == pytest.approx(7.5)
    assert (row["convolution"], row[OTHER]) == (50.0, 16.0)
    assert row["operators"].startswith("convolution 50 %, depthwise convolution 20 %")
    assert "profiled" not in table.rows[1]
    chart = next(one for one in charts.charts(table.rows, []) if one.name == "operators")
    assert chart.layers == ("convolution", DEPTHWISE, OTHER, OUTSIDE)


def test_a_report_says_it_in_place_of_the_parts(records, run, material):
    made_from = material([RunRecords(run=run, records=tuple(records))])
    said = content(made_from)
    assert said["operator_times"]
    assert not said["latency_parts"]
    text = markdown.render(said, made_from, {operators.NAME: "plots/operators.png"})
    part = text.split("#### Where the time goes")[1].split("\n### ")[0]
    assert "](plots/operators.png)" in part
    assert "| mobile 224/1 | depthwise convolution | 20 % | 8.00 ms |" in part
