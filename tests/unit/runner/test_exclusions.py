from __future__ import annotations

from dataclasses import replace

import pytest

from inferometer.core.record import Failure
from inferometer.core.workload import Shape, Target, Variant, Workload
from inferometer.runner.scheduling.exclusions import Exclusions

A = Workload(variant=Variant(model="a", backend="torch", precision="fp32"), target=Target(device="cpu", threads=1), shape=Shape(batch_size=4, input_size=224))  # fmt: skip
OOM = Failure(stage="measure", kind="out_of_memory", message="full")


@pytest.fixture
def exclusions():
    return Exclusions(skip_larger=True)


def test_nothing_is_excluded_at_first(exclusions):
    assert exclusions.outcome(A) is None


def test_larger_batches_of_a_shape_that_ran_out_of_memory_are_skipped_with_the_reason(exclusions):
    exclusions.learn(A, OOM)
    status, failure = exclusions.outcome(A.at(8))
    assert (status, failure.kind) == ("skipped", "out_of_memory")
    assert "batch 4" in failure.message
    assert exclusions.outcome(A.at(2)) is None
    assert exclusions.outcome(replace(A, shape=Shape(batch_size=8, input_size=128))) is None
    other = replace(A.at(8), variant=replace(A.variant, precision="bf16"))
    assert exclusions.outcome(other) is None


def test_larger_batches_than_one_that_hung_are_not_waited_for(exclusions):
    exclusions.learn(A, Failure(stage="warmup", kind="timeout", message="silence"))
    status, failure = exclusions.outcome(A.at(8))
    assert (status, failure.kind) == ("skipped", "timeout")
    assert "did not answer" in failure.message


def test_unless_asked():
    willing = Exclusions(skip_larger=False)
    willing.learn(A, OOM)
    assert willing.outcome(A.at(8)) is None


def test_a_variant_that_could_not_be_loaded_fails_everywhere_and_names_where_it_was_seen(
    exclusions,
):
    exclusions.learn(A, Failure(stage="load", kind="crash", message="died of SIGSEGV"))
    status, failure = exclusions.outcome(A.at(1))
    assert (status, failure.stage, failure.kind) == ("failed", "load", "crash")
    assert A.label in failure.message


def test_the_end_of_the_budget_says_nothing_about_a_model(exclusions):
    exclusions.learn(A, Failure(stage="load", kind="budget", message="no time"))
    assert exclusions.outcome(A) is None


def test_sizes_that_have_no_effect_are_measured_once(exclusions):
    exclusions.learn_own_shape(A)
    assert exclusions.outcome(A) is None
    status, failure = exclusions.outcome(
        replace(A, shape=Shape(batch_size=A.batch_size, input_size=448))
    )
    assert (status, failure.kind) == ("skipped", "unsupported")
    assert exclusions.outcome(replace(A, shape=Shape(batch_size=1, input_size=448))) is None
