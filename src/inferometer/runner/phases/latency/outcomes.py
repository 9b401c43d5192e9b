"""Puts the record of a workload together, from all who know something of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from inferometer.core.procedure import Procedure
from inferometer.core.record import Failure, Record, Round, Status, Value
from inferometer.core.roofline import Roofline
from inferometer.core.statement import Statement, statements
from inferometer.core.workload import Workload
from inferometer.figures.summary import summarise
from inferometer.runner.phases.roofline import against_roofline
from inferometer.runner.scheduling.foresight import Foresight
from inferometer.runner.scheduling.replicates import Prepared
from inferometer.runner.workers.memory_layers import peaks_apart
from inferometer.runner.workers.pool import WorkerPool


def with_few_calls(measured: Mapping[str, Value], procedure: Procedure) -> dict[str, Value]:
    """Figures with a note where they rest on fewer calls than were asked for."""
    calls = measured.get("latency_calls")
    if not isinstance(calls, int) or calls >= procedure.min_calls:
        return dict(measured)
    few = Statement("few_calls", {"calls": calls, "wanted": procedure.min_calls})
    return {**measured, "notes": [few, *statements(measured.get("notes"))]}


class Outcomes:
    """Makes records.

    Args:
        procedure: how the workloads are measured.
        pool: knows the variants.
        foresight: knows the analytical cost of a call.
        constants: fields that every record of the run has.
        rooflines: what the device attains at best, as far as it was probed.
    """

    def __init__(
        self,
        procedure: Procedure,
        pool: WorkerPool,
        foresight: Foresight,
        *,
        constants: Mapping[str, Value],
        rooflines: Sequence[Roofline],
    ) -> None:
        self.procedure = procedure
        self.pool = pool
        self.foresight = foresight
        self.constants = constants
        self.rooflines = rooflines

    def measured(self, workload: Workload, rounds: Sequence[Round]) -> dict[str, Value]:
        """The figures that follow from all rounds of a workload."""
        found = summarise(workload, rounds, self.procedure, self._facts(workload))
        cost, latency_s = self.foresight.known(workload).cost, found["latency_median_s"]
        bounds = against_roofline(workload, cost, self.rooflines, latency_s)
        return found | bounds.figures()

    def record(
        self,
        workload: Workload,
        status: Status,
        failure: Failure | None,
        *,
        prepared: Prepared | None,
        measured: Mapping[str, Value],
    ) -> Record:
        """The record, with the notes of each in the order in which they came to know.

        Args:
            workload: the record's workload.
            status: the record's status.
            failure: why there are no figures; None where there are.
            prepared: what its warm-ups showed; None where it had none.
            measured: figures from its rounds; none where it failed.
        """
        outlook, facts = self.foresight.known(workload), self._facts(workload)
        own = {} if prepared is None else prepared.figures
        apart = [] if prepared is None else peaks_apart(prepared.peaks)
        figures = {**self.constants, **facts, **outlook.figures, **own, **measured}
        if prepared is not None and not prepared.batch_applied:
            figures["throughput_per_s"] = None  # of samples that nobody saw
        if status != "ok":
            figures.pop("pending", None)  # no phase comes to what failed
        noted = (facts.get("notes"), outlook.notes, own.get("notes"), measured.get("notes"), apart)
        figures["notes"] = [note for part in noted for note in statements(part)]
        return Record(workload=workload, status=status, failure=failure, figures=figures)

    def _facts(self, workload: Workload) -> dict[str, Value]:
        return self.pool.facts.get(workload.variant, {})
