"""Which windows a log covers, and what is said of the others."""

from __future__ import annotations

import numpy as np
import pytest

from inferometer.meters.energy.logs.power_log import PowerLog
from inferometer.runner.phases.energy.covering import apart, counted, covered, shortfall
from inferometer.stats.energy_windows import Window

AT_S = 1_764_500_000.0
WINDOWS = [Window(start_s=AT_S + 20 * k, end_s=AT_S + 20 * k + 15, inputs=9) for k in range(5)]
BOTH = "the log begins 35 s after the first window did and ends 25 s before the last window did"
SPAN = [(AT_S, AT_S + 95)]


def log(begins_s, ends_s, clock="unix"):
    times = np.arange(AT_S + begins_s, AT_S + ends_s, 1.0)
    return PowerLog(
        times_s=times, watts=np.ones(times.size), period_s=1.0, path="log.csv", clock=clock
    )


def test_a_log_of_all_of_the_run_misses_nothing():
    whole = log(-10, 110)
    assert covered(whole, 0.0, WINDOWS) == WINDOWS
    assert shortfall(whole, 0.0, WINDOWS) == ""
    assert apart(whole, SPAN) == ""


def test_one_row_at_an_end_may_be_missing():
    assert shortfall(log(0.5, 95), 0.0, WINDOWS) == ""


@pytest.mark.parametrize(
    ("begins_s", "ends_s", "offset_s", "says", "covers"),
    [
        (-10, 61, 0.0, "the log ends 35 s before the last window did", 3),
        (25, 110, 0.0, "the log begins 25 s after the first window did", 3),
        (35, 71, 0.0, BOTH, 1),
        (-10, 110, 40.0, "the log begins 30 s after the first window did", 3),
        (500, 600, 0.0, "the log begins 8 min 20 s after the first window did", 0),
    ],
)  # fmt: skip
def test_what_it_misses_is_said(begins_s, ends_s, offset_s, says, covers):
    found = log(begins_s, ends_s)
    assert shortfall(found, offset_s, WINDOWS) == says
    assert counted(found, offset_s, WINDOWS) == f"it covers {covers} of 5 windows of work"


def test_a_log_of_another_day_says_when_it_was():
    said = apart(log(-86_400, -86_300), SPAN)
    assert "it goes from 2025-11-29 10:53:20 UTC to 2025-11-29 10:54:59 UTC" in said
    assert "lies 23 h 58 min before the run's windows begin" in said
    assert "Give the log of this run" in said


def test_a_log_in_another_time_zone_gets_its_offset():
    assert "give --offset -7200; otherwise" in apart(log(7200 - 10, 7200 + 110), SPAN)


def test_a_log_that_counts_from_its_start_is_of_no_day():
    assert apart(log(-86_400, -86_300, clock="start"), SPAN) == ""
