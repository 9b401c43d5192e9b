"""torchvision's compiled operators, whether they load here or had to be declared."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

torch = pytest.importorskip("torch")

from inferometer.core.errors import WorkloadError  # noqa: E402 - after the skip
from inferometer.models.cost import count_operations  # noqa: E402
from inferometer.models.torchvision_compat import (  # noqa: E402
    import_torchvision,
    operators_missing,
)

pytestmark = pytest.mark.skipif(find_spec("torchvision") is None, reason="needs torchvision")

REGIONS = torch.tensor([[0.0, 0.0, 0.0, 7.0, 7.0], [0.0, 1.0, 1.0, 5.0, 6.0]])


class Does(torch.nn.Module):
    def __init__(self, what):
        super().__init__()
        self.what = what

    def forward(self, *inputs):
        return self.what(*inputs)


@pytest.fixture(scope="module")
def ops():
    return import_torchvision().ops


def counted(network, *inputs):
    return count_operations(network.eval(), inputs, {})


def test_a_deformable_convolution(ops):
    network = ops.DeformConv2d(64, 64, 3, padding=1)
    cost = counted(network, torch.ones(1, 64, 64, 64), torch.ones(1, 18, 64, 64))
    assert cost.macs == 64 * 64 * 64 * 576 == 150_994_944
    assert cost.elementwise_flops == 64 * 64 * 576 * 8  # each input between four others
    assert cost.unknown_operators == []
    assert cost.output_bytes == 64 * 64 * 64 * 4


def test_groups_strides_and_masks(ops):
    network = ops.DeformConv2d(8, 12, (3, 2), stride=2, groups=4, bias=False)
    offset, mask = torch.ones(2, 2 * 6, 4, 4), torch.ones(2, 6, 4, 4)
    plain = torch.nn.Conv2d(8, 12, (3, 2), stride=2, groups=4, bias=False)
    inputs = torch.ones(2, 8, 9, 8)
    cost = counted(network, inputs, offset, mask)
    assert cost.macs == counted(plain, inputs).macs
    assert cost.elementwise_flops == 2 * 16 * 8 * 6 * (8 + 1)


def test_regions_with_a_number_of_places(ops):
    network = ops.RoIAlign((2, 3), spatial_scale=1.0, sampling_ratio=2)
    cost = counted(network, torch.ones(1, 5, 8, 8), REGIONS)
    assert cost.elementwise_flops == 2 * 5 * 6 * 4 * 9
    assert cost.unknown_operators == []
    assert cost.output_bytes == 2 * 5 * 6 * 4


@pytest.mark.parametrize(
    ("name", "arguments"),
    [("RoIAlign", (2, 1.0, 0)), ("RoIPool", (2, 1.0)), ("PSRoIPool", (2, 1.0))],
)
def test_regions_whose_work_follows_from_their_size_are_unknown(ops, name, arguments):
    cost = counted(getattr(ops, name)(*arguments), torch.ones(1, 4, 8, 8), REGIONS)
    assert len(cost.unknown_operators) == 1
    assert cost.unknown_operators[0].startswith("torchvision.")


def test_how_many_boxes_stay_depends_on_values(ops):
    network = Does(lambda boxes, scores: ops.nms(boxes * 1, scores, 0.5))
    with pytest.raises(
        WorkloadError, match=r"torchvision\.nms\): its operations cannot be counted"
    ):
        counted(network, REGIONS[:, 1:], torch.ones(2))


@pytest.mark.parametrize("gradients", [torch.no_grad, torch.enable_grad, torch.inference_mode])
def test_a_real_call_runs_or_says_what_is_missing(ops, gradients):
    calls = {
        "deform_conv2d": lambda: ops.DeformConv2d(2, 2, 1)(
            torch.ones(1, 2, 4, 4), torch.zeros(1, 2, 4, 4)
        ),
        "roi_align": lambda: ops.roi_align(torch.ones(1, 2, 8, 8), REGIONS, 2),
        "nms": lambda: ops.nms(REGIONS[:, 1:], torch.ones(2), 0.5),
    }
    for name, call in calls.items():
        with gradients():
            if not operators_missing():
                call()
                continue
            with pytest.raises(WorkloadError, match=f"needs {name}, one of") as caught:
                call()
        assert caught.value.kind == "unsupported"
        assert "install the torch and torchvision that were built for each other" in str(
            caught.value
        )
