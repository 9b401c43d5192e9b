"""Histories → whether a workload became slower than it may."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from inferometer.analysis.history.course import CONFIDENCE, History, lower_end

Judgement = Literal["slower", "undecided", "failed", "within", "too_few"]


@dataclass(frozen=True, kw_only=True)
class HistoryGate:
    """What a limit says of each history.

    Attributes:
        limit: by what share the last level may be slower than any earlier one.
        undecided_passes: what `undecided` counts as.
        judgements: one for each history, in their order.
    """

    limit: float
    undecided_passes: bool
    judgements: tuple[Judgement, ...]

    @property
    def passes(self) -> bool:
        """Whether none is slower, failed, or counts as such."""
        return not any(map(self.is_failure, self.judgements))

    def is_failure(self, judgement: Judgement) -> bool:
        """Whether a judgement makes the gate fail."""
        bad = ("slower", "failed") if self.undecided_passes else ("slower", "failed", "undecided")
        return judgement in bad


def gate(found: Sequence[History], limit: float, *, undecided: bool) -> HistoryGate:
    """Judge histories.

    Args:
        found: the histories.
        limit: by what share the last level may be slower than any earlier one.
        undecided: whether what is undecided passes.
    """
    return HistoryGate(
        limit=limit,
        undecided_passes=undecided,
        judgements=tuple(judge(one, limit) for one in found),
    )


def judge(history: History, limit: float) -> Judgement:
    """What a limit says of one history.

    `slower`: a change was found, and all of the interval of the last level over an earlier one is
    beyond the limit. `undecided`: the interval holds the limit, or no control tells the machine
    from the model. `failed`: the workload failed in its latest run.
    """
    series, shift = history.series, history.against_best
    if series.latest is not None and series.latest in series.failed:
        return "failed"
    if history.state == "too_few":
        return "too_few"
    most = math.log1p(limit)
    if shift is None or shift.log_ratio + shift.half_width(CONFIDENCE) <= most:
        return "within"
    is_sure = lower_end(shift) > most and history.is_told_apart
    return "slower" if is_sure else "undecided"
