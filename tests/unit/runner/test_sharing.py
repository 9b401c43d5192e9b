"""Runs by hand on a device on which a fleet measures too."""

from __future__ import annotations

import pytest

from inferometer.core.procedure import Procedure
from inferometer.core.sweep import Block, Study, Sweep
from inferometer.host.lease import (
    VARIABLE,
    Holder,
    LeaseHeldError,
    holder_now,
    holding,
    this_person,
)
from inferometer.runner import Options, run_study
from inferometer.runner.sharing import alone_here
from inferometer.store import open_store

JOB = Holder(user="ada", host="desk", job="0a1b2c3d")
STUDY = Study(
    name="s",
    sweep=Sweep(models=("python:math:sqrt",), backends=("python",), blocks=(Block(batches=(1,)),)),
    procedure=Procedure(),
)


@pytest.fixture(autouse=True)
def lease(tmp_path, monkeypatch):
    monkeypatch.setenv(VARIABLE, str(tmp_path / "lease"))
    return tmp_path / "lease"


def test_a_run_holds_the_lease_in_the_name_of_the_person():
    with alone_here(print, None):
        held = holder_now()
        assert (held.user, held.host, held.job) == (this_person().user, this_person().host, "")
    assert holder_now() is None


def test_a_run_does_not_begin_while_a_job_of_a_fleet_measures(tmp_path, monkeypatch):
    monkeypatch.setattr("inferometer.runner.run.check", lambda _: None)
    with open_store(tmp_path / "r.db") as store:
        with (
            holding(JOB),
            pytest.raises(LeaseHeldError, match=r"ada from desk measures .*ask them"),
        ):
            run_study(STUDY, store, options=Options())
        assert store.runs() == []


def test_the_process_of_the_job_has_the_lease_already(capsys):
    with holding(JOB), alone_here(print, JOB.job):
        assert holder_now().job == JOB.job
    assert capsys.readouterr().out == ""


def test_two_runs_by_hand_tell_of_each_other():
    told = []
    with alone_here(print, None), alone_here(told.append, None):
        pass
    assert [one.message.endswith("too: both are slower for it") for one in told] == [True]


@pytest.mark.parametrize("place", ["missing/lease", "."])
def test_where_there_can_be_no_lease_a_run_goes_on(tmp_path, monkeypatch, place):
    monkeypatch.setenv(VARIABLE, str(tmp_path / place))
    with alone_here(pytest.fail, None):
        assert holder_now() is None
