"""The section "Trade-off", its plot, and a recommendation in words."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from inferometer.analysis.recommend import recommend
from inferometer.report.document import recommendation as words
from inferometer.report.document.tradeoff import tradeoff
from inferometer.report.terminal.recommend import print_recommendation


@pytest.fixture
def several(record):
    def make(**more):
        values = (
            ("fast", 0.01, 300),
            ("middle", 0.02, 200),
            ("slow", 0.04, 100),
            ("bad", 0.05, 400),
        )
        return [
            record(
                model,
                latency_s=s,
                half_s=s / 50,
                latency_processes=5,
                **more,
                peak_memory_bytes=m * 2**20,
            )
            for model, s, m in values
        ]

    return make


def test_fewer_than_three_workloads_or_one_figure_are_no_trade_off(several, record):
    assert tradeoff(several()[:2]) is None
    assert tradeoff([record(name, latency_s=0.01) for name in "abcd"]) is None
    assert tradeoff([record("a", failure="crash")]) is None


def test_the_front_runs_along_what_no_other_beats_in_both(several):
    found = tradeoff(several())
    assert found.plot.y.name == "memory"
    assert [x for x, _ in found.plot.line] == [0.01, 0.02, 0.04]
    assert [spot.label for spot in found.plot.spots if not spot.is_on_front] == ["bad 224/1"]
    assert found.dominated[0].startswith("bad 224/1: by ")
    assert found.choices[0].startswith("Latency: fast 224/1, ")
    assert any("± 10 % was assumed" in line for line in found.lines)


def test_accuracy_is_what_latency_is_plotted_against_where_there_is_any(several):
    records = several(
        accuracy=0.9, accuracy_ci_low=0.88, accuracy_ci_high=0.91, accuracy_metric="f1"
    )
    plot = tradeoff(records).plot
    assert (plot.y.name, plot.metric) == ("accuracy", "f1")
    assert plot.line == ((0.01, 0.9),)


def test_the_plot_is_drawn_with_its_names_and_both_axes(several):
    pytest.importorskip("matplotlib")
    from inferometer.report.plots.front import draw_front

    files = draw_front(tradeoff(several()).plot)
    assert set(files) == {"trade_off.png", "trade_off.svg"}
    text = files["trade_off.svg"].decode()
    shown = ("fast 224/1", "bad 224/1", "latency per call", "peak memory", "front", "10 ms", "MiB")
    assert all(word in text for word in shown)
    assert files == draw_front(tradeoff(several()).plot)


@pytest.mark.parametrize(
    ("value", "text"),
    [(1.0, ">0.999"), (0.9991, "0.999"), (0.87654, "0.88"), (0.004, "0.004"), (0.0, "<0.001")],
)
def test_probabilities_never_claim_more_than_the_draws_tell(value, text):
    assert words.probability(value) == text


def test_a_wide_table_is_broken_into_parts_that_fit(several):
    records = several(
        accuracy=0.9, accuracy_ci_low=0.88, accuracy_ci_high=0.91, accuracy_metric="f1",
        energy_per_inference_j=0.5, energy_uncertainty_j=0.1, parameters=123_456_789,
    )  # fmt: skip
    found = recommend(
        records, {"parameters": 1e9, "throughput": 1, "energy": 1, "memory": 2**30}, "accuracy"
    )
    out = io.StringIO()
    print_recommendation(found, Console(file=out, width=80, highlight=False))
    lines = out.getvalue().splitlines()
    assert max(map(len, lines)) <= 80
    assert sum(line.startswith("workload ") for line in lines) >= 2
    assert any("123,456,789" in line for line in lines)


def test_what_is_not_known_is_marked_and_told(several):
    found = recommend(several(), {"memory": 250 * 2**20})
    assert any("200 MiB ?" in cell for row in words.cells(found) for cell in row)
    assert any(
        line.startswith("? after a figure: no interval of peak memory")
        for line in words.note_lines(found.weighed)
    )
