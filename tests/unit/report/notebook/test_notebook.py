"""What a notebook shows of records, runs and comparisons."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace
from xml.etree import ElementTree as ET

import pytest

import inferometer as im
from inferometer.analysis.compare import Comparisons, compare
from inferometer.analysis.matching import match_within
from inferometer.core.errors import InputError, MissingExtraError
from inferometer.core.record import FIELDS, Round
from inferometer.report.notebook import progress, svg
from inferometer.runner.events import Notice, Progress, RunEnded, RunStarted, WorkloadDone

EVIL = '<script>alert("&")</script>'


def parsed(value):
    """Its HTML as a tree: well formed, so that nothing of it leaks into the page."""
    return ET.fromstring(f"<div>{value._repr_html_()}</div>")


def words(value):
    return " ".join("".join(parsed(value).itertext()).split())


def with_rounds(record, values=(0.04, 0.041)):
    rounds = tuple(
        Round(
            index=n,
            process=n,
            phase="measure",
            started_at=10.0 + n,
            calls_per_value=1,
            settle=0,
            starts_s=tuple(0.1 * i for i in range(len(values))),
            values_s=values,
        )
        for n in range(2)
    )
    return replace(record, rounds=rounds)


def compared(record, *models):
    records = [
        record(m, latency_s=s, half_s=1e-4, latency_processes=3, latency_rounds=30)
        for m, s in models
    ]
    return Comparisons(compare(match_within(records, "model")))


def test_a_record_shows_its_latency_each_value_and_its_verdict(record):
    shown = with_rounds(record(latency_s=0.04, half_s=0.001, verdict="contended"))
    assert "resnet18 224/1: 40.0 ± 1.0 ms per call" in words(shown)
    assert "contended (something else used the device)" in words(shown)
    assert len(parsed(shown).findall(".//circle")) == 4
    assert len(parsed(shown).findall(".//rect")) == 1, "the interval of the median"


def test_a_record_without_rounds_shows_its_interval(record):
    (point,) = parsed(record(latency_s=0.04, half_s=0.001)).findall(".//circle")
    assert point.findtext("title") == "40.0 ± 1.0 ms"


def test_a_failure_shows_why_and_no_chart(record):
    failed = record(failure="crash", message=f"died {EVIL}")
    assert f"crash at stage measure: died {EVIL}" in words(failed)
    assert not parsed(failed).findall(".//svg")


def test_a_run_shows_a_panel_for_each_size_and_the_table(run, lab):
    result = im.StudyResult(run=run, records=lab)
    titles = [one.get("aria-label") for one in parsed(result).findall(".//svg[@role='img']")]
    assert titles == [f"input size {n}: latency per call against batch size" for n in (224, 448)]
    assert "mobilenet_v3_small is fastest" in words(result)
    assert "OOM" in words(result)
    cells = [cell.text for cell in parsed(result).findall(".//table//td")]
    assert len(cells) == 44
    assert all(cells)


def test_a_run_of_one_shape_shows_its_variants_in_rows(run, record):
    records = [record("a", latency_s=0.02, half_s=1e-3), record("b", latency_s=0.01, half_s=1e-3)]
    (chart,) = parsed(im.StudyResult(run=run, records=records)).findall(".//svg")
    assert [one.text for one in chart.findall(".//text")][-2:] == ["b", "a"]


def test_a_run_of_thousands_stays_small(run, record):
    records = [
        record(f"m{n}", batch=b, latency_s=0.01 * b) for n in range(40) for b in range(1, 51)
    ]
    result = im.StudyResult(run=run, records=records)
    assert len(result._repr_html_()) < 300_000
    assert "40 variants at 50 shapes in all" in words(result)


def test_a_run_without_records_and_one_without_latencies(run, record):
    assert "44 not reached" in words(im.StudyResult(run=run, records=[]))
    failed = im.StudyResult(run=replace(run, planned=1), records=[record(failure="timeout")])
    assert "No latency was measured" in words(failed)


def test_the_row_of_a_run_says_where_its_figures_are(run):
    assert "inferometer.read_run('3fa91c02')" in words(run)


def test_comparisons_show_each_ratio_with_its_interval(record):
    found = compared(record, ("a", 0.02), ("b", 0.025), ("c", 0.01))
    points = [one.findtext("title") for one in parsed(found).findall(".//circle")]
    assert points == ["1.25: slower", "0.500: faster"]
    assert words(found[0]).count("slower") == 2, "in the chart and in the table"
    assert words(Comparisons()) == "no comparisons"


def test_names_are_escaped_everywhere(run, record):
    records = [record(f"{EVIL}{n}", latency_s=0.01 * n, half_s=1e-4) for n in (1, 2)]
    records += [record(f"{EVIL}1", batch=2, latency_s=0.02)]
    shown = [
        records[0],
        replace(run, study=EVIL, device={"name": EVIL}),
        im.StudyResult(run=replace(run, study=EVIL), records=records),
        compared(record, (EVIL + "a", 0.01), (EVIL + "b", 0.02)),
    ]
    for one in shown:
        assert "<script" not in one._repr_html_()
        assert "<script>" in words(one)


@pytest.mark.parametrize("ground", ["#ffffff", "#111111"])
def test_colours_are_seen_on_light_and_on_dark(ground):
    assert min(contrast(one, ground) for one in svg.COLOURS) >= 3


def contrast(one, other):
    light = sorted((luminance(one), luminance(other)))
    return (light[1] + 0.05) / (light[0] + 0.05)


def luminance(colour):
    """WCAG 2.2, relative luminance."""
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return sum(w * p for w, p in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("values", [(1e-9, 2e-9), (5.0, 5.0), (1e-6, 1e4)])
def test_points_are_inside_the_picture_and_ticks_are_few(record, values):
    shown = with_rounds(record(latency_s=values[0]), values)
    for point in parsed(shown).findall(".//circle"):
        assert 0 <= float(point.get("cx")) <= 340
        assert 0 <= float(point.get("cy")) <= 230
    assert 0 < len(svg.log_ticks(*sorted(values))) <= 12


def test_html_needs_neither_matplotlib_nor_pandas():
    code = (
        "import sys; sys.modules['matplotlib'] = sys.modules['pandas'] = None\n"
        "import inferometer as im\n"
        "from inferometer.core.run import Run\n"
        "run = Run(id='a', study='s', signature='', document={}, device={}, software={})\n"
        "assert '<table' in run._repr_html_()\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_pictures_are_figures_that_a_notebook_shows(run, lab, record):
    pytest.importorskip("matplotlib")
    shown = [
        im.StudyResult(run=run, records=lab).plot(),
        im.StudyResult(run=run, records=lab[:1]).plot(),
        with_rounds(record(latency_s=0.04, half_s=0.001)).plot(),
    ]
    assert all(one._repr_png_().startswith(b"\x89PNG") for one in shown)
    assert [len(one.axes) for one in shown] == [2, 1, 1]


def test_what_has_no_latency_has_no_picture(run, record):
    pytest.importorskip("matplotlib")
    failed = record(failure="crash", message="It died.")
    with pytest.raises(InputError, match="resnet18 224/1 has no latency to plot: It died"):
        failed.plot()
    with pytest.raises(InputError, match="no record has one"):
        im.StudyResult(run=run, records=[failed]).plot()


def test_missing_packages_are_named_with_the_command(monkeypatch, run, lab):
    known = importlib.util.find_spec
    hidden = lambda name: None if name in ("matplotlib", "pandas") else known(name)  # noqa: E731
    monkeypatch.setattr("inferometer.core.result.find_spec", hidden)
    monkeypatch.setattr("inferometer.report.plots.choice.find_spec", hidden)
    result = im.StudyResult(run=run, records=lab)
    with pytest.raises(MissingExtraError, match=re.escape("pip install 'inferometer[notebook]'")):
        result.to_pandas()
    with pytest.raises(MissingExtraError, match=re.escape("pip install 'inferometer[plot]'")):
        result.plot()
    with pytest.raises(MissingExtraError):
        lab[0].plot()


def test_a_data_frame_has_a_row_for_each_record_and_a_column_for_each_field(run, lab):
    pytest.importorskip("pandas")
    frame = im.StudyResult(run=run, records=lab).to_pandas()
    assert list(frame.columns) == list(FIELDS)
    assert list(frame["model"]) == [one["model"] for one in lab]
    assert frame["latency_median_s"].dropna().gt(0).all()


class Output:
    def __init__(self):
        self.shown = []

    def __call__(self, value):
        self.update(value)
        return self

    def update(self, value):
        self.shown.append(repr(value))


def test_progress_replaces_one_output_at_most_once_a_second(run, record):
    out, times = Output(), [0.0, 0.5, 1.5, 1.6, 1.7, 1.8]
    tell = progress.Shown(out, clock=lambda: times.pop(0))
    done = record(latency_s=0.04, half_s=0.001)
    tell(RunStarted(run=run, planned=2, done=0, budget_s=None))
    tell(Notice(message="mind this"))
    tell(Progress(doing="measuring", workload=done.workload, fraction=0.5, remaining_s=90.0))
    tell(WorkloadDone(record=done, done=1, planned=2))
    tell(WorkloadDone(record=record(failure="crash"), done=2, planned=2))
    tell(RunEnded(run=run, interrupted=False))
    first, second, last = out.shown
    assert "0 of 2 workloads done" in first
    assert second.endswith("measuring resnet18 224/1; about 1 min 30 s left")
    assert "resnet18 224/1  40.0 ± 1.0 ms" in last
    assert last.endswith("finished")
    assert words(tell.state).startswith("run 3fa91c02: study lab 2 of 2 workloads done")


def test_only_a_notebook_shows_progress(monkeypatch):
    monkeypatch.setitem(sys.modules, "IPython", None)
    assert progress.listener() is None
    shell = SimpleNamespace(kernel=object())
    fake = SimpleNamespace(get_ipython=lambda: shell)
    shown = SimpleNamespace(display=Output())
    monkeypatch.setitem(sys.modules, "IPython", fake)
    monkeypatch.setitem(sys.modules, "IPython.display", shown)
    assert progress.listener() is not None
    fake.get_ipython = SimpleNamespace
    assert progress.listener() is None
