from __future__ import annotations

from inferometer.analysis.grid import build
from inferometer.report.document.verdicts import cause_table, unseen, verdict_lines, verdict_table

BLIND = "not observable: temperature"


def test_a_cause_stands_with_its_workload_and_what_was_not_seen_stands_once(record):
    records = [
        record(verdict="trusted", causes=[BLIND]),
        record(batch=2, verdict="contended", causes=["x ran", "y ran", BLIND]),
        record(batch=4, verdict="contended", causes=["x ran", "y ran", BLIND]),
        record(batch=8, failure="crash"),
    ]
    assert verdict_lines(records) == [
        "contended: resnet18 224/2, resnet18 224/4: x ran",
        "contended: resnet18 224/2, resnet18 224/4: y ran",
        "trusted: resnet18 224/1",
        BLIND,
    ]
    assert cause_table(build(records)).rows == (
        ("resnet18", "224/2", "contended", "x ran; y ran"),
        ("resnet18", "224/4", "contended", "x ran; y ran"),
    )


def test_verdicts_are_counted_the_commonest_first(record):
    found = verdict_table(
        build([record(batch=2**n, verdict="noisy" if n else "trusted") for n in range(9)])
    )
    assert [row[:3] for row in found.rows] == [
        ("noisy", "the interval is wider than the target", "8"),
        ("trusted", "nothing that could be observed speaks against it", "1"),
    ]
    assert found.rows[0][3].endswith("resnet18 224/64 and 2 more")


def test_what_was_not_seen_of_some_is_told_with_their_number(record):
    assert unseen([record(causes=[BLIND]), record(causes=[])]) == [f"1 of 2 workloads: {BLIND}"]
    assert unseen([]) == []
