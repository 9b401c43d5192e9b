"""The schedule under a simulated clock: a call takes what it says, plus noise."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inferometer.core.procedure import Procedure
from inferometer.core.record import Round
from inferometer.core.workload import Shape, Target, Variant, Workload
from inferometer.runner.scheduling.pairing import PairSchedule, pair_width
from inferometer.runner.scheduling.schedule import Schedule
from inferometer.runner.scheduling.task import Task, owed_s, plan_round, round_s, rule_of, typical_s

ONE = Procedure(processes=1, min_calls=10, min_rounds=5, span_s=0.0)


def workload(name, batch=1):
    variant = Variant(model=name, backend="torch", precision="fp32")
    return Workload(
        variant=variant,
        target=Target(device="cpu", threads=1),
        shape=Shape(batch_size=batch, input_size=224),
    )


def make_task(name, call_s, procedure=ONE, **more):
    return Task(
        workload=workload(name), call_s=call_s, procedure=procedure, rule=rule_of(procedure), **more
    )


def make_round(values, settle=0, calls_per_value=1, started_at=0.0):
    return Round(
        index=0, process=0, phase="measure", started_at=started_at, calls_per_value=calls_per_value,
        settle=settle, starts_s=tuple(np.cumsum([0.0, *values[:-1]])), values_s=tuple(values),
    )  # fmt: skip


def simulate(costs, procedure, *, budget=None, noise=0.02, seed=0):
    """Run a schedule to its end; gives the order of rounds, the tasks, the cut ones, the time."""
    dice = np.random.default_rng(seed)
    tasks = [make_task(name, cost, procedure) for name, cost in costs.items()]
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
        values = list(task.call_s * dice.normal(1, noise, plan.settle + plan.values))
        task.add(make_round(values, plan.settle, plan.calls_per_value, started_at=now))
        now += sum(values) * plan.calls_per_value
        order.append(task.workload.variant.model)
        schedule.review(task)


def test_rounds_of_different_workloads_interleave_and_the_seed_decides_the_order():
    costs = dict.fromkeys("abcd", 0.1)
    order, *_ = simulate(costs, ONE)
    first_pass, second_pass = order[:4], order[4:8]
    assert sorted(first_pass) == sorted(second_pass) == list("abcd")
    assert simulate(costs, ONE)[0] == order
    assert any(simulate(costs, ONE, seed=s)[0] != order for s in (1, 2, 3))


def test_every_workload_gets_its_least_and_noisy_ones_get_more():
    patient = replace(ONE, target=0.02, max_time_s=300.0)
    _, calm, _, _ = simulate({"a": 0.1}, patient, noise=0.001)
    _, wild, _, _ = simulate({"a": 0.1}, patient, noise=0.1)
    assert calm[0].calls >= 10
    assert wild[0].calls > 2 * calm[0].calls


def test_without_a_budget_nothing_is_cut():
    _, tasks, cut, _ = simulate({"a": 0.001, "b": 20.0}, ONE)
    assert cut == []
    assert all(task.calls >= 10 for task in tasks)


def test_a_budget_cuts_the_most_expensive_and_keeps_the_others_whole():
    costs = {"small": 0.01, "middle": 0.5, "huge": 50.0}
    _, tasks, cut, now = simulate(costs, ONE, budget=60.0)
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
    order, tasks, cut, now = simulate(named, ONE, budget=budget, noise=0.0, seed=seed)
    assert now <= budget + 1e-6
    for task in tasks:
        least = task.least or 10
        whole = task.calls >= least and len(task.rounds) >= min(least, 5)
        assert least >= 2
        assert whole != (task.workload.variant.model in cut)
    assert Counter(order).total() == sum(len(task.rounds) for task in tasks)


def test_all_get_a_few_calls_before_the_cheap_ones_get_all_of_theirs():
    costs = {"small": 0.1, "dear": 8.0, "dearer": 10.0}
    _, tasks, cut, now = simulate(costs, ONE, budget=70.0)
    assert cut == []
    assert now <= 70.0
    assert [task.calls >= 2 for task in tasks] == [True, True, True]
    assert tasks[0].calls >= 10


def test_a_task_with_observations_from_before_an_interruption_owes_less():
    procedure = ONE
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
    task = make_task("a", 0.01)
    task.add(make_round([9.0, 1.0, 1.0], settle=1))
    assert (task.calls, task.mean_s) == (2, 1.0)


def test_a_process_gives_its_share_and_rounds_of_earlier_ones_are_owed_no_more():
    procedure = Procedure(processes=3, min_calls=12, min_rounds=12, span_s=0.0)
    before = [make_round([1.0])] * 8
    task = make_task("a", 1.0, procedure, before=before)
    assert task.owed_s() == pytest.approx(4.0)
    for _ in range(4):
        assert task.owes
        assert not task.has_share
        task.add(make_round([1.0]))
    assert task.has_share
    assert not task.owes


def test_the_rounds_of_a_process_spread_over_its_part_of_the_span():
    procedure = Procedure(processes=2, min_calls=10, min_rounds=4, span_s=20.0, target=0.5)
    _, (task,), _, now = simulate({"a": 0.05}, procedure, noise=0.001)
    assert 10.0 <= now <= 11.0
    assert task.span_s >= 10.0


def test_the_rule_is_not_asked_after_every_round(monkeypatch):
    asked = []
    from inferometer.runner.scheduling import task as module

    real = module.look
    monkeypatch.setattr(module, "look", lambda *a, **k: asked.append(len(a[0])) or real(*a, **k))
    simulate({"a": 0.1}, replace(ONE, target=0.005), noise=0.1)
    assert all(later > earlier for earlier, later in itertools.pairwise(asked))
    assert asked[-1] > 2 * len(asked)


class TestPairs:
    def groups(self, seed=0, names="ab", **changes):
        """The blocks of a paired schedule as (model, group)."""
        few = {"max_time_s": 5.0} | changes
        procedure = replace(ONE, pair=True, min_rounds=8, target=0.5, **few)
        tasks = [make_task(name, 0.01, procedure) for name in names]
        schedule = PairSchedule(
            tasks, procedure, order=random.Random(seed), numbers=itertools.count()
        )
        now, blocks = 0.0, []
        while (task := schedule.next(now)) is not None:
            plan = schedule.plan(task)
            values = [task.call_s] * (plan.values + plan.settle)
            task.add(make_round(values, plan.settle, started_at=now))
            now += sum(values)
            blocks.append((task.workload.variant.model, schedule.pair))
            schedule.review(task)
        return blocks

    def test_blocks_come_in_groups_of_four_with_one_side_outside(self):
        blocks = self.groups()
        assert len(blocks) % 4 == 0
        orders = set()
        for start in range(0, len(blocks), 4):
            names, numbers = zip(*blocks[start : start + 4], strict=True)
            orders.add("".join(names))
            assert set(numbers) == {start // 4}
        assert orders <= {"abba", "baab"}

    def test_chance_decides_which_side_is_outside_and_the_seed_repeats_it(self):
        firsts = {self.groups(seed)[0][0] for seed in range(8)}
        assert firsts == {"a", "b"}
        assert self.groups(3) == self.groups(3)

    def test_blocks_are_short(self):
        procedure = replace(ONE, pair=True)
        tasks = [make_task(name, 0.01, procedure) for name in "ab"]
        schedule = PairSchedule(tasks, procedure, order=random.Random(0), numbers=itertools.count())
        plan = schedule.plan(schedule.next(0.0))
        assert (plan.values, plan.settle) == (4, 1)

    def test_groups_are_numbered_on_from_where_the_caller_was(self):
        tasks = [make_task(name, 0.01, ONE) for name in "ab"]
        numbers = itertools.count(7)
        schedule = PairSchedule(tasks, ONE, order=random.Random(0), numbers=numbers)
        schedule.next(0.0)
        assert (schedule.pair, next(numbers)) == (7, 8)

    def test_one_that_lost_its_partner_takes_usual_rounds(self):
        blocks = self.groups(names="a")
        assert len(blocks) >= 8
        assert set(blocks) == {("a", None)}

    def test_it_goes_on_until_the_ratio_is_narrow(self):
        """Equal sides whose blocks scatter by 5 %: a ratio within 1 % takes many groups."""
        procedure = replace(ONE, pair=True, min_rounds=8, target=0.5)
        rng = random.Random(5)
        tasks = [make_task(name, 0.01, procedure) for name in "ab"]
        schedule = PairSchedule(tasks, procedure, order=random.Random(0), numbers=itertools.count())
        now = 0.0
        while (task := schedule.next(now)) is not None:
            plan = schedule.plan(task)
            values = [task.call_s * rng.lognormvariate(0, 0.05)] * (plan.values + plan.settle)
            done = make_round(values, plan.settle, started_at=now)
            task.add(replace(done, pair=schedule.pair))
            now += sum(values)
            schedule.review(task)
        assert pair_width(tasks[0].rounds, tasks[1].rounds, procedure) <= 0.01
        assert len(tasks[0].rounds) > 50
        assert len(tasks[0].rounds) == len(tasks[1].rounds)
