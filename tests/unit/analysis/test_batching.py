from __future__ import annotations

from dataclasses import replace

import pytest

from inferometer.analysis.batching import batching
from inferometer.analysis.grid import build
from inferometer.core.roofline import Attained, Roofline

RATE = Attained(best=1e11, median=1e11, repeats=5, what="planted")
ROOFLINE = Roofline(
    device="cpu", precision="fp32", threads=2, flops=RATE, memory=RATE, cache=None,
    dispatch_s=1e-5, at=0.0, cache_bytes=32 << 20,
)  # fmt: skip


@pytest.fixture
def told(record):
    """Sentences on batches of 1 and 8, from the time of a call and the bytes alive at a time."""

    def tell(call_s, alive=(None, None), roofline=ROOFLINE, **figures):
        records = [
            record(batch=b, latency_s=t, half_s=t / 100, activation_peak_bytes=peak, **figures)
            for b, t, peak in zip((1, 8), call_s, alive, strict=True)
        ]
        grid = build(records)
        found = batching(grid, {"3fa91c02": [roofline]} if roofline else None)
        return " ".join(one.sentence for one in found)

    return tell


def test_results_that_outgrow_the_caches_are_told(told):
    text = told((0.010, 0.160), (12 << 20, 96 << 20))
    assert text == (
        "Where the activations alive at a time outgrow the caches (32.0 MiB), a sample takes "
        "longer: net 2.00\u00d7 at 224/8 against 224/1."
    )


@pytest.mark.parametrize("alive", [(1 << 20, 8 << 20), (64 << 20, 512 << 20)])
def test_caches_that_explain_nothing_are_not_mentioned(told, alive):
    assert not told((0.010, 0.160), alive)


def test_unknown_caches_explain_nothing(told):
    unknown = replace(ROOFLINE, cache_bytes=None)
    assert not told((0.010, 0.160), (12 << 20, 96 << 20), roofline=unknown)
    assert not told((0.010, 0.160), (1, 2), roofline=None)


def test_what_was_not_counted_explains_nothing(told):
    assert told((0.010, 0.160)) == ""


@pytest.mark.parametrize("large_s", [0.02, 0.0801])
def test_a_batch_that_pays_has_nothing_to_explain(told, large_s):
    assert told((0.010, large_s), (1, 2)) == ""


def test_dispatch_overhead_is_shared_by_a_larger_batch(told):
    text = told((0.010, 0.040), dispatch_latency_s=0.002)
    assert "is 20 % of a call at 224/1 and 5 % at 224/8" in text
    assert told((0.010, 0.015), dispatch_latency_s=0.002) == ""
    assert told((0.010, 0.040), dispatch_latency_s=0.0002) == ""


def test_one_batch_size_says_nothing(record):
    grid = build([record(batch=1), record(batch=2, failure="out_of_memory")])
    assert batching(grid, grid.columns[0]) == []
