"""What is known of a workload before its first call: its analytical cost, and whether it fits."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from inferometer.core.cost import Cost
from inferometer.core.procedure import Procedure
from inferometer.core.record import Failure, Record, Value
from inferometer.core.statement import Statement
from inferometer.core.units import byte_count
from inferometer.core.workload import Variant, Workload
from inferometer.runner.scheduling.memory_forecast import MemoryForecast, Observed, forecast_memory
from inferometer.runner.workers.parent import WorkerFailed
from inferometer.runner.workers.pool import WorkerPool

WILL_NOT_FIT = (
    "not tried: about {} of memory are expected, and the limit is {} (--memory-limit changes it, "
    "--try-larger measures all the same)"
)


@dataclass(kw_only=True)
class Outlook:
    """What can be said of a workload before it runs.

    Attributes:
        figures: fields of the record.
        notes: for the reader of the record.
        refusal: why it is not tried; None where it is.
        warning: what the user should know now; None for nothing.
        cost: of a call; None where it could not be counted.
    """

    figures: dict[str, Value] = field(default_factory=dict)
    notes: list[Statement] = field(default_factory=list)
    refusal: Failure | None = None
    warning: Statement | None = None
    cost: Cost | None = None


class Foresight:
    """Counts operations and forecasts memory, once for each workload.

    Counting comes before the first call because the forecast needs it: a workload that does not fit
    is not to be begun. It is done in a copy of the worker, so that the model that is timed does not
    see it, for all shapes of a variant at once. A count that fails is a note in the record, and a
    worker that it kills is replaced.

    Args:
        procedure: tells the limit, and whether anything is refused.
        pool: the workers that count.
        tell: told what is done with which workload.
    """

    def __init__(
        self, procedure: Procedure, pool: WorkerPool, tell: Callable[[str, Workload], None]
    ) -> None:
        self.procedure = procedure
        self.pool = pool
        self.tell = tell
        self._outlooks: dict[Workload, Outlook] = {}
        self._expected: list[Workload] = []
        self._costs: dict[Workload, Cost | Failure | None] = {}
        self._observed: dict[Variant, list[Observed]] = {}
        self._deadly: dict[Variant, Statement] = {}

    def expect(self, workloads: Iterable[Workload]) -> None:
        """Say what will be asked for, so that it can be counted together."""
        self._expected += workloads

    def outlook(self, workload: Workload) -> Outlook:
        """What can be said of a workload; counted where it has not been counted yet.

        Raises:
            WorkerFailed: at stage load: its variant cannot be loaded.
        """
        if workload not in self._outlooks:
            self.pool.load(workload)
            self.tell("counting", workload)
            self._outlooks[workload] = self._look(workload)
        return self._outlooks[workload]

    def known(self, workload: Workload) -> Outlook:
        """The same, if it was asked for before; else an empty one."""
        return self._outlooks.get(workload, Outlook())

    def learn(self, workload: Workload, figures: Mapping[str, Value]) -> None:
        """Take the memory that a workload took into account."""
        outlook = self.known(workload)
        inputs = 0 if outlook.cost is None else outlook.cost.input_bytes
        seen = Observed.of({**outlook.figures, **figures}, inputs=inputs)
        if seen is not None:
            self._observed.setdefault(workload.variant, []).append(seen)

    def learn_records(self, records: Iterable[Record]) -> None:
        """Take the finished workloads of a run that goes on into account."""
        for record in records:
            self.learn(record.workload, record.figures)

    def _look(self, workload: Workload) -> Outlook:
        found = Outlook()
        cost = self._cost(workload, found.notes)
        if cost is None:
            return found
        found.cost = cost
        found.figures |= cost.figures()
        forecast = self._forecast(workload, cost)
        if forecast is not None:
            found.figures["memory_forecast_bytes"] = forecast.peak
            self._judge(forecast, found)
        return found

    def _cost(self, workload: Workload, notes: list[Statement]) -> Cost | None:
        variant = workload.variant
        if variant in self._deadly:
            notes.append(self._deadly[variant])
            return None
        if workload not in self._costs:
            others = (one for one in self._expected if one.variant == variant)
            wanted = [workload, *(one for one in others if one not in {workload, *self._costs})]
            self._costs |= self._counted(wanted)
        cost = self._costs[workload]
        if isinstance(cost, Failure):
            notes.append(not_counted(cost.message))
            return None
        return cost

    def _counted(self, workloads: list[Workload]) -> dict[Workload, Cost | Failure | None]:
        """What the calls of one variant cost; where their worker died of it, why nobody knows."""
        variant = workloads[0].variant
        alive = self.pool.processes[variant]
        try:
            return dict(zip(workloads, self.pool.costs(workloads), strict=True))
        except WorkerFailed as failed:
            failure = failed.failure
        self.pool.load(workloads[0])
        if self.pool.processes[variant] != alive:  # it died: another shape would kill it too
            self._deadly[variant] = not_counted(failure.message)
        return dict.fromkeys(workloads, failure)

    def _forecast(self, workload: Workload, cost: Cost) -> MemoryForecast | None:
        """None on an accelerator, whose memory is not this process's."""
        if workload.device != "cpu":
            return None
        facts = self.pool.facts.get(workload.variant, {})
        parts = [facts.get(name) for name in ("memory_baseline_bytes", "memory_weights_bytes")]
        known = [part for part in parts if isinstance(part, int)]
        return forecast_memory(
            cost,
            loaded=sum(known) if len(known) == len(parts) else None,
            observed=self._observed.get(workload.variant, []),
        )

    def _judge(self, forecast: MemoryForecast, found: Outlook) -> None:
        """Refuse what will not fit, warn of what may not."""
        limit = self.pool.limit_bytes
        if forecast.exceeds(limit) and self.procedure.skip_larger:
            message = WILL_NOT_FIT.format(byte_count(forecast.peak), byte_count(limit))
            found.refusal = Failure(stage="warmup", kind="out_of_memory", message=message)
        elif forecast.may_exceed(limit):
            amounts = {"needed_bytes": forecast.peak, "limit_bytes": limit}
            found.warning = Statement("may_not_fit", amounts)
            found.notes.append(found.warning)
        if not forecast.shapes:
            found.notes.append(Statement("forecast_lower_bound"))


def not_counted(reason: str) -> Statement:
    """The note of a record whose operations could not be counted."""
    return Statement("not_counted", {"reason": reason})
