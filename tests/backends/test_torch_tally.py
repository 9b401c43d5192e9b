"""Trees from events made by hand: no runtime is needed."""

from __future__ import annotations

import pytest

from inferometer.backends.torch.tally import Event, Tally, middle_half

MODULES = {"m:0": ("", "Net"), "m:1": ("a", "Linear"), "m:2": ("a.b", "Tanh")}


def tally(**options):
    return Tally(MODULES.get, **options)


def call(scale=1):
    """Two calls of `a` around an operator of none, in nanoseconds."""
    events = [
        Event("m:0", 10, 990),
        Event("m:1", 20, 420),
        Event("aten::linear", 40, 400),
        Event("aten::addmm", 100, 390, kernels_ns=250),
        Event("aten::tanh", 500, 600, kernels_ns=70),
        Event("m:1", 700, 900),
        Event("aten::linear", 720, 880),
        Event("aten::addmm", 730, 880, kernels_ns=130),
    ]
    return [
        event._replace(start_ns=event.start_ns * scale, end_ns=event.end_ns * scale)
        for event in events
    ]


def by_name(tree):
    return {node.name: node for node in tree.root.walk()}


def test_times_and_calls_of_one_call():
    one = tally()
    one.add(call(), 1000)
    tree = one.tree()
    found = by_name(tree)
    assert (found[""].type, found[""].total_s, found[""].calls) == ("Net", 1000e-9, 1)
    assert found["a"].total_s == pytest.approx(600e-9)
    assert found["a"].calls == 2
    assert found["a"].self_s == pytest.approx((40 + 40) * 1e-9)
    assert found["aten::linear"].self_s == pytest.approx((70 + 10) * 1e-9)
    assert found["aten::addmm"].total_s == pytest.approx(440e-9)
    assert found["a"].own_s == pytest.approx(600e-9)
    assert found[""].own_s == pytest.approx(400e-9)
    assert tree.outside_s == pytest.approx((300 + 80) * 1e-9)
    assert [one.name for one in tree.operators] == ["aten::addmm", "aten::tanh", "aten::linear"]
    assert tree.events == 8


def test_on_a_device_kernels_count_for_the_operator_that_started_them():
    one = tally(device=True)
    one.add(call(), 1000)
    tree = one.tree()
    found = by_name(tree)
    assert tree.clock == "device"
    assert found["aten::addmm"].self_s == pytest.approx(380e-9)
    assert found["aten::linear"].self_s == 0
    assert found["a"].total_s == pytest.approx(380e-9)
    assert found[""].total_s == pytest.approx(1000e-9)
    assert tree.outside_s == pytest.approx((1000 - 450) * 1e-9)


def test_a_spike_moves_neither_the_rows_nor_their_sum():
    one = tally()
    for scale in (1, 1, 1, 50, 1, 1, 1, 1):
        one.add(call(scale), 1000 * scale)
    tree = one.tree()
    assert tree.root.total_s == pytest.approx(1000e-9)
    assert tree.root.low_s == tree.root.high_s == pytest.approx(1000e-9)
    assert tree.operators[0].self_s == pytest.approx(440e-9)


def test_what_not_every_call_does_counts_in_part():
    one = tally()
    one.add(call(), 1000)
    one.add(call()[:4], 1000)
    found = by_name(one.tree())
    assert found["a"].calls == 1.5
    assert found["aten::tanh"].calls == 0.5
    assert found["aten::tanh"].total_s == pytest.approx(50e-9)


@pytest.mark.parametrize(
    ("values", "kept"), [([3], [0]), ([1, 9], [0, 1]), ([5, 1, 4, 100], [0, 2]), ([2] * 8, [2, 5])]
)
def test_the_middle_half(values, kept):
    found = middle_half(values)
    assert [found[0], found[-1]] == [kept[0], kept[-1]]


def test_no_call_no_tree():
    with pytest.raises(IndexError):
        tally().tree()
