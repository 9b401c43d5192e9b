from __future__ import annotations

import sys
from pathlib import Path

import pytest

from inferometer.meters.memory import Held, Peak, PeakMemory, held
from inferometer.meters.wall_clock import empty_pair_s

MIB = 1 << 20
linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def proc_of(folder, *, can_reset, **kib):
    """A /proc/self that says so many KiB of each; `clear_refs` may be a folder that nobody writes.

    CI runs as root, who may write wherever a file can be.
    """
    write_status(folder, **kib)
    if not can_reset:
        (folder / "clear_refs").mkdir()
    return folder


def write_status(folder, **kib):
    lines = [f"{name}:\t  {value} kB\n" for name, value in kib.items()]
    (folder / "status").write_text("".join(["Name:\tx\n", *lines, "Threads:\t1\n"]))


@linux
@pytest.mark.parametrize("mib", [64, 256])
def test_the_peak_rises_by_what_was_taken_and_is_reset_between(mib):
    if not Path("/proc/self/clear_refs").exists():
        pytest.skip("this kernel cannot reset the high-water mark")
    meter = PeakMemory()
    size = mib * MIB
    meter.begin()
    block = bytearray(b"x") * size
    del block
    taken = meter.end()
    meter.begin()
    nothing = meter.end()
    assert taken.counter == "VmHWM"
    assert taken.rise == pytest.approx(size, rel=0.01)
    assert nothing.rise < 2 * MIB


def test_figures_are_in_bytes_and_the_mark_is_reset(tmp_path):
    meter = PeakMemory(proc_of(tmp_path, can_reset=True, VmRSS=900, RssFile=300, VmHWM=1000))
    meter.begin()
    seen = meter.end()
    assert (tmp_path / "clear_refs").read_text() == "5"
    assert (seen.resident, seen.counter) == (1_024_000, "VmHWM")
    assert seen.before == Held(resident=921_600, file=307_200)


def test_a_mark_that_cannot_be_reset_counts_where_it_rose_meanwhile(tmp_path):
    meter = PeakMemory(proc_of(tmp_path, can_reset=False, VmRSS=900, VmHWM=10_000))
    meter.begin()
    write_status(tmp_path, VmRSS=900, VmHWM=20_000)
    seen = meter.end()
    assert (seen.resident, seen.counter) == (20_000 * 1024, "VmHWM, not reset: it rose")


def test_else_samples_tell_a_lower_bound_and_say_so(tmp_path):
    meter = PeakMemory(proc_of(tmp_path, can_reset=False, VmRSS=900, VmHWM=90_000))
    meter.begin()
    write_status(tmp_path, VmRSS=1900, VmHWM=90_000)
    seen = meter.end()
    assert seen.resident == 1900 * 1024
    assert "samples" in seen.counter
    assert "lower bound" in seen.counter


def test_where_there_is_no_mark_to_reset_samples_are_taken(tmp_path):
    meter = PeakMemory(proc_of(tmp_path, can_reset=True, VmRSS=900))
    meter.begin()
    assert meter._samples is not None
    assert "samples" in meter.end().counter


@linux
def test_samples_see_what_is_held_for_a_while(tmp_path, monkeypatch):
    """Without a mark at all, in this very process."""
    monkeypatch.setattr("inferometer.meters.memory.PeakMemory._mark", lambda _: None)
    (tmp_path / "clear_refs").mkdir()
    (tmp_path / "status").symlink_to("/proc/self/status")
    meter = PeakMemory(tmp_path)
    meter.begin()
    block = bytearray(b"x") * (64 * MIB)
    sampler = meter._samples
    while sampler.most < meter.before.resident + 50 * MIB:
        pass
    del block
    assert meter.end().rise == pytest.approx(64 * MIB, rel=0.05)
    assert not sampler.is_alive()


def test_null_where_nothing_tells(tmp_path):
    write_status(tmp_path)
    meter = PeakMemory(tmp_path)
    meter.begin()
    assert meter.end() is None
    assert held(tmp_path) is None


def test_other_systems_are_asked_in_their_own_way(tmp_path):
    seen = held(tmp_path / "nowhere")
    assert seen.resident > MIB
    assert seen.file == 0


def test_pages_of_files_that_came_in_meanwhile_are_no_rise():
    before = Held(resident=100 * MIB, file=40 * MIB)
    after = Held(resident=115 * MIB, file=53 * MIB)
    peak = Peak(before=before, after=after, resident=143 * MIB, counter="VmHWM")
    assert peak.rise == 30 * MIB


def test_a_rise_is_never_negative():
    before = Held(resident=100 * MIB, file=40 * MIB)
    after = Held(resident=100 * MIB, file=50 * MIB)
    assert Peak(before=before, after=after, resident=105 * MIB, counter="").rise == 0


def test_reading_the_clock_costs_something_and_less_than_a_millisecond():
    assert 0 < empty_pair_s(200) < 1e-3
