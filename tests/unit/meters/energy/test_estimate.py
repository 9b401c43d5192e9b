from __future__ import annotations

import pytest

from inferometer.core.errors import MeterError, SourceLostError
from inferometer.meters.energy.sources.estimate import connect
from inferometer.meters.energy.surroundings import Surroundings


class Stat:
    """A tree whose `proc/stat` is rewritten: user, nice, system, idle, iowait, irq, softirq, steal."""

    def __init__(self, root):
        self.file = root / "proc/stat"
        self.file.parent.mkdir()
        self.ticks = [0] * 8
        self.add()
        self.around = Surroundings(root=root, clock=lambda: 5.0)

    def add(self, busy=0, idle=0, iowait=0):
        self.ticks[0] += busy
        self.ticks[3] += idle
        self.ticks[4] += iowait
        guests = [10**6, 0]  # in the user time already
        line = " ".join(str(tick) for tick in self.ticks + guests)
        self.file.write_text(f"cpu  {line}\ncpu0 1 2 3\nctxt 5\n")


@pytest.fixture
def stat(tmp_path):
    return Stat(tmp_path)


def test_watts_between_idle_and_busy(stat):
    stat.add(busy=500, idle=500)
    source = connect("estimate://2:6", stat.around)
    for busy, idle, iowait, watts in ((0, 40, 0, 2.0), (40, 0, 0, 6.0), (10, 20, 10, 3.0)):
        stat.add(busy, idle, iowait)
        reading = source.read()
        assert (reading.value, reading.at_s) == (pytest.approx(watts), 5.0)
    assert source.read().value == pytest.approx(3.0)  # no tick has passed
    source.close()


def test_it_says_that_it_is_an_estimate_and_what_it_assumes(stat):
    info = connect("2.5:6", stat.around).info
    assert (info.kind, info.method, info.quantity) == ("estimate", "estimate", "power")
    assert "2.5 W idle and 6 W with all CPUs busy, as the user stated" in info.where
    assert "nothing is measured" in info.where
    assert info.gain is None


def test_constant_watts_need_no_utilisation(tmp_path):
    source = connect("estimate://7.5", Surroundings(root=tmp_path))
    assert source.read().value == 7.5
    assert "assumes 7.5 W at all times" in source.info.where


@pytest.mark.parametrize("target", ["", "estimate://"])
def test_no_figure_is_made_up(target, stat):
    with pytest.raises(MeterError, match="needs the device's watts, as no figure is made up"):
        connect(target, stat.around)


@pytest.mark.parametrize(
    "target", ["x", "1:2:3", "nan", "inf", "-1", "0", "0:5", "5:", ":5", "1e9", "5 W"]
)
def test_what_states_no_watts(target, stat):
    with pytest.raises(MeterError, match="does not state watts: write estimate://IDLE:BUSY"):
        connect(target, stat.around)


def test_idle_above_busy(stat):
    with pytest.raises(MeterError, match="more watts idle than busy"):
        connect("6:2", stat.around)


@pytest.mark.parametrize("text", ["", "intr 1 2\n", "cpu 1 2 x\n", None])
def test_without_utilisation(text, stat):
    source = connect("2:6", stat.around)
    if text is None:
        stat.file.unlink()
    else:
        stat.file.write_text(text)
    with pytest.raises(SourceLostError, match="/proc/stat"):
        source.read()
    with pytest.raises(MeterError, match="estimate://2:6: /proc/stat"):
        connect("2:6", stat.around)
