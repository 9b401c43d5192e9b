"""Costs added up: nothing is lost, whatever the sums are by."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as some

from inferometer.analysis.costs import by_kind, by_module, by_operator, intensity, row
from inferometer.core.cost import Cost, OperatorCost
from inferometer.core.costing import Artifact, Costing
from inferometer.runner.workers.codec import decode, encode

NAMES = some.sampled_from(["", "a", "a.b", "a.b.c", "b", "c.a"])
OPERATORS = some.builds(
    OperatorCost,
    operator=some.sampled_from(["Conv", "Add", "Odd"]),
    kind=some.sampled_from(["convolution", "element-wise", "unknown"]),
    module=NAMES,
    calls=some.integers(1, 5),
    macs=some.integers(0, 10**12),
    elementwise_flops=some.integers(0, 10**9),
    bytes_read=some.integers(0, 10**9),
    bytes_written=some.integers(0, 10**9),
)


def cost(*operators):
    return Cost(
        operators=operators,
        input_bytes=100,
        output_bytes=20,
        weight_bytes=80,
        activation_bytes=1000,
        activation_peak_bytes=500,
        method="by hand",
    )


def one(operator, module="", macs=0, kind="convolution", **more):
    given = {"calls": 1, "elementwise_flops": 0, "bytes_read": 10, "bytes_written": 5} | more
    return OperatorCost(operator=operator, kind=kind, module=module, macs=macs, **given)


def costing(found, **more):
    given = {
        "model": "net", "source": "catalogue", "weights": "random, seed 0", "backend": "torch",
        "precision": "fp32", "batch_size": 2, "input_size": None, "input_shape": "2x3",
        "parameters": {"parameters": 10, "trainable_parameters": 7, "frozen_parameters": 3},
    }  # fmt: skip
    return Costing(cost=found, **(given | more))


@given(some.lists(OPERATORS, max_size=12))
def test_every_table_holds_everything(operators):
    found = cost(*operators)
    for groups in (
        by_kind(found),
        [group for group in by_operator(found) if group.depth == 0],
        [group for group in by_operator(found) if group.depth == 1],
        by_module(found, depth=0),
    ):
        assert sum(group.macs for group in groups) == found.macs
        assert sum(group.elementwise_flops for group in groups) == found.elementwise_flops
        assert sum(group.bytes_moved for group in groups) == found.operator_bytes


@given(some.lists(OPERATORS, max_size=12))
def test_a_module_holds_its_children_and_what_it_calls_itself(operators):
    tree = {group.path: group for group in by_module(cost(*operators))}
    for path, group in tree.items():
        own = sum(part.macs for part in operators if part.module == path)
        children = [
            child
            for name, child in tree.items()
            if name and name != path and name.rpartition(".")[0] == path
        ]
        assert group.macs == own + sum(child.macs for child in children)


def test_modules_stand_in_the_order_of_their_first_calls():
    found = cost(one("C", "stem"), one("C", "body.1"), one("C", "body.0"), one("C", "stem.late"))
    assert [group.path for group in by_module(found)] == [
        "", "stem", "stem.late", "body", "body.1", "body.0",
    ]  # fmt: skip
    assert [group.path for group in by_module(found, depth=1)] == ["", "stem", "body"]
    assert [group.depth for group in by_module(found)] == [0, 1, 2, 1, 2, 2]


def test_the_heaviest_come_first_and_shares_add_up():
    found = cost(one("Add", kind="element-wise"), one("Conv", macs=30), one("Gemm", macs=70))
    rows = by_operator(found)
    assert [group.name for group in rows] == ["convolution", "Gemm", "Conv", "element-wise", "Add"]
    assert [group.share for group in rows] == [1.0, 0.7, 0.3, 0.0, 0.0]
    assert by_kind(cost(one("Add")))[0].share is None


def test_the_json_object_is_whole_and_is_json():
    found = cost(one("Conv", "a", macs=300), one("Odd", "a", kind="data movement", calls=3))
    file = Artifact(path="net.pt", size_bytes=44)
    flat = row(costing(found, artifacts=(file,), safetensors_bytes=40, notes=("a note",)))
    assert {
        "model", "source", "weights", "backend", "precision", "batch_size", "input_size",
        "input_shape", "macs", "flops", "elementwise_flops", "parameters",
        "parameters_with_duplicates", "trainable_parameters", "frozen_parameters",
        "parameter_bytes", "buffer_bytes", "parameters_by_dtype", "tied", "activation_bytes",
        "activation_peak_bytes", "input_bytes", "output_bytes", "compulsory_bytes",
        "operator_bytes", "arithmetic_intensity", "artifacts", "unknown_operators", "convention",
        "method", "operators", "modules",
    } <= flat.keys()  # fmt: skip
    assert (flat["macs"], flat["flops"], flat["frozen_parameters"]) == (300, 600, 3)
    assert flat["arithmetic_intensity"] == pytest.approx(600 / 30)
    assert flat["compulsory_arithmetic_intensity"] == pytest.approx(600 / 200)
    assert (flat["arithmetic_intensity_reason"], flat["unknown_operators"]) == (None, [])
    assert flat["artifacts"] == [{"path": "net.pt", "bytes": 44}]
    assert flat["parameter_bytes"] is None
    assert json.loads(json.dumps(flat, allow_nan=False)) == flat


def test_what_rests_on_all_operations_is_null_where_some_are_not_known():
    found = cost(one("Conv", macs=300), one("Odd", kind="unknown", calls=3))
    flat = row(costing(found))
    assert (flat["arithmetic_intensity"], flat["compulsory_arithmetic_intensity"]) == (None, None)
    assert flat["arithmetic_intensity_reason"] == "operations of Odd (3) are not known"
    assert flat["unknown_operators"] == ["Odd (3)"]
    assert [group.share for group in by_kind(found)] == [None, None]


def test_nothing_that_moves_no_byte_has_an_intensity():
    flat = row(costing(cost()))
    assert flat["arithmetic_intensity"] is None
    assert flat["arithmetic_intensity_reason"] == "no operator moves a byte"


def test_a_costing_survives_the_way_to_the_parent():
    found = costing(cost(one("Conv")), artifacts=(Artifact(path="a", size_bytes=1),), notes=("b",))
    assert decode(encode(found), Costing) == found


def test_what_nobody_tells_is_absent():
    assert row(costing(cost(), parameters={"parameters": 5}))["frozen_parameters"] is None
    assert intensity(5, 0) is None
