"""What a probe says of workloads, when one is made, and that a run keeps it."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inferometer.core.cost import Cost, OperatorCost
from inferometer.core.errors import InputError, WorkloadError
from inferometer.core.procedure import PRESETS, Procedure
from inferometer.core.roofline import Attained, ProbePlan, Roofline
from inferometer.core.sections import Bounds
from inferometer.core.sweep import Study, Sweep
from inferometer.core.workload import Shape, Target, Variant, Workload
from inferometer.runner.phases import roofline as module
from inferometer.runner.phases.roofline import (
    against_roofline,
    bounds_of,
    check_probe,
    known_rooflines,
    probe_missing,
    probe_roofline,
    roofline_for,
)
from inferometer.runner.run import Options, run_study
from inferometer.runner.workers.messages import Failed, Probe
from inferometer.runner.workers.worker import Worker
from inferometer.store import open_store

TINY = """
import torch

def build():
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(256, 256), torch.nn.ReLU()), torch.rand(1, 256)
"""


def attained(best):
    return Attained(best=best, median=best / 2, repeats=10, what="a test")


def roofline(precision="fp32", *, threads=2, device="cpu", **more):
    parts = {"flops": 100e9, "memory": 20e9, "cache": 80e9, **more}
    return Roofline(
        device=device,
        precision=precision,
        threads=threads,
        dispatch_s=1e-6,
        at=0.0,
        cache_bytes=1_000_000,
        **{name: attained(rate) for name, rate in parts.items()},
    )


def workload(precision="fp32", *, backend="torch", threads=2, batch_size=1):
    variant = Variant(model="m", backend=backend, precision=precision)
    return Workload(
        variant=variant,
        target=Target(device="cpu", threads=threads),
        shape=Shape(batch_size=batch_size, input_size=None),
    )


def operator(kind="convolution", *, calls=1, macs=0, read=0, written=0):
    return OperatorCost(
        operator=f"aten.{kind}",
        kind=kind,
        module="",
        calls=calls,
        macs=macs,
        elementwise_flops=0 if macs else 1000,
        bytes_read=read,
        bytes_written=written,
    )


def cost(*operators, moved=300_000):
    return Cost(
        operators=operators,
        input_bytes=moved // 3,
        output_bytes=moved // 3,
        weight_bytes=moved // 3,
        activation_bytes=0,
        activation_peak_bytes=0,
        method="by hand",
    )


NETWORK = cost(
    operator(macs=50_000_000, read=200_000, written=200_000),  # 1 ms of arithmetic
    operator("element-wise", calls=4, read=2_000_000, written=2_000_000),  # 50 µs from caches
    operator("data movement", calls=100, read=0, written=0),  # views cost nothing
)


def test_closed_answers():
    found = bounds_of(NETWORK, roofline(), 4e-3)
    assert found.figures() == {
        "arithmetic_intensity": pytest.approx(100e6 / 4.4e6),
        "roof_latency_s": pytest.approx(1e-3),
        "roof_share": pytest.approx(0.25),
        "roof_limit": "compute",
        "operator_roof_latency_s": pytest.approx(1.05e-3),
        "memory_bound_share": pytest.approx(0.05 / 1.05),
        "dispatch_latency_s": pytest.approx(5e-6),
        "notes": [],
    }


def test_element_wise_operations_are_no_arithmetic_of_the_roofline():
    """They run at another rate than matrix products; their bytes are what they cost."""
    found = bounds_of(
        cost(operator("element-wise", read=400_000, written=400_000)), roofline(), 1.0
    )
    assert found.arithmetic_intensity == 0
    assert found.memory_bound_share == 1
    assert found.roof_limit == "memory"


def test_without_operators_only_the_roofline_of_the_whole_is_told():
    found = bounds_of(cost(), roofline(), 1.0)
    assert found.arithmetic_intensity is None
    assert found.roof_latency_s == pytest.approx(300_000 / 80e9)
    assert found.operator_roof_latency_s is None


def test_a_workload_above_its_roofline_shows_that_the_roofline_is_none():
    found = against_roofline(workload(), NETWORK, [roofline()], 0.5e-3)
    assert found.roof_latency_s is found.roof_share is found.roof_limit is None
    assert found.operator_roof_latency_s is None
    (note,) = found.notes
    assert "200 %" in str(note)


@given(st.floats(1e-9, 1e3), st.floats(1e6, 1e14), st.integers(0, 10**12))
def test_no_workload_is_above_its_roofline(latency_s, flops, macs):
    found = against_roofline(
        workload(),
        cost(operator(macs=macs, read=10, written=10)),
        [roofline(flops=flops)],
        latency_s,
    )
    share = found.roof_share
    assert share is None or 0 < share <= 1
    assert (share is None) == bool(found.notes)


RESTING = (
    *("arithmetic_intensity", "roof_latency_s", "roof_share", "roof_limit"),
    *("operator_roof_latency_s", "memory_bound_share"),
)
ODD = operator("unknown", calls=3, read=10, written=10)


@pytest.mark.parametrize("latency_s", [1e-9, 4e-3])
def test_where_operators_are_unknown_nothing_rests_on_their_operations(latency_s):
    found = bounds_of(replace(NETWORK, operators=(*NETWORK.operators, ODD)), roofline(), latency_s)
    assert [getattr(found, name) for name in RESTING] == [None] * len(RESTING)
    assert found.dispatch_latency_s == pytest.approx(8e-6)
    (note,) = found.notes
    assert "operations of aten.unknown (3) are not known" in str(note)
    assert "lower bounds" in str(note)


def test_unknown_operators_are_noted_without_rooflines_too():
    (note,) = against_roofline(workload(), cost(ODD), [], 1.0).notes
    assert "aten.unknown (3)" in str(note)
    assert against_roofline(workload(), cost(ODD), [roofline()], None) == Bounds(notes=(note,))


@pytest.mark.parametrize("latency_s", [None, 0.0, "fast"])
def test_without_a_latency_nothing_is_said(latency_s):
    assert against_roofline(workload(), NETWORK, [roofline()], latency_s) == Bounds()


def test_a_roofline_is_of_one_precision_and_number_of_threads():
    rooflines = [roofline("bf16"), roofline(threads=1), roofline(device="cuda"), roofline()]
    assert roofline_for(workload(), rooflines) is rooflines[-1]
    assert roofline_for(workload(threads=3), rooflines) is None
    assert against_roofline(workload(threads=3), NETWORK, rooflines, 1.0) == Bounds()
    assert against_roofline(workload(), None, rooflines, 1.0) == Bounds()


def test_rooflines_are_read_from_a_runs_device():
    assert known_rooflines({"name": "box"}) == []
    assert known_rooflines({"roofs": [roofline().to_json()]}) == [roofline()]


class Probes:
    """Stands for the workers that probe."""

    def __init__(self, monkeypatch, failing=()):
        self.asked = []
        self.failing = failing
        monkeypatch.setattr(module, "probe_roofline", self)

    def __call__(self, backend, precision, *, device, threads, memory_limit_bytes, patience_s):
        self.asked.append((backend, precision, device, threads))
        assert patience_s > 0
        if precision in self.failing:
            raise WorkloadError("crash", "it died")
        return roofline(precision, device=device, threads=threads)


def missing(workloads, known=(), left_s=math.inf):
    told = []
    found = probe_missing(workloads, known, left_s=left_s, listener=told.append)
    return found, [notice.message for notice in told]


def test_each_precision_is_probed_once_and_a_failure_is_a_notice(monkeypatch):
    probes = Probes(monkeypatch, failing={"fp16"})
    wanted = [workload(p, batch_size=b) for p in ("fp32", "fp16", "bf16") for b in (1, 2)]
    found, told = missing(wanted)
    assert [one.precision for one in found] == ["fp32", "bf16"]
    assert len(probes.asked) == 3
    assert told == ["the roofline of this device at fp16 was not measured: it died"]


def test_a_disturbed_probe_is_kept_and_told(monkeypatch):
    disturbed = replace(roofline(), granted=0.5)
    monkeypatch.setattr(module, "probe_roofline", lambda *_, **__: disturbed)
    found, (told,) = missing([workload()])
    assert found == [disturbed]
    assert "had 50 % of the processor" in told


def test_what_is_known_or_needs_no_runtime_is_not_probed(monkeypatch):
    probes = Probes(monkeypatch)
    found, told = missing([workload(), workload(backend="python", threads=1)], known=[roofline()])
    assert (found, told, probes.asked) == ([], [], [])


def test_a_short_budget_is_not_spent_on_probes(monkeypatch):
    probes = Probes(monkeypatch)
    found, told = missing([workload(), workload("bf16")], left_s=39.0)
    assert (found, probes.asked) == ([], [])
    assert told == [
        "the roofline of this device was not measured: the budget leaves less than 40 s"
    ]


@pytest.mark.parametrize(
    ("backend", "precision", "problem"),
    [
        ("python", "fp32", "cannot probe a device"),
        ("torch", "int3", "no precision 'int3'"),
        ("abacus", "fp32", "no backend is called"),
    ],
)
def test_what_cannot_be_probed_is_refused_before_anything_is(backend, precision, problem):
    with pytest.raises(InputError, match=problem):
        check_probe(backend, [precision])


def test_a_worker_probes_and_answers_in_json():
    found = probe_roofline("torch", "fp32", device="cpu", threads=1, seconds=0.02)
    assert (found.precision, found.threads) == ("fp32", 1)
    assert found.memory.best > 1e8


def test_a_limit_of_memory_holds_for_probes_too():
    with pytest.raises(WorkloadError) as failed:
        probe_roofline("torch", "fp32", device="cpu", threads=1, memory_limit_bytes=8 << 20)
    assert failed.value.kind == "out_of_memory"


def test_a_device_that_is_not_there_is_a_failure_and_no_end():
    answer = Worker().answer(
        Probe(
            backend="torch",
            precision="fp32",
            device="nowhere",
            threads=1,
            plan=ProbePlan(cache_bytes=None, room_bytes=1, seconds=0.1),
        )
    )
    assert isinstance(answer, Failed)
    assert answer.kind == "unsupported"


def test_the_quick_preset_does_not_probe():
    assert Procedure().roofline
    assert not Procedure(**PRESETS["quick"]).roofline
    assert Procedure(**PRESETS["publish"]).roofline


@pytest.fixture
def study(tmp_path):
    model = tmp_path / "tiny.py"
    model.write_text(TINY)
    procedure = Procedure(
        processes=1,
        min_rounds=2,
        span_s=0.0,
        round_s=0.01,
        max_time_s=0.1,
        target=0.5,
        energy=False,
    )
    sweep = Sweep(models=(f"{model}:build",), threads=1)
    return Study(name="tiny", sweep=sweep, procedure=procedure)


def test_a_run_keeps_its_rooflines_and_its_records_are_told_against_them(
    monkeypatch, tmp_path, study
):
    probes = Probes(monkeypatch)
    with open_store(tmp_path / "x.db") as store:
        run = run_study(study, store)
        (record,) = store.records(run.id)
        assert known_rooflines(run.device) == [roofline(threads=1)]
        assert run.device["name"]
        assert 0 < record.figures["roof_share"] <= 1
        assert record.figures["roof_share"] == pytest.approx(
            record.figures["roof_latency_s"] / record.figures["latency_median_s"]
        )
        again = run_study(study, store, options=Options(resume=run.id))
        assert known_rooflines(again.device) == known_rooflines(run.device)
    assert len(probes.asked) == 1


def never(*_, **__):
    raise AssertionError("probed")


@pytest.mark.parametrize(
    "change",
    [{"roofline": False}, {"sustain_s": 60.0}],
)
def test_no_probe_where_none_is_wanted(monkeypatch, study, change):
    class Journal:
        run = type("Run", (), {"device": {"roofs": [roofline().to_json()]}})
        listener = never

    monkeypatch.setattr(module, "probe_roofline", never)
    procedure = replace(study.procedure, **change)
    assert module.rooflines_of_run(procedure, Journal, study.workloads()) == [roofline()]


def test_a_recorded_device_is_not_probed(monkeypatch, study, tmp_path):
    class Journal:
        run = type("Run", (), {"device": {}})
        listener = never

    monkeypatch.setattr(module, "probe_roofline", never)
    assert module.rooflines_of_run(study.procedure, Journal, study.workloads(), root=tmp_path) == []


def test_the_signature_of_a_study_does_not_hold_whether_rooflines_are_probed(study):
    """So that a run of before there were any, or with --no-roofline, is resumed."""
    without = replace(study, procedure=replace(study.procedure, roofline=False))
    old = study.to_json()
    del old["procedure"]["roofline"]
    assert without.signature == study.signature == Study.from_json(old).signature
