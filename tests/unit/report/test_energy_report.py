"""What is said of energy, and what is said where there is none."""

from __future__ import annotations

import pytest

from inferometer.core.statement import Statement
from inferometer.report.document.energy import (
    attached_lines,
    delay_product_js,
    energy_line,
    energy_lines,
    per_watt_hour,
    withheld_lines,
)
from inferometer.report.terminal.table import print_run

MEASURED = {
    "energy_per_inference_j": 0.0281, "energy_uncertainty_j": 0.0057,
    "energy_net_per_inference_j": 0.0187, "energy_net_uncertainty_j": 0.0038,
    "power_mean_w": 14.98, "power_idle_w": 5.03, "energy_source": "rapl:package-0",
    "energy_scope": "package", "energy_method": "measured",
}  # fmt: skip


def test_a_workload_with_its_source_its_spread_and_what_follows_from_it(record):
    line = energy_line(record(latency_s=0.03, **MEASURED))
    assert line.startswith("resnet18 224/1: 28 ± 6 mJ per sample (rapl:package-0, package), ")
    assert "19 ± 4 mJ above idle" in line
    assert "15.0 W, idle 5.03 W" in line
    assert "35.6 inferences per joule" in line
    assert "energy-delay product 843 µJ s" in line


def test_derived_figures_are_arithmetic(record):
    one = record(latency_s=0.03, **MEASURED)
    assert per_watt_hour(one) == pytest.approx(3600 / 0.0281)
    assert delay_product_js(one) == pytest.approx(0.0281 * 0.03)
    none = record()
    assert (per_watt_hour(none), delay_product_js(none), energy_line(none)) == (None, None, None)


def test_an_estimate_is_called_one(record):
    line = energy_line(record(**MEASURED | {"energy_method": "estimate"}))
    assert "package, an estimate)" in line


def test_a_net_figure_that_is_missing_has_its_reason(record):
    figures = MEASURED | {
        "energy_net_per_inference_j": None,
        "energy_reason": "no net figure: not distinguishable from idle, < 0.01 J",
    }
    assert "not distinguishable from idle" in energy_line(record(**figures))


def test_a_reason_that_all_share_is_said_once(record):
    reason = "No power sensor on this device."
    records = [record(batch=b, energy_reason=reason) for b in (1, 2, 4)]
    assert energy_lines(records) == [reason]
    mixed = [*records, record(batch=8, **MEASURED)]
    assert energy_lines(mixed)[1] == (f"resnet18 224/1, resnet18 224/2, resnet18 224/4: {reason}")
    many = [record(batch=b, energy_reason=reason) for b in range(1, 9)] + mixed[-1:]
    assert energy_lines(many)[1] == f"8 workloads: {reason}"


def test_what_failed_has_no_energy_to_excuse(record):
    assert energy_lines([record(failure="crash", energy_reason="No sensor.")]) == []


def test_a_joined_log_tells_how_its_clock_was_set(record):
    lines = attached_lines([record(**MEASURED)], 3.67, 0.033, ["taken as power at the wall"])
    assert lines[0].startswith("The log's clock: +3.67 s added to its times ± 0.066 s")
    assert lines[1] == "Taken as power at the wall."
    assert "fitted" not in attached_lines([], -2.0, None, [])[0]


def test_the_run_shows_it_within_80_columns(run, record, capsys):
    print_run(run, [record(**MEASURED)])
    shown = capsys.readouterr().out
    assert "Energy:" in shown
    assert max(map(len, shown.splitlines())) <= 80


def test_a_meter_that_was_named_and_lost_is_told_once_with_its_workloads(record):
    gone = {"source": "rapl:package-0", "reason": "the counter is gone"}
    lost = record(energy_reason=Statement("energy_withheld", gone))
    beside = {"scope": "package", "method": "measured"}
    other = Statement("other_source_withheld", {**gone, **beside})
    replaced = record(**{**MEASURED, "energy_source": "nvml:0", "energy_others": [other]})
    (line,) = withheld_lines(["rapl"], [lost, replaced, record(**MEASURED)])
    assert line.startswith("No energy by --meter rapl for 2 workloads (")
    assert line.endswith("): the counter is gone")
    assert withheld_lines(["rapl:package-0"], [lost]) != []
    assert withheld_lines(["shelly://plug"], [lost]) == []
    assert withheld_lines([], [lost]) == []
