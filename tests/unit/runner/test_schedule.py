"""The schedule under a simulated clock: a call takes what it says, plus noise."""

from __future__ import annotations

import random
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inferometer.core.procedure import Procedure
from inferometer.core.record import Round
from inferometer.core.workload import Variant, Workload
from inferometer.runner.schedule import Schedule, Task, owed_s, plan_round, round_s, typical_s


def workload(name, batch=1):
    variant = Variant(model=name, backend="torch", precision="fp32")
    return Workload(variant=variant, device="cpu", threads=1, batch_size=batch, input_size=224)


def make_round(values, settle=0, calls_per_value=1):
    return Round(
        index=0, process=0, phase="measure", started_at=0.0, calls_per_value=calls_per_value,
        settle=settle, starts_s=tuple(np.cumsum([0.0, *values[:-1]])), values_s=tuple(values),
    )  # fmt: skip


def simulate(costs, procedure, *, budget=None, noise=0.02, seed=0):
    """Run a schedule to its end; gives the order of rounds, the tasks, the cut ones, the time."""
    dice = np.random.default_rng(seed)
    tasks = [Task(workload=workload(name), call_s=cost) for name, cost in costs.items()]
    deadline = float("inf") if budget is None else budget
    schedule = Schedule(tasks, procedure, order=random.Random(seed), deadline=deadline)
    now, order, cut = 0.0, [], []
    while True:
        while (one := schedule.cut(now)) is not None:
            cut.append(one.workload.variant.model)
        task = schedule.next(now)
        if task is None:
            return order, tasks, cut, now
        plan = plan_round(task.call_s, procedure)
        level = task.call_s * dice.normal(1, noise)
        values = [level / plan.calls_per_value * plan.calls_per_value] * (plan.settle + plan.values)
        now += sum(values) * plan.calls_per_value
        task.add(make_round(values, plan.settle, plan.calls_per_value))
        order.append(task.workload.variant.model)
        schedule.decide(task)


def test_rounds_of_different_workloads_interleave_and_the_seed_decides_the_order():
    costs = dict.fromkeys("abcd", 0.1)
    order, *_ = simulate(costs, Procedure())
    first_pass, second_pass = order[:4], order[4:8]
    assert sorted(first_pass) == sorted(second_pass) == list("abcd")
    assert simulate(costs, Procedure())[0] == order
    assert any(simulate(costs, Procedure(), seed=s)[0] != order for s in (1, 2, 3))


def test_every_workload_gets_its_least_and_noisy_ones_get_more():
    _, calm, _, _ = simulate({"a": 0.1}, Procedure(target=0.02), noise=0.001)
    _, wild, _, _ = simulate({"a": 0.1}, Procedure(target=0.02), noise=0.1)
    assert calm[0].calls >= 10
    assert wild[0].calls > 2 * calm[0].calls


def test_without_a_budget_nothing_is_cut():
    _, tasks, cut, _ = simulate({"a": 0.001, "b": 20.0}, Procedure())
    assert cut == []
    assert all(task.calls >= 10 for task in tasks)


def test_a_budget_cuts_the_most_expensive_and_keeps_the_others_whole():
    costs = {"small": 0.01, "middle": 0.5, "huge": 50.0}
    _, tasks, cut, now = simulate(costs, Procedure(), budget=60.0)
    assert cut == ["huge"]
    assert now <= 60.0
    assert [task.calls >= 10 for task in tasks] == [True, True, False]


@settings(max_examples=60, deadline=None)
@given(
    costs=st.lists(st.floats(1e-5, 30.0), min_size=1, max_size=8),
    budget=st.floats(0.5, 300.0),
    seed=st.integers(0, 100),
)
def test_the_budget_holds_and_nothing_is_cut_silently(costs, budget, seed):
    named = {f"m{i}": cost for i, cost in enumerate(costs)}
    order, tasks, cut, now = simulate(named, Procedure(), budget=budget, noise=0.0, seed=seed)
    assert now <= budget + 1e-6
    for task in tasks:
        whole = task.calls >= 10 and len(task.counts) >= 5
        assert whole != (task.workload.variant.model in cut)
    assert Counter(order).total() == sum(len(task.counts) for task in tasks)


def test_a_task_with_observations_from_before_an_interruption_owes_less():
    procedure = Procedure()
    assert owed_s(1.0, procedure) == pytest.approx(10.0)
    assert owed_s(1.0, procedure, calls=7, rounds=7) == pytest.approx(3.0)
    assert owed_s(1.0, procedure, calls=12, rounds=12) == 0.0


def test_a_round_of_slow_calls_is_one_call_without_settling():
    plan = plan_round(12.0, Procedure())
    assert (plan.values, plan.calls_per_value, plan.settle) == (1, 1, 0)


def test_calls_too_short_for_the_clock_are_timed_several_at_a_time():
    plan = plan_round(2e-6, Procedure())
    assert plan.calls_per_value >= 50
    assert plan_round(60e-6, Procedure()).calls_per_value == 1


@given(st.floats(1e-8, 100.0))
def test_a_round_lasts_about_as_long_as_asked(call_s):
    procedure = Procedure()
    plan = plan_round(call_s, procedure)
    assert plan.values >= 1
    counted = plan.values * plan.calls_per_value * call_s
    assert counted <= max(1.5 * procedure.round_s, call_s * plan.calls_per_value)
    assert round_s(call_s, procedure) >= counted


def test_the_typical_call_is_that_of_the_later_half_of_the_warm_up():
    assert typical_s(make_round([9.0, 5.0, 1.0, 1.1, 0.9, 1.0])) == pytest.approx(1.0)


def test_settling_values_do_not_count():
    task = Task(workload=workload("a"), call_s=0.01)
    task.add(make_round([9.0, 1.0, 1.0], settle=1))
    assert (task.calls, task.sums_s) == (2, [2.0])
