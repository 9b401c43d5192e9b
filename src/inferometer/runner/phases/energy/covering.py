"""Which windows of a run a log covers, and by how much it misses the others."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone

from inferometer.core.units import duration
from inferometer.meters.energy.logs.power_log import PowerLog
from inferometer.stats.energy_windows import Window

Interval = tuple[float, float]
_EDGE = 0.01
"""Of a window: what may be missing at an end, as for the readings of a sensor."""
_HOUR_S = 3600.0
_HOURS = 15
"""Most that two time zones and a summer differ by."""


def covered(log: PowerLog, offset_s: float, windows: Sequence[Window]) -> list[Window]:
    """The windows that lie within the log."""
    begins_s, ends_s = _span(log, offset_s)
    return [
        one
        for one in windows
        if begins_s <= one.start_s + _slack_s(log, one) and ends_s >= one.end_s - _slack_s(log, one)
    ]


def shortfall(log: PowerLog, offset_s: float, windows: Sequence[Window]) -> str:
    """By how much the log misses the first and the last window; empty where it has all."""
    if len(covered(log, offset_s, windows)) == len(windows):
        return ""
    begins_s, ends_s = _span(log, offset_s)
    late_s = begins_s - min(one.start_s for one in windows)
    early_s = max(one.end_s for one in windows) - ends_s
    said = [f"begins {duration(late_s)} after the first window did"] if late_s > 0 else []
    said += [f"ends {duration(early_s)} before the last window did"] if early_s > 0 else []
    return f"the log {' and '.join(said)}"


def counted(log: PowerLog, offset_s: float, windows: Sequence[Window]) -> str:
    """How many of the windows a log covers."""
    return f"it covers {len(covered(log, offset_s, windows))} of {len(windows)} windows of work"


def apart(log: PowerLog, intervals: Sequence[Interval]) -> str:
    """How far a log is from a run that it has nothing of; empty where it has something of it."""
    begins_s, ends_s = _span(log, 0.0)
    first_s, last_s = min(start for start, _ in intervals), max(end for _, end in intervals)
    if log.clock == "start" or (begins_s < last_s and ends_s > first_s):
        return ""
    away_s = first_s - ends_s if ends_s <= first_s else last_s - begins_s
    side = "before the run's windows begin" if away_s > 0 else "after they end"
    sentence = (
        f"the log is of another time: it goes from {_iso(begins_s)} to {_iso(ends_s)}, and the "
        f"windows of the run from {_iso(first_s)} to {_iso(last_s)}, so that it lies "
        f"{duration(abs(away_s))} {side}"
    )
    middle_s = (first_s + last_s - begins_s - ends_s) / 2
    hours = round(middle_s / _HOUR_S)
    if 0 < abs(hours) <= _HOURS and _overlaps(log, hours * _HOUR_S, (first_s, last_s)):
        return (
            f"{sentence}. Where its clock is in another time zone, give "
            f"--offset {hours * _HOUR_S:g}; otherwise give the log of this run"
        )
    return f"{sentence}. Give the log of this run, or --offset SECONDS where its clock is wrong"


def share_covered(log: PowerLog, offset_s: float, intervals: Sequence[Interval]) -> float:
    """How much of the intervals the log covers, 0 to 1."""
    begins_s, ends_s = _span(log, offset_s)
    within = sum(max(0.0, min(end, ends_s) - max(start, begins_s)) for start, end in intervals)
    total = sum(end - start for start, end in intervals)
    return within / total if total > 0 else 0.0


def _overlaps(log: PowerLog, offset_s: float, span: Interval) -> bool:
    begins_s, ends_s = _span(log, offset_s)
    return begins_s < span[1] and ends_s > span[0]


def _span(log: PowerLog, offset_s: float) -> Interval:
    return float(log.times_s[0]) + offset_s, float(log.times_s[-1]) + offset_s


def _slack_s(log: PowerLog, window: Window) -> float:
    return max(log.period_s, _EDGE * window.duration_s)


def _iso(at_s: float) -> str:
    return datetime.fromtimestamp(at_s, timezone.utc).strftime("%Y-%m-%d %H:%M:%S UTC")
