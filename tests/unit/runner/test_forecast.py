"""How long calls will take, from those that were seen."""

from __future__ import annotations

import pytest

from inferometer.core.workload import Shape, Target, Variant, Workload
from inferometer.runner.scheduling.forecast import CallTimes


def workload(model="a", size=224, batch=1):
    variant = Variant(model=model, backend="torch", precision="fp32")
    return Workload(
        variant=variant,
        target=Target(device="cpu", threads=1),
        shape=Shape(batch_size=batch, input_size=size),
    )


@pytest.fixture
def times():
    """Two shapes of a model at two sizes, the larger seen last, and one of its own size."""
    known = CallTimes()
    known.learn(workload(batch=4), 0.4)
    known.learn(workload(size=448, batch=2), 1.6)
    known.learn(workload(batch=1), 0.3)
    known.learn(workload("b", size=None, batch=2), 0.5)
    return known


def test_what_was_seen_is_told_as_it_was(times):
    assert times.of(workload(batch=4)) == 0.4
    times.learn(workload(batch=4), 0.6)  # in another process
    assert times.of(workload(batch=4)) == 0.4  # what somebody disturbed sets no forecast
    times.learn(workload(batch=4), 0.2)
    assert times.of(workload(batch=4)) == 0.2


def test_the_largest_shapes_tell_what_others_take(times):
    assert times.of(workload(batch=2)) == pytest.approx(0.2)  # of 448/2 0.4, of 224/4 0.2
    assert times.of(workload(size=448, batch=8)) == pytest.approx(3.2)
    assert times.of(workload("b", size=None, batch=6)) == pytest.approx(1.5)


def test_nothing_is_told_of_other_models_or_of_a_size_without_a_number(times):
    assert times.of(workload("c")) is None
    assert times.of(workload(size=None)) is None
    assert times.of(workload("b")) is None
