from __future__ import annotations

import pytest

from inferometer.core.record import Round
from inferometer.runner.phases.latency.sustained import sustained_figures


def windows(latencies, window_s=1.0):
    return [
        Round(
            index=i, process=0, phase="measure", started_at=100.0 + i * window_s, calls_per_value=1,
            settle=0, starts_s=tuple(k * s for k in range(int(window_s / s))),
            values_s=(s,) * int(window_s / s),
        )
        for i, s in enumerate(latencies)
    ]  # fmt: skip


def test_the_first_minute_is_set_against_the_last():
    found = sustained_figures(windows([0.1] * 60 + [0.15] * 120 + [0.2] * 60))
    assert found["sustained_first_s"] == pytest.approx(0.1)
    assert found["sustained_last_s"] == pytest.approx(0.2)
    assert found["sustained_span_s"] == pytest.approx(240.0)


def test_of_a_short_run_the_halves_are_compared():
    found = sustained_figures(windows([0.1] * 5 + [0.2] * 5))
    assert (found["sustained_first_s"], found["sustained_last_s"]) == (0.1, 0.2)


def test_a_single_window_is_both_ends():
    found = sustained_figures(windows([0.25]))
    assert found["sustained_first_s"] == found["sustained_last_s"] == 0.25
