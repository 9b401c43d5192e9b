from __future__ import annotations

import pytest

from inferometer.analysis.grid import build
from inferometer.core.roof import Attained, Roof
from inferometer.report.html.charts import charts
from inferometer.report.html.rows import results


def make_attained(best):
    return Attained(best=best, median=best, repeats=3, what="a probe")


ROOF = Roof(
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
    def find(records, roofs=()):
        return {chart.name: chart for chart in charts(results(build(records)).rows, roofs)}

    return find


def test_a_lab_has_its_plots(names, lab):
    assert list(names(lab)) == [
        "latency-by-batch",
        "throughput-by-batch",
        "latency-by-size",
        "latency-by-parameters",
        "scaling",
        "memory-by-batch",
    ]


def test_without_figures_there_is_no_plot(names, record):
    assert names([record(failure="crash")]) == {}
    assert {"latency-by-size", "scaling"}.isdisjoint(names([record()]))
    assert "energy-by-batch" in names([record(energy_per_inference_j=1.0)])


def test_a_roofline_has_a_slope_a_ridge_and_a_ceiling(names, record):
    rows = [record(latency_s=0.1, flops=10**9, arithmetic_intensity=4.0)]
    plot = names(rows, [("board", ROOF)])["roofline"]
    points = plot.spec["layer"][0]["data"]["values"]
    assert [point["x"] for point in points] == pytest.approx([4 / 3, 10, 30])
    assert [point["y"] for point in points] == pytest.approx([2e10 * 4 / 3, 2e11, 2e11])
    assert "board: cpu, fp32, 2 threads: 200 GFLOP/s, 18.6 GiB/s from memory." in plot.note


def test_a_roofline_without_roofs_says_so(names, record):
    rows = [record(latency_s=0.1, flops=10**9, arithmetic_intensity=4.0)]
    plot = names(rows)["roofline"]
    assert "roofs of the device were not measured" in plot.note
    assert "data" not in plot.spec["layer"][0]
