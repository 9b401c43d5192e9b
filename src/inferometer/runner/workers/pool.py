"""The worker pool: one worker for each variant, as many as memory allows."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from inferometer.core.cost import Cost
from inferometer.core.procedure import Procedure
from inferometer.core.record import Failure, Round, Stage, Value
from inferometer.core.statement import Statement, statements
from inferometer.core.workload import Variant, Workload
from inferometer.host.files import LIVE
from inferometer.host.memory import available_bytes
from inferometer.runner.preparation import Preparer
from inferometer.runner.scheduling.forecast import WARMUP_CALLS
from inferometer.runner.workers.memory_layers import own_bytes, without_instrument
from inferometer.runner.workers.messages import (
    CostsCounted,
    CountCosts,
    DataOpened,
    Evaluate,
    Evaluated,
    Failed,
    GiveOutputs,
    Loaded,
    MakeSamples,
    MeasureRound,
    OpenData,
    OutputsGiven,
    PreparedAt,
    Request,
    RoundDone,
    RoundPlan,
    SamplesMade,
    WarmedUp,
    WarmUp,
)
from inferometer.runner.workers.parent import Answer, Deadline, WorkerFailed, WorkerProcess
from inferometer.runner.workers.settings import Held

USABLE = 0.95
"""Share of the available memory that a worker may use; the rest is for all else."""

RESIDENT_SHARE = 0.25
"""Idle workers may hold this share of the memory that was available before the first of them."""

PATIENCE = 5
"""An answer that takes this many times as long as expected is late, if the timeout is over too."""


@dataclass(frozen=True, kw_only=True)
class Clock:
    """Time that a run has.

    Attributes:
        end: reading of `time.monotonic` at which the budget ends; infinite without one.
        timeout_s: how long a worker may stay silent.
    """

    end: float
    timeout_s: float

    def deadline(self, expected_s: float) -> Deadline:
        """When to give up on an answer that is expected within a time."""
        now = time.monotonic()
        patience_s = max(self.timeout_s, PATIENCE * expected_s)
        if now + patience_s < self.end:
            message = f"no answer within {patience_s:.0f} s (--timeout changes the limit)"
            return Deadline(at=now + patience_s, kind="timeout", message=message)
        message = "stopped when the time of the run ended (--budget)"
        return Deadline(at=self.end, kind="budget", message=message)

    @property
    def left_s(self) -> float:
        """Seconds left; infinite without a budget."""
        return self.end - time.monotonic()


CLOSING_S = 1.0
"""Kept back from the budget for ending workers and writing the last records."""


def clock_of(procedure: Procedure, begin: float) -> Clock:
    """The clock of a run that began at a reading of `time.monotonic`."""
    budget_s = procedure.budget_s
    end = math.inf if budget_s is None else begin + max(budget_s - CLOSING_S, 0)
    return Clock(end=end, timeout_s=procedure.timeout_s)


class WorkerPool:
    """Spawns, loads, asks and ends workers; a dead one is replaced when its variant is next used.

    Attributes:
        facts: fields of the record that belong to a variant, once it was loaded.
        processes: how many processes each variant has had.
    """

    def __init__(
        self,
        procedure: Procedure,
        clock: Clock,
        on_wait: Callable[[], None] = lambda: None,
        root: Path = LIVE,
        preparer: Preparer | None = None,
    ) -> None:
        self.procedure = procedure
        self.clock = clock
        self.on_wait = on_wait
        self.root = root
        self.preparer = preparer or Preparer(procedure)
        self.facts: dict[Variant, dict[str, Value]] = {}
        self.processes: Counter[Variant] = Counter()
        self._own_bytes: int | None = None
        self._workers: dict[Variant, WorkerProcess] = {}
        self._prepared: dict[Variant, tuple[PreparedAt, ...]] = {}
        self._warm: set[Workload] = set()
        self._at_first_bytes = available_bytes()

    def has_room(self) -> bool:
        """Whether there is room for one more worker."""
        return self._held_bytes() <= RESIDENT_SHARE * self._at_first_bytes

    def crowded(self, variant: Variant) -> bool:
        """Whether other workers hold so much that this one might fit without them."""
        return self._held_bytes(but=variant) > 0.02 * self._at_first_bytes

    def load(self, workload: Workload) -> None:
        """Make sure that a worker of the workload's variant lives, in a new process if need be.

        Raises:
            WorkerFailed: at stage prepare or load.
        """
        variant, worker = workload.variant, self._workers.get(workload.variant)
        prepared = self.preparer.prepared(workload, self._due, self.on_wait)
        if worker is not None and worker.alive and self._prepared.get(variant, ()) == prepared:
            return
        self.end(variant)
        worker = WorkerProcess(
            variant,
            device=workload.device,
            threads=workload.threads or 1,
            seed=self.procedure.seed,
            memory_limit_bytes=self._limit_bytes(variant),
            root=self.root,
            on_wait=self.on_wait,
            gradient_mode=self._gradient_mode(variant),
            prepared=prepared,
        )
        self._workers[variant], self._prepared[variant] = worker, prepared
        self.processes[variant] += 1
        try:
            answer = worker.load(self.clock.deadline(0))
            if variant not in self.facts:  # those of the first process stay
                self.facts[variant] = self._without_us(answer)
        except WorkerFailed:
            self.end(variant)  # alive or not, it holds no model
            raise

    def note(self, variant: Variant, note: Statement | str) -> None:
        """Add a note to every record of a variant."""
        facts, (said,) = self.facts.get(variant, {}), statements([note])
        notes = statements(facts.get("notes"))
        if "notes" in facts and said not in notes:
            facts["notes"] = [*notes, said]

    def costs(self, workloads: Sequence[Workload]) -> list[Cost | Failure | None]:
        """Analytical costs of calls, counted beside the variant's worker; loads it if need be.

        Args:
            workloads: of one variant.

        Returns:
            The cost of each, or why it was not counted; None where the network cannot be looked
            into.

        Raises:
            WorkerFailed: at stage prepare, load or warmup.
        """
        self.load(workloads[0])
        if self._prepared[workloads[0].variant]:
            return self.preparer.costs(workloads, self._due, self.on_wait)
        request = CountCosts(shapes=tuple(one.shape for one in workloads))
        answer = self._ask(workloads[0], request, CostsCounted, stage="warmup", expected_s=0.0)
        return [one.at("warmup") if isinstance(one, Failed) else one for one in answer.costs]

    def warm_up(self, workload: Workload, *, call_s: float | None) -> WarmedUp:
        """First call and warm-up of a workload in its worker; loads it if need be.

        Args:
            workload: the workload to warm up.
            call_s: seconds that a call is expected to take; None where nobody knows.

        Raises:
            WorkerFailed: at stage load or warmup.
        """
        self.load(workload)
        expected_s = WARMUP_CALLS * (call_s or 0.0)
        request = WarmUp(shape=workload.shape)
        answer = self._ask(workload, request, WarmedUp, stage="warmup", expected_s=expected_s)
        self._warm.add(workload)
        facts = self.facts.setdefault(workload.variant, {})
        facts.update(answer.facts)
        for sentence in answer.variant_notes:
            self.note(workload.variant, sentence)
        self._keep(workload.variant, answer.held)
        return replace(answer, seen=without_instrument(answer.seen, self._own_bytes))

    def measure(self, workload: Workload, plan: RoundPlan, *, expected_s: float) -> Round:
        """One round of a workload that is warm.

        Raises:
            WorkerFailed: at stage measure.
        """
        request = MeasureRound(shape=workload.shape, plan=plan)
        answer = self._ask(workload, request, RoundDone, stage="measure", expected_s=expected_s)
        self._keep(workload.variant, answer.held)
        return answer.round

    def open_data(self, workload: Workload, reference: str, metric: str | None) -> DataOpened:
        """Open labelled data in the worker of a workload that is warm.

        Raises:
            WorkerFailed: at stage measure: the data cannot be read, or does not fit the model.
        """
        request = OpenData(
            reference=reference, metric=metric, shape=workload.shape, seed=self.procedure.seed
        )
        return self._ask(workload, request, DataOpened, stage="measure", expected_s=0.0)

    def evaluate(self, workload: Workload, first: int, *, seconds: float) -> Evaluated:
        """Go on with the data that is open in the worker of a workload.

        Raises:
            WorkerFailed: at stage measure.
        """
        request = Evaluate(first=first, seconds=seconds)
        return self._ask(workload, request, Evaluated, stage="measure", expected_s=seconds)

    def make_samples(self, workload: Workload, calls: int, data: str | None, into: Path) -> int:
        """Write samples for the fidelity of a workload's model; gives for how many calls.

        Raises:
            WorkerFailed: at stage prepare, load or measure.
        """
        self.load(workload)
        request = MakeSamples(
            shape=workload.shape, calls=calls, seed=self.procedure.seed, data=data, into=str(into)
        )
        answer = self._ask(workload, request, SamplesMade, stage="measure", expected_s=0.0)
        return answer.calls

    def give_outputs(self, workload: Workload, inputs: Path, into: Path, *, seconds: float) -> int:
        """Write what a workload's model gives for samples; gives of how many calls.

        Raises:
            WorkerFailed: at stage prepare, load or measure.
        """
        self.load(workload)
        request = GiveOutputs(inputs=str(inputs), into=str(into), seconds=seconds)
        answer = self._ask(workload, request, OutputsGiven, stage="measure", expected_s=seconds)
        return answer.calls

    def _due(self) -> Deadline:
        """When to give up on what nobody knows the duration of."""
        return self.clock.deadline(0)

    def _gradient_mode(self, variant: Variant) -> str | None:
        """What its processes settled on: all of them run alike."""
        mode = self.facts.get(variant, {}).get("gradient_mode")
        return mode if isinstance(mode, str) else None

    def _keep(self, variant: Variant, held: Held) -> None:
        """What held during the calls, and what the model's code changed of it."""
        self.facts.setdefault(variant, {}).update(held.figures())
        for sentence in held.changes:
            self.note(variant, sentence)

    def is_warm(self, workload: Workload) -> bool:
        """Whether the living worker of its variant has warmed the workload up."""
        worker = self._workers.get(workload.variant)
        return workload in self._warm and worker is not None and worker.alive

    def end(self, variant: Variant) -> None:
        """End the worker of a variant, if there is one."""
        worker = self._workers.pop(variant, None)
        if worker is not None:
            worker.kill()
        self._warm = {workload for workload in self._warm if workload.variant != variant}

    def end_all(self) -> None:
        """End every worker."""
        for variant in list(self._workers):
            self.end(variant)
        self.preparer.close()

    def _ask(
        self,
        workload: Workload,
        request: Request,
        wanted: type[Answer],
        *,
        stage: Stage,
        expected_s: float,
    ) -> Answer:
        worker = self._workers[workload.variant]
        worker.memory_limit_bytes = self._limit_bytes(workload.variant)
        deadline = self.clock.deadline(expected_s)
        try:
            return worker.ask(request, wanted, stage=stage, deadline=deadline)
        except WorkerFailed as failed:
            if failed.failure.kind == "out_of_memory":
                self.end(workload.variant)  # a fresh process for the next: this one is bloated
            raise

    def _without_us(self, loaded: Loaded) -> dict[str, Value]:
        """Facts of the first process, less what our code holds in it: looked at once in a run."""
        if self._own_bytes is None:
            self._own_bytes = own_bytes(loaded.start)
        return without_instrument(loaded.facts, self._own_bytes)

    @property
    def limit_bytes(self) -> int:
        """What a worker may use that has the device for itself."""
        if self.procedure.memory_limit_bytes is not None:
            return self.procedure.memory_limit_bytes
        return int(USABLE * self._at_first_bytes)

    def _held_bytes(self, but: Variant | None = None) -> int:
        workers = self._workers.items()
        return sum(worker.resident_bytes() for variant, worker in workers if variant != but)

    def _limit_bytes(self, variant: Variant) -> int:
        """What a worker may use: what the user set, or what is there beside the idle ones."""
        if self.procedure.memory_limit_bytes is not None:
            return self.limit_bytes
        return self.limit_bytes - self._held_bytes(but=variant)
