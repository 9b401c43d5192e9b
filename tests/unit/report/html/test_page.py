from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from inferometer.analysis import findings
from inferometer.analysis.analyse import analyse
from inferometer.analysis.grid import build
from inferometer.core.errors import MissingExtraError
from inferometer.core.record import Round
from inferometer.report.html import engine

EVIL = "</script><script>alert(1)</script> <b onclick='x'>&amp; \"q\" \N{RIGHT-TO-LEFT OVERRIDE}x"


class Parsed(HTMLParser):
    """What a browser would make of the page."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.links, self.handlers = [], [], []
        self.inline = {"script": [], "style": []}
        self.text = ""
        self._in = None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self._in = tag if tag in self.inline else None
        if self._in:
            self.inline[tag].append((dict(attrs), ""))
        self.links += [value for name, value in attrs if name in {"src", "href", "srcset"}]
        self.handlers += [name for name, _ in attrs if name.startswith("on") or name == "style"]

    def handle_endtag(self, tag):
        self._in = None

    def handle_data(self, data):
        if self._in:
            attrs, text = self.inline[self._in][-1]
            self.inline[self._in][-1] = (attrs, text + data)
        else:
            self.text += data


def data_of(text):
    """What the page's script reads."""
    data = text.split('<script type="application/json" id="data">')[1]
    return json.loads(data.split("</script>")[0])


@pytest.fixture
def evil_records(another_run, record):
    run = another_run(study=EVIL, device={"name": EVIL, "board": [EVIL]}, software={EVIL: EVIL})
    records = [
        record(EVIL, run=run, notes=[EVIL], weights=EVIL, half_s=0.001, verdict=EVIL),
        record("b" * 5000, run=run, half_s=0.001, verdict="noisy", causes=[EVIL, EVIL]),
        record("z", run=run, failure="crash", message=EVIL),
    ]
    return run, records


FOUND = findings.Findings(
    hypotheses=(
        findings.Tested(
            text="latency rises with parameters",
            outcome="refuted",
            sentence="In 2 of 6 pairs it does not.",
            effects=(
                findings.Effect(name="exponent", value=0.97, low=0.9, high=1.02, method="Theil"),
            ),
            strata=3,
            pairs=6,
            against=2,
            supporting=4,
            counterexamples=("first", "mobilenet is slower than resnet18"),
            explanation="Latency follows the operations.",
            limits=("Four models are few.",),
        ),
    ),
    anomalies=(
        findings.Anomaly(
            kind="repeated_figure",
            sentence="2.9 s stands in two cells.",
            cells=("resnet18 224/16", EVIL),
            size=None,
            causes=("a figure was copied",),
            rerun="inferometer run lab --models resnet18",
        ),
    ),
    scaling=(
        findings.Scaling(
            subject="resnet18 at 224",
            axis="batch_size",
            fixed_s=None,
            per_input_s=None,
            exponent=None,
            best=8,
            best_throughput_per_s=28.0,
            marginal_s=0.03,
            points=6,
            sentence="resnet18 at 224 takes 34 ms for each input.",
        ),
    ),
)


def test_the_page_loads_nothing(page, run, lab):
    parsed = Parsed(page((run, lab)))
    assert all(link.startswith(("#", "data:")) for link in parsed.links)
    assert not set(parsed.tags) & {"img", "iframe", "object", "embed", "base", "form"}
    assert "http://" not in page((run, lab))
    assert "https://" not in page((run, lab))


def test_the_policy_allows_what_is_in_the_page_and_nothing_else(page, run, lab):
    text = page((run, lab))
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)[1]
    policy = policy.replace("&#39;", "'")
    parsed = Parsed(text)
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    runs = [text for attrs, text in parsed.inline["script"] if "type" not in attrs]
    assert len(runs) == 2
    for code in runs + [text for _, text in parsed.inline["style"]]:
        digest = base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy
    assert policy.count("sha256-") == 3


def test_no_text_becomes_markup(page, evil_records, run, lab):
    text = page(evil_records, findings=FOUND)
    parsed = Parsed(text)
    assert parsed.tags.count("script") == 3
    assert "b" not in parsed.tags
    assert not parsed.handlers
    assert "\N{RIGHT-TO-LEFT OVERRIDE}" not in text
    assert parsed.text.count("<script>alert(1)</script> <b onclick='x'>&amp; \"q\"") > 5
    assert set(parsed.tags) <= set(Parsed(page((run, lab), findings=FOUND)).tags) | {"pre"}
    assert all(len(label) <= 60 for label, _ in data_of(text)["columns"])


def test_names_may_break_after_separators_on_a_phone(page, run, lab):
    text = page((run, lab))
    (label, *_) = re.findall(r'<th scope="row">(.*?small.*?)</th>', text)
    assert "mobilenet_<wbr>v3_<wbr>small" in label
    assert "squeezenet1_0" in text
    assert "squeezenet1_<wbr>" not in text  # no single character on a line of its own


def test_the_first_section_is_the_answer_three_figures_and_a_next_step(page, run, lab):
    first = page((run, lab)).split("<nav")[0]
    for part in ("Precision", "Disturbed", "Missing", "Next"):
        assert f"<dt>{part}</dt>" in first
    answer = "mobilenet_<wbr>v3_<wbr>small is fastest: 10.2 ± 0.5 ms a call, 2.66 times as fast as"
    assert answer in first
    assert "3 failed or could not be tried" in first
    assert first.count('data-chart="latency-by-batch"') == 2  # an input size each
    assert "no energy figures (see Energy)" in first


def test_the_table_and_the_data_have_a_row_for_each_workload(page, run, lab):
    text = page((run, lab))
    rows = data_of(text)["rows"]
    assert len(rows) == 44
    assert Parsed(text).text.count("skipped: out of memory") == 1
    assert {row["failure"] for row in rows if "failure" in row} == {
        "OOM",
        "(OOM)",
        "timeout",
        "cut",
    }


def test_an_imported_table_without_intervals_is_a_page(page, lab2_run, lab2):
    text = page((lab2_run, lab2), findings=analyse(build(lab2)))
    assert "±" not in text.split('<script type="application/json"')[0]
    assert "cannot be repeated" in text
    assert "Raw observations" not in text
    assert "2.90050734299" in text


def test_a_plot_names_the_input_size_that_it_shows(page, run, record):
    for size, words in ((None, "own input size"), (224, "input size 224")):
        several = page((run, [record(size=size, batch=batch) for batch in (1, 2)]))
        assert f"Latency against batch size, {words}" in several


def test_one_shape_is_a_ranking_of_the_variants(page, run, record):
    first = page((run, [record(name, half_s=0.001) for name in "ab"])).split("<nav")[0]
    assert first.count('data-chart="latency-by-variant"') == 1
    assert "latency-by-batch" not in first


def test_failures_alone_are_a_page_without_plots(page, run, record):
    text = page((run, [record(failure="crash"), record(batch=2, failure="timeout")]))
    assert "No latency was measured." in text
    assert "No workload has a figure that could be drawn." in text


def test_without_the_extra_there_are_tables_and_a_sentence(page, run, lab, monkeypatch):
    absent = MissingExtraError("plots in the page: vl-convert-python", "html")
    monkeypatch.setattr(engine, "missing", lambda: absent)
    text = page((run, lab))
    parsed = Parsed(text)
    assert "There are no plots in this page" in parsed.text
    assert "pip install 'inferometer[html]'" in parsed.text
    assert "figure" not in parsed.tags
    assert parsed.tags.count("script") == 2
    assert len(data_of(text)["rows"]) == 44


def test_a_missing_extra_is_named(monkeypatch):
    monkeypatch.setattr(engine, "find_spec", lambda _: None)
    assert "inferometer[html]" in str(engine.missing())
    monkeypatch.setattr(engine, "find_spec", lambda name: name)
    assert engine.missing() is None


def test_findings_are_shown_in_full_and_only_where_there_are_any(page, run, lab):
    told = Parsed(page((run, lab), findings=FOUND)).text
    for part in (
        "latency rises with parameters",
        "refuted",
        "In 2 of 6 pairs it does not.",
        "Exponent 0.970 [0.900, 1.02] (Theil)",
        "mobilenet is slower than resnet18",
        "Latency follows the operations.",
        "Four models are few.",
        "repeated figure",
        "a figure was copied",
        "inferometer run lab --models resnet18",
    ):
        assert part in told
    assert "1 anomaly (see Anomalies)." in told
    assert 'id="findings"' not in page((run, lab))
    assert "anomaly" not in page((run, lab)).split("<nav")[0]


def test_all_anomalies_say_what_to_measure_again(page, run, lab):
    many = [replace(FOUND.anomalies[0], rerun=f"inferometer run {n}") for n in range(30)]
    told = Parsed(page((run, lab), findings=replace(FOUND, anomalies=tuple(many)))).text
    assert all(f"Measure again: inferometer run {n}\n" in told for n in range(30))


def test_two_thousand_workloads_stay_under_ten_megabytes(page, another_run, record):
    run = another_run(planned=2000)
    rounds = tuple(
        Round(
            index=n,
            process=n // 10,
            phase="measure",
            started_at=1.7e9 + n,
            calls_per_value=1,
            settle=1,
            starts_s=tuple(i * 0.0123456789 for i in range(10)),
            values_s=tuple(0.0123456789 * (1 + (i * n) % 7 / 100) for i in range(10)),
        )
        for n in range(20)
    )
    records = [
        replace(
            record(
                f"timm:a_model_with_a_rather_long_name_{model}",
                batch=batch,
                size=size,
                latency_s=0.01 * (1 + model % 13) * batch,
                half_s=0.0005,
                run=run,
                parameters=1_000_000 + model,
                verdict="contended",
                causes=[f"another program used {n} % of a core" for n in range(5)],
                peak_memory_bytes=2**28,
                macs=10**9,
                latency_calls=180,  # all that count: no steady state is looked for
            ),
            rounds=rounds,
        )
        for model in range(50)
        for batch in (1, 2, 4, 8, 16, 32, 64, 128)
        for size in (64, 128, 224, 384, 448)
    ]
    text = page((run, records))
    assert len(text.encode()) + 1_000_000 < 10_000_000  # the library is a line here
    data = data_of(text)
    assert sum(len(course["at"]) for course in data["courses"]) <= 40_000
    assert "Shown are 19" in data["courses"][0]["note"]


def test_all_causes_are_in_the_appendix_for_paper(page, run, record):
    records = [record("a", verdict="noisy", causes=["the first", "the second", "the third"])]
    appendix = page((run, records)).split('id="appendix"')[1]
    assert "the first; the second; the third" in appendix


def test_data_cannot_end_the_script_that_holds_them(page, evil_records):
    text = page(evil_records)
    data = text.split('<script type="application/json" id="data">')[1].split("</script>")[0]
    assert not set(data) & set("<>&")
    assert data_of(text)["rows"]
