"""What a figure says about itself where it cannot be trusted."""

from __future__ import annotations

import re
import time

import pytest

from inferometer.runner import run_study
from inferometer.runner.events import Notice
from inferometer.store import open_store
from inferometer.study import load_study

NOISY_OR_WORSE = {"noisy", "unstable", "drifting", "contended", "throttled", "swapped"}


def test_a_call_of_microseconds_is_batched_and_has_no_percentiles(cli, study):
    cli("run", study(["tiny"]))
    (row,) = cli.rows()
    assert row["latency_calls_per_value"] > 1
    assert [row[f"latency_p{q}_s"] for q in (90, 95, 99)] == [None] * 3


@pytest.mark.quiet
def test_a_model_that_gets_slower_under_way_is_not_steady(cli, study):
    cli("run", study(["degrades"], max_time="3s", target="5%", min_rounds=20))
    (row,) = cli.rows()
    assert row["verdict"] in NOISY_OR_WORSE - {"noisy"}
    assert any("no steady state" in cause or "moved by" in cause for cause in row["causes"])


@pytest.mark.quiet
def test_a_target_out_of_reach_gives_what_was_reached_within_the_budget(cli, study):
    path = study(["erratic"], max_time="60s", processes=3)
    begin = time.monotonic()
    cli("run", path, "--target", "1%", "--budget", "10s")
    assert time.monotonic() - begin < 14  # and the start of Python
    (row,) = cli.rows()
    assert row["status"] == "ok"
    assert row["latency_target_met"] is False
    assert row["latency_ci_low_s"] < row["latency_median_s"] < row["latency_ci_high_s"]
    assert row["verdict"] in NOISY_OR_WORSE
    assert any("the target ± 1.0%" in cause for cause in row["causes"])


@pytest.mark.quiet
def test_busy_programs_that_start_in_the_middle_are_seen(cli, study):
    cli("run", study(["gets_neighbours"], min_rounds=60, round="100ms", max_time="8s", span="6s"))
    (row,) = cli.rows()
    assert row["verdict"] in {"contended", "throttled", "swapped"}
    assert any(
        words in cause
        for cause in row["causes"]
        for words in ("a reference kernel", "other programs", "waited for a processor")
    )


@pytest.mark.quiet
def test_continuous_load_gives_rows_over_time_a_change_and_a_ranking(cli, study):
    path = study(["good", "good?seconds=0.01"])
    out, _ = cli("run", path, "--sustain", "2s")
    assert len(re.findall(r"at the\s+end of \d+ s", out)) == 2
    assert "The ranking, the fastest first, " in out
    assert max(map(len, out.splitlines())) <= 80
    assert all(row["sustained_span_s"] >= 1 for row in cli.rows())
    shown, _ = cli("show", "latest")
    assert shown.count("temperature     clock") == 2


def test_what_memory_does_not_hold_side_by_side_is_measured_in_groups(
    study, fault, tmp_path, monkeypatch
):
    monkeypatch.setattr("inferometer.runner.workers.pool.RESIDENT_SHARE", 0.0)
    path = study(["good", "good?seconds=0.003"])
    told = []
    with open_store(tmp_path / "groups.db") as store:
        run = run_study(load_study(path), store, listener=told.append)
        records = store.records(run.id)
    assert [record.status for record in records] == ["ok", "ok"]
    for record in records:
        assert any("measured in a group of 1 of 2 models" in n for n in record["notes"])
    assert any(
        "memory does not hold all workers" in e.message for e in told if isinstance(e, Notice)
    )
