"""The fidelity phase with a pool that only pretends: references, time, failures, what is shared."""

from pathlib import Path

import numpy as np
import pytest

from inferometer.core.procedure import Procedure
from inferometer.core.record import Failure, Record
from inferometer.core.sweep import Study, Sweep
from inferometer.core.workload import Shape, Target, Variant, Workload
from inferometer.runner.comparing import is_judged, reference_of
from inferometer.runner.journal import Journal
from inferometer.runner.phases.energy.choice import EnergyDecision
from inferometer.runner.phases.fidelity import FidelityMeasurement, lacking
from inferometer.runner.phases.plan import FidelityPhase, phases_of
from inferometer.runner.workers.parent import WorkerFailed
from inferometer.store import open_store


def variant(model="resnet18", backend="torch", precision="fp32", options=()):
    return Variant(model=model, backend=backend, precision=precision, options=options)


def record(batch=1, size=8, call_s=0.1, **names):
    return Record(
        workload=Workload(
            variant=variant(**names),
            target=Target(device="cpu", threads=1),
            shape=Shape(batch_size=batch, input_size=size),
        ),
        status="ok",
        figures={"latency_median_s": call_s, "pending": ["fidelity", "energy"]},
    )


class Clock:
    def __init__(self, left):
        self.left = list(left)

    @property
    def left_s(self):
        return self.left.pop(0) if len(self.left) > 1 else self.left[0]


class Pool:
    """Gives the samples themselves; bf16 is 1 % off, fp16 fails, the model `unet` has no fp32."""

    def __init__(self, left=(100.0,)):
        self.clock = Clock(left)
        self.samples, self.gave, self.living, self.ended = [], [], set(), 0
        self.on_wait = None

    def make_samples(self, workload, calls, data, into):
        if workload.variant.model == "unet":
            raise WorkerFailed(Failure(stage="load", kind="bad_model", message="it is broken"))
        self.samples.append((workload, calls, data))
        return calls

    def give_outputs(self, workload, inputs, into, *, seconds):
        assert seconds > 0
        self.living.add(workload.variant)
        assert len(self.living) == 1, "two models are in memory at once"
        if workload.variant.precision == "fp16":
            raise WorkerFailed(Failure(stage="measure", kind="unsupported", message="no halves"))
        self.gave.append(workload)
        random = np.random.default_rng(3)
        factor = 1.01 if workload.variant.precision == "bf16" else 1.0
        with Path(into).open("wb") as file:
            np.savez(file, **{f"{n}/0": factor * random.random((1, 4)) for n in range(8)})
        return 8

    def end(self, variant):
        self.living.discard(variant)

    def end_all(self):
        self.ended += 1


@pytest.fixture
def judged(tmp_path):
    def judge(records, pool, data=None):
        study = Study(name="s", sweep=Sweep(models=("m",)), procedure=Procedure())
        with open_store(tmp_path / "x.db") as store:
            run = store.create_run(study, planned=len(records), device={}, software={})
            for one in records:
                store.put_record(run.id, one)
            journal = Journal(store=store, run=run, done=0, listener=lambda _: None)
            FidelityMeasurement(data, journal, pool).execute(lacking(store.records(run.id)))
            assert pool.ended == 1
            return store.records(run.id)

    return judge


def test_each_variant_is_judged_once_for_all_batch_sizes(judged):
    precisions = ("fp32", "bf16")
    pool = Pool()
    found = judged([record(batch=b, precision=p) for p in precisions for b in (2, 4)], pool)
    assert [(one.variant.precision, one.batch_size) for one in pool.gave] == [
        ("fp32", 2), ("bf16", 2)
    ]  # fmt: skip
    assert [(calls, data) for _, calls, data in pool.samples] == [(16, None)]
    for one in found:
        assert one["pending"] == ["energy"]
        assert one["fidelity_reason"] is None
        if one["precision"] == "fp32":
            assert one["fidelity_verdict"] is None
        else:
            assert one["fidelity_verdict"] == "same"
            assert one["fidelity_relative_error"] == pytest.approx(0.01)
            assert one["fidelity_reference"] == "torch fp32"
            assert one["fidelity_samples"] == 8


def test_a_reference_that_the_study_lacks_is_loaded_all_the_same(judged):
    pool = Pool()
    (found,) = judged([record(precision="bf16")], pool, data="digits")
    assert found["fidelity_verdict"] == "same"
    (made, _, data), *_ = pool.samples
    assert (made.variant, data) == (variant(), "digits")


def test_every_input_size_has_samples_of_its_own(judged):
    pool = Pool()
    judged([record(size=size, precision="bf16") for size in (8, 16)], pool)
    assert [one.input_size for one, _, _ in pool.samples] == [8, 16]


def test_the_quickest_models_come_first(judged):
    pool = Pool()
    slow = record(model="resnet18", precision="bf16", call_s=2.0)
    quick = record(model="mobilenet_v3_small", precision="bf16", call_s=0.1)
    judged([slow, quick], pool)
    assert [one.variant.model for one, _, _ in pool.samples] == ["mobilenet_v3_small", "resnet18"]


def test_a_failure_is_a_reason_and_nothing_else_fails(judged):
    broken, half, whole = judged(
        [
            record(model="unet", precision="bf16"),
            record(precision="fp16"),
            record(precision="bf16"),
        ],
        Pool(),
    )
    assert {one.status for one in (broken, half, whole)} == {"ok"}
    assert "the reference torch fp32 failed: it is broken" in broken["fidelity_reason"]
    assert half["fidelity_reason"] == "fidelity was not judged: no halves (unsupported)"
    assert whole["fidelity_verdict"] == "same"


def test_without_time_the_record_says_so(judged):
    pool = Pool(left=[1.0])
    (found,) = judged([record(precision="bf16")], pool)
    assert "no time" in found["fidelity_reason"]
    assert found["pending"] == ["energy"]
    assert not pool.samples


def test_the_users_own_callables_have_no_reference(judged):
    pool = Pool()
    (found,) = judged([record(model="x.py:f", backend="python")], pool)
    assert (found["fidelity_verdict"], found["fidelity_reason"]) == (None, None)
    assert not pool.samples


def test_the_reference_of_a_model_is_eager_and_of_a_file_itself(tmp_path):
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    assert reference_of(variant(precision="bf16")) == variant()
    node = onnx.helper.make_node("Relu", ["x"], ["y"])
    values = [onnx.helper.make_tensor_value_info(n, onnx.TensorProto.FLOAT, [1, 2]) for n in "xy"]
    graph = onnx.helper.make_graph([node], "g", values[:1], values[1:])
    path = tmp_path / "x.onnx"
    onnx.save(onnx.helper.make_model(graph), path)
    file = variant(str(path), "onnxruntime")
    reference = reference_of(file)
    assert reference.options == (("graph_optimization", "disabled"),)
    assert is_judged(file)
    assert not is_judged(reference)


def test_eager_fp32_alone_has_no_such_phase():
    def phase(*variants):
        (found,) = (
            one
            for one in phases_of(Procedure(), EnergyDecision(reason="none"), variants)
            if isinstance(one, FidelityPhase)
        )
        return found

    alone, both = phase(variant()), phase(variant(), variant(precision="bf16"))
    assert not alone.is_awaited()
    assert alone.share == 0
    assert alone.until_reached() == {}
    assert both.is_awaited()
    assert both.share > 0
    assert both.lacks(None, [record()])
