from __future__ import annotations

import re

import pytest

from inferometer.analysis.grid import build
from inferometer.report.plots import choice as plots

pytest.importorskip("matplotlib")

from inferometer.report.plots.drawing import draw
from inferometer.report.plots.figures import COLOURS


def drawn(records, name):
    (plot,) = [plot for plot in plots.plan(build(records)) if plot.name == name]
    return draw(plot)


def words(files, name):
    """The texts of an SVG, in which text is kept as text."""
    svg = files[f"{name}.svg"].decode()
    return re.findall(r"<text[^>]*>([^<]+)</text>", svg)


def test_a_plot_is_drawn_in_both_formats_at_150_dots_an_inch(lab):
    files = drawn(lab, "latency_by_batch")
    assert sorted(files) == ["latency_by_batch.png", "latency_by_batch.svg"]
    png = files["latency_by_batch.png"]
    assert png.startswith(b"\x89PNG")
    resolution = png[png.index(b"pHYs") + 4 :][:4]
    assert int.from_bytes(resolution, "big") == round(150 / 0.0254)


@pytest.mark.parametrize("name", plots.NAMES)
def test_the_same_records_give_the_same_bytes(lab, name):
    assert drawn(lab, name) == drawn(lab, name)


def test_ticks_are_the_batch_sizes_and_figures_have_units(clean_lab):
    found = words(drawn(clean_lab, "latency_by_batch"), "latency_by_batch")
    assert {"1", "2", "4", "8", "16", "32", "10 ms", "1 s"} <= set(found)
    assert "batch size" in found
    assert {"unet", "squeezenet1_0", "mobilenet_v3_small", "resnet18"} <= set(found)


KINDS = {"thick: for comparisons within this run", "thin: for the latency on this device"}


@pytest.mark.parametrize("name", ["latency_by_batch", "latency_by_parameters"])
def test_both_intervals_are_drawn_and_told(record, name):
    ends = {"latency_relative_ci_low_s": 0.039, "latency_relative_ci_high_s": 0.041}

    def records(**more):
        return [
            record(model, batch=batch, half_s=0.008, parameters=10**number, **more)
            for number, model in enumerate("ab", start=6)
            for batch in (1, 2)
        ]

    both, one = drawn(records(**ends), name), drawn(records(), name)
    assert set(words(both, name)) >= KINDS
    assert KINDS.isdisjoint(words(one, name))
    thick = "stroke-width: 3.5"
    assert thick in both[f"{name}.svg"].decode()
    assert thick not in one[f"{name}.svg"].decode()


def test_a_point_without_an_interval_is_hollow_and_the_legend_says_so(record):
    sure, unsure = (
        [record(batch=batch, half_s=half) for batch in (1, 2)] for half in (0.008, None)
    )
    told = "hollow: no interval"
    assert told in words(drawn([*sure, *unsure][1:3], "latency_by_batch"), "latency_by_batch")
    assert told not in words(drawn(sure, "latency_by_batch"), "latency_by_batch")


def test_failures_are_marked_with_their_kind(lab):
    found = words(drawn(lab, "latency_by_batch"), "latency_by_batch")
    assert found.count("OOM") == 2
    assert found.count("timeout") == 1
    assert found.count("cut") == 1
    assert "not measured, and why" in found


def test_points_against_parameters_carry_names(clean_lab):
    found = words(drawn(clean_lab, "latency_by_parameters"), "latency_by_parameters")
    assert {"unet", "squeezenet1_0", "mobilenet_v3_small", "resnet18"} <= set(found)


def test_odd_names_are_drawn_as_they_are(record):
    records = [record(name, batch=b) for name in ("_$x^2$", "<b>&") for b in (1, 2)]
    files = drawn(records, "latency_by_batch")
    found = words(files, "latency_by_batch")
    assert any(text.endswith("_$x^2$") for text in found)
    assert "&lt;b&gt;&amp;" in found


def test_a_script_without_a_glyph_raises_no_warning(record):
    records = [record("模型", batch=b) for b in (1, 2)]
    assert "模型" in words(drawn(records, "latency_by_batch"), "latency_by_batch")


@pytest.mark.parametrize("half", [1e-12, 0.04, 0.2])
def test_tiny_and_huge_intervals_can_be_drawn(record, half):
    records = [record(batch=b, half_s=half) for b in (1, 2, 4)]
    for name in ("latency_by_batch", "throughput_by_batch"):
        assert drawn(records, name)


def test_a_panel_of_failures_beside_one_of_figures_can_be_drawn(record):
    records = [record(batch=b) for b in (1, 2)]
    records += [record(batch=b, size=448, failure="crash") for b in (1, 2)]
    assert words(drawn(records, "latency_by_batch"), "latency_by_batch").count("crash") == 2


def test_many_variants_and_many_sizes_can_be_drawn(record):
    records = [
        record(f"m{i}", batch=b, size=size, latency_s=0.01 * (i + 1) * b)
        for i in range(9)
        for size in (64, 128, 256)
        for b in range(1, 33)
    ]
    found = words(drawn(records, "latency_by_batch"), "latency_by_batch")
    assert {f"m{i}" for i in range(9)} <= set(found)


def test_a_model_keeps_its_colour_over_devices(lab, lab_of, another_run):
    pi = another_run(id="11111111", device={"name": "Pi"})
    svg = drawn(lab + lab_of(pi), "latency_by_batch")["latency_by_batch.svg"].decode()
    assert {colour.lower() for colour in COLOURS[:4]} <= set(re.findall(r"#[0-9a-f]{6}", svg))
    assert COLOURS[4].lower() not in svg
    assert "stroke-dasharray" in svg


def test_global_settings_of_matplotlib_stay_as_they_were(lab):
    import matplotlib as mpl

    before = dict(mpl.rcParams)
    drawn(lab, "latency_by_size")
    assert dict(mpl.rcParams) == before
