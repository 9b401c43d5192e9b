"""Plain and profiled calls in turns, with a clock, a network and a profiler that are made up."""

from __future__ import annotations

from contextlib import nullcontext
from types import SimpleNamespace

import pytest

from inferometer.core.errors import WorkloadError
from inferometer.core.model import Inputs
from inferometer.core.profile import CallTree, Node, Profile
from inferometer.core.workload import Shape
from inferometer.runner.workers import profiling
from inferometer.runner.workers.codec import decode, encode

SHAPE = Shape(batch_size=1, input_size=None)
ROOT = Node(
    name="", kind="module", type="Net", calls=1, self_s=1, total_s=1, low_s=1, high_s=1
)  # fmt: skip


class Clock:
    """Time passes only where somebody works."""

    def __init__(self):
        self.now_s = 0.0

    def __call__(self):
        return self.now_s


class Device:
    """A network that becomes slower with time, and a profiler that adds a share to each call."""

    def __init__(self, clock, *, call_s=0.001, added=0.25, drift=0.0, events=100):
        self.clock, self.call_s, self.added, self.drift = clock, call_s, added, drift
        self.events_of_a_call, self.events = events, 0
        self.log = []

    def call(self):
        self.clock.now_s += self._latency_s()
        self.log.append("plain")

    def run(self, calls, *, warmup):
        latencies = []
        for _ in range(warmup + calls):
            latencies.append(self._latency_s() * (1 + self.added))
            self.clock.now_s += latencies[-1]
        self.events = self.events_of_a_call
        self.log += ["profiled"] * (warmup + calls)
        return latencies[warmup:]

    def forget(self):
        self.log.append("forget")

    def tree(self):
        return CallTree(root=ROOT, operators=(), events=self.events)

    def save_trace(self, path):
        self.log.append(path)

    def _latency_s(self):
        return self.call_s * (1 + self.drift * self.clock.now_s)


class Harness:
    def __init__(self, device, inputs):
        self.session = SimpleNamespace(
            running=nullcontext, bind=lambda _: device.call, profiler=lambda _: device
        )
        self.inputs = lambda _: inputs


@pytest.fixture
def measure(monkeypatch):
    def run(*, seconds=2.0, trace=None, applied=True, **behaviour):
        clock = Clock()
        device = Device(clock, **behaviour)
        monkeypatch.setattr(profiling.time, "perf_counter", clock)
        monkeypatch.setattr(
            "inferometer.runner.workers.loop.perf_counter_ns", lambda: round(clock.now_s * 1e9)
        )
        harness = Harness(device, Inputs(args=(), shape="1x4", size_applied=applied))
        return profiling.profile_here(harness, SHAPE, seconds=seconds, trace=trace), device

    return run


def test_what_the_profiler_adds_is_found_although_the_network_slows_down(measure):
    found, device = measure(added=0.25, drift=0.2)
    assert found.added.value == pytest.approx(0.25, abs=0.002)
    assert found.added.low <= 0.25 <= found.added.high
    assert found.added.n >= profiling.GROUPS
    assert found.plain.value < found.profiled.value
    assert found.plain.n == found.profiled.n
    assert device.log[:3] == ["profiled", "profiled", "forget"]


def test_turns_are_plain_profiled_plain(measure):
    _, device = measure(call_s=0.2, seconds=1.0)
    turn = ["plain", "profiled", "profiled", "plain"]
    assert device.log == ["profiled", "profiled", "forget", *turn, *turn]


def test_one_turn_however_slow_and_then_no_interval(measure):
    found, _ = measure(call_s=30.0, seconds=1.0)
    assert found.added.value == pytest.approx(0.25)
    assert (found.added.low, found.added.n) == (None, 1)
    assert (found.profiled.value, found.profiled.n) == (pytest.approx(37.5), 2)


def test_no_more_events_than_can_be_held(measure):
    _, device = measure(call_s=0.001, events=profiling.MOST_EVENTS, seconds=0.001)
    assert device.log.count("profiled") == 2 + 3  # two calls a turn, and one that settles


def test_it_survives_the_way_to_the_parent(measure):
    found, device = measure(trace="somewhere")
    assert decode(encode(found), Profile) == found
    assert device.log[-1] == "somewhere"


def test_an_input_size_without_effect_is_refused(measure):
    with pytest.raises(WorkloadError, match="would change nothing"):
        measure(applied=False)


def test_a_backend_without_a_profiler_says_so():
    harness = SimpleNamespace(session=object(), inputs=lambda _: Inputs(args=(), shape="1"))
    with pytest.raises(WorkloadError, match="no profiler") as caught:
        profiling.profile_here(harness, SHAPE, seconds=1.0)
    assert caught.value.kind == "unsupported"
