"""When one process of a workload has given enough."""

from __future__ import annotations

import numpy as np

from inferometer.core.procedure import Procedure
from inferometer.core.record import Round
from inferometer.core.workload import Shape, Target, Variant, Workload
from inferometer.runner.scheduling.task import Task, rule_of

PROCEDURE = Procedure(
    processes=1, target=0.01, min_rounds=10, min_calls=10, span_s=0.0, max_time_s=5.0
)
NOISE = np.random.default_rng(2)


def a_round(index, level_s):
    values = level_s * np.exp(NOISE.normal(0, 0.5, 20))
    return Round(
        index=index, process=0, phase="measure", started_at=float(index), calls_per_value=1,
        settle=0, starts_s=tuple(np.arange(20) * level_s), values_s=tuple(values.tolist()),
    )  # fmt: skip


def test_calls_that_become_slower_end_at_the_time_limit_not_at_the_next_analysis():
    variant = Variant(model="m", backend="python", precision="fp32")
    workload = Workload(
        variant=variant,
        target=Target(device="cpu", threads=1),
        shape=Shape(batch_size=1, input_size=None),
    )
    task = Task(workload=workload, call_s=0.001, procedure=PROCEDURE, rule=rule_of(PROCEDURE))
    for index in range(10):
        task.add(a_round(index, 0.001))
    assert not task.enough()
    planned = task.next_analysis
    assert planned >= 30  # at a millisecond a call
    while not task.enough():
        task.add(a_round(len(task.rounds), 0.05))
    assert len(task.rounds) < planned
    assert 5.0 <= sum(done.timed_s for done in task.rounds) < 7.0  # one round more at the most
