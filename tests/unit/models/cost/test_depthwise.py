"""Convolutions of each channel alone are told apart from the others."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from inferometer.models.cost import count_operations  # noqa: E402


@pytest.mark.parametrize(
    ("channels", "groups", "made", "told"),
    [(8, 8, 8, True), (8, 8, 16, True), (8, 4, 8, False), (8, 1, 8, False), (1, 1, 4, False)],
    ids=["depthwise", "multiplied", "grouped", "plain", "one channel"],
)
def test_a_group_for_each_channel_is_depthwise(channels, groups, made, told):
    network = torch.nn.Conv2d(channels, made, 3, groups=groups)
    cost = count_operations(network, (torch.zeros(1, channels, 8, 8),), {})
    (one,) = [one for one in cost.operators if one.kind == "convolution"]
    assert one.depthwise is told


def test_what_convolves_nothing_is_not():
    cost = count_operations(torch.nn.Linear(4, 4), (torch.zeros(1, 4),), {})
    assert not any(one.depthwise for one in cost.operators)
