"""Measure one loaded model in this process: for notebooks and scripts."""

from __future__ import annotations

import random
import time
from dataclasses import replace

from inferometer.core.errors import WorkloadError
from inferometer.core.procedure import Procedure
from inferometer.core.record import Record, Round, Value
from inferometer.core.statement import Statement, text
from inferometer.core.workload import Shape, Workload
from inferometer.figures.summary import known, summarise
from inferometer.runner.scheduling.foresight import not_counted
from inferometer.runner.scheduling.schedule import Schedule
from inferometer.runner.scheduling.task import Task, plan_round, rule_of, typical_s
from inferometer.runner.workers.counting import count
from inferometer.runner.workers.harness import Harness


def measure_here(harness: Harness, workload: Workload, procedure: Procedure) -> Record:
    """Warm up and measure, and give the record with its rounds.

    Raises:
        WorkloadError: (non_finite_output) the output holds NaN or infinity.
        Exception: whatever the model raises.
    """
    shape = workload.shape
    counted, notes = _counted(harness, shape)
    warm = harness.warm_up(shape)
    rounds: list[Round] = [warm.round]
    task = Task(
        workload=workload,
        call_s=typical_s(warm.round),
        procedure=procedure,
        rule=rule_of(procedure),
    )
    end = time.monotonic() + (procedure.budget_s or float("inf"))
    order = random.Random(procedure.seed)  # noqa: S311 - an order, not a secret
    schedule = Schedule([task], procedure, order=order, deadline=end)
    while schedule.next(time.monotonic()) is not None:
        done = harness.run_round(shape, plan_round(task.call_s, procedure))
        rounds.append(replace(done, index=len(rounds)))
        task.add(rounds[-1])
        schedule.review(task)
    held = harness.held()
    said = [*warm.variant_notes, *map(text, held.changes), *warm.notes]
    figures = {
        **harness.facts,
        **harness.mode_facts(),
        **held.figures(),
        **counted,
        **known(warm.first_call_s, warm.input_shape),
        **warm.seen,
        **summarise(workload, rounds, procedure, harness.facts),
        "notes": [Statement("same_process"), *notes, *said],
    }
    return Record(workload=workload, status="ok", figures=figures, rounds=tuple(rounds))


def _counted(harness: Harness, shape: Shape) -> tuple[dict[str, Value], list[Statement]]:
    """The analytical cost of a call; where it cannot be counted, a note that says why."""
    try:
        cost = count(harness, shape)
    except WorkloadError as error:
        return {}, [not_counted(str(error))]
    return ({} if cost is None else cost.figures()), []
