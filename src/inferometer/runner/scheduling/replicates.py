"""Who gets another process: those that lack one, then those whose interval narrows the fastest."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from inferometer.core.procedure import Procedure
from inferometer.core.record import Round, Value
from inferometer.core.workload import Workload
from inferometer.figures.summary import half_width, processes_to_go
from inferometer.runner.scheduling.pairing import are_partners, pair_width, ratio_goal
from inferometer.runner.scheduling.task import Task
from inferometer.stats.processes import relative_gain_per_s
from inferometer.stats.stopping import Rule

TIMES, MOST_TIMES = 2, 5
"""So many times the planned processes may be made of a workload, without and with a budget."""


@dataclass(kw_only=True)
class Prepared:
    """A workload of which at least one process was warmed up.

    Attributes:
        figures: fields of the record that are known already.
        rounds: its rounds, earlier ones included.
        task: what the schedule knows of the process that is alive now, or was the last.
        replicates: processes that have given their share.
        begun: rounds of interrupted processes, whose share the next one completes.
        warm_s: seconds that its last warm-up took.
        peaks: peak memory in each of its processes, bytes.
        batch_applied: whether the batch size changed its inputs.
    """

    figures: dict[str, Value]
    rounds: list[Round]
    task: Task
    replicates: int = 0
    begun: list[Round] = field(default_factory=list)
    warm_s: float = 0.0
    peaks: list[int] = field(default_factory=list)
    batch_applied: bool = True

    @property
    def measured(self) -> list[Round]:
        """Rounds that count."""
        return [done for done in self.rounds if done.phase == "measure"]

    def begin_share(self, call_s: float, rule: Rule) -> None:
        """Begin the share of a new process; one that an interrupted process began goes on.

        Args:
            call_s: seconds of one call, estimated from the warm-up of the process.
            rule: what the process has to give.
        """
        begun, self.begun = self.begun, []
        measured = self.measured
        before = measured[: len(measured) - len(begun)]
        self.task = replace(
            self.task, call_s=call_s, rule=rule, before=before, rounds=begun, next_analysis=0
        )


@dataclass(frozen=True, kw_only=True)
class _Offer:
    """Another process of a workload, or of both sides of a pair.

    Attributes:
        workloads: those that would get the process.
        planned: whether the procedure asks for it.
        worth: of two offers of a kind, the higher is taken first.
        cost_s: estimated seconds, of all that are still planned where one is.
        next_s: estimated seconds of the next one.
    """

    workloads: tuple[Workload, ...]
    planned: bool
    worth: float
    cost_s: float
    next_s: float


def further(
    present: Sequence[Prepared],
    procedure: Procedure,
    *,
    cost_s: Callable[[Prepared], float],
    left_s: float,
    widths: Mapping[Workload, float] = {},
) -> list[Workload]:
    """The workloads that get another process.

    Planned processes come first, those of the cheapest workloads before the others, and all that a
    workload still lacks are paid for at once; where that is too much, the next one alone. What is
    left buys further processes where the relative half-width falls most for each second. The sides
    of a pair get both one or neither, and their half-width is that of the ratio.

    Args:
        present: workloads that had one process more just now.
        procedure: how many processes are planned, and the target.
        cost_s: estimated seconds of one more process of a workload.
        left_s: seconds that may be planned for; infinite without a budget.
        widths: half-widths for comparisons, in logarithms, where the workloads can be read
            together; they decide instead of those of each alone.
    """
    made = (
        _offer(sides, procedure, cost_s=sum(map(cost_s, sides)), widths=widths, left_s=left_s)
        for sides in _units(present, procedure)
    )
    offers = [offer for offer in made if offer is not None]
    chosen: list[Workload] = []
    for offer in sorted(offers, key=lambda one: (one.planned, one.worth), reverse=True):
        price_s = offer.cost_s if offer.cost_s <= left_s else offer.next_s
        if price_s <= left_s:
            left_s -= price_s
            chosen += offer.workloads
    return chosen


def complete(present: Sequence[Prepared], procedure: Procedure) -> list[Workload]:
    """The workloads that need no further process, whatever it would cost."""
    units = _units(present, procedure)
    return [
        one.task.workload
        for sides in units
        for one in sides
        if _offer(sides, procedure, cost_s=0.0, widths={}, left_s=0.0) is None
    ]


def _units(present: Sequence[Prepared], procedure: Procedure) -> list[tuple[Prepared, ...]]:
    """Workloads one by one; in a paired run those with a partner together."""
    if not procedure.pair:
        return [(one,) for one in present]
    units: list[tuple[Prepared, ...]] = []
    for at, one in enumerate(present):
        if any(one in unit for unit in units):
            continue
        partner = [two for two in present[at + 1 :] if are_partners(one.task, two.task)]
        units.append((one, *partner))
    return units


def _offer(
    sides: tuple[Prepared, ...],
    procedure: Procedure,
    *,
    cost_s: float,
    widths: Mapping[Workload, float],
    left_s: float,
) -> _Offer | None:
    """What another process of a workload or a pair is worth; None where none is wanted."""
    workloads = tuple(one.task.workload for one in sides)
    replicates = min(one.replicates for one in sides)
    lacking = procedure.processes - replicates
    if lacking > 0:
        all_s = lacking * cost_s
        return _Offer(workloads=workloads, planned=True, worth=-cost_s, cost_s=all_s, next_s=cost_s)
    spent_s = max(math.fsum(done.timed_s for done in one.measured) for one in sides)
    if len(sides) == 1 and (relative := widths.get(workloads[0])) is not None:
        # Time that nobody else needs buys precision, as long as there is a budget that ends.
        most = MOST_TIMES if math.isfinite(left_s) else TIMES
        width = relative if replicates < most * procedure.processes else None
        width = None if width is None or width <= procedure.target else width
    else:
        width = None if spent_s >= procedure.max_time_s else _width_to_go(sides, procedure)
    if width is None:
        return None
    worth = relative_gain_per_s(width, replicates, 1, max(cost_s, 1e-9))
    return _Offer(workloads=workloads, planned=False, worth=worth, cost_s=cost_s, next_s=cost_s)


def _width_to_go(sides: tuple[Prepared, ...], procedure: Procedure) -> float | None:
    """Relative half-width that is still too wide; None where it is not, or no more is allowed."""
    one = sides[0].measured
    if len(sides) == 1:
        return half_width(one, procedure) if processes_to_go(one, procedure) else None
    width = pair_width(one, sides[1].measured, procedure)
    most = max(side.replicates for side in sides)
    allowed = procedure.processes > 1 and most < TIMES * procedure.processes
    return width if allowed and width > ratio_goal(procedure) else None
