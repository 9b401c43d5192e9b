"""What a phase of a run is, and what the phases share."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from inferometer.core.procedure import Procedure
from inferometer.core.record import Record, Value
from inferometer.core.roofline import Roofline
from inferometer.core.sweep import Study
from inferometer.core.workload import Workload
from inferometer.runner.journal import Journal
from inferometer.runner.phases.latency.apparatus import Apparatus
from inferometer.runner.phases.latency.campaign import Campaign
from inferometer.runner.phases.latency.sustained import SustainedCampaign
from inferometer.runner.preparation import Preparer
from inferometer.runner.workers.pool import WorkerPool, clock_of

Scope = Literal["run", "workload"]


@dataclass(kw_only=True)
class Site:
    """What the phases of a run share.

    Attributes:
        study: what is measured, with its procedure.
        journal: where rounds and records go.
        missing: workloads that have no final record, or are measured anew.
        root: where the signals of the device are read.
        until_reached: fields of a record whose later phases were not reached.
        rooflines: what the device attains at best, once it is known.
        preparer: of variants that are prepared, in all phases.
    """

    study: Study
    journal: Journal
    missing: Sequence[Workload]
    root: Path
    until_reached: dict[str, Value] = field(default_factory=dict)
    rooflines: list[Roofline] = field(default_factory=list)
    preparer: Preparer = field(init=False)

    def __post_init__(self) -> None:
        """One for the whole run."""
        self.preparer = Preparer(self.study.procedure)

    def pool(self, procedure: Procedure) -> WorkerPool:
        """Workers for a phase, whose budget begins now."""
        clock = clock_of(procedure, time.monotonic())
        return WorkerPool(procedure, clock, root=self.root, preparer=self.preparer)

    def records(self) -> list[Record]:
        """Records of the run so far."""
        return self.journal.store.records(self.journal.run.id)

    def measure(self, procedure: Procedure, workloads: Sequence[Workload]) -> None:
        """Measure the latencies of workloads, and write their records."""
        kind = Campaign if procedure.sustain_s is None else SustainedCampaign
        apparatus = Apparatus(
            procedure,
            self.journal,
            constants=self.until_reached,
            root=self.root,
            rooflines=self.rooflines,
            preparer=self.preparer,
        )
        kind(apparatus).execute(workloads)


class Phase(Protocol):
    """A part of a run.

    Attributes:
        name: for the list of what a record still lacks.
        scope: what it looks at: the device, once in a run, or each workload.
        fields: fields of the exported record that it fills, by their beginnings.
        share: of the budget, kept for it from the phases before.
    """

    name: str
    scope: Scope
    fields: tuple[str, ...]
    share: float

    def until_reached(self) -> Mapping[str, Value]:
        """Fields of a record that this phase has not come to."""
        ...

    def is_awaited(self) -> bool:
        """Whether it will come to records that earlier phases write: they have it `pending`."""
        ...

    def lacks(self, study: Study, records: Sequence[Record]) -> bool:
        """Whether anything is left for it in a run whose workloads all have records."""
        ...

    def meanwhile(self) -> AbstractContextManager[object]:
        """What goes on beside all phases, from before the first."""
        ...

    def execute(self, site: Site, procedure: Procedure) -> None:
        """Do it, within the budget of the procedure, which begins now."""
        ...


class Quiet:
    """A phase that says nothing until it is reached, and does nothing beside the others."""

    share = 0.0

    def until_reached(self) -> Mapping[str, Value]:
        """Nothing."""
        return {}

    def is_awaited(self) -> bool:
        """No: what it fills is there when a record is written."""
        return False

    def lacks(self, study: Study, records: Sequence[Record]) -> bool:  # noqa: ARG002
        """Nothing: it is about what is measured in later phases."""
        return False

    def meanwhile(self) -> AbstractContextManager[object]:
        """Nothing."""
        return nullcontext()
