"""Time by kind of operator, on trees and counts made by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inferometer.core.cost import Cost, OperatorCost
from inferometer.core.operators import DEPTHWISE, OTHER, OUTSIDE, kind_times, to_text
from inferometer.core.profile import CallTree, Node
from inferometer.core.record import Record
from inferometer.core.workload import Shape, Target, Variant, Workload
from inferometer.figures.operators import operator_times
from inferometer.stats.roofline import Rates

RATES = Rates(flops_per_s=1e9, memory_per_s=1e9, cache_per_s=None, cache_bytes=None)


def node(name, self_s=0.0, *children, calls=1.0):
    total_s = self_s + sum(child.total_s for child in children)
    return Node(
        name=name,
        kind="operator" if name.startswith("aten") else "module",
        type="",
        calls=calls,
        self_s=self_s,
        total_s=total_s,
        low_s=0.9 * total_s,
        high_s=1.1 * total_s,
        children=children,
    )


def tree(*children):
    return CallTree(root=node("", 0.1, *children), operators=(), events=9)


def conv(module, self_s):
    """A module that calls a convolution as torch does, which hands its work on."""
    inner = node("aten::mkldnn_convolution", self_s, node("aten::empty", 0.01))
    outer = node("aten::conv2d", 0.02, node("aten::convolution", 0.03, inner))
    return node(module, 0.04, outer)


def counted(module, macs, *, operator="aten.convolution", kind="convolution", **more):
    return OperatorCost(
        operator=operator,
        kind=kind,
        module=module,
        calls=1,
        macs=macs,
        elementwise_flops=0,
        bytes_read=6_000_000,
        bytes_written=2_000_000,
        **more,
    )


def cost(*operators):
    return Cost(
        operators=operators,
        input_bytes=0,
        output_bytes=0,
        weight_bytes=0,
        activation_bytes=0,
        activation_peak_bytes=0,
        method="by hand",
    )


def by_kind(rows):
    return {row.kind: row for row in rows}


def test_depthwise_convolutions_stand_apart_with_all_that_they_hand_on():
    profile = tree(node("features", 0.0, conv("features.0", 0.4), conv("features.1", 0.2)))
    work = cost(counted("features.0", 9_000_000), counted("features.1", 500_000, depthwise=True))
    rows = operator_times(profile, work, RATES)
    found = by_kind(rows)
    assert found["convolution"].seconds == pytest.approx(0.46)
    assert found[DEPTHWISE].seconds == pytest.approx(0.26)
    assert found[DEPTHWISE].module == "features"
    assert found[DEPTHWISE].macs == 500_000
    assert found[DEPTHWISE].bytes == 8_000_000
    assert found[DEPTHWISE].low == pytest.approx(0.9 * found[DEPTHWISE].share)
    outside = sum(row.seconds for row in rows if row.kind == OUTSIDE)
    assert outside == pytest.approx(0.18)  # modules, and Python around them
    assert sum(row.share for row in rows) == pytest.approx(1)


def test_the_bound_of_a_kind_is_that_of_each_of_its_operators():
    profile = tree(conv("a", 0.4), conv("b", 0.2))
    work = cost(counted("a", 9_000_000), counted("b", 1_000))
    rows = operator_times(profile, work, RATES)
    bounds = {row.module: row.bound_seconds for row in rows if row.kind == "convolution"}
    assert bounds == {"a": pytest.approx(0.018), "b": pytest.approx(0.008)}  # arithmetic; bytes
    assert all(row.bound_seconds is None for row in operator_times(profile, work, None))


def test_what_was_not_counted_is_other_operators():
    profile = tree(conv("a", 0.4), node("aten::dropout", 0.3))
    others = [row.seconds for row in operator_times(profile, None, RATES) if row.kind == OTHER]
    assert sorted(others) == pytest.approx([0.3, 0.46])
    odd = counted("a", 9, operator="aten.secret", kind="unknown")
    found = by_kind(
        operator_times(tree(node("a", 0.0, node("aten::secret", 0.5))), cost(odd), RATES)
    )
    assert found[OTHER].seconds == pytest.approx(0.5)
    assert found[OTHER].bound_seconds is None


def test_calls_that_do_not_agree_with_the_count_are_left_out_of_its_kind():
    twice = replace(counted("a", 9), calls=2)
    found = by_kind(operator_times(tree(conv("a", 0.4)), cost(twice), RATES))
    assert "convolution" not in found


def test_an_operator_around_two_kinds_keeps_its_own_time():
    both = node("aten::both", 0.2, node("aten::convolution", 0.3), node("aten::relu", 0.1))
    work = cost(counted("", 9), counted("", 0, operator="aten.relu", kind="element-wise"))
    found = by_kind(operator_times(tree(both), work, RATES))
    seconds = {kind: row.seconds for kind, row in found.items()}
    wanted = {OUTSIDE: 0.1, OTHER: 0.2, "convolution": 0.3, "element-wise": 0.1}
    assert seconds == pytest.approx(wanted)


names = st.sampled_from(["aten::convolution", "aten::relu", "aten::odd", "a", "a.b", "c"])
leaves = st.builds(node, names, st.floats(0, 1))
trees = st.recursive(
    leaves,
    lambda below: st.builds(
        lambda name, self_s, children: node(name, self_s, *children),
        names,
        st.floats(0, 1),
        st.lists(below, max_size=3),
    ),
    max_leaves=12,
)


@given(st.lists(trees, max_size=4))
def test_whatever_was_seen_the_shares_are_the_whole_call(children):
    work = cost(counted("a", 9), counted("a.b", 0, operator="aten.relu", kind="element-wise"))
    rows = operator_times(tree(*children), work, RATES)
    assert sum(row.share for row in rows) == pytest.approx(1)
    assert all(0 <= row.low <= row.share <= row.high for row in rows)


def holding(text):
    workload = Workload(
        variant=Variant(model="resnet18", backend="torch", precision="fp32"),
        target=Target(device="cpu", threads=1),
        shape=Shape(batch_size=1, input_size=224),
    )
    return Record(workload=workload, status="ok", figures={"operator_times": text})


def test_a_record_gives_back_what_it_holds():
    rows = operator_times(tree(conv("a", 0.4)), cost(counted("a", 9)), RATES)
    found = kind_times(holding(to_text(rows)))
    assert [row.kind for row in found] == [row.kind for row in rows]
    assert found[0].seconds == pytest.approx(rows[0].seconds, rel=1e-5)


@pytest.mark.parametrize(
    "text",
    ["", "[", "7", "[[]]", '[{"kind":"convolution"}]', "[" * 100_000, '[{"share":NaN}]'],
    ids=["empty", "cut", "number", "list", "part", "deep", "nan"],
)
def test_what_no_profile_has_said_is_nothing(text):
    assert kind_times(holding(text)) == []


def test_one_damaged_row_takes_the_others_with_it():
    rows = operator_times(tree(conv("a", 0.4)), cost(counted("a", 9)), RATES)
    text = to_text(rows).replace('"share":0.', '"share":-0.', 1)
    assert kind_times(holding(text)) == []
    assert kind_times(None) == []
