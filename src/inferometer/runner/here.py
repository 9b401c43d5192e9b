"""Measure one loaded model in this process: for notebooks and scripts."""

from __future__ import annotations

import random
import time
from dataclasses import replace

from inferometer.core.errors import WorkloadError
from inferometer.core.procedure import Procedure
from inferometer.core.record import Record, Round, Value
from inferometer.core.workload import Shape, Workload
from inferometer.figures.summary import known, summarise
from inferometer.runner.scheduling.foresight import NOT_COUNTED
from inferometer.runner.scheduling.schedule import Schedule
from inferometer.runner.scheduling.task import Task, plan_round, rule_of, typical_s
from inferometer.runner.workers.counting import count
from inferometer.runner.workers.harness import Bench

SAME_PROCESS = "measured in the caller's own process, which held other things too"


def measure_here(bench: Bench, workload: Workload, procedure: Procedure) -> Record:
    """Warm up and measure, and give the record with its rounds.

    Raises:
        WorkloadError: (non_finite_output) the output holds NaN or infinity.
        Exception: whatever the model raises.
    """
    shape = workload.shape
    counted, notes = _counted(bench, shape)
    warm = bench.warm_up(shape)
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
        done = bench.run_round(shape, plan_round(task.call_s, procedure))
        rounds.append(replace(done, index=len(rounds)))
        task.add(rounds[-1])
        schedule.settle(task)
    held = bench.held()
    figures = {
        **bench.facts,
        **bench.mode_facts(),
        **held.figures(),
        **counted,
        **known(warm.first_call_s, warm.input_shape),
        **warm.seen,
        **summarise(workload, rounds, procedure, bench.facts),
        "notes": [SAME_PROCESS, *notes, *warm.variant_notes, *held.changes, *warm.notes],
    }
    return Record(workload=workload, status="ok", figures=figures, rounds=tuple(rounds))


def _counted(bench: Bench, shape: Shape) -> tuple[dict[str, Value], list[str]]:
    """What a call costs on paper; where that cannot be counted, a note that says why."""
    try:
        cost = count(bench, shape)
    except WorkloadError as error:
        return {}, [NOT_COUNTED.format(error)]
    return ({} if cost is None else cost.figures()), []
