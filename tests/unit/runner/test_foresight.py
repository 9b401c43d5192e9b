"""What is known before a workload runs, with workers that count as the test says."""

from __future__ import annotations

from collections import Counter

import pytest

from inferometer.core.cost import Cost
from inferometer.core.procedure import Procedure
from inferometer.core.record import Failure, Record
from inferometer.core.workload import Shape, Target, Variant, Workload
from inferometer.runner.scheduling.foresight import Foresight
from inferometer.runner.workers.parent import WorkerFailed

MIB = 1 << 20
LOADED = {"memory_baseline_bytes": 220 * MIB, "memory_weights_bytes": 80 * MIB}
EACH = 10 * MIB


A = Variant(model="a", backend="torch", precision="fp32")


def workload(batch, *, device="cpu", variant=A):
    return Workload(
        variant=variant,
        target=Target(device=device, threads=1),
        shape=Shape(batch_size=batch, input_size=224),
    )


class FakePool:
    """Stands for workers: 10 MiB of activations for each input, or a failure."""

    limit_bytes = 1000 * MIB
    input_bytes = 0

    def __init__(self):
        self.processes = Counter()
        self.facts = {}
        self.asked = []
        self.failure = None
        self.dies = False
        self.alive = set()

    def load(self, workload):
        variant = workload.variant
        if variant not in self.alive:
            self.alive.add(variant)
            self.processes[variant] += 1
            self.facts.setdefault(variant, dict(LOADED))

    def costs(self, workloads):
        self.asked += [one.batch_size for one in workloads]
        if self.dies:
            self.alive.discard(workloads[0].variant)
            raise WorkerFailed(self.failure)
        return [self.failure or self._cost(one) for one in workloads]

    def _cost(self, workload):
        return Cost(
            operators=(), input_bytes=self.input_bytes, output_bytes=0, weight_bytes=0, activation_bytes=0,
            activation_peak_bytes=workload.batch_size * EACH, method="known",
        )  # fmt: skip


def foresight(pool, **procedure):
    return Foresight(Procedure(**procedure), pool, lambda *_: None)


@pytest.fixture
def pool():
    return FakePool()


def learn(sight, batch, factor=1.0):
    activation = int(batch * EACH * factor)
    figures = {
        "memory_activation_bytes": activation,
        "peak_memory_bytes": 300 * MIB + activation,
    }
    sight.outlook(workload(batch))
    sight.learn(workload(batch), figures)


def test_a_workload_is_counted_once_and_its_figures_are_known(pool):
    sight = foresight(pool)
    found = sight.outlook(workload(1))
    assert sight.outlook(workload(1)) is found
    assert pool.asked == [1]
    assert found.figures["activation_peak_bytes"] == EACH
    assert found.figures["memory_forecast_bytes"] == 310 * MIB
    assert [note.code for note in found.notes] == ["forecast_lower_bound"]
    assert found.refusal is None
    assert not found.warning


def test_a_shape_that_was_observed_teaches(pool):
    sight = foresight(pool)
    learn(sight, 1, factor=2.0)
    found = sight.outlook(workload(4))
    assert found.figures["memory_forecast_bytes"] == (300 + 40 + 20) * MIB
    assert found.notes == []


def test_inputs_that_an_observed_shape_held_are_known(pool):
    pool.input_bytes = 50 * MIB
    sight = foresight(pool)
    learn(sight, 1)  # holds 300 MiB beside its activations, inputs included
    assert sight.outlook(workload(4)).figures["memory_forecast_bytes"] == (250 + 50 + 40) * MIB


def test_finished_records_of_a_run_that_goes_on_teach_too(pool):
    figures = {
        "activation_peak_bytes": EACH,
        "memory_activation_bytes": EACH,
        "peak_memory_bytes": 330 * MIB,
    }
    sight = foresight(pool)
    sight.learn_records([Record(workload=workload(1), status="ok", figures=figures)])
    assert sight.outlook(workload(4)).figures["memory_forecast_bytes"] == 360 * MIB


def test_what_clearly_does_not_fit_is_refused_with_the_way_out(pool):
    sight = foresight(pool)
    learn(sight, 1)
    refusal = sight.outlook(workload(200)).refusal
    assert (refusal.kind, refusal.stage) == ("out_of_memory", "warmup")
    for words in ("2.25 GiB", "1,000 MiB", "--try-larger", "--memory-limit"):
        assert words in refusal.message


def test_unless_larger_ones_are_to_be_tried(pool):
    sight = foresight(pool, skip_larger=False)
    learn(sight, 1)
    found = sight.outlook(workload(200))
    assert found.refusal is None
    assert found.warning in found.notes


def test_what_may_not_fit_is_tried_with_a_warning(pool):
    sight = foresight(pool)
    learn(sight, 1)
    for batch in (60, 90):  # 900 and 1200 MiB, with a limit of 1000
        found = sight.outlook(workload(batch))
        assert found.refusal is None
        assert found.warning in found.notes


def test_unobserved_only_activations_that_exceed_the_limit_refuse(pool):
    sight = foresight(pool)
    assert sight.outlook(workload(99)).refusal is None
    assert sight.outlook(workload(101)).refusal is not None


def test_an_accelerators_memory_is_not_forecast(pool):
    found = foresight(pool).outlook(workload(1, device="cuda"))
    assert "memory_forecast_bytes" not in found.figures
    assert found.figures["activation_peak_bytes"] == EACH


def test_a_count_that_fails_is_a_note(pool):
    pool.failure = Failure(stage="warmup", kind="unsupported", message="values decide")
    sight = foresight(pool)
    found = sight.outlook(workload(1))
    assert list(map(str, found.notes)) == ["operations not counted: values decide"]
    assert found.figures == {}
    assert found.refusal is None
    sight.outlook(workload(2))
    assert pool.asked == [1, 2]


def test_a_worker_that_dies_of_counting_is_replaced_and_not_asked_again(pool):
    pool.failure = Failure(stage="warmup", kind="crash", message="died of SIGSEGV")
    pool.dies = True
    sight = foresight(pool)
    for batch in (1, 2):
        (note,) = sight.outlook(workload(batch)).notes
        assert str(note) == "operations not counted: died of SIGSEGV"
    assert pool.asked == [1]
    assert pool.processes[workload(1).variant] == 2


def test_what_is_expected_of_a_variant_is_counted_at_once(pool):
    sight = foresight(pool)
    other = Variant(model="b", backend="torch", precision="fp32")
    sight.expect([workload(1), workload(2), workload(4), workload(8, variant=other)])
    sight.outlook(workload(2))
    assert pool.asked == [2, 1, 4]
    for batch in (1, 4):
        assert sight.outlook(workload(batch)).figures["activation_peak_bytes"] == batch * EACH
    sight.outlook(workload(16))  # found on the way
    assert pool.asked == [2, 1, 4, 16]


def test_nothing_was_foreseen_of_what_was_not_asked(pool):
    sight = foresight(pool)
    assert sight.known(workload(1)).figures == {}
    assert pool.asked == []
