from __future__ import annotations

import re
from dataclasses import replace

import pytest

from inferometer.analysis.grid import build
from inferometer.report.document import roofline as section
from inferometer.report.document.sources import RunRecords
from inferometer.report.write import write_report

pytest.importorskip("matplotlib")

from inferometer.report.plots.roofline import draw_roofline


@pytest.fixture
def drawn(run, lab_of, costed, probed):
    """The SVG of the lab under some rooflines."""

    def draw(*rooflines, records=None):
        one = RunRecords(
            run=probed(run, *rooflines), records=tuple(records or costed(lab_of(run), rooflines[0]))
        )
        (plot,) = section.plans(build(one.records), [one])
        return draw_roofline(plot)[f"{plot.name}.svg"].decode()

    return draw


def words(svg):
    return re.findall(r"<text[^>]*>([^<]+)</text>", svg)


def test_axes_have_units_and_the_legend_names_rooflines_and_workloads(drawn, roofline):
    found = words(drawn(roofline))
    assert "operations for each byte that operators move, FLOP/B" in found
    assert "operations per second, FLOP/s" in found
    assert "cpu fp32: 200 GFLOP/s, memory 20.0 GB/s" in found
    assert "cpu fp32: caches 120 GB/s" in found
    assert "resnet18 (filled: 448/8)" in found
    assert {"1", "10", "100", "100 G"} <= set(found)


def test_each_precision_has_its_roofline(drawn, roofline):
    half = replace(roofline, precision="bf16", flops=replace(roofline.flops, best=8e11))
    found = words(drawn(roofline, half))
    assert "cpu bf16: 800 GFLOP/s, memory 20.0 GB/s" in found


def test_a_device_without_caches_and_with_odd_names_can_be_drawn(drawn, roofline, record):
    odd = record("_$x^2$", arithmetic_intensity=1e-3, flops=10)
    found = words(drawn(replace(roofline, cache=None), records=[odd]))
    assert not any("caches" in text for text in found)
    assert any("_$x^2$ 224/1" in text for text in found)


def test_the_same_records_give_the_same_bytes(drawn, roofline):
    assert drawn(roofline) == drawn(roofline)


def test_without_rooflines_or_operations_there_is_no_plot(run, lab, roofline, probed):
    grid = build(lab)
    assert section.plans(grid, [RunRecords(run=run, records=tuple(lab))]) == []
    assert section.plans(grid, [RunRecords(run=probed(run, roofline), records=tuple(lab))]) == []


def test_the_plot_is_written_and_goes_with_its_run(known, run, record, tmp_path):
    written = write_report([replace(known, records=known.records[:1])], tmp_path)
    name = f"{section.NAME}{run.id}.png"
    assert tmp_path / "plots" / name in written
    assert f"](plots/{name})" in (tmp_path / "report.md").read_text(encoding="utf-8")
    write_report([RunRecords(run=run, records=(record(run=run),))], tmp_path)
    assert not (tmp_path / "plots" / name).exists()
