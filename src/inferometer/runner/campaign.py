"""Measures the workloads that a run still lacks: warm up, interleave rounds, write records."""

from __future__ import annotations

import math
import random
import time
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from inferometer.core.procedure import Procedure
from inferometer.core.record import Failure, Record, Round, Status, Value
from inferometer.core.workload import Variant, Workload
from inferometer.runner.events import Notice
from inferometer.runner.exclusions import Exclusions
from inferometer.runner.forecast import forecast_s, needed_s, work
from inferometer.runner.journal import Journal
from inferometer.runner.parent import WorkerFailed
from inferometer.runner.residents import Clock, Residents
from inferometer.runner.schedule import (
    Schedule,
    Task,
    owed_s,
    plan_round,
    remaining_s,
    round_s,
    typical_s,
)
from inferometer.runner.summary import known, summarise
from inferometer.runner.teller import Teller

CLOSING_S = 1.0
"""Kept back from the budget for ending workers and writing the last records."""
OWN_SHAPE = "the inputs have a shape of their own, which the input size did not change"


@dataclass(kw_only=True)
class Prepared:
    """A workload that was warmed up.

    Attributes:
        task: what the schedule knows of it.
        figures: fields of the record that are known already.
        rounds: its rounds, earlier ones included.
    """

    task: Task
    figures: dict[str, Value]
    rounds: list[Round] = field(default_factory=list)


class Campaign:
    """Measures workloads in groups of variants that fit into memory side by side.

    Args:
        procedure: how to measure.
        journal: where rounds and records go.
        constants: fields that every record of the run has.
    """

    def __init__(
        self, procedure: Procedure, journal: Journal, *, constants: dict[str, Value]
    ) -> None:
        self.procedure = procedure
        self.journal = journal
        self.constants = constants
        budget_s = procedure.budget_s
        end = math.inf if budget_s is None else time.monotonic() + max(budget_s - CLOSING_S, 0)
        self.clock = Clock(end=end, timeout_s=procedure.timeout_s)
        self.teller = Teller(journal.listener, self._remaining_s)
        self.residents = Residents(procedure, self.clock, on_wait=self.teller.tell)
        self.exclusions = Exclusions(skip_larger=procedure.skip_larger)
        self.order = random.Random(procedure.seed)  # noqa: S311 - an order, not a secret
        self.prepared: dict[Workload, Prepared] = {}
        self.waiting: list[Workload] = []
        self.alone: list[Workload] = []
        self.rounds = journal.next_round()

    def execute(self, workloads: Sequence[Workload]) -> None:
        """Measure every workload, or record why not. Workers are gone when it returns or raises."""
        self.waiting = list(workloads)
        try:
            queue = deque(dict.fromkeys(workload.variant for workload in workloads))
            self._count_processes(queue)
            while queue:
                self._group(self._admit(queue))
            for variant in dict.fromkeys(workload.variant for workload in self.alone):
                self._again_alone(variant)
        finally:
            self.residents.end_all()
            self.journal.flush()

    # Groups

    def _admit(self, queue: deque[Variant]) -> list[Workload]:
        """Load variants while idle workers leave enough memory; gives their workloads."""
        admitted: list[Variant] = []
        while queue:
            if admitted and not self.residents.has_room():
                self._tell_of_groups(admitted, queue)
                break
            variant = queue.popleft()
            admitted.append(variant)
            first = next(one for one in self.waiting if one.variant == variant)
            self.teller.doing("loading", first)
            try:
                self.residents.load(first)
            except WorkerFailed as failed:
                self._fail(first, failed.failure)
        return [one for one in self.waiting if one.variant in admitted]

    def _tell_of_groups(self, admitted: list[Variant], queue: deque[Variant]) -> None:
        message = (
            f"memory does not hold all workers side by side: {len(admitted)} models take turns "
            f"now, {len(queue)} later"
        )
        self.journal.listener(Notice(message=message))

    def _group(self, group: list[Workload]) -> None:
        """Warm up everything, the cheapest first; then measure in interleaved rounds."""
        for workload in sorted(group, key=work):
            self._prepare(workload)
        if self.prepared:
            share = len(self.prepared) / (len(self.prepared) + len(self.waiting))
            self._measure(end=time.monotonic() + share * self.clock.left_s)
        self.residents.end_all()

    def _again_alone(self, variant: Variant) -> None:
        """Try what ran out of memory beside other workers once more, without them."""
        again = [workload for workload in self.alone if workload.variant == variant]
        self.alone = [workload for workload in self.alone if workload.variant != variant]
        self.waiting.extend(again)
        self._group(again)

    def _count_processes(self, variants: Iterable[Variant]) -> None:
        for variant in variants:
            mine = [workload for workload in self.waiting if workload.variant == variant]
            self.residents.processes[variant] = self.journal.processes_before(mine)

    # Warm-up

    def _prepare(self, workload: Workload) -> None:
        if workload not in self.waiting:  # its variant could not be loaded
            return
        outcome = self.exclusions.outcome(workload)
        if outcome is not None:
            self._record(workload, *outcome)
            return
        expected_s = self._forecast_s(workload)
        if not self._affordable(expected_s):
            message = "cut: it would not fit into the time left of the budget"
            if expected_s is not None:
                message += f" (about {expected_s:.3g} s per call)"
            self._fail(workload, Failure(stage="warmup", kind="budget", message=message))
            return
        self.teller.doing("warming up", workload)
        try:
            self._warm_up(workload, expected_s)
        except WorkerFailed as failed:
            self._fail(workload, failed.failure)

    def _warm_up(self, workload: Workload, call_s: float | None) -> None:
        answer = self.residents.warm_up(workload, call_s=call_s)
        warm: Round = answer["round"]
        earlier = self.journal.earlier(workload)
        task = Task(workload=workload, call_s=typical_s(warm))
        for done in earlier:
            if done.phase == "measure":
                task.add(done)
        figures = {**known(answer["first_call_s"], answer["input_shape"]), **answer["seen"]}
        if not answer["size_applied"]:
            self.exclusions.learn_own_shape(workload)
            notes = self._facts(workload).get("notes")
            figures["notes"] = [*(notes if isinstance(notes, list) else []), OWN_SHAPE]
        self.prepared[workload] = Prepared(task=task, figures=figures, rounds=list(earlier))
        self.waiting.remove(workload)
        self._keep(self.prepared[workload], warm)

    def _forecast_s(self, workload: Workload) -> float | None:
        return forecast_s(workload, (one.task for one in self.prepared.values()))

    def _affordable(self, call_s: float | None) -> bool:
        owed = sum(owed_s(one.task.call_s, self.procedure) for one in self.prepared.values())
        new = 0.0 if call_s is None else needed_s(call_s, self.procedure)
        return owed + new < self.clock.left_s

    # Measuring

    def _measure(self, end: float) -> None:
        tasks = [one.task for one in self.prepared.values()]
        schedule = Schedule(tasks, self.procedure, order=self.order, deadline=end)
        for task in tasks:
            self._settle(schedule, task)
        while True:
            while (cut := schedule.cut(time.monotonic())) is not None:
                self._cut(cut)
            chosen = schedule.next(time.monotonic())
            if chosen is None:
                break
            self._round(schedule, chosen)
        for task in tasks:
            if task.workload in self.prepared:
                self._finish(task.workload)

    def _settle(self, schedule: Schedule, task: Task) -> None:
        if schedule.decide(task) != "more":
            self._finish(task.workload)

    def _round(self, schedule: Schedule, task: Task) -> None:
        workload = task.workload
        self.teller.doing("measuring", workload, calls=task.calls, mean_s=task.mean_s)
        prepared = self.prepared[workload]
        try:
            if not self.residents.is_warm(workload):  # its worker died of another workload
                warm = self.residents.warm_up(workload, call_s=task.call_s)
                self._keep(prepared, warm["round"])
            plan = plan_round(task.call_s, self.procedure)
            expected_s = round_s(task.call_s, self.procedure)
            answer = self.residents.measure(workload, plan, expected_s=expected_s)
        except WorkerFailed as failed:
            schedule.drop(task)
            if failed.failure.kind != "budget" or not schedule.has_minimum(task):
                self._fail(workload, failed.failure)
            return  # what had its minimum when the time ended is finished with the others
        task.add(self._keep(prepared, answer["round"]))
        self._settle(schedule, task)

    def _keep(self, prepared: Prepared, done: Round) -> Round:
        """Number a round and write it down."""
        workload = prepared.task.workload
        process = self.residents.processes[workload.variant] - 1
        done = replace(done, index=self.rounds, process=process)
        self.rounds += 1
        prepared.rounds.append(done)
        self.journal.add(workload, done)
        return done

    # Outcomes

    def _finish(self, workload: Workload) -> None:
        prepared = self.prepared[workload]
        self._record(workload, "ok", None, summarise(workload, prepared.rounds, self.procedure))

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
            self.alone.append(workload)
            return
        self.exclusions.learn(workload, failure)
        self._record(workload, "skipped" if failure.kind == "budget" else "failed", failure)

    def _deserves_another_try(self, workload: Workload, failure: Failure) -> bool:
        """Whether it ran out of memory that idle workers of other variants held."""
        return (
            failure.kind == "out_of_memory"
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
        figures = {**self.constants, **self._facts(workload)}
        if prepared is not None:
            figures |= prepared.figures
        figures |= measured or {}
        self.journal.finish(
            Record(workload=workload, status=status, failure=failure, figures=figures)
        )

    def _facts(self, workload: Workload) -> dict[str, Value]:
        return self.residents.facts.get(workload.variant, {})

    def _forget(self, workload: Workload) -> Prepared | None:
        if workload in self.waiting:
            self.waiting.remove(workload)
        return self.prepared.pop(workload, None)

    def _remaining_s(self) -> float | None:
        """Estimated seconds until everything is measured; None while unknown."""
        left_s = sum(remaining_s(one.task, self.procedure) for one in self.prepared.values())
        for workload in self.waiting:
            call_s = self._forecast_s(workload)
            if call_s is None:
                return None
            left_s += needed_s(call_s, self.procedure)
        return min(left_s, max(self.clock.left_s, 0.0))
