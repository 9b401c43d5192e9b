"""Continuous load: the rows, the ranking, and the plot."""

from __future__ import annotations

import io
import re
from dataclasses import replace

import pytest
from rich.console import Console

from inferometer.core import units
from inferometer.core.record import Round
from inferometer.report.document.sources import RunRecords
from inferometer.report.document.sustained import curves, sustained_lines, window_lines
from inferometer.report.terminal.table import print_run
from inferometer.report.write import write_report


def window(at_s, latency_s, **signals):
    return Round(
        index=int(at_s), process=0, phase="measure", started_at=1000.0 + at_s, calls_per_value=1,
        settle=0, starts_s=(0.0, 0.5), values_s=(latency_s, latency_s), signals=signals,
    )  # fmt: skip


@pytest.fixture
def derating(record):
    """A workload that becomes a fifth slower within five minutes, while the clock falls."""

    def make(model="resnet18", scale=1.0, **known):
        one = record(
            model,
            sustained_first_s=0.04 * scale,
            sustained_last_s=0.048 * scale,
            sustained_span_s=300.0,
            **known,
        )
        rounds = [
            window(
                5.0 * i, scale * (0.04 + 0.008 * i / 60), temperature_c=50.0 + i / 2,
                frequency_min_hz=1.5e9 - 4e6 * i,
            )
            for i in range(61)
        ]  # fmt: skip
        return replace(one, rounds=tuple(rounds))

    return make


def test_rows_stand_in_columns_under_their_heads(derating):
    head, *rows = window_lines(derating())
    assert len(rows) == 9
    assert {len(row) for row in rows} == {len(head)}
    assert rows[0].split() == ["0", "s", "40.4", "ms", "53", "°C", "1.49", "GHz"]
    assert rows[-1].split()[:4] == ["4", "min", "40", "s"]


def test_what_nobody_observed_is_absent(derating):
    one = derating()
    bare = replace(one, rounds=tuple(replace(done, signals={}) for done in one.rounds))
    assert all(row.split()[-2:] == [units.ABSENT] * 2 for row in window_lines(bare)[1:])


def test_a_workload_without_continuous_load_has_neither_rows_nor_a_curve(record):
    assert window_lines(record()) == []
    assert curves([record()]) == []
    assert sustained_lines([record()]) == []


def test_the_change_and_the_ranking_are_told(derating):
    lines = sustained_lines([derating("unet", 2.0), derating()])
    assert "80.0 ms at the beginning, 96.0 ms at the end of 5 min 0 s (+20.0 %)" in lines[0]
    assert lines[-1].startswith("The ranking, the fastest first, is the same")
    slow = derating("unet", 0.9, size=448)
    swapped = replace(slow, figures={**slow.figures, "sustained_last_s": 0.06})
    assert sustained_lines([swapped, derating()])[-1].startswith("The ranking changed")


def test_the_terminal_keeps_the_columns_within_80(derating, run):
    out = io.StringIO()
    print_run(run, [derating()], Console(file=out, width=80), causes=True)
    lines = out.getvalue().splitlines()
    assert max(map(len, lines)) <= 80
    assert window_lines(derating())[3] in lines


def test_the_report_has_the_course_of_each_run_over_time(derating, run, tmp_path):
    pytest.importorskip("matplotlib")
    runs = [RunRecords(run=run, records=(derating("unet", 2.0), derating()))]
    write_report(runs, tmp_path)
    name = f"sustained_{run.id}"
    text = (tmp_path / "report.md").read_text(encoding="utf-8")
    assert "### 3.4 Continuous load" in text
    assert f"](plots/{name}.png)" in text
    assert "(+20.0 %)" in text
    svg = (tmp_path / "plots" / f"{name}.svg").read_text(encoding="utf-8")
    found = re.findall(r"<text[^>]*>([^<]+)</text>", svg)
    assert {"latency, % of beginning", "temperature, °C", "clock, GHz"} <= set(found)
    assert "time since the workload began, min" in found
    assert any("100 % is 80.0 ms" in words for words in found)


def test_without_a_thermometer_there_are_no_empty_axes(derating, run, tmp_path):
    pytest.importorskip("matplotlib")
    one = derating()
    bare = replace(one, rounds=tuple(replace(done, signals={}) for done in one.rounds))
    write_report([RunRecords(run=run, records=(bare,))], tmp_path)
    svg = (tmp_path / "plots" / f"sustained_{run.id}.svg").read_text(encoding="utf-8")
    assert "latency, %" in svg
    assert "temperature" not in svg
    assert "GHz" not in svg


def test_the_plot_of_an_earlier_report_goes(derating, record, run, tmp_path):
    pytest.importorskip("matplotlib")
    write_report([RunRecords(run=run, records=(derating(),))], tmp_path)
    write_report([RunRecords(run=run, records=(record(),))], tmp_path)
    assert list((tmp_path / "plots").iterdir()) == []
    assert "Continuous load" not in (tmp_path / "report.md").read_text(encoding="utf-8")
