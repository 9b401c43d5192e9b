"""Who gets another process: those that lack one, then those whose interval narrows the fastest."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from inferometer.core.procedure import Procedure
from inferometer.core.record import Round, Value
from inferometer.core.workload import Workload
from inferometer.runner.summary import half_width, processes_to_go
from inferometer.runner.task import Task
from inferometer.stats.processes import relative_gain_per_s


@dataclass(kw_only=True)
class Prepared:
    """A workload of which at least one process was warmed up.

    Attributes:
        figures: fields of the record that are known already.
        rounds: its rounds, earlier ones included.
        task: what the schedule knows of the process that is alive now, or was the last.
        turns: processes that have given their share.
        warm_s: seconds that its last warm-up took.
    """

    figures: dict[str, Value]
    rounds: list[Round]
    task: Task
    turns: int = 0
    warm_s: float = 0.0

    @property
    def measured(self) -> list[Round]:
        """Rounds that count."""
        return [done for done in self.rounds if done.phase == "measure"]


@dataclass(frozen=True, kw_only=True)
class _Offer:
    """Another process of a workload.

    Attributes:
        workload: whose.
        planned: whether the procedure asks for it.
        worth: of two offers of a kind, the higher is taken first.
        cost_s: estimated seconds, of all that are still planned where one is.
    """

    workload: Workload
    planned: bool
    worth: float
    cost_s: float


def further(
    present: Sequence[Prepared],
    procedure: Procedure,
    *,
    cost_s: Callable[[Prepared], float],
    left_s: float,
) -> list[Workload]:
    """The workloads that get another process.

    Planned processes come first, those of the cheapest workloads before the others, and all that a
    workload still lacks are paid for at once. What is left buys further processes where the
    relative half-width falls most for each second.

    Args:
        present: workloads that had one process more just now.
        procedure: how many processes are planned, and the target.
        cost_s: estimated seconds of one more process of a workload.
        left_s: seconds that may be planned for; infinite without a budget.
    """
    offers = [offer for one in present if (offer := _offer(one, procedure, cost_s(one)))]
    chosen: list[Workload] = []
    for offer in sorted(offers, key=lambda one: (one.planned, one.worth), reverse=True):
        if offer.cost_s <= left_s:
            left_s -= offer.cost_s
            chosen.append(offer.workload)
    return chosen


def _offer(one: Prepared, procedure: Procedure, cost_s: float) -> _Offer | None:
    """What another process of a workload is worth; None where none is wanted."""
    workload = one.task.workload
    lacking = procedure.processes - one.turns
    if lacking > 0:
        return _Offer(workload=workload, planned=True, worth=-cost_s, cost_s=lacking * cost_s)
    spent_s = math.fsum(done.timed_s for done in one.measured)
    if spent_s >= procedure.max_time_s or processes_to_go(one.measured, procedure) == 0:
        return None
    width = half_width(one.measured, procedure)
    worth = relative_gain_per_s(width, one.turns, 1, max(cost_s, 1e-9))
    return _Offer(workload=workload, planned=False, worth=worth, cost_s=cost_s)
