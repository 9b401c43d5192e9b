"""Where the energy phase stands in a run."""

from __future__ import annotations

import threading

import pytest

from inferometer.core.procedure import Procedure
from inferometer.core.record import Record
from inferometer.core.sweep import Study, Sweep
from inferometer.runner import EnergyOptions, Options, run, run_study
from inferometer.runner.phases import phase as first_phase
from inferometer.runner.phases import plan as phases
from inferometer.store import open_store

STUDY = Study(
    name="x",
    sweep=Sweep(models=("missing.py:f",), backends=("python",), threads=1),
    procedure=Procedure(budget_s=90.0),
)
OPTIONS = Options(energy=EnergyOptions(meters=("estimate://5:20",), allow_estimate=True))


class Latencies:
    """Stands for the campaign: one record, and a look at who is awake meanwhile."""

    awake = ()
    budget_s = None

    def __init__(self, apparatus):
        self.journal, self.constants = apparatus.journal, apparatus.ending.outcomes.constants
        Latencies.budget_s = apparatus.procedure.budget_s

    def execute(self, workloads):
        Latencies.awake = [thread.name for thread in threading.enumerate()]
        for workload in workloads:
            figures = self.constants | {"latency_median_s": 0.01, "latency_mean_s": 0.01}
            self.journal.finish(Record(workload=workload, status="ok", figures=figures))


@pytest.fixture
def measured(monkeypatch, tmp_path):
    """A run with these latencies, and what the energy phase was given."""
    given = []

    def execute(_phase, records):
        given.extend(records)

    monkeypatch.setattr(run, "check", lambda _: None)
    monkeypatch.setattr(first_phase, "Campaign", Latencies)
    monkeypatch.setattr(phases.EnergyMeasurement, "execute", execute)
    with open_store(tmp_path / "x.db") as store:
        yield lambda options: (run_study(STUDY, store, options=options), given)


def test_counters_are_watched_from_the_beginning(measured):
    """One that wraps within a minute would be lost if it were first read after the latencies."""
    measured(OPTIONS)
    assert "sampler estimate:cpu" in Latencies.awake
    assert "sampler estimate:cpu" not in [thread.name for thread in threading.enumerate()]


def test_what_has_latencies_gets_energy_within_its_share_of_the_budget(measured):
    _, given = measured(OPTIONS)
    assert [record.workload.variant.model for record in given] == ["missing.py:f"]
    assert 40 < Latencies.budget_s <= 49.5  # less what looking at the device took


def test_without_a_source_nothing_is_kept_for_energy(measured):
    done, given = measured(Options(energy=EnergyOptions(wanted=False)))
    assert given == []
    assert 80 < Latencies.budget_s <= 90
    assert done.finished_at is not None
