"""Windows in which power is measured: how long, how many calls, and where they lie in a round."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from inferometer.core.energy import SourceInfo
from inferometer.core.procedure import Procedure
from inferometer.core.record import Round
from inferometer.meters.energy.sampler import polling_s
from inferometer.runner.scheduling.forecast import WARMUP_CALLS
from inferometer.runner.workers.messages import RoundPlan
from inferometer.stats.energy_windows import (
    MIN_WINDOWS,
    PUBLISHED_WINDOW_S,
    Sensor,
    Window,
    needed_idle_s,
    needed_warm_up_s,
    needed_window_s,
)

MARGIN_S = 1.2
"""Before and after an idle window, and one of work that a meter logs by itself: the clock of a log
is known to a fraction of a second, and a device needs a moment until it is idle."""
SWITCH_S = 0.1
"""Work before and after a window that is read meanwhile: readings lie that close to its edges."""
LONG_CALL_S = 20 * SWITCH_S
"""Calls for which these moments make no difference."""
LOGGED_WINDOW_S = 100.0
"""For a meter that logs once a second, by a clock that is fitted to the windows."""
BLOCK_S = 0.1
"""Work between two looks at the clock."""
CALLS_AT_ENDS = 3
"""Calls by which a round of work may be longer than its time."""
IDLE_EVERY = 10
"""Idle power is measured again after so many times as long as that takes, or as it drifts."""
_CLOCK = 1.1
"""Of the period of a log that has only begun: it may turn out to be that much longer."""
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
    """How energy is measured.

    Attributes:
        window_s: length of a window of work.
        idle_s: length of an idle window.
        warm_up_s: work before the first window of all.
        gap_s: largest pause before a window of work; its length is left to chance.
        margin_s: work before and after each window of work.
        count: windows of work of each workload, at the least.
    """

    window_s: float
    idle_s: float
    warm_up_s: float
    gap_s: float
    margin_s: float = MARGIN_S
    count: int = MIN_WINDOWS

    def margin_of(self, call_s: float) -> float:
        """Seconds of work before and after a window; none beside calls that are long."""
        return 0.0 if self.margin_s <= SWITCH_S and call_s >= LONG_CALL_S else self.margin_s

    def round_s(self, call_s: float) -> float:
        """Seconds of a window of work, with what is before and after it."""
        margin_s = self.margin_of(call_s)
        if margin_s == 0.0:
            return self.gap_s / 2 + math.ceil(self.window_s / call_s) * call_s
        work_s = self.window_s + 2 * margin_s + CALLS_AT_ENDS * call_s + BLOCK_S / 2
        return self.gap_s / 2 + work_s

    def total_s(self, call_s: float) -> float:
        """Seconds of one workload: the calls that warm it up, and its windows."""
        return WARMUP_CALLS * call_s + self.count * self.round_s(call_s)

    @property
    def rest_s(self) -> float:
        """Idle seconds that hold an idle window."""
        return self.idle_s + 2 * MARGIN_S

    def idle_share_s(self, work_s: float) -> float:
        """Seconds of idle windows and first warm-up around and among so much work."""
        among = work_s / (IDLE_EVERY * self.rest_s)
        return self.warm_up_s + (2 + among) * self.rest_s


def plan_windows(
    info: SourceInfo | None,
    procedure: Procedure,
    *,
    logged: bool = False,
    logger: SourceInfo | None = None,
) -> WindowPlan:
    """Windows that are long enough for a source, and for what the user asks for.

    Args:
        info: the source; None where nothing is read meanwhile.
        procedure: what the user asks for.
        logged: whether a meter logs by itself. It is taken to do so once a second, unless windows
            shorter than the minute of `publish` are asked for: then the user knows it is faster.
        logger: what is known of that meter, where its log is being written already.
    """
    asked_s = procedure.energy_window_s or 0.0
    sensors = [sensor_of(info)] if info else []
    lengths_s = [asked_s, *map(needed_window_s, sensors)]
    logged = logged or not info
    if logger:
        sensors.append(sensor_of(replace(logger, period_s=_CLOCK * logger.period_s)))
        lengths_s.append(needed_window_s(sensors[-1]))
    elif logged:
        sensors.append(sensor_of(UNKNOWN_METER))
        faster = 0 < asked_s < PUBLISHED_WINDOW_S
        lengths_s.append(needed_window_s(sensors[-1]) if faster else LOGGED_WINDOW_S)
    return WindowPlan(
        window_s=max(lengths_s),
        idle_s=max([asked_s, *map(needed_idle_s, sensors)]),
        warm_up_s=max(map(needed_warm_up_s, sensors)),
        gap_s=max(sensor.tau_s for sensor in sensors),
        margin_s=MARGIN_S if logged else SWITCH_S,
    )


def round_of(call_s: float, seconds: float, margin_s: float) -> RoundPlan:
    """A round of work whose window lasts at least so long.

    It goes by the clock: calls may become slower than they were, by far on a busy device.
    """
    call_s = max(call_s, 1e-9)
    per_value = max(1, math.ceil(seconds / (MOST_VALUES * call_s)))
    ends_s = 2 * margin_s + 2 * per_value * call_s if margin_s else 0.0
    return RoundPlan(
        values=max(1, round(BLOCK_S / (per_value * call_s))),
        calls_per_value=per_value,
        seconds=seconds + ends_s,
    )


def after_lead(done: Round, margin_s: float) -> Round:
    """A round of work with what was before its window marked as warm-up."""
    return replace(done, settle=sum(start < margin_s for start in done.starts_s[:-1]))


def work_window(done: Round, batch_size: int, margin_s: float = MARGIN_S) -> Window | None:
    """The part of a round of work in which power is steady; None where nothing is left.

    It begins and ends between two values, with work before and after it.
    """
    k = done.calls_per_value
    edges = [*done.starts_s, done.starts_s[-1] + done.values_s[-1] * k]
    inside = [at for at, edge in enumerate(edges) if margin_s <= edge <= edges[-1] - margin_s]
    if len(inside) < 2:  # noqa: PLR2004 - a beginning and an end
        return None
    first, last = inside[0], inside[-1]
    return Window(
        start_s=done.started_at + edges[first],
        end_s=done.started_at + edges[last],
        inputs=(last - first) * k * batch_size,
    )


def rest_window(done: Round) -> Window:
    """The part of an idle round that is surely idle, whatever a clock is off by."""
    end_s = done.started_at + done.values_s[0]
    return Window(start_s=done.started_at + MARGIN_S, end_s=end_s - MARGIN_S)


def around(idle: Sequence[Window], load: Sequence[Window]) -> list[Window]:
    """Idle windows among windows of work, with the one before and the one after them."""
    if not load:
        return []
    ordered = sorted(idle, key=lambda window: window.start_s)
    before = [one for one in ordered if one.end_s <= load[0].start_s]
    after = [one for one in ordered if one.start_s >= load[-1].end_s]
    among = [one for one in ordered if one not in before and one not in after]
    return [*before[-1:], *among, *after[:1]]


def last_try(rounds: Sequence[Round]) -> list[Round]:
    """Rounds of the process in which energy was measured last."""
    processes = [one.process for one in rounds if one.phase in ("energy", "idle")]
    last = max(processes, default=None)
    return [one for one in rounds if one.process == last]
