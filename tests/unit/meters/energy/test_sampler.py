import threading
import time

import numpy as np
import pytest

from inferometer.core.energy import Reading, SourceInfo
from inferometer.core.errors import SourceLostError
from inferometer.meters.energy.sampler import Poller, Sampler, polling_s


class Source:
    """Says what time it is, until it is told to fail."""

    def __init__(self, now, quantity="power", period_s=0.1, poll_s=None, takes_s=0.0):
        self.info = SourceInfo(
            name=f"fake {quantity}", kind="fake", scope="wall", method="measured",
            quantity=quantity, period_s=period_s, poll_s=poll_s,
        )  # fmt: skip
        self.now, self.takes_s = now, takes_s
        self.error = None
        self.value = None
        self.reads = 0

    def read(self):
        self.reads += 1
        if self.error:
            raise self.error
        self.now[0] += self.takes_s
        return Reading(at_s=self.now[0], value=self.now[0] if self.value is None else self.value)

    def close(self):
        pass


class Run:
    """One poller on a clock that moves only when it is told."""

    def __init__(self, **source):
        self.now = [1000.0]
        self.source = Source(self.now, **source)
        self.poller = Poller(self.source, clock=lambda: self.now[0])

    @property
    def times(self):
        return [round(at - 1000, 6) for at in self.poller.series.at_s]

    def go(self, seconds):
        end = self.now[0] + seconds
        while True:
            wait = self.poller.sample_once()
            if wait is None or self.now[0] + wait > end + 1e-9:
                break
            self.now[0] += max(wait, 1e-6)
        self.now[0] = max(end, self.now[0])


def test_power_is_read_in_its_rhythm_within_windows_only():
    run = Run(period_s=0.1)
    run.go(5)
    assert run.times == []
    run.poller.begin()
    run.go(1.0)
    run.poller.end()
    run.go(5)
    assert run.times == pytest.approx([5 + k / 10 for k in range(11)], abs=1e-4)


def test_no_sensor_is_read_more_often_than_every_50_ms():
    run = Run(period_s=1e-3)
    run.poller.begin()
    run.go(1.0)
    assert len(run.times) == pytest.approx(21, abs=1)
    assert polling_s(run.source.info) == 0.05


def test_a_counter_is_read_at_both_edges_once_moved_and_each_second():
    run = Run(quantity="energy", period_s=0.1)
    run.poller.begin()
    run.go(3.0)
    run.poller.end()
    run.go(100)
    assert run.times == pytest.approx([0, 0.1, 1.1, 2.1, 3.0], abs=1e-4)
    assert polling_s(run.source.info) == 0


def test_a_counter_that_wraps_is_watched_between_windows_too():
    run = Run(quantity="energy", poll_s=10.0)
    run.go(21)
    run.poller.begin()
    run.go(1)
    run.poller.end()
    run.go(11)
    gaps = [after - before for before, after in zip([0, *run.times[:-1]], run.times, strict=True)]
    assert max(gaps) <= 5.001
    assert len(run.times) == 9


def test_a_slow_answer_skips_what_it_missed():
    run = Run(period_s=0.1, takes_s=0.35)
    run.poller.begin()
    run.go(3.5)
    assert 9 <= run.source.reads <= 11


@pytest.mark.parametrize("quantity", ["energy", "power"])
@pytest.mark.parametrize(
    ("error", "value", "word"),
    [
        (SourceLostError("the card was unplugged"), None, "the card was unplugged"),
        (ValueError("bad digit"), None, "the source failed: ValueError: bad digit"),
        (None, float("nan"), "not a finite number"),
    ],
)
def test_a_source_that_fails_is_lost_for_good_and_adds_nothing(quantity, error, value, word):
    run = Run(quantity=quantity, poll_s=5.0)
    run.poller.begin()
    run.go(1)
    before = run.times
    run.source.error, run.source.value = error, value
    run.go(1.5)
    assert word in run.poller.series.lost
    run.source.error, run.source.value = None, None
    reads = run.source.reads
    run.poller.end()
    run.poller.begin()
    run.go(5)
    assert run.source.reads == reads
    assert run.times == before
    assert run.poller.sample_once() is None


def test_readings_are_added_while_earlier_ones_are_looked_at():
    run = Run()
    run.poller.begin()
    run.go(1)
    at_s, values = (np.asarray(part) for part in run.poller.series.since(3))
    run.go(1)
    assert len(run.times) > 15
    assert list(at_s) == list(values) == run.poller.series.at_s[3:11].tolist()


class Live:
    """A source on the real clock, which tells the test that it was read."""

    def __init__(self, name, error=None):
        self.info = SourceInfo(
            name=name, kind="fake", scope="wall", method="measured", quantity="power", period_s=0.0
        )  # fmt: skip
        self.error = error
        self.read_twice = threading.Event()
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.reads = 0

    def read(self):
        self.reads += 1
        if self.reads > 1:
            self.read_twice.set()
        self.may_answer.wait(10)
        if self.error:
            raise self.error
        return Reading(at_s=time.time(), value=1.0)

    def close(self):
        pass


def test_threads_sample_each_source_and_one_that_hangs_holds_nobody_up():
    good, lost, hangs = Live("good"), Live("lost", SourceLostError("gone")), Live("hangs")
    hangs.may_answer.clear()
    with Sampler([good, lost, hangs]) as sampler:
        assert good.reads == 0
        sampler.begin()
        assert good.read_twice.wait(10)
        span = sampler.end()
        series = sampler.series
        hangs.may_answer.set()
    assert series["lost"].lost == "gone"
    assert len(series["lost"].values) == 0
    assert series["good"].lost is None
    assert series["hangs"].lost is None
    at = series["good"].at_s
    assert span.start_s <= at[0] <= span.end_s
    assert not [t for t in threading.enumerate() if t.name.startswith("sampler")]


def test_a_window_that_never_began():
    with pytest.raises(RuntimeError):
        Sampler([]).end()
