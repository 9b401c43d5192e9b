"""Who is measured side by side: as many variants as memory holds, and in which order."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Sequence

from inferometer.core.statement import Statement
from inferometer.core.workload import Variant, Workload
from inferometer.runner.events import Notice
from inferometer.runner.phases.latency.apparatus import Apparatus
from inferometer.runner.scheduling.forecast import CallTimes, work
from inferometer.runner.workers.parent import WorkerFailed

NO_ROOM = (
    "memory does not hold all workers side by side: {} models are measured in turn now, {} later"
)
INTERRUPTED = (
    "this run was interrupted before all of its workloads were warm: they are measured in groups "
    "of {} now"
)


class Groups:
    """Groups of workloads whose workers memory holds side by side.

    Args:
        apparatus: has the workers.
        together: workloads that an interrupted run leaves to warm up at a time; None for all.
    """

    def __init__(self, apparatus: Apparatus, *, together: int | None) -> None:
        self.apparatus = apparatus
        self.standing = apparatus.standing
        self.pool = apparatus.pool
        self.pair = apparatus.procedure.pair
        self._together = together

    def each(self) -> Iterator[list[Workload]]:
        """The groups of a replicate, their variants loaded; the next is loaded when asked for."""
        parts = self._parts()
        for part in parts:
            note = Statement("part_of_workloads", {"workloads": len(part)})
            yield from self._side_by_side(part, [note] if len(parts) > 1 else [])
        waiting = self.standing.waiting
        for variant in dict.fromkeys(one.variant for one in waiting):
            yield [one for one in waiting if one.variant == variant]

    def _parts(self) -> list[list[Workload]]:
        """What is interleaved: everything, unless the run was interrupted before that was warm.

        Half as much then, the cheapest first, so that it comes to measuring in the end.
        """
        waiting = [one for one in self.standing.waiting if one not in self.standing.alone]
        most, self._together = self._together, None
        if most is None or most >= len(waiting) or self.pair:
            return [waiting]
        self._tell(INTERRUPTED.format(most))
        ordered = sorted(waiting, key=work)
        return [ordered[i : i + most] for i in range(0, len(ordered), most)]

    def _side_by_side(
        self, part: list[Workload], notes: Sequence[Statement]
    ) -> Iterator[list[Workload]]:
        """A part, all at once or in groups that memory holds.

        Args:
            part: workloads that are to be interleaved.
            notes: for their records.
        """
        part = [one for one in part if one in self.standing.waiting]
        queue = deque(dict.fromkeys(one.variant for one in part))
        together = len(queue)
        while queue:
            group = self._admit(queue)
            if queue or len(group) < together:
                models = {"models": len(group), "total": together}
                self._note(group, Statement("part_of_models", models))
            for note in notes:
                self._note(group, note)
            waiting = self.standing.waiting
            yield [one for one in part if one in waiting and one.variant in group]

    def _admit(self, queue: deque[Variant]) -> list[Variant]:
        """Load variants while idle workers leave enough memory."""
        admitted: list[Variant] = []
        while queue:
            if admitted and not self.pool.has_room():
                self._tell(NO_ROOM.format(len(admitted), len(queue)))
                break
            variant = queue.popleft()
            admitted.append(variant)
            self._load(next(one for one in self.standing.waiting if one.variant == variant))
        return admitted

    def _load(self, first: Workload) -> None:
        self.apparatus.progress.doing("loading", first)
        begin = time.monotonic()
        try:
            self.pool.load(first)
        except WorkerFailed as failed:
            self.apparatus.ending.give_up(first, failed.failure)
        self.standing.load_s[first.variant] = time.monotonic() - begin

    def _note(self, group: list[Variant], note: Statement) -> None:
        """The record says what its rounds were not interleaved with."""
        for variant in group:
            self.pool.note(variant, note)

    def _tell(self, message: str) -> None:
        self.apparatus.journal.listener(Notice(message=message))


def cheapest_first(group: Sequence[Workload], call_times: CallTimes) -> Iterator[Workload]:
    """The order in which a group is warmed up, while call times are learnt.

    The first shape of each model comes before all whose cost follows from smaller ones, so that a
    budget leaves out the dearest calls, not the largest shapes of cheap models.
    """
    waiting = sorted(group, key=work)
    while waiting:
        cheapest = min(waiting, key=lambda one: call_times.of(one) or 0.0)
        waiting.remove(cheapest)
        yield cheapest
