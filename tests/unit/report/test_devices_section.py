"""The section "Devices" of a report, in all its forms."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.report.conftest import make_record, make_run

from inferometer.cli.main import main
from inferometer.core.errors import InputError
from inferometer.report.document.content import content
from inferometer.report.document.devices import device_section
from inferometer.report.document.material import gather
from inferometer.report.document.sources import RunRecords
from inferometer.report.html.charts import charts
from inferometer.report.html.rows import add_ratios, results
from inferometer.report.plots.devices import draw_ratios
from inferometer.store import open_store

LATENCIES = {"resnet18": 0.04, "unet": 0.16, "squeezenet1_0": 0.03}


def on(name, run_id, speed, *, reversed_order=False, half=0.01, **device):
    """A run on a device with figures of every model at two batch sizes."""
    run = make_run(id=run_id, device={"name": name, "cores_physical": 4, **device})
    values = list(LATENCIES.values())
    values = values[::-1] if reversed_order else values
    records = []
    for model, value in zip(LATENCIES, values, strict=True):
        for batch in (1, 4):
            latency_s = value * speed * batch
            records.append(
                make_record(
                    model, batch=batch, latency_s=latency_s, half_s=half * latency_s, run=run,
                    latency_median_s=latency_s, latency_processes=3,
                    energy_per_inference_j=latency_s, energy_uncertainty_j=0.1 * latency_s,
                    energy_scope="package", energy_source="rapl:package-0",
                )
            )  # fmt: skip
    return RunRecords(run=run, records=tuple(records))


PI = on("Pi 5 | <b>", "00000001", 1.0, governor="ondemand", price=80)
PC = on("PC", "00000002", 0.1, reversed_order=True, governor="performance")
NANO = on("Nano", "00000003", 2.0, half=0.001)


def test_one_device_has_no_section():
    assert device_section([PI]) is None
    assert content(gather([PI]))["devices"] is None


def test_devices_without_a_common_workload_have_none():
    assert device_section([PI, replace(PC, records=(make_record("vgg16", run=PC.run),))]) is None


def test_the_section_holds_ratios_orders_efficiency_and_what_else_differs():
    found = device_section([PI, PC, NANO], {"PC": 900.0})
    assert found.facts.rows[0][:3] == ("Pi 5 | <b>", "80", "4")
    assert len(found.ratios.rows) == 6
    assert found.ratios.rows[0][2].startswith("0.075 [")
    assert found.ratios.rows[0][2].endswith("] faster")
    assert len(found.plot.bars) == 12
    assert found.plot.bars[0].ratio == pytest.approx(0.075)
    assert found.plot.bars[1].ratio == pytest.approx(2.0)
    assert found.plot.bars[0].low < 0.075 < found.plot.bars[0].high
    assert found.rank_lines[0].startswith(
        "At 224/1, squeezenet1_0 is faster than resnet18 on Pi 5 | <b> (ratio 0.75 ["
    )
    assert "differs" in found.ranks.rows[0]
    assert "per price" in found.efficiency.heads
    assert "per watt" in found.efficiency.heads
    assert found.confounders.rows[0][:3] == ("governor", "ondemand", "performance")
    assert "governor" in found.confounder_line


def test_without_a_difference_in_order_it_says_so():
    (line,) = device_section([PI, NANO]).rank_lines
    assert line.startswith("At no shape (2 shapes compared)")


def test_a_price_of_no_device_is_refused():
    with pytest.raises(InputError, match="--price Pi: no run is of that device"):
        device_section([PI, PC], {"Pi": 3.0})


def test_no_more_ratios_are_drawn_than_can_be_read():
    records = tuple(
        make_record(f"m{n}", latency_s=1.0, run=PI.run, latency_median_s=1.0) for n in range(90)
    )
    other = tuple(replace(one, run=PC.run.row_part()) for one in records)
    found = device_section([replace(PI, records=records), replace(PC, records=other)])
    assert len(found.plot.bars) == 60
    assert found.notes == ("the plot shows the first 60 workloads; 30 more are in the table",)
    assert all(bar.low is None for bar in found.plot.bars)
    few = replace(found.plot, bars=found.plot.bars[:3])
    assert set(draw_ratios(few)) == {"ratio_by_device.png", "ratio_by_device.svg"}


def test_rows_of_the_page_have_the_ratios_that_its_chart_shows():
    material = gather([PI, PC, NANO])
    table = results(material.grid)
    add_ratios(table, device_section(material.runs))
    assert sum("ratio" in row for row in table.rows) == 12
    (chart,) = (one for one in charts(table.rows, []) if one.name == "ratio-by-device")
    assert chart.title == "Latency over that on Pi 5 | <b>"


def test_the_files_of_a_report_across_devices(tmp_path):
    store = tmp_path / "x.db"
    with open_store(store) as opened:
        ids = [opened.import_run(one.run, one.records[:2]).id for one in (PI, PC)]
    with pytest.raises(SystemExit) as ended:
        main(["report", *ids, "-o", str(tmp_path / "out"), "--price", "PC=900",
              "--store", str(store)])  # fmt: skip
    assert not ended.value.code
    text = (tmp_path / "out/report.md").read_text("utf-8")
    assert "## Devices" in text
    assert "(plots/ratio_by_device.png)" in text
    assert "per price" in text
    assert (tmp_path / "out/plots/ratio_by_device.svg").exists()
    page = (tmp_path / "out/report.html").read_text("utf-8")
    assert '<h2 id="devices">' in page
    assert '"ratio-by-device"' in page
    assert "Pi 5 | <b>" not in page
