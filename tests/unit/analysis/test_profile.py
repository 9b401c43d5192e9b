"""Operations beside times, on trees and counts made by hand."""

from __future__ import annotations

import pytest

from inferometer.analysis.profile import module_rows, operator_rows
from inferometer.core.cost import Cost, OperatorCost
from inferometer.core.profile import CallTree, Node, OperatorTime


def node(name, self_s=0.0, *children, calls=1.0):
    kind = "operator" if name.startswith("aten") else "module"
    total_s = self_s + sum(child.total_s for child in children)
    return Node(
        name=name,
        kind=kind,
        type="",
        calls=calls,
        self_s=self_s,
        total_s=total_s,
        low_s=total_s,
        high_s=total_s,
        children=children,
    )


def tree(*children):
    root = node("", 1.0, *children)
    sums: dict[str, list[Node]] = {}
    for one in root.walk():
        if one.kind == "operator":
            sums.setdefault(one.name, []).append(one)
    times = [
        OperatorTime(
            name=name,
            calls=sum(one.calls for one in same),
            self_s=sum(one.self_s for one in same),
            low_s=0.0,
            high_s=0.0,
        )
        for name, same in sums.items()
    ]
    return CallTree(root=root, operators=tuple(times), events=9)


def cost(*rows):
    operators = [
        OperatorCost(
            operator=operator,
            kind=kind,
            module=module,
            calls=calls,
            macs=macs,
            elementwise_flops=0,
            bytes_read=0,
            bytes_written=0,
        )
        for operator, kind, module, calls, macs in rows
    ]
    return Cost(
        operators=tuple(operators),
        input_bytes=0,
        output_bytes=0,
        weight_bytes=0,
        activation_bytes=0,
        activation_peak_bytes=0,
        method="by hand",
    )


def conv(self_s):
    """`conv2d` hands its work on, as torch does."""
    inner = node("aten::mkldnn_convolution", self_s, node("aten::empty", 0.01))
    return node("aten::conv2d", 0.02, node("aten::convolution", 0.03, inner))


NET = tree(node("a", 0.1, conv(2.0)), node("b", 0.1, conv(1.0), node("aten::relu", 0.5)))
COUNTS = (
    ("aten.convolution", "convolution", "a", 1, 100),
    ("aten.convolution.default", "convolution", "b", 1, 50),
    ("aten.relu", "element-wise", "b", 1, 0),
)


def operators(tree, cost):
    return {row.time.name: row for row in operator_rows(tree, cost)}


def test_operations_go_to_the_operator_that_does_the_work():
    rows = operators(NET, cost(*COUNTS))
    kernel = rows["aten::mkldnn_convolution"]
    assert (kernel.kind, kernel.macs) == ("convolution", 150)
    assert kernel.flops_per_s == pytest.approx(300 / 3.0)
    assert rows["aten::convolution"].macs == 0 or rows["aten::convolution"].macs is None
    assert rows["aten::convolution"].flops_per_s is None
    assert (rows["aten::relu"].kind, rows["aten::relu"].flops_per_s) == ("element-wise", None)


def test_a_call_that_was_not_counted_leaves_the_whole_row_unknown():
    rows = operators(NET, cost(COUNTS[0]))
    assert rows["aten::mkldnn_convolution"].macs is None


def test_another_number_of_calls_is_another_thing():
    twice = ("aten.convolution", "convolution", "a", 2, 200)
    rows = operators(NET, cost(twice, COUNTS[1]))
    assert rows["aten::mkldnn_convolution"].macs is None


def test_modules_have_the_operations_of_what_they_called():
    rows = {row.node.name: row for row in module_rows(NET, cost(*COUNTS))}
    assert [(name, row.macs, row.depth) for name, row in rows.items()] == [
        ("", 150, 0), ("a", 100, 1), ("b", 50, 1),
    ]  # fmt: skip
    assert rows["a"].flops_per_s == pytest.approx(200 / rows["a"].node.total_s)
    assert [row.node.name for row in module_rows(NET, None, depth=0)] == [""]
    assert all(row.macs is None for row in module_rows(NET, None))


def test_operations_of_a_module_passed_by_belong_to_the_one_around_it():
    counted = cost(("aten.addmm", "matrix product", "a.linear1", 1, 70))
    seen = tree(node("a", 0.1, node("aten::addmm", 1.0)))
    assert {row.node.name: row.macs for row in module_rows(seen, counted)} == {"": 70, "a": 70}
    assert operators(seen, counted)["aten::addmm"].macs == 70


def test_a_module_at_two_places_is_known_only_above_both():
    shared = tree(
        node("a", 0.1, node("s", 0.1, node("aten::mm", 1.0))),
        node("b", 0.1, node("s", 0.1, node("aten::mm", 2.0))),
    )
    counted = cost(("aten.mm", "matrix product", "s", 2, 60))
    rows = [(row.node.name, row.macs) for row in module_rows(shared, counted)]
    assert rows == [("", 60), ("a", None), ("s", None), ("b", None), ("s", None)]
    assert operators(shared, counted)["aten::mm"].macs == 60


def test_an_unknown_operator_leaves_its_module_unknown():
    counted = cost(COUNTS[0], COUNTS[1], ("my.op", "unknown", "b", 1, 0))
    assert [row.macs for row in module_rows(NET, counted)] == [None, 100, None]
