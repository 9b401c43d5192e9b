"""Measures the workloads that a run still lacks: warm up, interleave rounds, write records."""

from __future__ import annotations

import random
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from inferometer.core.procedure import Procedure
from inferometer.core.record import Failure, Round, Status, Value
from inferometer.core.roof import Roof
from inferometer.core.workload import Variant, Workload
from inferometer.figures.summary import known
from inferometer.host.files import LIVE
from inferometer.runner.events import Notice
from inferometer.runner.journal import Journal
from inferometer.runner.phases.latency.outcomes import Outcomes
from inferometer.runner.progress import Teller
from inferometer.runner.scheduling.exclusions import Exclusions
from inferometer.runner.scheduling.forecast import CallTimes, needed_s, work
from inferometer.runner.scheduling.foresight import Foresight
from inferometer.runner.scheduling.pairing import PairSchedule
from inferometer.runner.scheduling.replicates import Prepared, complete, further
from inferometer.runner.scheduling.schedule import Schedule
from inferometer.runner.scheduling.task import Task, owed_s, round_s, rule_of, shares, typical_s
from inferometer.runner.workers.messages import Message
from inferometer.runner.workers.parent import WorkerFailed
from inferometer.runner.workers.pool import Residents, clock_of

PRUDENCE = 0.9
"""Share of the time left that later processes may be planned for: estimates are estimates."""
GROUPED = "measured in a group of {} of {} models: memory did not hold all of them side by side"
INTERRUPTED = (
    "this run was interrupted before all of its workloads were warm: they take turns in groups of "
    "{} now"
)
PART = "measured in a group of {} workloads: the run had been interrupted before all were warm"
OWN_BATCH = (
    "the inputs hold no array that the batch size could change: no throughput is told; a factory "
    "that takes batch_size can make such inputs"
)
OWN_SHAPE = "the inputs have a shape of their own, which the input size did not change"


class Campaign:
    """Measures workloads in turns: in each, one fresh process of every workload that needs one.

    In a turn, the workloads of all variants that fit into memory side by side take rounds in a
    random order. What does not fit is measured in groups, one after the other.

    Args:
        procedure: how to measure.
        journal: where rounds and records go.
        constants: fields that every record of the run has.
        root: where the signals of the device are read.
        roofs: what the device attains at best, as far as it was probed.
    """

    shares_go_on = True
    """Whether a process completes what an interrupted one began."""

    def __init__(
        self,
        procedure: Procedure,
        journal: Journal,
        *,
        constants: dict[str, Value],
        root: Path = LIVE,
        roofs: Sequence[Roof] = (),
    ) -> None:
        self.procedure = procedure
        self.journal = journal
        self.clock = clock_of(procedure, time.monotonic())
        self.teller = Teller(journal.listener, self._remaining_s)
        self.residents = Residents(procedure, self.clock, on_wait=self.teller.tell, root=root)
        self.exclusions = Exclusions(skip_larger=procedure.skip_larger)
        self.foresight = Foresight(procedure, self.residents, self.teller.doing)
        self.outcomes = Outcomes(
            procedure, self.residents, self.foresight, constants=constants, roofs=roofs
        )
        self.call_times = CallTimes()
        self.rounds = journal.next_round()
        # Where a run goes on, not the order that it began with: the same would come first again.
        order = f"{procedure.seed}, from {self.rounds}" if self.rounds else procedure.seed
        self.order = random.Random(order)  # noqa: S311 - an order, not a secret
        self.prepared: dict[Workload, Prepared] = {}
        self.stored: dict[Workload, Prepared] = {}
        self.waiting: list[Workload] = []
        self.again: list[Workload] = []
        self.alone: set[Workload] = set()
        self.load_s: dict[Variant, float] = {}
        self.pairs = 0
        self.together = journal.at_most_together()

    def execute(self, workloads: Sequence[Workload]) -> None:
        """Measure every workload, or record why not. Workers are gone when it returns or raises."""
        self.waiting = list(workloads)
        self.foresight.learn_records(self.journal.finished())
        self.foresight.expect(workloads)
        try:
            self._count_processes()
            self._finish_stored()
            while self.waiting:
                self._turn()
                self.waiting, self.again = self.again, []
        finally:
            self.residents.end_all()
            self.journal.flush()

    def _finish_stored(self) -> None:
        """Record what an interrupted run has all rounds of, before anything else is loaded.

        Only what loading and warming up tell is lacking then, and a run that is interrupted again
        has got ahead.
        """
        self.stored = {workload: self._stored(workload) for workload in self.waiting}
        begun = [one for one in self.stored.values() if one.turns]
        done = complete(begun, self.procedure)
        for variant in dict.fromkeys(workload.variant for workload in done):
            for workload in done:
                if workload.variant == variant:
                    self._prepare(workload)
                    if workload in self.prepared:
                        self._finish(workload)
            self.residents.end(variant)

    def _stored(self, workload: Workload) -> Prepared:
        """What the rounds of an interrupted run say of a workload."""
        rounds = list(self.journal.earlier(workload))
        prepared = Prepared(figures={}, rounds=rounds, task=self._task(workload, 0.0))
        if self.shares_go_on:
            alone = self.procedure.processes == 1
            found = shares(prepared.measured, prepared.task.rule, alone=alone)
            prepared.turns, prepared.begun = found
        return prepared

    # Turns and groups

    def _turn(self) -> None:
        """One more process for each waiting workload."""
        if self.procedure.pair:
            self._align_processes()
        parts = self._parts()
        for part in parts:
            self._side_by_side(part, notes=[PART.format(len(part))] if len(parts) > 1 else [])
        for variant in dict.fromkeys(one.variant for one in self.waiting):
            self._group([one for one in self.waiting if one.variant == variant])

    def _parts(self) -> list[list[Workload]]:
        """What takes turns: everything, unless the run was interrupted before that was warm.

        Half as much then, the cheapest first, so that it comes to measuring in the end.
        """
        waiting = [one for one in self.waiting if one not in self.alone]
        most, self.together = self.together, None
        if most is None or most >= len(waiting) or self.procedure.pair:
            return [waiting]
        self.journal.listener(Notice(message=INTERRUPTED.format(most)))
        ordered = sorted(waiting, key=work)
        return [ordered[i : i + most] for i in range(0, len(ordered), most)]

    def _side_by_side(self, part: list[Workload], notes: Sequence[str]) -> None:
        """Measure workloads in turns, all at once or in groups that memory holds.

        Args:
            part: the workloads that take turns.
            notes: for their records.
        """
        part = [one for one in part if one in self.waiting]
        queue = deque(dict.fromkeys(one.variant for one in part))
        together = len(queue)
        while queue:
            group = self._admit(queue)
            if queue or len(group) < together:
                self._note(group, GROUPED.format(len(group), together))
            for note in notes:
                self._note(group, note)
            self._group([one for one in part if one in self.waiting and one.variant in group])

    def _admit(self, queue: deque[Variant]) -> list[Variant]:
        """Load variants while idle workers leave enough memory."""
        admitted: list[Variant] = []
        while queue:
            if admitted and not self.residents.has_room():
                self._tell_of_groups(admitted, queue)
                break
            variant = queue.popleft()
            admitted.append(variant)
            first = next(one for one in self.waiting if one.variant == variant)
            self.teller.doing("loading", first)
            begin = time.monotonic()
            try:
                self.residents.load(first)
            except WorkerFailed as failed:
                self._give_up(first, failed.failure)
            self.load_s[variant] = time.monotonic() - begin
        return admitted

    def _tell_of_groups(self, admitted: list[Variant], queue: deque[Variant]) -> None:
        message = (
            f"memory does not hold all workers side by side: {len(admitted)} models take turns "
            f"now, {len(queue)} later"
        )
        self.journal.listener(Notice(message=message))

    def _note(self, group: list[Variant], note: str) -> None:
        """The record says what its rounds did not interleave with."""
        for variant in group:
            self.residents.note(variant, note)

    def _group(self, group: list[Workload]) -> None:
        """Warm up everything, the cheapest first; then measure in interleaved rounds.

        The first shape of each model comes before all whose cost can be told from smaller ones, so
        that a budget leaves out the dearest calls, not the largest shapes of cheap models.
        """
        waiting = sorted(group, key=work)
        while waiting:
            cheapest = min(waiting, key=lambda one: self.call_times.of(one) or 0.0)
            waiting.remove(cheapest)
            self._prepare(cheapest)
        present = [self.prepared[one] for one in group if one in self.prepared]
        if present:
            self._measure(present, *self._deadlines(present))
            if left := [one for one in present if one.task.workload in self.prepared]:
                self._top_up(left)
        self.residents.end_all()

    def _deadlines(self, present: list[Prepared]) -> tuple[float, float]:
        """When the budget of a group ends, and when that of this turn does."""
        now = time.monotonic()
        left_s = self.clock.left_s * len(present) / (len(present) + len(self.waiting))
        turns = max(self.procedure.processes - min(one.turns for one in present), 1)
        later_s = 0.0 if turns == 1 else (turns - 1) * sum(map(self._turn_s, present))
        extra_s = max(left_s - later_s, 0.0) / turns
        return now + left_s, now + (left_s if turns == 1 else extra_s)

    def _count_processes(self) -> None:
        for variant in dict.fromkeys(one.variant for one in self.waiting):
            mine = [workload for workload in self.waiting if workload.variant == variant]
            self.residents.processes[variant] = self.journal.processes_before(mine)

    def _align_processes(self) -> None:
        """Give both sides of a pair the same number: their groups are told apart by it.

        They differ where a worker died, or the run was interrupted when one side had no round yet.
        """
        processes = self.residents.processes
        last = max((processes[one.variant] for one in self.waiting), default=0)
        processes.update({one.variant: last - processes[one.variant] for one in self.waiting})

    # Warm-up

    def _prepare(self, workload: Workload) -> None:
        if workload not in self.waiting:  # its variant could not be loaded
            return
        call_s = self.call_times.of(workload)
        if workload not in self.prepared and not self._wanted(workload, call_s):
            return
        try:
            if workload not in self.prepared and not self._fits(workload):
                return
            self.teller.doing("warming up", workload)
            self._warm_up(workload, call_s)
        except WorkerFailed as failed:
            self._give_up(workload, failed.failure)

    def _wanted(self, workload: Workload, call_s: float | None) -> bool:
        """Whether a workload may begin; records why not."""
        outcome = self.exclusions.outcome(workload)
        if outcome is not None:
            self._record(workload, *outcome)
            return False
        if self._affordable(call_s):
            return True
        message = "cut: it would not fit into the time left of the budget"
        if call_s is not None:
            message += f" (about {call_s:.3g} s per call)"
        self._fail(workload, Failure(stage="warmup", kind="budget", message=message))
        return False

    def _fits(self, workload: Workload) -> bool:
        """Whether memory is expected to hold a workload; records it where it is not."""
        outlook = self.foresight.outlook(workload)
        if outlook.refusal is not None:
            self._record(workload, "skipped", outlook.refusal)
            return False
        if outlook.warning:
            message = f"{workload.label} may not fit: {outlook.warning}"
            self.journal.listener(Notice(message=message))
        return True

    def _warm_up(self, workload: Workload, call_s: float | None) -> None:
        begin = time.monotonic()
        answer = self.residents.warm_up(workload, call_s=call_s)
        warm: Round = answer["round"]
        prepared = self.prepared.get(workload) or self._begin(workload, answer)
        prepared.warm_s = time.monotonic() - begin
        if isinstance(peak := answer["seen"].get("peak_memory_bytes"), int):
            prepared.peaks.append(peak)
        prepared.task = self._task(workload, typical_s(warm), prepared)
        self.call_times.learn(workload, prepared.task.call_s)
        self.waiting.remove(workload)
        self._keep(prepared, warm)

    def _begin(self, workload: Workload, answer: Message) -> Prepared:
        """What the first warm-up of a workload tells; rounds of an interrupted run count too."""
        figures = {**known(answer["first_call_s"], answer["input_shape"]), **answer["seen"]}
        self.foresight.learn(workload, answer["seen"])
        notes = list(answer["notes"])
        if not answer["size_applied"]:
            self.exclusions.learn_own_shape(workload)
            notes.append(OWN_SHAPE)
        if not answer["batch_applied"]:
            notes.append(OWN_BATCH)
        figures["notes"] = notes
        prepared = self.stored.pop(workload, None) or self._stored(workload)
        prepared.figures = figures
        prepared.batch_applied = answer["batch_applied"]
        self.prepared[workload] = prepared
        return prepared

    def _task(self, workload: Workload, call_s: float, prepared: Prepared | None = None) -> Task:
        """A share of rounds; one that an interrupted process began goes on."""
        before: list[Round] = []
        begun: list[Round] = []
        if prepared is not None:
            begun, prepared.begun = prepared.begun, []
            before = prepared.measured[: len(prepared.measured) - len(begun)]
        return Task(
            workload=workload,
            call_s=call_s,
            procedure=self.procedure,
            rule=rule_of(self.procedure),
            before=before,
            rounds=begun,
        )

    def _affordable(self, call_s: float | None) -> bool:
        owed = sum(one.task.owed_s() for one in self.prepared.values())
        new = 0.0 if call_s is None else needed_s(call_s, self.procedure)
        return owed + new < self.clock.left_s

    # Measuring

    def _measure(self, present: list[Prepared], end: float, soft_end: float) -> None:
        schedule = self._schedule([one.task for one in present], end, soft_end)
        while True:
            while (cut := schedule.cut(time.monotonic())) is not None:
                self._cut(cut)
            chosen = schedule.next(time.monotonic())
            if chosen is None:
                break
            self._round(schedule, chosen)
        if isinstance(schedule, PairSchedule):
            self.pairs = schedule.next_pair

    def _schedule(self, tasks: list[Task], end: float, soft_end: float) -> Schedule:
        rules: dict[str, Any] = {
            "order": self.order,
            "deadline": end,
            "soft_deadline": soft_end,
        }
        if self.procedure.pair:
            return PairSchedule(tasks, self.procedure, first_pair=self.pairs, **rules)
        return Schedule(tasks, self.procedure, **rules)

    def _round(self, schedule: Schedule, task: Task) -> None:
        workload = task.workload
        self.teller.doing("measuring", workload, calls=task.calls, mean_s=task.mean_s)
        prepared = self.prepared[workload]
        try:
            if not self.residents.is_warm(workload):  # its worker died of another workload
                warm = self.residents.warm_up(workload, call_s=task.call_s)
                self._keep(prepared, warm["round"])
            plan = schedule.plan(task)
            expected_s = round_s(task.call_s, self.procedure)
            answer = self.residents.measure(workload, plan, expected_s=expected_s)
        except WorkerFailed as failed:
            schedule.drop(task)
            self._give_up(workload, failed.failure)
            return
        task.add(self._keep(prepared, replace(answer["round"], pair=schedule.pair)))
        schedule.settle(task)

    def _give_up(self, workload: Workload, failure: Failure) -> None:
        """A process failed; what had its minimum when the time ended is finished all the same."""
        prepared = self.prepared.get(workload)
        if failure.kind == "budget" and prepared is not None and not prepared.task.owes:
            if workload in self.waiting:
                self._finish(workload)
            return
        self._fail(workload, failure)

    def _keep(self, prepared: Prepared, done: Round) -> Round:
        """Number a round and write it down."""
        workload = prepared.task.workload
        process = self.residents.processes[workload.variant] - 1
        done = replace(done, index=self.rounds, process=process)
        self.rounds += 1
        prepared.rounds.append(done)
        self.journal.add(workload, done)
        return done

    # Another process, or the end

    def _top_up(self, present: list[Prepared]) -> None:
        """Decide who gets another process; what does not gets the rest of its least now."""
        for one in present:
            one.turns += 1
        further = self._further(present)
        ending = [one for one in present if one.task.workload not in further]
        lacking = [one for one in ending if one.turns < self.procedure.processes]
        if lacking:  # the time left buys no further process, but more rounds of this one
            for one in lacking:
                one.task.rule = rule_of(self.procedure, parts=1)
                one.task.next_look = 0
            share = len(lacking) / (len(lacking) + len(further) + len(self.waiting))
            end = time.monotonic() + share * self.clock.left_s
            self._measure(lacking, end, end)
        for one in ending:
            if one.task.workload in self.prepared:
                self._finish(one.task.workload)
        self.again += further

    def _further(self, present: list[Prepared]) -> list[Workload]:
        """Workloads that get another process within the time left."""
        left_s = PRUDENCE * self.clock.left_s * len(present) / (len(present) + len(self.waiting))
        return further(present, self.procedure, cost_s=self._turn_s, left_s=left_s)

    def _turn_s(self, one: Prepared) -> float:
        """Estimated seconds of another process of a workload, with its part of the loading."""
        variant = one.task.workload.variant
        sharing = sum(other.variant == variant for other in self.prepared) or 1
        owed = owed_s(one.task.call_s, self.procedure) / self.procedure.processes
        return self.load_s.get(variant, 0.0) / sharing + one.warm_s + owed

    # Outcomes

    def _finish(self, workload: Workload) -> None:
        prepared = self.prepared[workload]
        measured = self.outcomes.measured(workload, prepared.rounds)
        measured |= self._more_figures(prepared)
        self._record(workload, "ok", None, measured)

    def _more_figures(self, prepared: Prepared) -> dict[str, Value]:  # noqa: ARG002
        """Figures that only a special kind of run has."""
        return {}

    def _cut(self, task: Task) -> None:
        message = (
            f"cut: {task.calls} calls were timed, and the rest of the at least "
            f"{self.procedure.min_calls}, at about {task.call_s:.3g} s each, would not fit into "
            "the time left of the budget"
        )
        self._fail(task.workload, Failure(stage="measure", kind="budget", message=message))

    def _fail(self, workload: Workload, failure: Failure) -> None:
        if self._deserves_another_try(workload, failure):
            self._forget(workload)
            self.alone.add(workload)
            self.waiting.append(workload)
            return
        self.exclusions.learn(workload, failure)
        self._record(workload, "skipped" if failure.kind == "budget" else "failed", failure)

    def _deserves_another_try(self, workload: Workload, failure: Failure) -> bool:
        """Whether it ran out of memory that idle workers of other variants held."""
        return (
            failure.kind == "out_of_memory"
            and workload not in self.alone
            and self.procedure.memory_limit_bytes is None
            and self.residents.crowded(workload.variant)
        )

    def _record(
        self,
        workload: Workload,
        status: Status,
        failure: Failure | None,
        measured: dict[str, Value] | None = None,
    ) -> None:
        prepared = self._forget(workload)
        self.journal.finish(
            self.outcomes.record(
                workload, status, failure, prepared=prepared, measured=measured or {}
            )
        )

    def _forget(self, workload: Workload) -> Prepared | None:
        if workload in self.waiting:
            self.waiting.remove(workload)
        return self.prepared.pop(workload, None)

    def _remaining_s(self) -> float | None:
        """Estimated seconds until everything is measured; None while unknown."""
        left_s = 0.0
        for workload, one in self.prepared.items():
            later = self.procedure.processes - one.turns - 1
            left_s += one.task.more_s() * (workload not in self.waiting)
            left_s += max(later, 0) * self._turn_s(one)
        for workload in self.waiting:
            call_s = self.call_times.of(workload)
            if call_s is None:
                return None
            if workload not in self.prepared:
                left_s += needed_s(call_s, self.procedure)
        return min(left_s, max(self.clock.left_s, 0.0))
