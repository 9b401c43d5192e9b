from __future__ import annotations

from importlib.util import find_spec

import pytest

from inferometer.analysis.grid import build
from inferometer.report.plots import choice as plots


def planned(records):
    return {plot.name: plot for plot in plots.plan(build(records))}


def test_the_lab_has_every_plot(lab):
    found = planned(lab)
    assert tuple(found) == plots.NAMES
    assert [panel.title for panel in found["latency_by_batch"].panels] == [
        "input size 224",
        "input size 448",
    ]
    assert found["latency_by_batch"].panels[0].ticks == [1, 2, 4, 8, 16, 32]
    assert found["latency_by_size"].panels[0].ticks == [224, 448]
    assert not any(plot.reason for plot in found.values())


def test_failures_are_part_of_the_plot(lab):
    panel = planned(lab)["latency_by_batch"].panels[1]
    gaps = {one.column.label: [gap.kind for gap in one.gaps] for one in panel.series}
    assert gaps["unet"] == ["out_of_memory", "out_of_memory"]
    assert gaps["resnet18"] == ["budget"]


def test_labels_have_units_and_say_what_the_bars_are(lab, lab2):
    assert "samples/s" in planned(lab)["throughput_by_batch"].y
    assert "bars: interval" in planned(lab)["latency_by_batch"].y
    assert "bars" not in planned(lab2)["latency_by_batch"].y


def test_one_workload_has_no_plot_and_each_says_why(record):
    found = planned([record()])
    assert all(plot.reason and not plot.panels for plot in found.values())


def test_failures_alone_make_no_plot(record):
    found = planned([record(batch=b, failure="crash") for b in (1, 2)])
    assert found["latency_by_batch"].reason == "none of these workloads has a figure"


def test_models_with_one_parameter_count_are_not_plotted_against_it(record):
    records = [record("a", parameters=5), record("b", parameters=5)]
    assert "as many parameters" in planned(records)["latency_by_parameters"].reason


def test_the_models_own_size_is_named_in_words(record):
    records = [record(size=None, batch=b) for b in (1, 2)]
    assert planned(records)["latency_by_batch"].panels[0].title == "own input size"


def test_a_missing_matplotlib_is_told_with_the_way_to_install_it(monkeypatch):
    monkeypatch.setattr(plots, "find_spec", lambda _: None)
    assert "pip install 'inferometer[plot]'" in str(plots.missing())


@pytest.mark.skipif(find_spec("matplotlib") is None, reason="needs matplotlib")
def test_nothing_is_missing_where_matplotlib_is_installed():
    assert plots.missing() is None
