"""Phases of a run: their order, their time, what they lack; and one that is new."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace

import pytest

from inferometer.core.procedure import Procedure
from inferometer.core.record import FIELDS, Record
from inferometer.core.statement import Statement
from inferometer.core.sweep import Study, Sweep
from inferometer.runner.journal import Journal
from inferometer.runner.phases import plan as module
from inferometer.runner.phases.energy.choice import EnergyDecision
from inferometer.runner.phases.phase import Site
from inferometer.runner.phases.plan import execute, phases_of
from inferometer.store import open_store

STUDY = Study(
    name="x",
    sweep=Sweep(models=("m",), backends=("python",), threads=1),
    procedure=Procedure(budget_s=100.0),
)


class Latencies:
    """Writes a record for each workload, with what later phases say until they are reached."""

    name, scope, share = "latency", "workload", 0.0
    fields = ("latency_",)

    def __init__(self, log):
        self.log = log

    def until_reached(self):
        return {}

    def is_awaited(self):
        return False

    def lacks(self, study, records):
        return False

    @contextmanager
    def meanwhile(self):
        self.log.append("begin")
        try:
            yield
        finally:
            self.log.append("end")

    def execute(self, site, procedure):
        self.log.append(("latency", round(procedure.budget_s)))
        for workload in site.missing:
            figures = {**site.until_reached, "latency_median_s": 0.1, "latency_mean_s": 0.1}
            site.journal.finish(Record(workload=workload, status="ok", figures=figures))


class Accuracy(Latencies):
    """A new metric: all that is needed for it is here."""

    name, share = "accuracy", 0.25
    fields = ("accuracy",)

    def is_awaited(self):
        return True

    def lacks(self, study, records):
        return any(record.lacks(self.name) for record in records)

    def execute(self, site, procedure):
        self.log.append(("accuracy", round(procedure.budget_s)))
        for record in site.records():
            done = record.reached(self.name)
            site.journal.amend(replace(done, figures={**done.figures, "accuracy": 0.75}))


@pytest.fixture
def site(tmp_path):
    with open_store(tmp_path / "x.db") as store:
        run = store.create_run(STUDY, planned=1, device={"name": "board"}, software={})
        journal = Journal(store=store, run=run, done=0, listener=lambda _: None)
        yield Site(study=STUDY, journal=journal, missing=STUDY.workloads(), root=tmp_path)


def test_a_new_metric_is_one_phase(site):
    log = []
    execute([Latencies(log), Accuracy(log)], site)
    (record,) = site.records()
    assert record.row()["accuracy"] == 0.75
    assert record.row()["pending"] == []
    assert log == ["begin", "begin", ("latency", 75), ("accuracy", 100), "end", "end"]


def test_what_was_not_reached_is_known_when_the_run_goes_on(site):
    log = []

    class Ended(Accuracy):
        def execute(self, site, procedure):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        execute([Latencies(log), Ended(log)], site)
    records = site.records()
    assert records[0].row()["pending"] == ["accuracy"]
    assert Accuracy(log).lacks(STUDY, records)
    assert log[-1] == "end"
    site.missing = []
    execute([Latencies(log), Accuracy(log)], site)
    assert not Accuracy(log).lacks(STUDY, site.records())


def test_every_phase_names_fields_of_the_record():
    for phase in phases_of(Procedure(), EnergyDecision(reason="none")):
        assert phase.fields
        for beginning in phase.fields:
            assert any(field.startswith(beginning) for field in FIELDS), (phase.name, beginning)


def test_several_phases_may_be_awaited(site):
    class Fidelity(Accuracy):
        name = "fidelity"

        def execute(self, site, procedure):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        execute([Latencies([]), Accuracy([]), Fidelity([])], site)
    assert site.records()[0].row()["pending"] == ["fidelity"]


def test_fields_of_energy_and_latency_are_apart():
    found = {
        phase.name: phase.fields for phase in phases_of(Procedure(), EnergyDecision(reason="none"))
    }
    energy = {field for field in FIELDS if field.startswith(found["energy"])}
    assert energy
    assert not any(field.startswith(found["latency"]) for field in energy)


def test_without_a_budget_none_has_one(site):
    site.study = replace(STUDY, procedure=Procedure())
    seen = []

    class Looks(Latencies):
        def execute(self, site, procedure):
            seen.append(procedure.budget_s)

    execute([Looks([]), Looks([])], site)
    assert seen == [None, None]


def test_a_record_says_why_it_has_no_energy_until_it_is_reached():
    nothing = module.EnergyPhase(EnergyDecision(reason=Statement("energy_off")))
    assert nothing.until_reached() == {"energy_reason": Statement("energy_off")}
    assert not nothing.lacks(STUDY, [])
