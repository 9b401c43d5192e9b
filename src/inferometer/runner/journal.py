"""Writes a run down as it happens, and tells the listener."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from inferometer.core.record import Record, Round
from inferometer.core.run import Run
from inferometer.core.workload import Workload
from inferometer.runner.events import Listener, Notice, WorkloadDone
from inferometer.store import Store

KEPT = "the earlier figures of {} are kept: the budget did not suffice to measure it again"
FLUSH_EVERY_S = 1.0
"""A kill loses at most this much of the rounds of unfinished workloads, never a finished one."""


@dataclass(kw_only=True)
class Journal:
    """The store, as seen by one run: a finished record goes in at once, rounds every second.

    Attributes:
        store: where the run is.
        run: the run.
        done: finished workloads so far.
        listener: told of each.
        again: workloads that are measured anew. What is stored of them stays until their next
            record is complete, which then takes the place of the record and of all its rounds.
    """

    store: Store
    run: Run
    done: int
    listener: Listener
    again: set[Workload] = field(default_factory=set)
    _pending: list[tuple[Workload, Round]] = field(default_factory=list)
    _flushed: float = field(default_factory=time.monotonic)

    def add(self, workload: Workload, done: Round) -> None:
        """Keep a round."""
        self._pending.append((workload, done))
        if time.monotonic() - self._flushed >= FLUSH_EVERY_S:
            self.flush()

    def finish(self, record: Record) -> None:
        """Store a complete record with what is pending of its rounds, in one transaction."""
        if not self._keeps_earlier(record):
            self.amend(record)
        self.done += 1
        shown = replace(record, run=self.run.row_part())
        self.listener(WorkloadDone(record=shown, done=self.done, planned=self.run.planned))

    def amend(self, record: Record) -> None:
        """Store a record in place of an earlier one, with what is pending of its rounds."""
        mine = [done for workload, done in self._pending if workload == record.workload]
        anew = record.workload in self.again
        self.store.put_record(self.run.id, record, mine, instead=anew)
        self.again.discard(record.workload)
        self._pending = [pair for pair in self._pending if pair[0] != record.workload]

    def _keeps_earlier(self, record: Record) -> bool:
        """Whether a workload could not be measured anew for lack of time."""
        cut = record.failure is not None and record.failure.kind == "budget"
        if not cut or record.workload not in self.again:
            return False
        self.listener(Notice(message=KEPT.format(record.workload.label)))
        return True

    def flush(self) -> None:
        """Store what is pending, but for workloads that are measured anew."""
        ready = [pair for pair in self._pending if pair[0] not in self.again]
        if ready:
            self.store.add_rounds(self.run.id, ready)
        self._pending = [pair for pair in self._pending if pair[0] in self.again]
        self._flushed = time.monotonic()

    def finished(self) -> Sequence[Record]:
        """Records that the run has already."""
        return self.store.records(self.run.id)

    def earlier(self, workload: Workload) -> Sequence[Round]:
        """Rounds of an unfinished workload from before the run was interrupted.

        Of one that is measured anew, those that this has given so far.
        """
        if workload in self.again:
            return [done for owner, done in self._pending if owner == workload]
        return self.store.rounds(self.run.id, workload)

    def at_most_together(self) -> int | None:
        """How many workloads may be warmed up before the first is measured; None for all.

        Where a run was interrupted before all were warm, half of those that were; a quarter, where
        that happened twice.
        """
        found = self.store.warmed_up_in_vain(self.run.id)
        return max(len(found) >> max(found.values()), 1) if found else None

    def next_round(self) -> int:
        """Index of the run's next round."""
        return self.store.next_round(self.run.id)

    def processes_before(self, workloads: Iterable[Workload]) -> int:
        """How many processes of a variant are behind the rounds that are already there."""
        seen = [done.process for workload in workloads for done in self.earlier(workload)]
        return max(seen, default=-1) + 1
