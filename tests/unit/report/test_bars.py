"""Bars of text and sparklines: as long as the figures are high, within the width."""

from __future__ import annotations

import io

import pytest
from rich.cells import cell_len
from rich.console import Console

from inferometer.core.metric import Estimate
from inferometer.report.terminal.bars import BLOCKS, bars, print_plots


def drawn(records, *, width=80, encoding="utf-8"):
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding=encoding)
    print_plots(records, console=Console(file=file, width=width))
    file.flush()
    return raw.getvalue().decode(encoding)


def estimate(value, half=None):
    low, high = (None, None) if half is None else (value - half, value + half)
    return Estimate(value=value, low=low, high=high, confidence=0.95, method="m", n=40)


def test_a_bar_is_as_long_as_its_figure_is_high():
    short, long = (
        str(line).split("ms")[1].strip()
        for line in bars([("a", estimate(0.02)), ("b", estimate(0.08))], 80, BLOCKS)
    )
    assert len(long) == pytest.approx(4 * len(short), abs=2)


def test_the_interval_is_drawn_around_the_figure():
    (line,) = bars([("a", estimate(0.08, 0.02))], 80, BLOCKS)
    _, _, bar = str(line).partition("ms")
    at = bar.index("┃")
    assert bar[at - 1] == bar[at + 1] == "▒"
    assert bar.strip()[0] == "█"


@pytest.mark.parametrize("width", [60, 80, 200])
def test_plots_of_the_lab_fit_the_terminal(lab, width):
    text = drawn(lab, width=width)
    assert max(map(cell_len, text.splitlines())) <= width
    assert text.count("Time per call at") == 11
    assert "resnet18 at 448 ████ 1 to 8, highest 6.73/s at 8" in " ".join(text.split())


def test_an_output_that_knows_only_ascii_gets_other_signs(lab):
    text = drawn(lab, encoding="ascii")
    assert "#" in text
    assert "?" not in text


def test_nothing_measured_is_said(record):
    assert "nothing to draw" in drawn([record(failure="crash")])
