from __future__ import annotations

import re

import pytest
from markdown_it import MarkdownIt

from inferometer.analysis import findings as made_up
from inferometer.analysis.analyse import analyse
from inferometer.analysis.grid import build
from inferometer.report.document.content import content
from inferometer.report.document.markdown import render
from inferometer.report.document.sources import RunRecords


@pytest.fixture
def report(material):
    def write(*pairs, images=None, no_plots="", findings=None):
        runs = [RunRecords(run=run, records=tuple(records)) for run, records in pairs]
        made_from = material(runs, findings)
        return render(content(made_from), made_from, images or {}, no_plots)

    return write


def section(text: str, title: str) -> str:
    """What stands under a heading, up to the next of the same or a higher level."""
    level = title.partition(" ")[0]
    after = text.split(f"\n{title}\n")[1]
    return re.split(rf"\n#{{1,{len(level)}}} ", after)[0]


def test_the_report_has_the_sections_of_the_lab(report, run, lab):
    heads = re.findall(r"^## (.*)$", report((run, lab)), re.MULTILINE)
    assert heads == [
        "Trade-off",
        "1 Models",
        "2 Parameters and operations",
        "3 Latency",
        "4 Memory and start",
        "5 Roofline",
        "6 Energy",
        "7 Discussion",
        "8 Device, software and how to repeat",
    ]


def test_all_tables_are_tables_and_nothing_is_left_of_the_template(report, run, lab):
    text = report((run, lab))
    html = MarkdownIt("commonmark").enable("table").render(text)
    assert html.count("<table>") == len(re.findall(r"^\|:?-", text, re.MULTILINE))
    assert "{{" not in text
    assert "None" not in text
    assert "\n\n\n" not in text


def beginning(text: str) -> str:
    """What stands before the first section."""
    return text.split("\n## ", maxsplit=1)[0]


def test_the_beginning_names_the_fastest_the_precision_and_what_failed(report, run, lab):
    first = beginning(report((run, lab)))
    for part in (
        "4 variants, input sizes 224 and 448, batch sizes 1 to 32.",
        "**mobilenet_v3_small is fastest: 10.2 ± 0.5 ms a call, 2.66 times as fast as the next, squeezenet1_0.",
        "median of the 95 % intervals; ± 1 % to ± 6.2 %; 10 of 40 missed the target of ± 5 %",
        "**Missing: 4 of 44**: 1 cut by the time budget; 3 failed or could not be tried",
        "timeout and out of memory",
        "no energy figures (see Energy)",
        f"`inferometer run --resume {run.id}`",
    ):
        assert part in first


def test_variants_that_cannot_be_told_apart_are_not_ranked(report, run, record):
    records = [
        record("a", latency_s=0.040, half_s=0.002),
        record("b", latency_s=0.041, half_s=0.002),
        record("c", latency_s=0.5, half_s=0.002),
    ]
    first = beginning(report((run, records)))
    assert "cannot be told apart" in first
    assert "is fastest" not in first


def test_models_are_named_with_the_reason_for_their_choice(report, run, lab):
    models = section(report((run, lab)), "## 1 Models")
    assert "| unet | catalogue, built by inferometer | random, seed 0 |" in models
    assert "doi:10.1016" in models


def test_parameters_are_compared_with_the_published_count(report, run, lab, record):
    right = section(report((run, lab)), "### 2.1 Parameter count")
    assert "7,763,041" in right
    assert "no model here shares any. All are trainable." in right
    assert "The published counts are the same." in right
    wrong = record(
        "resnet18", source="catalogue", parameters=7, parameters_with_duplicates=9, half_s=0.001
    )
    text = section(report((run, [wrong])), "### 2.1 Parameter count")
    assert "differs from the published one for resnet18" in text
    assert "resnet18 shares parameters" in text


def test_the_method_is_told_from_the_procedure(report, run, lab):
    method = section(report((run, lab)), "### 3.1 Method")
    for part in ("forward pass alone", "left out of every figure", "at least 12 calls"):
        assert part in method
    assert "within 5 % of the median" in method
    assert "k was 40" in method
    assert "t of round means" in method


def test_the_latency_tables_hold_figures_and_marks(report, run, lab):
    results = section(report((run, lab)), "### 3.2 Results")
    assert "| 1 | 155 ± 4 ms | 27.1 ± 1.0 ms | 10.2 ± 0.5 ms | 38.2 ± 2.4 ms\\* |" in results
    assert "| 16 | (OOM) | 1.65 ± 0.06 s | 622 ± 30 ms | cut |" in results
    assert "- OOM: ran out of memory" in results


def test_plots_are_embedded_or_missed_with_a_reason(report, run, lab, record):
    images = {"latency_by_batch": "plots/latency_by_batch.png"}
    single = report((run, [record()]))
    assert "There is no plot of latency against batch size: each input size has" in single
    assert "](plots/latency_by_batch.png)" in report((run, lab), images=images)
    without = report((run, lab), no_plots="matplotlib is not installed")
    assert "There are no plots: matplotlib is not installed." in without


def test_energy_is_not_available_for_a_reason(report, run, lab, record):
    assert "N.A. No power sensor was found." in section(report((run, lab)), "## 6 Energy")
    measured = record(energy_per_inference_j=1.4217, energy_source="rapl")
    energy = section(report((run, [measured])), "## 6 Energy")
    assert "1.42 J" in energy
    assert "N.A." not in energy


def test_the_discussion_tells_how_the_parameters_order_the_models(report, run, lab):
    text = section(report((run, lab)), "### 7.4 Parameter count and other costs")
    line = "- Pairs of models ordered as by latency at 224/1: parameters 4 of 6."
    assert line in text


def test_what_was_not_varied_is_said_in_the_place_of_a_table(report, run, record):
    text = report((run, [record(half_s=0.001)]))
    alone = "No variant was measured at two values of the {} with all else equal."
    assert alone.format("batch size") in section(text, "### 7.2 Batch size")
    assert alone.format("input size") in section(text, "### 7.3 Input size")
    assert "no models to compare" in section(text, "### 7.4 Parameter count and other costs")


def test_findings_stand_at_the_beginning_and_in_the_discussion(report, lab2_run, lab2):
    text = report((lab2_run, lab2), findings=analyse(build(lab2)))
    assert "| latency increases with parameters | refuted | unet has fewer" in beginning(text)
    expected = section(text, "### 7.1 Hypotheses")
    assert "**latency increases with parameters: refuted.** Over all, latency rises" in expected
    odd = section(text, "### 7.5 Anomalies")
    assert "- 2.90 s (2.90050734299 to the last digit) stands in 2 cells" in odd
    assert "\nLikely: a figure was copied" in odd
    # Lines through batch sizes are in the page's table; two input sizes make none.
    assert "| latency grows by | best batch |" in section(text, "### 7.2 Batch size")
    assert "from input size" not in section(text, "### 7.3 Input size")


def test_findings_of_few_words_leave_no_gaps(report, run, lab):
    untestable = made_up.Tested(
        text="a is faster than b", outcome="untestable", sentence="No such model."
    )
    odd = made_up.Anomaly(
        kind="jump", sentence="It jumps.", cells=(), size=None, causes=(), rerun=""
    )
    found = made_up.Findings(hypotheses=(untestable,) * 2, anomalies=(odd,) * 2)
    text = report((run, lab), findings=found)
    assert "\n\n\n" not in text
    assert text.count("No such model.\n\n**a is faster than b: untestable.**") == 1


def test_without_an_analysis_the_discussion_says_so(report, run, lab):
    text = report((run, lab))
    assert "No hypothesis was tested." in section(text, "### 7.1 Hypotheses")
    assert "Nothing in the figures looks odd." in section(text, "### 7.5 Anomalies")


def test_an_imported_run_claims_no_method_and_no_deviation(report, lab2_run, lab2):
    text = report((lab2_run, lab2))
    method = section(text, "### 3.1 Method")
    assert "imported from a table" in method
    assert "rounds" not in method
    assert "±" not in text
    assert "There are no intervals" in text
    assert "cannot be repeated" in text
    assert "How shared parameters were counted is not known" in text


def test_what_cannot_be_concluded_is_said(report, run, lab):
    limits = section(report((run, lab)), "### 7.6 What cannot be concluded")
    assert "The figures are of 4 models on 1 device" in limits
    assert "Weights are random" in limits
    assert "One process: how much a fresh process differs was not observed." in limits


def test_what_was_seen_of_one_workload_is_no_limit_of_the_data(report, run, record):
    causes = ["other programs used 51% of a core", "not observable: temperature"]
    text = report((run, [record(half_s=0.001, verdict="contended", causes=causes)]))
    limits = section(text, "### 7.6 What cannot be concluded")
    assert "- Not observable: temperature." in limits
    assert "other programs" not in limits.lower()


def test_the_last_section_says_how_to_repeat_and_what_failed(report, run, lab):
    text = section(report((run, lab)), "## 8 Device, software and how to repeat")
    assert "Software: inferometer 0.1.0, python 3.11.7, torch 2.13.0." in text
    assert "| memory | 24.0 GiB |" in text
    assert "governor" not in text  # it is not known
    assert "`inferometer run lab" in text
    assert "seed 0" in text
    assert "The worker said nothing for 180 s in a round." in text


def test_several_runs_share_one_report(report, run, another_run, lab_of, lab2_of):
    pi = another_run(id="11111111", device={"name": "Pi"})
    text = report((run, lab_of(run)), (pi, lab_of(pi, speed=3.0)), lab2_of())
    assert "unet (Pi)" in text
    assert "unet (jetson-nano-2gb)" in text
    assert "Runs 3fa91c02 and 11111111 were measured" in text
    assert "Run 00c0ffee was imported" in text
    assert "The runs were not made at the same time" in text
    assert re.findall(r"^### 8\.\d (.*)$", text, re.MULTILINE) == [
        "Run 3fa91c02",
        "Run 11111111",
        "Run 00c0ffee",
        "What was not measured",
    ]


def test_a_model_is_told_by_the_run_that_knows_it_not_by_a_table_that_does_not(
    report, run, lab, lab2_run, lab2
):
    models = section(report((lab2_run, lab2), (run, lab)), "## 1 Models")
    assert "| unet | catalogue, built by inferometer | random, seed 0 |" in models


def test_hostile_strings_stay_text(report, another_run, record):
    evil = "x|y\n# h <script>`*"
    bad = another_run(study=evil, device={"name": evil, "board": [evil]}, software={evil: evil})
    records = [
        record(evil, run=bad, notes=[evil], weights=evil, half_s=0.001),
        record("z", run=bad, failure="crash", message=evil),
    ]
    text = report((bad, records))
    html = MarkdownIt("commonmark").enable("table").render(text)
    assert "<script>" not in html
    assert "<em>" not in html
    assert html.count("<h1>") == 1


def test_a_run_of_failures_alone_can_be_reported(report, run, record):
    text = report((run, [record(failure="crash"), record(batch=2, failure="timeout")]))
    assert "No latency was measured." in text
    assert "42 not reached" in text
