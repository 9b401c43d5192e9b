"""What a latency may be used for: a claim of its own, to rank workloads of its run, or neither."""

from __future__ import annotations

import math

from inferometer.core.record import Record

ABSOLUTE, RANKING, NOTHING = "absolute", "ranking", "none"
WIDEST_ABSOLUTE = 0.10
"""Relative half-width; a claim of a latency that may be a tenth off is still one."""
WIDEST_RANKING = 0.25
"""Relative half-width; wider ones still rank what differs twofold, and are said to be unfit."""
CALM = ("trusted", "noisy")
"""Verdicts of figures that the state of the device did not move."""


def usable_for(record: Record) -> str | None:
    """`absolute` (and for ranking), `ranking` alone, or `none`; None where there is no latency.

    For ranking counts the relative interval, whatever disturbed all workloads alike, unless the
    workload moved alone; where there is none, the interval of the median. For an absolute claim
    that interval has to be narrow, and the device must not have been disturbed.
    """
    latency = record.latency
    if latency is None:
        return None
    whole, relative = latency.log_half_width, latency.compared().log_half_width
    own = any(cause.code == "moved_alone" for cause in record.causes)
    if whole <= WIDEST_ABSOLUTE and record.figures.get("verdict") in CALM:
        return ABSOLUTE
    if (whole if relative is math.inf else relative) <= WIDEST_RANKING and not own:
        return RANKING
    return NOTHING
