"""The phase that tells where the time goes, with profiles that are made up."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from inferometer.core.cost import Cost
from inferometer.core.errors import WorkloadError
from inferometer.core.metric import Estimate
from inferometer.core.operators import kind_times
from inferometer.core.options import PRESETS
from inferometer.core.procedure import Procedure, values_of_preset
from inferometer.core.profile import CallTree, Node, Profile
from inferometer.core.record import Failure, Record
from inferometer.core.statement import Statement
from inferometer.core.sweep import Study, Sweep
from inferometer.core.workload import CONTROL, Shape, Target, Variant, Workload
from inferometer.runner.journal import Journal
from inferometer.runner.phases import operators as module
from inferometer.runner.phases.energy.choice import EnergyDecision
from inferometer.runner.phases.operators import (
    OperatorMeasurement,
    may_profile,
    profiled_records,
    share_kept,
)
from inferometer.runner.phases.plan import OperatorPhase, phases_of
from inferometer.runner.profile import Profiled
from inferometer.store import open_store

ROOT = Node(
    name="", kind="module", type="Net", calls=1, self_s=1, total_s=1, low_s=1, high_s=1
)  # fmt: skip


def estimate(value):
    return Estimate(value=value, low=None, high=None, confidence=0.95, method="by hand", n=9)


def variant(model="resnet18", backend="torch", precision="fp32"):
    return Variant(model=model, backend=backend, precision=precision)


def record(batch=1, size=8, call_s=0.1, failure=None, **names):
    return Record(
        workload=Workload(
            variant=variant(**names),
            target=Target(device="cpu", threads=1),
            shape=Shape(batch_size=batch, input_size=size),
        ),
        status="failed" if failure else "ok",
        failure=failure,
        figures={} if failure else {"latency_median_s": call_s, "pending": ["operators"]},
    )


@pytest.fixture
def profiled(monkeypatch):
    """What was asked for; the model `unet` cannot be profiled."""
    asked = []

    def profile_of(request):
        asked.append(request)
        if request.workload.variant.model == "unet":
            raise WorkloadError("crash", "it died")
        tree = CallTree(root=ROOT, operators=(), events=1)
        profile = Profile(
            plain=estimate(0.1),
            profiled=estimate(0.12),
            added=estimate(0.2),
            tree=tree,
            input_shape="1x3x8x8",
        )
        cost = Cost(
            operators=(),
            input_bytes=0,
            output_bytes=0,
            weight_bytes=0,
            activation_bytes=0,
            activation_peak_bytes=0,
            method="by hand",
        )
        return Profiled(workload=request.workload, profile=profile, cost=cost)

    monkeypatch.setattr(module, "profile_of", profile_of)
    return asked


@pytest.fixture
def after(tmp_path):
    def measure(records, **changes):
        procedure = replace(Procedure(), **changes)
        study = Study(name="s", sweep=Sweep(models=("m",)), procedure=procedure)
        with open_store(tmp_path / "x.db") as store:
            run = store.create_run(study, planned=len(records), device={}, software={})
            for one in records:
                store.put_record(run.id, one)
            journal = Journal(store=store, run=run, done=0, listener=lambda _: None)
            phase = OperatorMeasurement(procedure=procedure, journal=journal, rooflines=[])
            phase.execute(store.records(run.id))
            found = store.records(run.id)
        return {(one.workload.variant.model, one.workload.batch_size): one for one in found}

    return measure


def test_each_variant_is_profiled_once_at_the_smallest_shape_that_all_have(after, profiled):
    records = [record(batch=b) for b in (1, 2, 4)]
    records += [record(model="squeezenet1_0", batch=b, call_s=0.01) for b in (2, 4)]
    found = after(records)
    asked = [(one.workload.variant.model, one.workload.batch_size) for one in profiled]
    assert asked == [("squeezenet1_0", 2), ("resnet18", 2)]  # the quickest call first
    for place, one in found.items():
        assert one["pending"] == []
        assert bool(kind_times(one)) == (place in asked)
        assert one["operator_times_reason"] is None
    told = found["resnet18", 2]
    assert (told["operator_times_latency_s"], told["operator_times_added"]) == (0.1, 0.2)


def test_what_fails_says_why_and_the_others_go_on(after, profiled):
    records = [record(model="unet", call_s=0.01), record(), record(backend="onnxruntime")]
    records[2] = replace(
        records[2],
        workload=replace(records[2].workload, variant=variant("m.onnx", "onnxruntime")),
    )
    found = after(records)
    assert found["unet", 1]["operator_times_reason"] == "operators were not timed: it died (crash)"
    assert kind_times(found["resnet18", 1])
    assert "onnxruntime has no profiler" in found["m.onnx", 1]["operator_times_reason"]
    assert len(profiled) == 2


def test_without_time_nothing_is_begun(after, profiled):
    found = after([record()], budget_s=module.LEAST_LEFT_S)
    assert found["resnet18", 1]["operator_times_reason"].endswith("left no time for it")
    assert profiled == []
    after([record()], budget_s=100.0)
    assert time.monotonic() < profiled[0].end < time.monotonic() + 100.0


def test_what_was_profiled_before_is_not_profiled_again(after, profiled):
    done = record(batch=1)
    done = replace(done, figures={**done.figures, "pending": []})
    found = after([done, record(batch=2)])
    assert profiled == []
    assert found["resnet18", 2]["pending"] == []


def test_failed_workloads_have_no_shape():
    failure = Failure(stage="load", kind="crash", message="it died")
    records = [record(batch=1, failure=failure), record(batch=2)]
    assert [one.workload.batch_size for one in profiled_records(records)] == [2]


def test_only_what_can_be_profiled_keeps_time_for_it():
    assert may_profile(variant())
    assert not may_profile(variant(precision="int8"))
    assert not may_profile(variant(model=CONTROL))
    assert not may_profile(variant(backend="onnxruntime"))
    assert not may_profile(variant(backend="no such"))
    for wanted in (True, False):
        phase = OperatorPhase(Procedure(operator_times=wanted, budget_s=80.0), [variant()])
        assert bool(phase.share) == phase.is_awaited() == wanted
        assert phase.lacks(None, [record()]) == wanted
    reason = {"operator_times_reason": Statement("operators_not_reached")}
    wanted = Procedure(operator_times=True)
    assert OperatorPhase(wanted, [variant()]).until_reached() == reason
    assert OperatorPhase(wanted, [variant(precision="int8")]).until_reached() == {}


def test_time_is_kept_for_each_that_can_be_profiled_and_never_much():
    several = [variant(), variant("unet"), variant(precision="int8")]
    assert share_kept(several, 780.0) == pytest.approx(16 / 780)
    assert share_kept(several, 20.0) == module.MOST_SHARE
    assert share_kept(several, None) == 0


def test_it_comes_after_all_latencies():
    procedure = replace(Procedure(), operator_times=True)
    names = [one.name for one in phases_of(procedure, EnergyDecision(reason=None), [variant()])]
    latencies = ("latency", "cliffs", "joint")
    assert names.index("operators") > max(map(names.index, latencies))


def test_presets_but_the_quick_one_ask_for_it():
    asking = {name: values_of_preset(name)["operator_times"] for name in PRESETS}
    assert asking == {"quick": False, "standard": True, "publish": True}
