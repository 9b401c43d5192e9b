from __future__ import annotations

import time

import pytest


@pytest.mark.quiet
def test_a_run_fits_into_its_budget_and_names_what_it_cut_and_resume_measures_it(cli, study, fault):
    slow_model = "good?seconds=0.9"  # its least, twelve calls, takes longer than the budget
    path = study(["good", slow_model])
    begin = time.monotonic()
    out, err = cli("run", path, "--budget", "8s")
    assert time.monotonic() - begin < 12  # and the start of Python
    rows = {row["model"]: row for row in cli.rows()}
    slow = rows[fault(slow_model)]
    assert rows[fault("good")]["status"] == "ok"
    assert (slow["status"], slow["failure_kind"]) == ("skipped", "budget")
    assert "cut" in slow["failure_message"]
    assert "cut" in (out + err)
    cli("run", path, "--resume", "--budget", "60s")
    assert [row["status"] for row in cli.rows()] == ["ok", "ok"]


@pytest.mark.quiet
def test_a_budget_that_is_too_short_for_the_only_model_leaves_a_record(cli, study):
    cli("run", study(["good?seconds=0.6"], min_rounds=20), "--budget", "4s")
    (row,) = cli.rows()
    assert (row["status"], row["failure_kind"]) == ("skipped", "budget")


@pytest.mark.quiet
def test_the_end_of_the_budget_in_a_round_keeps_what_had_its_least(cli, study):
    """Ten calls are there when the model becomes slow; the round that never ends is given up."""
    path = study(["slows_down?calls=40"], target="0.0001%", max_time="60s")
    cli("run", path, "--budget", "8s")
    (row,) = cli.rows()
    assert row["status"] == "ok"
    assert row["latency_calls"] >= 10
    assert row["latency_max_s"] < 1
    assert row["latency_target_met"] is False


@pytest.mark.parametrize("budget", ["0s", "-1m", "soon"])
def test_a_budget_that_is_none_is_refused(cli, study, budget):
    _, err = cli("run", study(["good"]), "--budget", budget, status=2)
    assert "budget" in err
