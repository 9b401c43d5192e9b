from __future__ import annotations

import statistics

import pytest

from inferometer.core.procedure import Procedure
from inferometer.core.record import FIELD_NAMES, Round
from inferometer.core.workload import Variant, Workload
from inferometer.runner.summary import summarise

W = Workload(
    variant=Variant(model="a", backend="torch", precision="fp32"),
    device="cpu", threads=1, batch_size=8, input_size=224,
)  # fmt: skip


def make(values, *, phase="measure", settle=0, per_value=1, process=0):
    return Round(
        index=0, process=process, phase=phase, started_at=0.0, calls_per_value=per_value,
        settle=settle, starts_s=tuple(float(i) for i in range(len(values))), values_s=tuple(values),
    )  # fmt: skip


WARM = make([9.0, 5.0], phase="warmup")


def test_warm_up_and_settling_values_stay_out_of_every_figure():
    rounds = [WARM] + [make([7.0, 1.0, 1.2], settle=1) for _ in range(5)]
    found = summarise(W, rounds, Procedure())
    assert found["latency_max_s"] == 1.2
    assert found["latency_mean_s"] == pytest.approx(1.1)
    assert found["latency_std_s"] == pytest.approx(statistics.stdev([1.0, 1.2] * 5))
    assert (found["latency_calls"], found["latency_rounds"]) == (10, 5)
    assert found["warmup_calls"] == 2


def test_throughput_is_per_input_and_latency_per_call():
    found = summarise(W, [make([0.5] * 4)] * 5, Procedure())
    assert found["throughput_per_s"] == pytest.approx(16.0)


def test_percentiles_only_where_the_sample_supports_them():
    few = summarise(W, [make([1.0] * 7)] * 5, Procedure())
    assert few["latency_p90_s"] is None
    more = summarise(W, [make([1.0] * 8)] * 5, Procedure())
    assert more["latency_p90_s"] == 1.0
    assert more["latency_p99_s"] is None


def test_values_of_several_calls_have_no_percentiles():
    found = summarise(W, [make([1e-6] * 100, per_value=50)] * 5, Procedure())
    assert "latency_p90_s" not in found
    assert found["latency_calls_per_value"] == 50
    assert found["latency_calls"] == 25_000


def test_the_target_is_met_only_where_the_interval_says_so():
    calm = [make([1.0 + 0.001 * i] * 3) for i in range(5)]
    wild = [make([1.0 + 0.2 * i] * 3) for i in range(5)]
    assert summarise(W, calm, Procedure())["latency_target_met"] is True
    found = summarise(W, wild, Procedure())
    assert found["latency_target_met"] is False
    assert found["latency_ci_low_s"] < found["latency_mean_s"] < found["latency_ci_high_s"]


def test_one_round_has_no_interval_and_says_so_with_nulls():
    found = summarise(W, [make([1.0] * 10)], Procedure())
    assert found["latency_ci_low_s"] is None
    assert found["latency_confidence"] is None
    assert found["latency_target_met"] is False


def test_processes_are_counted_and_every_name_is_a_field():
    found = summarise(W, [make([1.0] * 5), make([1.0] * 5, process=1)], Procedure())
    assert found["latency_processes"] == 2
    assert set(found) <= FIELD_NAMES
