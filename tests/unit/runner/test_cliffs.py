"""The further batch sizes of a run, on a made-up device; nothing is timed."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from inferometer.core.procedure import Procedure
from inferometer.core.record import Failure, Record
from inferometer.core.sweep import Block, Study, Sweep
from inferometer.runner.journal import Journal
from inferometer.runner.phases.cliffs import find_cliffs, next_workloads
from inferometer.store import open_store

ORDER = [8, 16, 32, 12, 14, 13, 24, 28, 26]
"""Double until one fails; then narrow the collapse, which lies at 12, and the end, which is 24."""


def study(models=("a",), sizes=(None,), **procedure):
    return Study(
        name="s",
        sweep=Sweep(models=models, threads=1, blocks=(Block(sizes=sizes, batches=(1, 2, 4)),)),
        procedure=Procedure(**{"find_cliff": "batch", **procedure}),
    )


def record_of(workload, *, works=24, fast=12):
    """A thousand inputs a second, half as many beyond a batch size; nothing works beyond another."""
    batch = workload.batch_size
    if batch > works:
        failure = Failure(stage="measure", kind="out_of_memory", message="it was full")
        return Record(workload=workload, status="failed", failure=failure)
    latency_s = batch / (1000 if batch <= fast else 500)
    figures = {
        "latency_median_s": latency_s,
        "latency_mean_s": latency_s,
        "latency_ci_low_s": 0.99 * latency_s,
        "latency_ci_high_s": 1.01 * latency_s,
        "latency_processes": 3,
    }
    return Record(workload=workload, status="ok", figures=figures)


@pytest.fixture
def journal(tmp_path):
    """Makes a run whose own workloads are measured; gives its journal."""
    with open_store(tmp_path / "runs.db") as store:

        def make(of):
            planned = len(of.workloads())
            run = store.create_run(of, planned=planned, device={"name": "d"}, software={})
            events = []
            journal = Journal(store=store, run=run, done=0, listener=events.append)
            for workload in of.workloads():
                journal.finish(record_of(workload))
            journal.events = events
            return journal

        yield make


class Device:
    """Measures at once, and remembers what and under which budget."""

    def __init__(self, journal, **cliffs):
        self.journal = journal
        self.cliffs = cliffs
        self.measured = []
        self.budgets = []

    def __call__(self, procedure, workloads):
        self.budgets.append(procedure.budget_s)
        variants = [workload.variant for workload in workloads]
        assert len(set(variants)) == len(variants), "a worker would be used twice"
        for workload in workloads:
            self.measured.append((workload.input_size, workload.batch_size))
            self.journal.finish(record_of(workload, **self.cliffs))


def test_a_study_without_the_wish_is_measured_alone(journal):
    of = study(find_cliff=None)
    kept = journal(of)
    find_cliffs(of, kept, Device(kept), begin=time.monotonic())
    assert next_workloads(of, kept.store.records(kept.run.id)) == []
    assert len(kept.store.records(kept.run.id)) == 3


def test_batches_grow_until_there_is_a_cliff_which_is_then_narrowed(journal):
    of = study()
    kept = journal(of)
    device = Device(kept)
    find_cliffs(of, kept, device, begin=time.monotonic())
    assert [batch for _, batch in device.measured] == ORDER
    assert device.budgets == [None] * len(ORDER)
    last = kept.events[-1]
    assert (last.done, last.planned) == (3 + len(ORDER), 3 + len(ORDER))


def test_what_the_study_skipped_is_tried_and_counted_once(journal):
    of = study()
    kept = journal(of)
    skipped = of.workloads()[0].at(8)
    failure = Failure(stage="warmup", kind="out_of_memory", message="it would not fit")
    kept.run = replace(kept.run, planned=4)
    kept.finish(Record(workload=skipped, status="skipped", failure=failure))
    find_cliffs(of, kept, Device(kept), begin=time.monotonic())
    last = kept.events[-1]
    assert last.done == last.planned == len(kept.store.records(kept.run.id)) == 3 + len(ORDER)


def test_every_size_and_model_is_a_line_of_its_own(journal):
    of = study(models=("a", "b"), sizes=(224, 448))
    kept = journal(of)
    device = Device(kept, works=8)
    find_cliffs(of, kept, device, begin=time.monotonic())
    at = {size: sorted(b for s, b in device.measured if s == size) for size in (224, 448)}
    assert at == {224: [8, 8, 9, 9, 10, 10, 12, 12, 16, 16], 448: at[224]}


def test_it_goes_on_from_any_point_and_ends_the_same(journal):
    of = study()
    whole = journal(of)
    find_cliffs(of, whole, Device(whole), begin=time.monotonic())
    halted = journal(of)
    seen = []
    while wanted := next_workloads(of, halted.store.records(halted.run.id)):
        halted.finish(record_of(wanted[0]))  # one, and then a kill
        seen.append(wanted[0].batch_size)
    assert seen == ORDER


def test_what_the_budget_cuts_is_told_once_and_tried_again_when_resumed(journal):
    of = study(budget_s=60.0)
    kept = journal(of)

    def cut(procedure, workloads):
        assert 0 < procedure.budget_s <= 60
        for workload in workloads:
            failure = Failure(stage="measure", kind="budget", message="cut")
            kept.finish(Record(workload=workload, status="skipped", failure=failure))

    find_cliffs(of, kept, cut, begin=time.monotonic())
    notes = [event.message for event in kept.events if hasattr(event, "message")]
    assert [note for note in notes if "--resume" in note] == notes[1:]
    (wanted,) = next_workloads(of, kept.store.records(kept.run.id))
    assert wanted.batch_size == 8


def test_nothing_begins_after_the_end_of_the_budget(journal):
    of = study(budget_s=5.0)
    kept = journal(of)
    device = Device(kept)
    find_cliffs(of, kept, device, begin=time.monotonic() - 10)
    assert device.measured == []
    assert "--resume" in kept.events[-1].message


def test_what_failed_to_load_has_no_cliff(journal):
    of = study()
    kept = journal(of)
    for workload in of.workloads():
        failure = Failure(stage="load", kind="out_of_memory", message="too large")
        kept.amend(Record(workload=workload, status="failed", failure=failure))
    assert next_workloads(of, kept.store.records(kept.run.id)) == []
