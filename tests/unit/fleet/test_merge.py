"""Parts of one run from equal devices: each once, whatever comes in which order."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from inferometer.core.record import Failure
from inferometer.core.sweep import Block, Study, Sweep
from inferometer.figures.joint import machine_state
from inferometer.fleet.engine.blocks import cut
from inferometer.fleet.engine.merge import add_part, add_parts, without_threads
from inferometer.fleet.jobs import job_of
from inferometer.fleet.types import Device
from inferometer.store import open_store
from inferometer.store.bundle import read_bundle

from .simulated_board import SimulatedBoard, told

STUDY = Study(
    name="s",
    sweep=Sweep(models=("a", "b"), blocks=(Block(sizes=(224,), batches=(1, 2, 4, 8)),)),
)
GROUP = "00c0ffee"
FACTORS = {"pi1": 1.0, "pi2": 1.2}


def part(number, name, job_id, fails=lambda _: False):
    device = Device(name=name, host=name, kind="pi")
    blocks = cut(STUDY.workloads(), 2).blocks
    board = SimulatedBoard(
        device=device,
        latency_s=lambda one: 0.01 * one.batch_size * FACTORS[name],
        fails=fails,
    )
    job = job_of(STUDY, device, job_id=job_id, group=GROUP, workloads=blocks[number])
    return read_bundle(told(board, job, len(blocks[number])), name)


@pytest.fixture
def store(tmp_path):
    with open_store(tmp_path / "r.db") as opened:
        yield opened


PARTS = [part(0, "pi1", "00000001"), part(1, "pi2", "00000002")]


def content(store):
    run = store.run(GROUP)
    return {one.workload: one.figures for one in store.records(GROUP)}, run


def test_parts_become_one_run_with_all_workloads_and_a_joint_fit(store):
    assert add_part(store, PARTS[0], group=GROUP, name="pi").finished_at is None
    run = add_part(store, PARTS[1], group=GROUP, name="pi", facts={"price": 40.0})
    records = store.records(GROUP, with_rounds=True)
    assert run.finished_at is not None
    assert run.device_name == "pi"
    assert run.planned == len(records) == 8
    assert [one.workload.batch_size for one in records] == [1, 2, 4, 8, 1, 2, 4, 8]
    assert {one.workload.threads for one in records} == {4}
    both = [one for one in records if one["devices"] == ["pi1", "pi2"]]
    assert len(both) == 1
    assert len(both[0].rounds) == 12
    assert {run.device_of(one.process) for one in both[0].rounds} == {"pi1", "pi2"}
    assert all("on 2 devices" in one["latency_ci_method"] for one in records)
    assert machine_state(run, records) is None  # each device has its own
    numbers = [done.index for one in records for done in one.rounds]
    assert len(set(numbers)) == len(numbers) == 9 * 6


def test_ratios_are_those_of_the_workloads_not_of_the_devices(store):
    add_parts(store, PARTS, group=GROUP, name="pi")
    median = {
        (one.workload.variant.model, one.workload.batch_size): one["latency_median_s"]
        for one in store.records(GROUP)
    }
    for model in "ab":
        for batch in (2, 4, 8):
            assert median[model, batch] / median["a", 1] == pytest.approx(batch, rel=0.08)


@pytest.mark.parametrize("seed", range(5))
def test_whatever_comes_twice_or_in_another_order_is_there_once(store, seed):
    rng = random.Random(seed)
    again = part(0, "pi2", "00000003")  # the block of a device that was given up, and came back
    came = [*PARTS, *PARTS, again]
    rng.shuffle(came)
    for one in came:
        add_part(store, one, group=GROUP, name="pi")
    figures, run = content(store)
    assert len(figures) == 8
    assert len(run.device["parts"]) == 2
    assert sum(len(one) for one in store.all_rounds(GROUP).values()) == 9 * 6
    before = content(store)
    assert add_parts(store, came, group=GROUP, name="pi") is None
    assert content(store) == before


def test_of_parts_that_overlap_each_workload_counts_once(store):
    """A device measured on while its line was cut, and its workloads were shared out anew."""
    workloads, common = STUDY.workloads(), cut(STUDY.workloads(), 2).common
    jobs = {"00000001": ("pi1", workloads[:6]), "00000002": ("pi2", [common, *workloads[4:]])}
    for job_id, (name, mine) in jobs.items():
        board = SimulatedBoard(device=Device(name=name, host=name, kind="pi"))
        job = job_of(STUDY, board.device, job_id=job_id, group=GROUP, workloads=mine)
        add_part(store, read_bundle(told(board, job, len(mine)), name), group=GROUP, name="pi")
    rounds = {
        without_threads(one.workload): len(one.rounds)
        for one in store.records(GROUP, with_rounds=True)
    }
    assert rounds == {one: 12 if one == common else 6 for one in workloads}
    assert store.run(GROUP).finished_at is not None


def test_what_a_budget_cut_is_measured_by_a_later_part(store):
    cut_off = Failure(stage="measure", kind="budget", message="cut")
    first = replace(
        PARTS[0],
        records=tuple(
            replace(one, status="skipped", failure=cut_off, figures={}) for one in PARTS[0].records
        ),
        rounds={},
    )
    add_part(store, first, group=GROUP, name="pi")
    assert {one.status for one in store.records(GROUP)} == {"skipped"}
    add_part(store, replace(PARTS[0], run=PARTS[1].run), group=GROUP, name="pi")
    assert {one.status for one in store.records(GROUP)} == {"ok"}


def test_a_workload_that_failed_on_one_device_keeps_the_figures_of_the_other(store):
    common = cut(STUDY.workloads(), 2).common
    bad = part(1, "pi2", "00000002", fails=lambda one: one.batch_size == common.batch_size)
    for group, parts in (("00c0ffee", [PARTS[0], bad]), ("00c0ffef", [bad, PARTS[0]])):
        add_parts(store, parts, group=group, name="pi")
        found = {without_threads(one.workload): one for one in store.records(group)}
        assert len(found) == 8
        assert found[common].status == "ok"
