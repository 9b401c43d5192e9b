"""Which records are compared, and what is said of them."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from inferometer.analysis.compare import APART, INTERLEAVED, PAIRED, compare
from inferometer.analysis.matching import axis_of_pair, match_runs, match_within
from inferometer.core.errors import InputError
from inferometer.core.record import Round


def measured(record, model, latency_s, half_s=0.0001, *, processes=3, **more):
    more = {"latency_median_s": latency_s, "latency_rounds": 30, "verdict": "trusted"} | more
    return record(model, latency_s=latency_s, half_s=half_s, latency_processes=processes, **more)


def block(process, group, level, index):
    return Round(
        index=index, process=process, phase="measure", started_at=float(index), calls_per_value=1,
        settle=0, starts_s=(0.0, 0.1), values_s=(level, level * 1.01), pair=group,
    )  # fmt: skip


def test_the_same_workloads_of_two_runs_are_compared(record):
    base = [measured(record, "a", 0.010), measured(record, "b", 0.020)]
    later = [
        measured(record, "b", 0.020, 0.002, run_id="later"),
        measured(record, "a", 0.011, run_id="later"),
    ]
    found = compare(match_runs(base, later))
    assert [(one.match.workload, one.verdict) for one in found] == [
        ("a 224/1", "slower"),
        ("b 224/1", "undecided"),
    ]
    row = found[0].row()
    assert row["metric"] == "latency_median_s"
    assert (row["baseline"], row["contender"]) == ("3fa91c02", "later")
    assert row["ratio"] == pytest.approx(1.1)
    assert row["ratio_low"] < 1.1 < row["ratio_high"]
    assert (row["baseline_value"], row["contender_value"]) == (0.010, 0.011)
    assert row["method"] == APART


def test_the_interval_of_unpaired_sides_is_welchs(record):
    """Three processes a side, each interval ± 1 %: standard errors of 1 % / 4.303."""
    pair = [measured(record, "a", 0.010, 0.0001, run_id=run) for run in ("one", "two")]
    (found,) = compare(match_runs(pair[:1], pair[1:]))
    half = 2.776 * math.sqrt(2) * math.log(0.0101 / 0.0099) / 2 / 4.303
    assert found.row()["ratio_high"] == pytest.approx(math.exp(half), rel=1e-4)


@pytest.mark.parametrize("half_s", [0.010, 0.011, -0.001])
def test_an_interval_that_reaches_zero_or_is_upside_down_says_nothing(record, half_s):
    pair = [measured(record, "a", 0.010, half_s, run_id=run) for run in ("one", "two")]
    (found,) = compare(match_runs(pair[:1], pair[1:]))
    assert found.row()["ratio_low"] is None
    assert found.verdict == "undecided"


def test_runs_that_differ_in_threads_or_device_are_matched_and_that_is_said(record):
    base = [measured(record, "a", 0.010, threads=2)]
    for change in ({"threads": 4}, {"threads": 4, "device": "cuda"}):
        matching = match_runs(base, [measured(record, "a", 0.005, run_id="x", **change)])
        assert len(matching.matches) == 1
        assert "differ" in matching.notes[0]


def test_runs_of_one_variant_each_are_matched_by_shape(record):
    base = [measured(record, "a", 0.010, batch=b) for b in (1, 2)]
    other = [measured(record, "b", 0.012, batch=b, run_id="x") for b in (1, 2, 4)]
    matching = match_runs(base, other)
    assert [match.workload for match in matching.matches] == ["224/1", "224/2"]
    assert "left out: 0 of the baseline's workloads, 1 of the contender's" in matching.notes[1]
    assert len(match_runs(base, other[:2]).notes) == 1


def test_runs_with_nothing_in_common_are_refused_with_a_way_out(record):
    base = [measured(record, "a", 0.010), measured(record, "b", 0.010)]
    with pytest.raises(InputError, match=r"no workload in common.*--by model"):
        match_runs(base, [measured(record, "c", 0.01)])


def test_within_a_run_every_value_is_compared_with_the_first(record):
    records = [measured(record, m, s, batch=b) for m, s in (("a", 1), ("b", 2)) for b in (1, 8)]
    found = compare(match_within(records, "model"))
    assert [(one.match.workload, one.match.names) for one in found] == [
        ("224/1", ("a", "b")),
        ("224/8", ("a", "b")),
    ]
    assert {one.verdict for one in found} == {"slower"}
    assert {one.method for one in found} == {INTERLEAVED}
    (named,) = compare(match_within(records, "batch", baseline="8", contender="1"))[:1]
    assert named.match.workload == "a 224"


def test_a_value_that_the_run_does_not_have_is_named(record):
    records = [measured(record, "a", 1.0), measured(record, "b", 1.0)]
    with pytest.raises(InputError, match="no model 'c'; it has a, b"):
        match_within(records, "model", baseline="c")
    with pytest.raises(InputError, match="differs in its backend alone: it has torch"):
        match_within(records, "backend")


def test_a_name_does_not_break_the_line(record):
    records = [measured(record, "o\ndd", 1.0), measured(record, "b", 1.0)]
    asked = (
        lambda: match_within(records, "model", baseline="c\nc"),
        lambda: match_within(records[:1], "model"),
        lambda: match_runs(records, [measured(record, "c", 1.0)]),
    )
    for ask in asked:
        with pytest.raises(InputError) as told:
            ask()
        assert str(told.value).isprintable()


def test_a_workload_that_failed_on_one_side_is_named_not_compared(record):
    base = [measured(record, "a", 0.01)]
    broken = [record("a", latency_s=None, failure="crash", message="It died.", run_id="x")]
    matching = match_runs(base, broken)
    assert matching.matches == ()
    assert matching.missing == ("a 224/1: x: crash: It died.",)
    assert match_runs(broken, base).missing == (), "nothing got worse"


def test_rounds_of_a_pair_are_compared_group_by_group(record):
    """A drift of a factor of two over the groups does not hide five per cent."""
    rounds = {"a": [], "b": []}
    for process in range(3):
        for group in range(8):
            level = 0.01 * (1 + group / 8) * (1 + 0.2 * process)
            for at, (name, extra) in enumerate((("a", 1), ("b", 1.05), ("b", 1.05), ("a", 1))):
                index = 4 * (8 * process + group) + at
                rounds[name].append(block(process, group, level * extra, index))
    records = [
        replace(measured(record, name, 0.0125, 0.004), rounds=tuple(rounds[name])) for name in "ab"
    ]
    axis = axis_of_pair(records)
    assert axis == "model"
    (found,) = compare(match_within(records, axis))
    assert (found.method, found.verdict) == (PAIRED, "slower")
    assert found.difference.ratio == pytest.approx(1.05, rel=1e-3)
    assert found.row()["ratio_high"] < 1.06
    assert axis_of_pair([measured(record, "a", 1.0)]) is None


def test_one_process_on_a_side_decides_only_what_is_beyond_doubt(record):
    quick = [measured(record, m, s, processes=1) for m, s in (("a", 1.0), ("b", 1.1), ("c", 2.0))]
    found = compare(match_within(quick, "model"))
    assert [one.verdict for one in found] == ["undecided", "slower"]
    assert found[0].more_rounds is None
    assert found[0].row()["process_variance_observed"] is False


def test_the_undecided_says_how_many_rounds_would_decide(record):
    pair = [measured(record, "a", s, 0.001, run_id=str(s)) for s in (0.010, 0.0101)]
    (found,) = compare(match_runs(pair[:1], pair[1:]))
    assert found.verdict == "undecided"
    assert found.more_rounds > 100


def test_an_imported_table_of_means_has_a_ratio_and_no_verdict(record):
    base, other = record("a", latency_s=1.0), record("a", latency_s=1.5, run_id="x")
    (found,) = compare(match_runs([base], [other]))
    row = found.row()
    assert row["metric"] == "latency_mean_s"
    assert row["ratio"] == pytest.approx(1.5)
    assert (row["ratio_low"], row["ratio_high"], row["verdict"]) == (None, None, "undecided")


def test_means_are_compared_with_means(record):
    base = record("a", latency_s=1.0)
    other = measured(record, "a", 1.4, run_id="x", latency_mean_s=1.5)
    (found,) = compare(match_runs([base], [other]))
    assert found.row()["ratio"] == pytest.approx(1.5)
