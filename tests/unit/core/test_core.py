"""The contract: fields, keys, and what refuses to be built."""

from __future__ import annotations

import json

import pytest

from inferometer.core.metric import Estimate
from inferometer.core.procedure import PRESETS, Procedure
from inferometer.core.record import FIELDS, Failure, Record
from inferometer.core.sweep import Block, Study, Sweep
from inferometer.core.workload import Shape, Target, Variant, Workload

CONTRACT = [
    "run_id",
    "study",
    "device_name",
    "workload",
    "model",
    "source",
    "backend",
    "precision",
    "device",
    "threads",
    "batch_size",
    "input_size",
    "input_shape",
    "status",
    "failure_stage",
    "failure_kind",
    "failure_message",
    "parameters",
    "parameters_with_duplicates",
    "trainable_parameters",
    "parameter_bytes",
    "buffer_bytes",
    "macs",
    "flops",
    "latency_mean_s",
    "latency_std_s",
    "latency_median_s",
    "latency_p90_s",
    "latency_p95_s",
    "latency_p99_s",
    "latency_min_s",
    "latency_max_s",
    "latency_ci_low_s",
    "latency_ci_high_s",
    "latency_confidence",
    "latency_calls",
    "latency_rounds",
    "latency_processes",
    "latency_target_met",
    "warmup_calls",
    "first_call_s",
    "load_s",
    "steady",
    "throughput_per_s",
    "peak_memory_bytes",
    "memory_counter",
    "energy_per_inference_j",
    "energy_net_per_inference_j",
    "energy_uncertainty_j",
    "power_mean_w",
    "power_idle_w",
    "energy_source",
    "energy_scope",
    "energy_method",
    "energy_reason",
    "accuracy",
    "accuracy_metric",
    "accuracy_examples",
    "dataset",
    "verdict",
    "causes",
]

WORKLOAD = Workload(variant=Variant(model="resnet18", backend="torch", precision="fp32"), target=Target(device="cpu", threads=2), shape=Shape(batch_size=8, input_size=224))  # fmt: skip


def test_the_exported_record_begins_with_the_contract_in_its_order():
    assert list(FIELDS)[: len(CONTRACT)] == CONTRACT


def test_a_row_has_every_field_and_null_where_nothing_is_known():
    row = Record(workload=WORKLOAD, status="ok", figures={"latency_mean_s": 0.1}).row()
    assert list(row) == list(FIELDS)
    assert row["latency_mean_s"] == 0.1
    assert row["macs"] is None
    assert row["causes"] == []
    assert (row["model"], row["batch_size"]) == ("resnet18", 8)
    json.dumps(row, allow_nan=False)


def test_a_record_is_ok_or_has_a_failure():
    failure = Failure(stage="load", kind="crash", message="boom")
    with pytest.raises(ValueError, match="failure"):
        Record(workload=WORKLOAD, status="failed")
    with pytest.raises(ValueError, match="failure"):
        Record(workload=WORKLOAD, status="ok", failure=failure)
    with pytest.raises(ValueError, match="latency_avg"):
        Record(workload=WORKLOAD, status="ok", figures={"latency_avg": 1.0})


def test_the_key_of_a_workload_depends_on_each_of_its_parts_and_on_nothing_else():
    data = WORKLOAD.to_json()
    assert Workload.from_json(json.loads(json.dumps(data))).key == WORKLOAD.key
    changed = {"model": "x", "backend": "x", "precision": "x", "device": "x", "threads": 3,
               "batch_size": 3, "input_size": None}  # fmt: skip
    assert set(changed) == set(data)
    keys = {Workload.from_json({**data, name: value}).key for name, value in changed.items()}
    assert len(keys | {WORKLOAD.key}) == len(changed) + 1


def test_the_key_is_pinned_because_stored_runs_are_joined_by_it():
    assert WORKLOAD.key == "fdb1051ab0711563"


def test_a_label_names_what_is_unusual():
    assert WORKLOAD.label == "resnet18 224/8"
    odd = Variant(model="m", backend="onnx", precision="int8")
    assert Workload(variant=odd, target=Target(device="cuda", threads=None), shape=Shape(batch_size=1, input_size=None)).label == "m onnx int8 cuda own size/1"  # fmt: skip


def test_a_sweep_spans_its_axes_once():
    sweep = Sweep(
        models=("a", "b", "a"), precisions=("fp32", "bf16"),
        blocks=(Block(sizes=(224,), batches=(1, 2)), Block(sizes=(224, 448), batches=(2,))),
    )  # fmt: skip
    assert sweep.shapes() == [(224, 1), (224, 2), (448, 2)]
    assert len(sweep.workloads()) == 2 * 2 * 3


def test_a_study_goes_through_json_and_keeps_its_signature():
    study = Study(
        name="s", sweep=Sweep(models=("a",), blocks=(Block(sizes=(None, 3), batches=(1,)),))
    )
    again = Study.from_json(json.loads(json.dumps(study.to_json())))
    assert again == study
    assert again.signature == study.signature


def test_a_study_of_another_version_can_be_read_and_is_not_mistaken_for_the_same():
    study = Study(name="s", sweep=Sweep(models=("a",)), procedure=Procedure(target=0.01))
    data = study.to_json()
    data["procedure"]["of_another_version"] = 1
    data["sweep"]["of_another_version"] = 1
    del data["procedure"]["target"]
    read = Study.from_json(data)
    assert read.sweep == study.sweep
    assert read.signature != study.signature


def test_the_signature_ignores_the_budget_and_nothing_else_of_the_procedure():
    def signature(**values):
        return Study(name="s", sweep=Sweep(models=("a",)), procedure=Procedure(**values)).signature

    assert signature(budget_s=5.0) == signature()
    assert signature(target=0.01) != signature()
    assert signature(seed=1) != signature()
    assert signature(find_cliff="batch") != signature()


def test_a_run_of_before_there_were_cliffs_is_resumed():
    study = Study(name="s", sweep=Sweep(models=("a",)))
    data = study.to_json()
    del data["procedure"]["find_cliff"]
    assert Study.from_json(data).signature == study.signature
    assert study.signature == "c6a6508942b7d4b4"


@pytest.mark.parametrize(
    "wrong",
    [{"target": 0.0}, {"min_calls": 9}, {"max_calls": 5}, {"budget_s": 0.0}, {"timeout_s": -1.0},
     {"confidence": 1.0}, {"min_rounds": 1}, {"memory_limit_bytes": 0}, {"seed": -1}],
)  # fmt: skip
def test_a_procedure_out_of_range_is_refused_by_name(wrong):
    with pytest.raises(
        ValueError, match=next(iter(wrong)).removesuffix("_s").removesuffix("_bytes")
    ):
        Procedure(**wrong)


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_is_a_procedure(preset):
    assert Procedure(**PRESETS[preset]).min_calls >= 10


def test_the_relative_half_width_of_an_estimate():
    known = Estimate(value=2.0, low=1.9, high=2.1, confidence=0.95, method="t", n=10)
    assert known.relative_half_width == pytest.approx(0.05)
    blind = Estimate(value=2.0, low=None, high=None, confidence=0.95, method="none", n=1)
    assert blind.relative_half_width is None
