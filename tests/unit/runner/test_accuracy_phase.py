"""The accuracy phase with a pool that only pretends: time, failures, what is judged once."""

import hashlib

import pytest

from inferometer.core.procedure import Procedure
from inferometer.core.record import Failure, Record
from inferometer.core.run import Run
from inferometer.core.sweep import Study, Sweep
from inferometer.core.workload import Shape, Target, Variant, Workload
from inferometer.runner.journal import Journal
from inferometer.runner.phases.accuracy import AccuracyMeasurement, alike, fastest, lacking
from inferometer.runner.workers.messages import DataOpened, Evaluated
from inferometer.runner.workers.parent import WorkerFailed
from inferometer.store import open_store

SAMPLES = 40


def record(model="m", batch=1, size=8, call_s=0.1):
    return Record(
        workload=Workload(
            variant=Variant(model=model, backend="torch", precision="fp32"),
            target=Target(device="cpu", threads=1),
            shape=Shape(batch_size=batch, input_size=size),
        ),
        status="ok",
        figures={"latency_median_s": call_s, "pending": ["accuracy"], "notes": ["earlier"]},
    )


class Clock:
    def __init__(self, left):
        self.left = list(left)

    @property
    def left_s(self):
        return self.left.pop(0) if len(self.left) > 1 else self.left[0]


class Pool:
    """Answers ten samples at a time; of the model `bad`, none."""

    def __init__(self, left=(100.0,)):
        self.clock = Clock(left)
        self.judged, self.ended = [], 0
        self.on_wait = None

    def is_warm(self, workload):
        return False

    def warm_up(self, workload, *, call_s):
        assert call_s == 0.1 * workload.batch_size**0.5

    def open_data(self, workload, reference, metric):
        if workload.variant.model == "bad":
            failure = Failure(stage="measure", kind="unsupported", message="it does not fit")
            raise WorkerFailed(failure)
        self.judged.append(workload)
        return DataOpened(
            name="digits", task="classification", classes=("0", "1", "2"), digest="d",
            metric="top1", higher_is_better=True, samples=SAMPLES, skipped=(),
        )  # fmt: skip

    def evaluate(self, workload, first, *, seconds):
        numbers = range(first, min(first + 10, SAMPLES))
        return Evaluated(
            rows=tuple((float(n % 4 > 0),) for n in numbers),
            columns=1,
            lengths=(1,) * len(numbers),
            units=tuple(map(str, numbers)),
            contents=tuple(hashlib.sha256(bytes([n])).hexdigest()[:32] for n in numbers),
            real_s=(0.1,) * 5,
            synthetic_s=(0.1,) * 5,
            stages={"load": 0.1},
        )

    def end(self, variant):
        pass

    def end_all(self):
        self.ended += 1


@pytest.fixture
def measured(tmp_path):
    def measure(records, pool):
        procedure = Procedure(data="digits")
        study = Study(name="s", sweep=Sweep(models=("m",)), procedure=procedure)
        with open_store(tmp_path / "x.db") as store:
            run: Run = store.create_run(study, planned=len(records), device={}, software={})
            for one in records:
                store.put_record(run.id, one)
            journal = Journal(store=store, run=run, done=0, listener=lambda _: None)
            AccuracyMeasurement(procedure, journal, pool).execute(lacking(store.records(run.id)))
            return store.records(run.id), store.evaluations(run.id)

    return measure


def test_a_model_is_judged_once_at_each_size_where_it_is_fastest(measured):
    records = [
        record(batch=batch, size=size, call_s=0.1 * batch**0.5)
        for size in (8, 16)
        for batch in (1, 4)
    ]
    pool = Pool()
    found, passes = measured(records, pool)
    assert [(one.batch_size, one.input_size) for one in pool.judged] == [(4, 8), (4, 16)]
    assert len(passes) == 2
    for one in found:
        assert one["accuracy"] == 0.75
        assert one["accuracy_batch_size"] == 4
        assert (one["data_latency_s"] is None) == (one["batch_size"] == 1)
        assert one["pending"] == []
        assert "earlier" in one["notes"]
    assert pool.ended == 1


def test_where_time_ends_the_first_samples_count_and_the_rest_says_so(measured):
    pool = Pool(left=[100.0, 100.0, 100.0, 1.0])
    (found, other), _ = measured([record(), record(model="n")], pool)
    assert found["accuracy_examples"] == 20
    assert "time for 20 of the 40 samples" in found["notes"][-1]
    assert other["accuracy"] is None
    assert "no time" in other["accuracy_reason"]


class Slow(Pool):
    """Ten samples take 10 s, and there are 75 s; each is its own clock."""

    def __init__(self):
        super().__init__()
        self.clock, self.now = self, 0.0

    @property
    def left_s(self):
        return 75.0 - self.now

    def evaluate(self, workload, first, *, seconds):
        self.now += 10.0
        return super().evaluate(workload, first, seconds=seconds)


def test_each_model_gets_its_part_of_the_time_the_quickest_first(measured, monkeypatch):
    pool = Slow()
    monkeypatch.setattr("time.monotonic", lambda: pool.now)
    records = [record(model="dear", batch=4, call_s=0.2), record(model="a"), record(model="b")]
    records[1] = record(model="a", batch=16, call_s=0.4)
    found, _ = measured(records, pool)
    assert [one.variant.model for one in pool.judged] == ["a", "dear", "b"]
    assert [one["accuracy_examples"] for one in found] == [30, 30, 20]


def test_what_does_not_fit_leaves_a_reason_and_the_others_go_on(measured):
    (bad, good), passes = measured([record(model="bad"), record()], Pool())
    assert bad["accuracy_reason"] == "accuracy was not judged: it does not fit (unsupported)"
    assert bad["latency_median_s"] == 0.1
    assert good["accuracy"] == 0.75
    assert len(passes) == 1


def test_records_that_differ_in_their_batch_alone_belong_together():
    records = [record(batch=1), record(batch=2, call_s=0.3), record(size=9)]
    groups = alike(records)
    assert [len(group) for group in groups] == [2, 1]
    assert fastest(groups[0]) is records[0]
