"""Cliffs in sentences, from records made by hand."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from inferometer.analysis.grid import build
from inferometer.core.procedure import Procedure
from inferometer.core.sweep import Study, Sweep
from inferometer.report.document.cliffs import cliff_sentences
from inferometer.report.document.sources import RunRecords
from inferometer.report.terminal.table import print_run
from inferometer.report.write import write_report


@pytest.fixture
def cliff_run(another_run):
    def make(**procedure):
        rules = {"find_cliff": "batch", "memory_limit_bytes": 4 << 30, **procedure}
        study = Study(name="s", sweep=Sweep(models=("net",)), procedure=Procedure(**rules))
        return another_run(document=study.to_json(), origin="measured")

    return make


@pytest.fixture
def line(record):
    """Records from inputs per second by batch, or kinds of failure."""

    def make(run, rates, model="net", **figures):
        return [
            record(model, batch=batch, failure=rate, run=run)
            if isinstance(rate, str)
            else record(
                model,
                batch=batch,
                latency_s=batch / rate,
                half_s=0.01 * batch / rate,
                run=run,
                latency_processes=3,
                **{"verdict": "trusted", **figures},
            )
            for batch, rate in rates.items()
        ]

    return make


OOM = "out_of_memory"
EXAMPLE = {1: 100.0, 16: 250.0, 24: 310.0, 64: 300.0, 72: 174.0, 512: 170.0, 576: OOM}


def test_the_sentence_of_the_manual(cliff_run, line):
    run = cliff_run()
    (said,) = cliff_sentences(build(line(run, EXAMPLE)), [run])
    assert said == (
        "net at 224: throughput is highest at batch 24 (310/s), falls by 42 % between 64 and 72; "
        "memory runs out between 512 and 576 (limit 4.00 GiB)"
    )


@pytest.mark.parametrize(
    ("rates", "procedure", "part"),
    [
        (
            {1: 99.0, 2: 100.0, 1024: 101.0},
            {},
            "and within 5 % of that from 1 on; no cliff up to",
        ),
        ({1: 1.0, 8: 1.0}, {}, "up to 8, beyond which a call would take more than 10.0 s"),
        ({1: 100.0, 2: OOM}, {"memory_limit_bytes": None}, "(limit what the machine has without"),
        (
            {1: 100.0, 2: "timeout"},
            {},
            "calls do not end in time between 1 and 2 (limit 3 min 0 s)",
        ),
        ({1: 100.0, 2: "crash"}, {}, "the worker dies between 1 and 2"),
        ({1: 100.0, 2: "unsupported"}, {}, "it fails (unsupported) between 1 and 2"),
        ({1: OOM}, {}, "net at 224: memory runs out at batch 1 already"),
        ({1: "crash"}, {}, "nothing worked"),
        ({1: 100.0, 2: 100.0, 64: OOM}, {}, "between 2 and 64 (limit 4.00 GiB); the search is not"),
        ({1: 100.0, 8: 82.0, 9: 79.0}, {}, "declines beyond, and is 21 % lower at 9"),
    ],
)
def test_what_else_can_be_said(cliff_run, line, rates, procedure, part):
    run = cliff_run(**procedure)
    (said,) = cliff_sentences(build(line(run, rates)), [run])
    assert part in said


def test_a_figure_in_doubt_is_named(cliff_run, line):
    run = cliff_run()
    (said,) = cliff_sentences(build(line(run, EXAMPLE, verdict="throttled")), [run])
    assert "between 64 and 72 (the figure at 72 is throttled)" in said
    (said,) = cliff_sentences(build(line(run, EXAMPLE, verdict="contended")), [run])
    assert "falls" not in said
    assert "is 45 % lower in the end, which noise or neighbours may explain; memory" in said


def test_a_run_that_did_not_look_for_cliffs_or_was_imported_has_none(cliff_run, line):
    for run in (cliff_run(find_cliff=None), replace(cliff_run(), origin="imported", document={})):
        assert cliff_sentences(build(line(run, EXAMPLE)), [run]) == []


def test_terminal_and_report_say_it(cliff_run, line, capsys, tmp_path):
    run = cliff_run()
    records = line(run, EXAMPLE, model="a_*b*") + line(run, {1: 100.0, 2: OOM}, model="net")
    print_run(run, records)
    assert "throughput is highest at batch 24" in re.sub(r"\s+", " ", capsys.readouterr().out)
    write_report([RunRecords(run=run, records=tuple(records))], tmp_path)
    text = (tmp_path / "report.md").read_text("utf-8")
    section = text.split("### 7.2 Batch size")[1].split("###")[0]
    assert r"- a\_\*b\* at 224: throughput is highest" in section
    assert "- net at 224" in section
    assert "measured after it, one by one" in text
