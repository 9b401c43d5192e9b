"""What differs between the sides of a comparison beside what is compared."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from inferometer.analysis.audit import audit, to_json
from inferometer.core.record import Failure, Record
from inferometer.core.run import Run
from inferometer.core.workload import Shape, Target, Variant, Workload
from inferometer.report.terminal.audit import print_audits


def record(backend="torch", precision="fp32", *, model="resnet18", **figures):
    workload = Workload(
        variant=Variant(model=model, backend=backend, precision=precision),
        target=Target(threads=2),
        shape=Shape(batch_size=1, input_size=224),
    )
    return Record(workload=workload, status="ok", figures=figures)


def run(simd=("avx2", "avx512_vnni")):
    device = {"name": "a board", "simd": list(simd)}
    return Run(id="a", study="s", signature="x", document={}, device=device, software={})


def found(*records, **said):
    [one] = audit(run(**said), records)
    return {finding.what: finding for finding in one.findings}


def test_sides_that_agree_have_no_findings():
    both = record(weights="random, seed 0"), record("openvino", weights="random, seed 0")
    assert found(*both) == {}


def test_a_model_with_one_variant_is_no_comparison():
    failed = record("openvino")
    failed = Record(
        workload=failed.workload,
        status="failed",
        failure=Failure(stage="load", kind="crash", message="x"),
    )
    assert audit(run(), [record(), failed]) == []


@pytest.mark.parametrize(
    ("figures", "what", "told"),
    [
        ({"threads": 4}, "threads", "4 where 2 were asked for"),
        ({"weights": "pretrained"}, "weights", "pretrained"),
        ({"input_shape": "1x3x32x32"}, "input_shape", "1x3x32x32"),
        ({"fidelity_verdict": "different"}, "fidelity", "different"),
        ({"verdict": "contended"}, "disturbed", "100% of its workloads"),
        ({"notes": ["3 of 20 convolutions stay in fp32"]}, "note", "3 of 20 convolutions"),
    ],
)
def test_what_differs_is_found(figures, what, told):
    usual = {"threads": 2, "weights": "random", "input_shape": "1x3x224x224", "verdict": "trusted"}
    findings = found(record(**usual), record("openvino", **{**usual, **figures}))
    assert list(findings) == [what]
    assert told in findings[what].sides["openvino fp32"]


@pytest.mark.parametrize(
    ("precision", "simd", "lacks"),
    [
        ("int8", ["avx2"], True),
        ("int8", ["avx2", "avx_vnni"], False),
        ("bf16", ["avx512f"], True),
        ("bf16", ["amx"], False),
        ("fp32", [], False),
    ],
)
def test_precisions_without_instructions(precision, simd, lacks):
    assert ("instructions" in found(record(), record("openvino", precision), simd=simd)) == lacks


def test_what_both_say_is_no_difference():
    notes = {"notes": ["the inputs are noise"]}
    assert found(record(**notes), record("openvino", **notes)) == {}


def test_it_is_told():
    audits = audit(run(), [record(weights="a"), record("openvino", weights="b")])
    [said] = to_json(audits)
    assert said["sides"] == ["torch fp32", "openvino fp32"]
    assert said["findings"][0]["sides"] == {"torch fp32": "a", "openvino fp32": "b"}
    text = io.StringIO()
    print_audits(audits, Console(file=text, width=80))
    print_audits([], Console(file=text, width=80))
    assert "weights: outputs, sparsity" in text.getvalue()
    assert "nothing to compare" in text.getvalue()
