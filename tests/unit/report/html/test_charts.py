from __future__ import annotations

from dataclasses import replace

import pytest

from inferometer.analysis.grid import build
from inferometer.core.roofline import Attained, Roofline
from inferometer.report.html.charts import charts
from inferometer.report.html.rows import results


def make_attained(best):
    return Attained(best=best, median=best, repeats=3, what="a probe")


ROOFLINE = Roofline(
    device="cpu",
    precision="fp32",
    threads=2,
    flops=make_attained(2e11),
    memory=make_attained(2e10),
    cache=None,
    dispatch_s=1e-6,
    at=0.0,
)


@pytest.fixture
def names():
    def find(records, rooflines=()):
        return {chart.name: chart for chart in charts(results(build(records)).rows, rooflines)}

    return find


def test_a_lab_has_its_plots(names, lab):
    assert list(names(lab)) == [
        "latency-by-batch",
        "throughput-by-batch",
        "latency-by-size",
        "latency-by-parameters",
        "scaling",
        "trade-off",
        "memory-by-batch",
    ]


def test_without_figures_there_is_no_plot(names, record):
    assert names([record(failure="crash")]) == {}
    one_model = names([record(parameters=10**6)])
    assert {"latency-by-size", "latency-by-parameters", "scaling"}.isdisjoint(one_model)
    assert "energy-by-batch" in names([record(energy_per_inference_j=1.0)])


def test_points_without_an_interval_are_hollow_where_others_could_have_one(names, record):
    mixed = names([record(half_s=0.001, parameters=1), record(batch=2, parameters=2)])
    sure = names([record(batch=b, half_s=0.001, peak_memory_bytes=2**20) for b in (1, 2)])
    assert "Hollow: no interval." in mixed["latency-by-batch"].note
    assert "Hollow" not in sure["latency-by-batch"].note
    memory = sure["memory-by-batch"]
    assert "Hollow" not in memory.note
    assert memory.interval == ""


def test_bars_are_told_where_there_are_any(names, record):
    bare, sure = (
        names([record(batch=batch, **known) for batch in (1, 2)])
        for known in ({}, {"half_s": 0.001})
    )
    assert "Bars" not in bare["latency-by-batch"].note
    assert "Bars: interval." in sure["latency-by-batch"].note
    assert "Bars" not in bare["throughput-by-batch"].note
    ends = {"latency_relative_ci_low_s": 0.0398, "latency_relative_ci_high_s": 0.0402}
    both = names([record(batch=batch, half_s=0.001, **ends) for batch in (1, 2)])
    for name in ("latency-by-batch", "throughput-by-batch"):
        assert "thick: for comparisons within this run" in both[name].note
        assert "thin: for the latency on this device" in both[name].note


def test_a_roofline_has_a_slope_a_ridge_and_a_ceiling(names, record):
    rows = [record(latency_s=0.1, flops=10**9, arithmetic_intensity=4.0)]
    plot = names(rows, [("board", ROOFLINE)])["roofline"]
    points = plot.spec["layer"][0]["data"]["values"]
    assert [point["x"] for point in points] == pytest.approx([4 / 3, 10, 30])
    assert [point["y"] for point in points] == pytest.approx([2e10 * 4 / 3, 2e11, 2e11])
    assert "board: cpu, fp32, 2 threads: 200 GFLOP/s, 20.0 GB/s from memory." in plot.note


def test_rooflines_of_two_runs_on_one_device_are_two_lines(names, record):
    rows = [record(latency_s=0.1, flops=10**9, arithmetic_intensity=4.0)]
    other = replace(ROOFLINE, memory=make_attained(1e10))
    plot = names(rows, [("board", ROOFLINE), ("board", other)])["roofline"]
    lines = {}
    for point in plot.spec["layer"][0]["data"]["values"]:
        lines.setdefault(point["line"], []).append(point["y"])
    assert [len(line) for line in lines.values()] == [3, 3]
    assert all(line == sorted(line) for line in lines.values())


def test_many_rooflines_are_told_in_the_table_alone(names, record):
    rows = [record(latency_s=0.1, flops=10**9, arithmetic_intensity=4.0)]
    rooflines = [("board", replace(ROOFLINE, threads=threads)) for threads in range(1, 9)]
    assert "GFLOP/s" not in names(rows, rooflines)["roofline"].note
    assert "section Roofline" in names(rows, rooflines)["roofline"].note


def test_figures_that_are_not_above_zero_make_no_plot(names, record):
    assert "energy-by-batch" not in names([record(energy_per_inference_j=-0.1)])


def test_a_roofline_without_rooflines_says_so(names, record):
    rows = [record(latency_s=0.1, flops=10**9, arithmetic_intensity=4.0)]
    plot = names(rows)["roofline"]
    assert "roofline of the device was not measured" in plot.note
    assert "data" not in plot.spec["layer"][0]
