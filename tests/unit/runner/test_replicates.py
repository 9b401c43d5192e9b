"""Who gets another process, given what each one costs."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from inferometer.core.procedure import Procedure
from inferometer.core.record import Round
from inferometer.core.workload import Shape, Target, Variant, Workload
from inferometer.runner.scheduling.replicates import Prepared, further
from inferometer.runner.scheduling.task import Task, rule_of

PROCEDURE = Procedure(processes=3, target=0.05, max_time_s=1000.0)


def prepared(name, medians, *, procedure=PROCEDURE):
    variant = Variant(model=name, backend="torch", precision="fp32")
    workload = Workload(
        variant=variant,
        target=Target(device="cpu", threads=1),
        shape=Shape(batch_size=1, input_size=224),
    )
    rounds = [
        Round(
            index=0, process=process, phase="measure", started_at=float(i), calls_per_value=1,
            settle=0, starts_s=tuple(0.1 * k for k in range(10)), values_s=(median,) * 10,
        )
        for process, median in enumerate(medians)
        for i in range(5)
    ]  # fmt: skip
    task = Task(workload=workload, call_s=0.1, procedure=procedure, rule=rule_of(procedure))
    return Prepared(figures={}, rounds=rounds, task=task, replicates=len(medians))


def names(present, cost_s, left_s=math.inf):
    costs = {one.task.workload.variant.model: cost_s for one in present}
    if isinstance(cost_s, dict):
        costs = cost_s
    found = further(
        present, PROCEDURE,
        cost_s=lambda one: costs[one.task.workload.variant.model], left_s=left_s,
    )  # fmt: skip
    return [workload.variant.model for workload in found]


def test_planned_processes_are_given_while_they_are_lacking():
    assert names([prepared("a", [1.0])], 5.0) == ["a"]
    assert names([prepared("a", [1.0, 1.001, 0.999])], 5.0) == []


def test_a_workload_that_misses_its_target_gets_more_up_to_twice_as_many():
    wild = [1.0, 1.3, 0.8]
    assert names([prepared("a", wild)], 5.0) == ["a"]
    assert names([prepared("a", wild * 2)], 5.0) == []


def test_one_process_alone_was_asked_for_and_gets_no_second():
    quick = Procedure(processes=1, min_calls=10)
    one = prepared("a", [1.0], procedure=quick)
    assert further([one], quick, cost_s=lambda _: 1.0, left_s=math.inf) == []


def test_a_budget_pays_for_the_cheap_ones_and_for_all_their_processes():
    present = [prepared("dear", [1.0]), prepared("cheap", [1.0])]
    assert names(present, {"dear": 10.0, "cheap": 1.0}, left_s=10.0) == ["cheap"]
    assert names(present, {"dear": 10.0, "cheap": 1.0}, left_s=13.0) == ["cheap", "dear"]  # one
    assert names(present, {"dear": 10.0, "cheap": 1.0}, left_s=22.0) == ["cheap", "dear"]
    assert names(present, {"dear": 10.0, "cheap": 1.0}, left_s=0.9) == []


def test_planned_processes_come_before_further_ones():
    present = [prepared("wild", [1.0, 1.5, 0.7]), prepared("lacking", [1.0])]
    assert names(present, 4.0, left_s=8.0) == ["lacking"]


def test_further_processes_go_where_they_narrow_the_most_for_each_second():
    present = [prepared("tame", [1.0, 1.1, 1.0]), prepared("wild", [1.0, 1.5, 0.7])]
    assert names(present, 4.0, left_s=4.0) == ["wild"]
    assert names(present, {"tame": 0.1, "wild": 60.0}, left_s=60.0)[0] == "tame"


def test_no_process_follows_after_the_time_of_a_workload():
    procedure = Procedure(processes=3, max_time_s=1.0)
    one = prepared("a", [1.0, 1.5, 0.7], procedure=procedure)
    assert further([one], procedure, cost_s=lambda _: 1.0, left_s=math.inf) == []


@given(st.lists(st.floats(0.1, 100), min_size=1, max_size=6), st.floats(0, 300))
def test_what_is_chosen_never_costs_more_than_there_is(costs, left_s):
    present = [prepared(str(i), [1.0]) for i in range(len(costs))]
    chosen = names(present, {str(i): cost for i, cost in enumerate(costs)}, left_s)
    assert sum(costs[int(name)] for name in chosen) <= left_s + 1e-9
