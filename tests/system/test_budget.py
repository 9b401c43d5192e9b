from __future__ import annotations

import time

import pytest


@pytest.mark.quiet
def test_a_run_fits_into_its_budget_and_names_what_it_cut_and_resume_measures_it(cli, study, fault):
    slow_model = "good?seconds=3"  # not even two calls of it fit
    path = study(["good", slow_model])
    begin = time.monotonic()
    out, err = cli("run", path, "--budget", "10s")
    assert time.monotonic() - begin < 17  # a call is not interrupted; and the start of Python
    rows = {row["model"]: row for row in cli.rows()}
    slow = rows[fault(slow_model)]
    assert rows[fault("good")]["status"] == "ok"
    assert (slow["status"], slow["failure_kind"]) == ("skipped", "budget")
    assert "cut" in slow["failure_message"]
    assert "cut" in (out + err)
    assert "1 of 2 measured; continue: inferometer run --resume" in err
    cli("run", path, "--resume", "--budget", "30s")
    assert [row["status"] for row in cli.rows()] == ["ok", "ok"]


@pytest.mark.quiet
def test_a_dear_workload_has_a_figure_of_the_calls_that_fit(cli, study, fault):
    dear = "good?seconds=0.9"  # twelve calls take longer than the budget, two do not
    cli("run", study(["good", dear]), "--budget", "14s")
    row = {row["model"]: row for row in cli.rows()}[fault(dear)]
    assert row["status"] == "ok"
    assert 2 <= row["latency_calls"] < 12
    assert any("the budget left time for" in note for note in row["notes"])


@pytest.mark.quiet
def test_a_budget_that_is_too_short_for_the_only_model_leaves_a_record(cli, study):
    _, err = cli("run", study(["good?seconds=3"], min_rounds=20), "--budget", "4s", status=1)
    (row,) = cli.rows()
    assert (row["status"], row["failure_kind"]) == ("skipped", "budget")
    assert "0 of 1 measured; continue: inferometer run --resume" in err


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
