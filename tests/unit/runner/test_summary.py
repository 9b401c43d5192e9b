from __future__ import annotations

import statistics

import numpy as np
import pytest
from scipy import stats

from inferometer.core.procedure import Procedure
from inferometer.core.record import FIELD_NAMES, Round
from inferometer.core.workload import Shape, Target, Variant, Workload
from inferometer.figures.summary import summarise

W = Workload(variant=Variant(model="a", backend="torch", precision="fp32"), target=Target(device="cpu", threads=1), shape=Shape(batch_size=8, input_size=224))  # fmt: skip


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
    assert 1.0 <= found["latency_median_s"] <= 1.2
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
    assert found["latency_p90_s"] is None
    assert found["latency_calls_per_value"] == 50
    assert found["latency_calls"] == 25_000


def test_the_target_is_met_only_where_the_interval_says_so():
    calm = [make([1.0, 1.001, 1.002, 1.003]) for _ in range(10)]
    wild = [make([1.0, 1.5, 2.0, 2.5]) for _ in range(10)]
    assert summarise(W, calm, Procedure())["latency_target_met"] is True
    found = summarise(W, wild, Procedure())
    assert found["latency_target_met"] is False
    assert found["latency_ci_low_s"] < found["latency_median_s"] < found["latency_ci_high_s"]


def test_one_round_has_no_interval_and_says_so_with_nulls():
    found = summarise(W, [make([1.0] * 10)], Procedure())
    assert found["latency_ci_low_s"] is None
    assert found["latency_confidence"] is None
    assert found["latency_target_met"] is False


def test_one_process_whose_rounds_drift_has_the_interval_that_rounds_allow():
    levels = 1 + 0.2 * np.sin(np.linspace(0, 6, 26))
    found = summarise(W, [make([level] * 226) for level in levels], Procedure())
    assert found["latency_calls"] == 26 * 226
    assert found["latency_ci_low_s"] <= min(levels)
    assert found["latency_ci_high_s"] >= max(levels)
    assert found["latency_ci_method"] == "t on the logs of the medians of rounds of one process"
    assert found["latency_target_met"] is False


def test_processes_are_counted_and_every_name_is_a_field():
    found = summarise(W, [make([1.0] * 5), make([1.0] * 5, process=1)], Procedure())
    assert found["latency_processes"] == 2
    assert set(found) <= FIELD_NAMES


def test_the_interval_over_processes_is_t_on_the_logs_of_their_medians():
    medians = [1.0, 1.1, 1.3]
    rounds = [make([m] * 20, process=p) for p, m in enumerate(medians) for _ in range(5)]
    found = summarise(W, rounds, Procedure())
    logs = np.log(medians)
    low, high = stats.t.interval(0.95, 2, logs.mean(), stats.sem(logs))
    assert found["latency_median_s"] == pytest.approx(np.exp(logs.mean()))
    assert found["latency_ci_low_s"] == pytest.approx(np.exp(low), rel=1e-6)
    assert found["latency_ci_high_s"] == pytest.approx(np.exp(high), rel=1e-6)
    assert found["latency_between_processes"] == pytest.approx(logs.std(ddof=1))
    assert "3 processes" in found["latency_ci_method"]


def test_reading_the_clock_is_taken_off_and_the_observations_stay():
    rounds = [make([1e-4] * 20) for _ in range(5)]
    found = summarise(W, rounds, Procedure(), {"latency_timer_overhead_s": 1e-6})
    assert found["latency_median_s"] == pytest.approx(99e-6)
    assert rounds[0].values_s == (1e-4,) * 20


def test_calls_before_the_steady_state_do_not_count_and_are_called_warm_up():
    slow, fast = [0.1] * 40, [0.05] * 60
    dice = np.random.default_rng(1)
    jitter = lambda part: [v * dice.normal(1, 0.01) for v in part]  # noqa: E731
    rounds = [make(jitter(slow))] + [make(jitter(fast)) for _ in range(8)]
    found = summarise(W, rounds, Procedure())
    assert found["steady"] is True
    assert found["latency_max_s"] < 0.06
    assert found["latency_calls"] == pytest.approx(480, abs=10)
    assert found["warmup_calls"] == pytest.approx(40, abs=10)


def test_what_never_becomes_steady_says_so_and_keeps_all_its_calls():
    rounds = [make([0.05 * 1.1**i] * 25) for i in range(12)]
    found = summarise(W, rounds, Procedure())
    assert found["steady"] is False
    assert found["latency_calls"] == 300
    assert found["verdict"] == "drifting"
