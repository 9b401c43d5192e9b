"""What a planner of replicates decides, from the time left and the observations."""

from __future__ import annotations

import math
from dataclasses import replace
from types import SimpleNamespace

import pytest

from inferometer.core.procedure import Procedure
from inferometer.core.record import Round
from inferometer.core.workload import Shape, Target, Variant, Workload
from inferometer.runner.phases.latency.replicating import ReplicatePlanner
from inferometer.runner.phases.latency.standing import Standing
from inferometer.runner.scheduling.replicates import Prepared
from inferometer.runner.scheduling.task import Task, rule_of

PROCEDURE = Procedure(
    processes=3, min_calls=30, min_rounds=9, span_s=0.0, round_s=0.1, target=0.05, max_time_s=30.0
)


def workload(name):
    return Workload(
        variant=Variant(model=name, backend="python", precision="fp32"),
        target=Target(device="cpu", threads=1),
        shape=Shape(batch_size=1, input_size=None),
    )


def prepared(name, *, call_s=0.01, warm_s=1.0, medians=(1.0,)):
    """A workload with five rounds of each process."""
    rounds = [
        Round(
            index=0, process=process, phase="measure", started_at=float(i), calls_per_value=1,
            settle=0, starts_s=tuple(call_s * k for k in range(4)), values_s=(call_s * level,) * 4,
        )
        for process, level in enumerate(medians)
        for i in range(5)
    ]  # fmt: skip
    rule = rule_of(PROCEDURE)
    task = Task(workload=workload(name), call_s=call_s, procedure=PROCEDURE, rule=rule)
    whole = len(medians) - 1
    return Prepared(figures={}, rounds=rounds, task=task, warm_s=warm_s, replicates=whole)


def planner(*present, left_s=math.inf, waiting=(), procedure=PROCEDURE):
    standing = Standing(
        prepared={one.task.workload: one for one in present}, waiting=list(map(workload, waiting))
    )
    return ReplicatePlanner(procedure, SimpleNamespace(left_s=left_s), standing)


def names(workloads):
    return [one.variant.model for one in workloads]


def test_without_a_budget_nothing_limits_a_replicate():
    one = prepared("a")
    found = planner(one).limits([one])
    assert found.total_s == found.process_s == math.inf


def test_a_replicate_leaves_time_for_those_that_are_planned_after_it():
    one = prepared("a", warm_s=5.0)
    found = planner(one, left_s=60.0).limits([one])
    assert found.total_s == 60.0
    assert 0.0 < found.process_s < (60.0 - 2 * 5.0) / 3


def test_the_last_planned_replicate_has_all_the_time():
    one = prepared("a", medians=(1.0, 1.0, 1.0))
    found = planner(one, left_s=60.0).limits([one])
    assert found.process_s == found.total_s == 60.0


def test_workloads_that_wait_keep_their_part_of_the_time():
    one = prepared("a")
    assert planner(one, left_s=60.0, waiting="bcd").limits([one]).total_s == 15.0


def test_every_workload_gets_its_planned_processes_where_time_allows():
    present = [prepared("a"), prepared("b")]
    found = planner(*present, left_s=1000.0).decide(present)
    assert names(found.further) == ["a", "b"]
    assert not found.ending
    assert not found.topped_up
    assert [one.replicates for one in present] == [1, 1]


def test_what_gets_no_further_process_gets_the_rest_of_its_least_from_this_one():
    cheap, dear = prepared("cheap"), prepared("dear", warm_s=100.0)
    dear.task.next_analysis = 50
    found = planner(cheap, dear, left_s=40.0).decide([cheap, dear])
    assert names(found.further) == ["cheap"]
    assert found.ending == found.topped_up == [dear]
    assert dear.task.rule.min_calls == PROCEDURE.min_calls
    assert dear.task.next_analysis == 0
    assert found.limits.total_s == found.limits.process_s == 20.0
    assert cheap.task.rule.min_calls == PROCEDURE.min_calls / 3


def test_what_had_all_processes_and_met_its_target_ends_without_more_rounds():
    one = prepared("a", medians=(1.0, 1.001, 0.999))
    found = planner(one).decide([one])
    assert (found.further, found.ending, found.topped_up) == ([], [one], [])


def test_processes_that_were_interrupted_make_a_share_together():
    one = prepared("a", medians=(1.0, 1.0, 1.0))
    plan = planner(one, procedure=replace(PROCEDURE, min_rounds=24, min_calls=24))
    whole, begun = plan.given(one)
    assert (whole, len(begun)) == (1, 5)  # of 5 + 5 and 5 rounds, where 8 make a share


def test_the_next_process_completes_the_share_that_is_begun():
    one = prepared("a", medians=(1.0, 1.0, 1.0))
    plan = planner(one, procedure=replace(PROCEDURE, min_rounds=24, min_calls=24))
    one.replicates, one.begun = plan.given(one)
    plan.begin(one, 0.02)
    assert (len(one.task.before), len(one.task.rounds)) == (10, 5)
    assert one.begun == []
    assert one.task.call_s == 0.02
    assert one.task.rule.min_rounds == 8
    plan.begin(one, 0.02)
    assert (len(one.task.before), len(one.task.rounds)) == (15, 0)


def test_nobody_knows_the_time_that_remains_while_a_call_time_is_unknown():
    one = prepared("a")
    plan = planner(one, waiting="b")
    assert plan.remaining_s() is None
    plan.standing.call_times.learn(workload("b"), 1.0)
    known = plan.remaining_s()
    assert known is not None
    plan.standing.call_times.learn(workload("b"), 0.1)
    assert plan.remaining_s() < known


def test_the_time_that_remains_is_within_the_budget():
    one = prepared("a", warm_s=100.0)
    assert planner(one, left_s=7.0).remaining_s() == pytest.approx(7.0)


def test_a_process_gets_as_many_rounds_as_it_is_worth():
    dear, cheap = prepared("dear", warm_s=5.0), prepared("cheap", warm_s=0.5)
    plan = planner(dear, cheap, left_s=1000.0)
    plan.begin(dear, 0.01)
    plan.begin(cheap, 0.01)
    assert 1 <= cheap.task.best_rounds < dear.task.best_rounds < 30


def test_what_no_further_process_would_follow_is_not_ended_early():
    one, other = prepared("a"), prepared("b")
    alone = planner(one, left_s=1000.0)
    alone.begin(one, 0.01)
    assert one.task.best_rounds is None
    endless = planner(one, other)
    endless.begin(one, 0.01)
    assert one.task.best_rounds is None


def test_a_process_that_gave_what_it_is_worth_has_given_enough():
    one = prepared("a")
    one.task.rounds = list(one.rounds)
    one.task.next_analysis = 100
    assert not one.task.enough()
    one.task.best_rounds = 5
    assert one.task.enough()
    one.task.best_rounds = 6
    assert not one.task.enough()


def test_the_time_left_counts_processes_that_did_not_begin_in_this_replicate():
    begun, waits = prepared("a"), prepared("b")
    for one in (begun, waits):
        one.replicates = 1
        one.task.rounds = list(one.measured)
    left = planner(begun, waits).remaining_s()
    longer = planner(begun, waits, waiting="b").remaining_s()
    assert longer - left >= waits.warm_s  # its second process, beside its third


def test_the_time_left_takes_later_processes_to_be_like_the_last():
    """Else each replicate begins with the time left that the one before began with."""
    short, long = prepared("a"), prepared("a")
    for one in (short, long):
        one.replicates = 1
    long.task.rounds = 40 * prepared("a").measured  # far beyond its least
    beyond = long.task.timed_s - planner(short)._process_s(short)
    assert planner(long).remaining_s() > beyond > 0
