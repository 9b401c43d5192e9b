"""Comparisons as a person sees them."""

from __future__ import annotations

import pytest
from rich.console import Console

from inferometer.analysis.compare import compare
from inferometer.analysis.matching import match_runs, match_within
from inferometer.report.terminal.table import print_comparisons


def measured(record, model, latency_s, half_s=1e-5, **more):
    figures = {
        "latency_median_s": latency_s, "latency_processes": 3, "latency_rounds": 30,
        "verdict": "trusted",
    } | more  # fmt: skip
    return record(model, latency_s=latency_s, half_s=half_s, **figures)


@pytest.fixture
def shown(capsys):
    def show(matching, width=80, **options):
        console = Console(width=width, **options)
        print_comparisons(compare(matching), matching, zone=0.01, console=console)
        return capsys.readouterr().out

    return show


def test_a_table_with_ratios_intervals_and_verdicts(shown, record):
    text = shown(match_within([measured(record, "a", 0.02), measured(record, "b", 0.025)], "model"))
    head, row = text.splitlines()[:2]
    assert head.split("  ")[0] == "workload"
    assert "ratio [95 % interval]" in head
    assert "20.0 ms" in row
    assert "25.0 ms" in row
    assert "1.250 [" in row
    assert row.rstrip().endswith("slower")


def test_several_contenders_are_named_in_a_column(shown, record):
    records = [measured(record, m, s) for m, s in (("a", 0.02), ("b", 0.025), ("c", 0.01))]
    text = shown(match_within(records, "model"))
    assert "contender" in text.splitlines()[0]
    assert [line.split()[1] for line in text.splitlines()[1:3]] == ["b", "c"]


def test_long_names_are_broken_and_figures_are_not(shown, record):
    long = "path/to/a/model/with/a/long/name.py:factory?width=512"
    records = [measured(record, m, 0.02) for m in (long, f"{long}&deep=1")]
    text = shown(match_within(records, "model"))
    assert max(map(len, text.splitlines())) <= 80
    assert "20.0 ms" in text


def test_the_undecided_the_untrusted_and_the_failed_are_listed(shown, record):
    base = [
        measured(record, "a", 0.02, 1e-3, verdict="contended"),
        measured(record, "b", 0.02),
    ]
    later = [
        measured(record, "a", 0.0201, 1e-3),
        record("b", failure="crash", message="It died."),
    ]
    text = shown(match_runs(base, later))
    assert "Undecided:" in text
    assert "more rounds of each side would decide" in text
    assert "Their own verdicts:\n  contended: " in text
    assert "Not compared:" in text
    assert "crash: It died." in text


def test_what_no_number_of_rounds_would_reasonably_decide_is_not_worth_it(shown, record):
    records = [measured(record, "a", 0.02, 1e-2), measured(record, "b", 0.0201, 1e-2)]
    text = " ".join(shown(match_within(records, "model")).split())
    assert "it is not worth the more than 10,000 more rounds of each" in text
    (found,) = compare(match_within(records, "model"))
    assert found.row()["more_rounds"] > 10_000


def test_a_verdict_on_many_sides_is_told_once(shown, record):
    records = [record(m, batch=2**n, verdict="unknown") for m in "ab" for n in range(5)]
    text = shown(match_within(records, "model"))
    told = text.split("Their own verdicts:\n")[1]
    assert told == "  unknown: a 224/1, b 224/1, a 224/2, b 224/2, a 224/4, b 224/4 and 4 more\n"


def test_what_would_decide_is_told_once_for_all_sides_of_which_it_holds(shown, record):
    records = [record(m, batch=2**n) for m in "ab" for n in range(5)]
    told = shown(match_within(records, "model")).split("Undecided:\n")[1].split("\n\n")[0]
    assert " ".join(told.split()) == (
        "b 224/1, b 224/2, b 224/4, b 224/8, b 224/16: a side has no interval, so nothing can be "
        "decided"
    )


def test_one_process_is_said_to_know_nothing_of_others(shown, record):
    records = [measured(record, m, 0.02, latency_processes=1) for m in "ab"]
    text = " ".join(shown(match_within(records, "model")).split())
    assert "how much fresh processes differ was not observed" in text
    assert "more rounds alone would not decide" in text


def test_names_cannot_play_with_the_terminal(shown, record):
    records = [measured(record, m, 0.02) for m in ("a", "[red]b\x1b[31m")]
    text = shown(match_within(records, "model"))
    assert "\x1b" not in text
    assert "[red]b" in text
