from __future__ import annotations

import sys
from pathlib import Path

import pytest

from inferometer.meters.memory import PeakMemory
from inferometer.meters.wall_clock import empty_pair_s


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_peak_holds_what_was_allocated_and_is_reset_between():
    meter = PeakMemory()
    if not Path("/proc/self/clear_refs").exists():
        pytest.skip("this kernel cannot reset the high-water mark")
    size = 64 << 20
    meter.begin()
    baseline = meter.end()["peak_memory_bytes"]
    meter.begin()
    block = bytearray(b"x") * size
    del block
    high = meter.end()["peak_memory_bytes"]
    meter.begin()
    after = meter.end()["peak_memory_bytes"]
    assert high - baseline == pytest.approx(size, rel=0.05)
    assert after - baseline < size / 4


def test_null_where_the_mark_cannot_be_reset(tmp_path):
    (tmp_path / "status").write_text("Name:\tx\nVmHWM:\t  1000 kB\n")
    meter = PeakMemory(tmp_path / "nowhere")
    meter.begin()
    assert meter.end() == {}


def test_the_mark_is_read_in_bytes(tmp_path):
    (tmp_path / "status").write_text("Name:\tx\nVmHWM:\t  1000 kB\n")
    meter = PeakMemory(tmp_path)
    meter.begin()
    assert meter.end() == {"peak_memory_bytes": 1_024_000, "memory_counter": "VmHWM"}
    assert (tmp_path / "clear_refs").read_text() == "5"


def test_null_where_there_is_no_mark(tmp_path):
    (tmp_path / "status").write_text("Name:\tx\n")
    meter = PeakMemory(tmp_path)
    meter.begin()
    assert meter.end() == {}


def test_reading_the_clock_costs_something_and_less_than_a_millisecond():
    assert 0 < empty_pair_s(200) < 1e-3
