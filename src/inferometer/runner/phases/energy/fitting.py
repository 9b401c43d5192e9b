"""What fits into the time that energy has, said before anything of it is measured."""

from __future__ import annotations

from collections.abc import Sequence

from inferometer.core.energy import SourceInfo
from inferometer.core.procedure import Procedure
from inferometer.core.record import Record
from inferometer.core.statement import Statement
from inferometer.runner.phases.energy.windows import WindowPlan
from inferometer.runner.scheduling.forecast import call_s, work

SHARE = 0.45
"""Of the budget, kept for energy where there is a source."""
LONG_S = 600.0
"""More is said beforehand, where no budget limits it."""


def in_turns(records: Sequence[Record]) -> list[Record]:
    """The cheapest shape of every variant first, then the next: what is cut then hits all alike."""
    places: dict[object, int] = {}
    ranked = []
    for record in sorted(records, key=lambda one: work(one.workload)):
        place = places.get(record.workload.variant, 0)
        places[record.workload.variant] = place + 1
        ranked.append((place, record))
    return [record for _, record in sorted(ranked, key=lambda pair: pair[0])]


def fitting(plan: WindowPlan, records: Sequence[Record], left_s: float) -> list[Record]:
    """Records whose windows fit into the time together, in their order."""
    found: list[Record] = []
    taken_s = 0.0
    for record in records:
        with_it_s = taken_s + plan.total_s(call_s(record))
        if _with_idle_s(plan, with_it_s) <= left_s:
            found.append(record)
            taken_s = with_it_s
    return found


def said_before_run(
    plan: WindowPlan, procedure: Procedure, planned: int, source: str
) -> Statement | None:
    """What is known before any latency is: how many workloads can have joules at the most.

    Returns:
        None where all may have them, within ten minutes or the budget.
    """
    each_s = plan.total_s(0.0)
    named: dict[str, str | int | float] = {"planned": planned, "source": source, "each_s": each_s}
    if procedure.budget_s is None:
        total_s = _with_idle_s(plan, planned * each_s)
        return (
            Statement("energy_takes", {**named, "total_s": total_s}) if total_s > LONG_S else None
        )
    left_s = SHARE * procedure.budget_s
    counts = range(planned + 1)
    fit = max((n for n in counts if _with_idle_s(plan, n * each_s) <= left_s), default=0)
    most = Statement("energy_most_fit", {**named, "fit": fit, "left_s": left_s})
    return most if fit < planned else None


def said_of_windows(
    plan: WindowPlan, asked_s: float, source: SourceInfo | None, *, logged: bool
) -> Statement | None:
    """How long windows last, where they were asked to be shorter, or rest on a guess.

    Args:
        plan: the windows.
        asked_s: how long they were to be; 0 where nobody said.
        source: what they are made for; None where it is not known how often it tells anything.
        logged: whether it is a meter that logs by itself.
    """
    values: dict[str, str | int | float] = {"window_s": plan.window_s, "asked_s": asked_s}
    if 0 < asked_s < plan.window_s and source is not None:
        every_s = max(source.period_s, source.window_s)
        return Statement("energy_lengthened", {**values, "source": source.name, "every_s": every_s})
    if logged and source is None:
        return Statement("energy_log_rate", values)
    return None


def _with_idle_s(plan: WindowPlan, work_s: float) -> float:
    return work_s + plan.idle_share_s(work_s)
