from __future__ import annotations

from array import array

from inferometer.runner.workers import loop


class FakeClock:
    """Counts nanoseconds that only calls of the workload let pass."""

    now = 0

    def __call__(self):
        return self.now


def run(monkeypatch, durations, values, calls_per_value=1):
    clock = FakeClock()
    left = iter(durations)

    def call():
        clock.now += next(left)

    monkeypatch.setattr(loop, "perf_counter_ns", clock)
    starts, ends = array("q", [0] * values), array("q", [0] * values)
    loop.timed_values(call, starts, ends, calls_per_value)
    return [end - start for start, end in zip(starts, ends, strict=True)], list(starts)


def test_each_value_is_the_duration_of_its_call(monkeypatch):
    assert run(monkeypatch, [5, 7, 11], 3) == ([5, 7, 11], [0, 5, 12])


def test_a_value_may_span_several_calls(monkeypatch):
    assert run(monkeypatch, [1, 2, 3, 4], 2, calls_per_value=2) == ([3, 7], [0, 3])
