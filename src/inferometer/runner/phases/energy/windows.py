"""Windows in which power is measured: how long, how many calls, and where they lie in a round."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from inferometer.core.energy import SourceInfo
from inferometer.core.procedure import Procedure
from inferometer.core.record import Round
from inferometer.meters.energy.sampler import polling_s
from inferometer.runner.workers.messages import RoundPlan
from inferometer.stats.energy import MIN_WINDOWS
from inferometer.stats.energy_windows import (
    MIN_WINDOW_S,
    PUBLISHED_WINDOW_S,
    Sensor,
    Window,
    needed_warm_up_s,
    needed_window_s,
)

LEAD_S = 1.2
"""Work (or rest) before a window of it, so that no reading on which it rests tells of what was
before: counters are read once a second, and the clock of a log is known to a fraction of one."""
TAIL_S = 1.2
"""Work (or rest) after a window, likewise."""
SPARE = 1.1
"""A window may last so much longer than it must: it begins and ends with a call."""
BLOCK_S = 0.5
"""Work between two looks at the clock."""
CALLS_AT_ENDS = 3
"""Calls by which a round of work may be longer than its time."""
MOST_VALUES = 1000
"""Of a round of energy; calls behind a value are as many as that asks for."""
UNKNOWN_METER = SourceInfo(
    name="mark",
    kind="csv",
    scope="wall",
    method="measured",
    quantity="power",
    period_s=1.0,
)
"""What windows are made for where a meter logs by itself: one that does so once a second."""


def sensor_of(info: SourceInfo) -> Sensor:
    """A source as the statistics see it."""
    return Sensor(
        quantity=info.quantity,
        period_s=info.period_s,
        polling_s=polling_s(info),
        window_s=info.window_s,
        resolution=info.resolution,
        gain=info.gain,
        offset_w=info.offset_w,
        stated=info.method == "estimate",
    )


@dataclass(frozen=True, kw_only=True)
class WindowPlan:
    """How the energy of a workload is measured.

    Attributes:
        window_s: length of a window of work, and of an idle one.
        warm_up_s: work before the first window.
        gap_s: largest pause between two windows; its length is left to chance.
        count: windows of work.
    """

    window_s: float
    warm_up_s: float
    gap_s: float
    count: int = MIN_WINDOWS

    def total_s(self, call_s: float) -> float:
        """Seconds of all of it: each round of work may be longer by the calls at its ends."""
        work_s = SPARE * self.window_s + LEAD_S + TAIL_S + CALLS_AT_ENDS * call_s
        rounds_s = self.count * (work_s + self.gap_s / 2)
        return self.warm_up_s + CALLS_AT_ENDS * call_s + rounds_s + 2 * self.rest_s

    @property
    def rest_s(self) -> float:
        """Idle seconds that hold an idle window."""
        return self.window_s + LEAD_S + TAIL_S


def plan_windows(
    info: SourceInfo | None, procedure: Procedure, *, logged: bool = False
) -> WindowPlan:
    """Windows that are long enough for a source, and for what the user asks for.

    Args:
        info: the source; None where nothing is read meanwhile.
        procedure: what the user asks for.
        logged: whether a meter logs by itself. It is taken to do so once a second, unless windows
            shorter than the minute of `publish` are asked for: then the user knows it is faster.
    """
    asked_s = procedure.energy_window_s or 0.0
    sensors = [sensor_of(info)] if info else []
    lengths_s = [MIN_WINDOW_S, asked_s, *map(needed_window_s, sensors)]
    if logged or not info:
        sensors.append(sensor_of(UNKNOWN_METER))
        lengths_s += [] if 0 < asked_s < PUBLISHED_WINDOW_S else [needed_window_s(sensors[-1])]
    return WindowPlan(
        window_s=max(lengths_s),
        warm_up_s=max(map(needed_warm_up_s, sensors)),
        gap_s=max(sensor.tau_s for sensor in sensors),
    )


def round_of(call_s: float, seconds: float) -> RoundPlan:
    """A round of work whose window lasts at least so long.

    It goes by the clock: calls may become slower than they were, by far on a busy device.
    """
    call_s = max(call_s, 1e-9)
    per_value = max(1, math.ceil(seconds / (MOST_VALUES * call_s)))
    return RoundPlan(
        values=max(1, round(BLOCK_S / (per_value * call_s))),
        calls_per_value=per_value,
        seconds=LEAD_S + SPARE * seconds + TAIL_S + 2 * per_value * call_s,
    )


def after_lead(done: Round) -> Round:
    """A round of work with what was before its window marked as warm-up."""
    return replace(done, settle=sum(start < LEAD_S for start in done.starts_s[:-1]))


def work_window(done: Round, batch_size: int) -> Window | None:
    """The part of a round of work in which power is steady; None where nothing is left.

    It begins with the first value that counts, and ends with the last one that was followed by
    more work.
    """
    starts, k = done.starts_s, done.calls_per_value
    end_s = starts[-1] + done.values_s[-1] * k
    counting = [at for at in range(done.settle, len(starts)) if starts[at] <= end_s - TAIL_S]
    if len(counting) < 2:  # noqa: PLR2004 - a first value, and the start of the next as its end
        return None
    first, last = counting[0], counting[-1]
    return Window(
        start_s=done.started_at + starts[first],
        end_s=done.started_at + starts[last],
        inputs=(last - first) * k * batch_size,
    )


def rest_window(done: Round) -> Window:
    """The part of an idle round that is surely idle, whatever a clock is off by."""
    end_s = done.started_at + done.values_s[0]
    return Window(start_s=done.started_at + LEAD_S, end_s=end_s - TAIL_S)


def windows_of(
    rounds: Sequence[Round], batch_size: int
) -> tuple[list[Window], Window | None, Window | None]:
    """Windows of work, of the rest before and of the rest after, of the last try.

    Args:
        rounds: of one workload, in the order of time.
        batch_size: inputs of a call.
    """
    mine = last_try(rounds)
    work = [w for one in mine if one.phase == "energy" and (w := work_window(one, batch_size))]
    first = next((one.index for one in mine if one.phase == "energy"), None)
    rests = [one for one in mine if one.phase == "idle"]
    before = [one for one in rests if first is None or one.index < first]
    after = [one for one in rests if first is not None and one.index > first]
    return (
        work,
        rest_window(before[-1]) if before else None,
        rest_window(after[-1]) if after else None,
    )


def last_try(rounds: Sequence[Round]) -> list[Round]:
    """Rounds of the process in which energy was measured last."""
    processes = [one.process for one in rounds if one.phase in ("energy", "idle")]
    last = max(processes, default=None)
    return [one for one in rounds if one.process == last]
