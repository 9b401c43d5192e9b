"""Cells that are measured again: which a pattern names, and what the journal keeps meanwhile."""

from __future__ import annotations

import pytest

from inferometer.core.errors import InputError
from inferometer.core.record import Failure, Record, Round
from inferometer.core.sweep import Block, Study, Sweep
from inferometer.runner.events import Notice
from inferometer.runner.journal import Journal
from inferometer.runner.only import named
from inferometer.store import open_store

STUDY = Study(
    name="s",
    sweep=Sweep(
        models=("resnet18", "torchvision:resnet50", "nets/mine.py:build?width=2"),
        precisions=("fp32", "bf16"),
        blocks=(Block(sizes=(224, None), batches=(1, 8)),),
        threads=1,
    ),
)
CELLS = STUDY.workloads()


@pytest.mark.parametrize(
    ("patterns", "labels"),
    [
        (["resnet18:224/8"], ["resnet18 224/8", "resnet18 bf16 224/8"]),
        (["resnet18 bf16 224/8"], ["resnet18 bf16 224/8"]),
        (["resnet18 bf16:own/1"], ["resnet18 bf16 own size/1"]),
        (
            ["torchvision:resnet50:224/1", "resnet50:own/1"],
            [
                *("torchvision:resnet50 224/1", "torchvision:resnet50 own size/1"),
                *("torchvision:resnet50 bf16 224/1", "torchvision:resnet50 bf16 own size/1"),
            ],
        ),
    ],
)
def test_what_a_pattern_names(patterns, labels):
    assert [one.label for one in named(patterns, CELLS)] == labels


@pytest.mark.parametrize("model", ["build", "build?width=2", "nets/mine.py:build?width=2"])
def test_a_model_goes_by_its_reference_or_the_end_of_it(model):
    assert named([model], CELLS) == [one for one in CELLS if "mine.py" in one.variant.model]


def test_a_shape_alone_is_that_of_every_model():
    assert {one.variant.model for one in named([":224/8"], CELLS)} == set(STUDY.sweep.models)


@pytest.mark.parametrize("wrong", ["resnet19", "resnet18:224/3", ":448/1", "resnet18:", ":", "18"])
def test_a_pattern_that_names_nothing_is_answered_by_what_there_is(wrong):
    with pytest.raises(
        InputError, match=r"no such workload.*; it has resnet18:224/1, resnet18:224/8, "
    ):
        named(["resnet18", wrong], CELLS)


def test_a_long_list_of_cells_is_cut():
    sweep = Sweep(models=("a",), blocks=(Block(batches=tuple(range(1, 31))),))
    with pytest.raises(InputError, match=r"a:own/12 and 18 more$"):
        named(["b"], sweep.workloads())


def a_round(index):
    return Round(
        index=index, process=0, phase="measure", started_at=0.0, calls_per_value=1, settle=0,
        starts_s=(0.0,), values_s=(0.1,),
    )  # fmt: skip


CELL = CELLS[0]
OLD = Record(workload=CELL, status="ok", figures={"latency_mean_s": 0.1})
NEW = Record(workload=CELL, status="ok", figures={"latency_mean_s": 0.2})


@pytest.fixture
def again(tmp_path):
    """A journal whose first workload is measured anew, with the events that it told."""
    with open_store(tmp_path / "runs.db") as store:
        run = store.create_run(STUDY, planned=1, device={"name": "d"}, software={})
        store.put_record(run.id, OLD, [a_round(0), a_round(1)])
        events = []
        yield Journal(store=store, run=run, done=0, listener=events.append, again={CELL}), events


def kept(journal):
    (record,) = journal.store.records(journal.run.id, with_rounds=True)
    return record.figures["latency_mean_s"], [one.index for one in record.rounds]


def test_nothing_of_a_new_measurement_is_stored_before_it_is_complete(again):
    journal, _ = again
    journal.add(CELL, a_round(2))
    journal.flush()
    assert kept(journal) == (0.1, [0, 1])
    assert [one.index for one in journal.earlier(CELL)] == [2]
    journal.add(CELL, a_round(3))
    journal.finish(NEW)
    assert kept(journal) == (0.2, [2, 3])
    assert [one.index for one in journal.earlier(CELL)] == [2, 3]


def test_the_next_record_amends_the_new_one(again):
    journal, _ = again
    journal.add(CELL, a_round(2))
    journal.finish(NEW)
    journal.add(CELL, a_round(3))
    journal.amend(NEW)
    assert kept(journal) == (0.2, [2, 3])


def test_a_budget_that_ends_leaves_the_old_record_and_says_so(again):
    journal, events = again
    journal.add(CELL, a_round(2))
    failure = Failure(stage="measure", kind="budget", message="cut")
    journal.finish(Record(workload=CELL, status="skipped", failure=failure))
    journal.flush()
    assert kept(journal) == (0.1, [0, 1])
    assert "kept" in next(one.message for one in events if isinstance(one, Notice))
