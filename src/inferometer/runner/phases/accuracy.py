"""Judges the accuracy of workloads on labelled data, after their latencies are known.

A model is judged once at each input size, at the batch size with the highest throughput; accuracy
does not depend on the batch size, and the records of the other ones say at which it was judged.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from inferometer.core.dataset import Evaluation, Kept
from inferometer.core.procedure import Procedure
from inferometer.core.record import Record, Value
from inferometer.core.sections import Accuracy
from inferometer.core.statement import Statement, statements
from inferometer.core.workload import Workload
from inferometer.figures.accuracy import accuracy_of
from inferometer.runner.journal import Journal
from inferometer.runner.progress import ProgressReporter
from inferometer.runner.scheduling.forecast import call_s
from inferometer.runner.workers.messages import DataOpened, Evaluated
from inferometer.runner.workers.parent import WorkerFailed
from inferometer.runner.workers.pool import WorkerPool

ACCURACY = "accuracy"
"""Name of the phase."""
SHARE = 0.25
"""Of the budget, kept for accuracy where there is data."""
PART_S = 1.0
"""Between two looks at the clock and at Ctrl-C."""
LEAST_LEFT_S = 2.0
"""Of the budget; with less, nothing is begun."""


@dataclass(kw_only=True)
class Pace:
    """How fast a pass goes.

    Attributes:
        samples: of the data.
        done: judged so far.
        seconds: spent on them.
    """

    samples: int = 0
    done: int = 0
    seconds: float = 0.0

    @property
    def left_s(self) -> float:
        """Seconds until it is through; 0 while nothing is known."""
        return self.seconds * (self.samples - self.done) / self.done if self.done else 0.0


class AccuracyMeasurement:
    """Judges workloads whose records lack it, the quickest first; each gets its part of the time.

    Args:
        procedure: with the reference of the data.
        journal: where passes and records go.
        pool: workers; gone when `execute` returns.
    """

    def __init__(self, procedure: Procedure, journal: Journal, pool: WorkerPool) -> None:
        assert procedure.data is not None
        self.data, self.metric = procedure.data, procedure.metric
        self.journal = journal
        self.pool = pool
        self.progress = ProgressReporter(journal.listener, self._remaining_s)
        self.pace = Pace()
        self.waiting = 0
        pool.on_wait = self.progress.tell

    def execute(self, records: Sequence[Record]) -> None:
        """Judge what fits into the time; the other records say why not."""
        groups = sorted(alike(records), key=lambda group: sample_s(fastest(group)))
        try:
            for number, group in enumerate(groups):
                self.waiting = len(groups) - number - 1
                self._judge(fastest(group), group)
        finally:
            self.pool.end_all()

    def _judge(self, chosen: Record, group: Sequence[Record]) -> None:
        if self.pool.clock.left_s < LEAST_LEFT_S:
            self._refuse(group, Statement("accuracy_no_time"))
            return
        try:
            found = self._pass(chosen)
        except WorkerFailed as failed:
            self.pool.end(chosen.workload.variant)
            seen = {"message": failed.failure.message, "kind": failed.failure.kind}
            self._refuse(group, Statement("accuracy_failed", seen))
            return
        self.journal.store.put_evaluation(self.journal.run.id, found)
        section, notes = accuracy_of(found, chosen.workload.batch_size)
        for record in group:
            is_own = record.workload == chosen.workload
            self._amend(record, section if is_own else _without_times(section), notes)

    def _pass(self, chosen: Record) -> Evaluation:
        """Go over the data as far as the time allows.

        Raises:
            WorkerFailed: the data does not fit the model, or the worker failed before any sample
                was judged.
        """
        workload = chosen.workload
        self.progress.doing("judging", workload)
        if not self.pool.is_warm(workload):
            self.pool.warm_up(workload, call_s=call_s(chosen))
        opened = self.pool.open_data(workload, self.data, self.metric)
        parts: list[Evaluated] = []
        allowed_s = self.pool.clock.left_s / (self.waiting + 1)  # what is not used goes to others
        self.pace = Pace(samples=opened.samples)
        while self.pace.done < opened.samples:
            begin = time.monotonic()
            parts.append(self.pool.evaluate(workload, self.pace.done, seconds=PART_S))
            self.pace.done += len(parts[-1].lengths)
            self.pace.seconds += time.monotonic() - begin
            self.progress.doing("judging", workload)
            if self.pace.seconds >= allowed_s or self.pool.clock.left_s < LEAST_LEFT_S:
                break
        return evaluation_of(workload, opened, parts)

    def _refuse(self, group: Iterable[Record], why: Statement) -> None:
        for record in group:
            self._amend(record, Accuracy(accuracy_reason=why), [])

    def _amend(self, record: Record, section: Accuracy, notes: Sequence[Statement]) -> None:
        reached = record.reached(ACCURACY).figures
        said = statements(reached.get("notes"))
        all_notes: Value = [*said, *(note for note in notes if note not in said)]
        figures = {**reached, **section.figures(), "notes": all_notes}
        self.journal.amend(replace(record, figures=figures, rounds=()))

    def _remaining_s(self) -> float | None:
        """Seconds left: those that wait take as long as this one."""
        if not self.pace.done:
            return None
        whole_s = self.pace.seconds * self.pace.samples / self.pace.done
        left_s = self.pace.left_s + self.waiting * whole_s
        return min(left_s, max(self.pool.clock.left_s, 0.0))


def lacking(records: Sequence[Record]) -> list[Record]:
    """Records with latencies, whose accuracy was not reached."""
    return [one for one in records if one.status == "ok" and one.lacks(ACCURACY)]


def alike(records: Iterable[Record]) -> list[list[Record]]:
    """Records that differ in their batch size alone."""
    groups: dict[Workload, list[Record]] = defaultdict(list)
    for record in records:
        shape = replace(record.workload.shape, batch_size=1)
        groups[replace(record.workload, shape=shape)].append(record)
    return list(groups.values())


def fastest(group: Sequence[Record]) -> Record:
    """The one with the highest throughput."""
    return min(group, key=sample_s)


def sample_s(record: Record) -> float:
    """Seconds of a call for each of its samples."""
    return call_s(record) / record.workload.batch_size


def evaluation_of(workload: Workload, opened: DataOpened, parts: Sequence[Evaluated]) -> Evaluation:
    """The parts of a pass as one."""
    units = [unit for part in parts for unit in part.units]
    numbers = {unit: number for number, unit in enumerate(dict.fromkeys(units))}
    kept = [
        Kept(
            rows=np.array(part.rows, dtype=float).reshape(len(part.rows), part.columns),
            lengths=np.array(part.lengths, dtype=np.int64),
        )
        for part in parts
    ]
    names = {name for part in parts for name in part.stages}
    return Evaluation(
        workload=workload.key,
        dataset=opened.name,
        task=opened.task,
        classes=opened.classes,
        digest=opened.digest,
        metric=opened.metric,
        higher_is_better=opened.higher_is_better,
        samples=opened.samples,
        kept=Kept.join(kept),
        units=np.array([numbers[unit] for unit in units], dtype=np.int64),
        contents=tuple(one for part in parts for one in part.contents),
        real_s=tuple(one for part in parts for one in part.real_s),
        synthetic_s=tuple(one for part in parts for one in part.synthetic_s),
        stages={name: sum(part.stages.get(name, 0.0) for part in parts) for name in sorted(names)},
        skipped=opened.skipped,
    )


def _without_times(section: Accuracy) -> Accuracy:
    """What holds at other batch sizes too: not what calls took."""
    return replace(section, **{name: None for name in vars(section) if name.startswith("data_")})
