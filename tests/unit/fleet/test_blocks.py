"""A study in blocks: everything once, one workload in common, and little time lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inferometer.core.workload import Shape, Target, Variant, Workload
from inferometer.fleet.engine.blocks import COMMON_SHARE, cut, shares_wanted
from inferometer.fleet.engine.blocks import _weight as weight


def workloads(models, batches=(1, 2, 4, 8)):
    return [
        Workload(
            variant=Variant(model=f"m{model}", backend="torch", precision="fp32"),
            target=Target(),
            shape=Shape(batch_size=batch, input_size=224),
        )
        for model in range(models)
        for batch in batches
    ]


@given(models=st.integers(1, 40), devices=st.integers(1, 9))
def test_every_workload_is_in_one_block_and_the_common_one_in_all(models, devices):
    asked = workloads(models)
    found = cut(asked, devices)
    blocks = [set(block) for block in found.blocks]
    assert set().union(*blocks) == set(asked)
    if len(blocks) == 1:
        assert found.common is None
    else:
        assert all(found.common in block for block in blocks)
        assert all(len(block) > 1 for block in blocks)
        assert sum(map(len, blocks)) == len(asked) + len(blocks) - 1
    order = {one: number for number, one in enumerate(asked)}
    for block in found.blocks:
        assert list(block) == sorted(block, key=order.__getitem__)


@given(count=st.integers(2, 5000), devices=st.integers(2, 100))
def test_blocks_are_a_multiple_of_the_devices_and_few(count, devices):
    found = shares_wanted(count, devices)
    if count > devices:
        assert len(found) % devices == 0
    assert len(found) <= max(devices, COMMON_SHARE * count)
    assert found == sorted(found, reverse=True)


@pytest.mark.parametrize("models", [24, 60])
def test_the_first_blocks_are_long_and_the_last_short(models):
    blocks = cut(workloads(models), 2).blocks
    first, last = (sum(map(weight, part)) for part in (blocks[0][1:], blocks[-1][1:]))
    assert first > 1.5 * last


def test_one_device_measures_the_study_as_it_is():
    asked = workloads(3)
    assert cut(asked, 1).blocks == (tuple(asked),)
    assert cut(asked[:1], 4).blocks == (tuple(asked[:1]),)


def test_a_variant_is_loaded_in_few_blocks():
    asked = workloads(16)
    found = cut(asked, 2).blocks
    of_variant = [{block for block, part in enumerate(found) if one in part} for one in asked[1:]]
    assert sum(map(len, of_variant)) <= len(asked) + len(found)
    loads = sum(len({one.variant for one in block}) for block in found)
    assert loads <= 16 + 2 * len(found)
