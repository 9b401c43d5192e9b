"""The light agent goes by the rules of the full instrument: what it copies stays the same."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import stdtrit

from inferometer.core.energy import SourceInfo
from inferometer.core.procedure import Procedure
from inferometer.core.sweep import Study, Sweep
from inferometer.core.workload import Shape, Target, Variant, Workload
from inferometer.fleet.light import energy, harness, lease, plan, pool, results, signals
from inferometer.host import canary
from inferometer.runner.phases.energy.measurement import SHARE
from inferometer.runner.phases.energy.windows import after_lead, plan_windows, round_of
from inferometer.runner.scheduling import task
from inferometer.runner.workers import harness as ours
from inferometer.runner.workers import parent
from inferometer.runner.workers import pool as our_pool

PROCEDURES = st.builds(
    Procedure,
    processes=st.integers(1, 7),
    min_calls=st.integers(10, 500),
    min_rounds=st.integers(2, 80),
    round_s=st.floats(0.01, 2.0),
)


@given(call_s=st.floats(1e-7, 20.0), procedure=PROCEDURES)
def test_rounds_are_planned_alike(call_s, procedure):
    wanted = task.plan_round(call_s, procedure)
    assert plan.plan_round(call_s, vars(procedure)) == {
        "values": wanted.values,
        "calls_per_value": wanted.calls_per_value,
        "settle": wanted.settle,
    }
    assert plan.round_s(call_s, vars(procedure)) == pytest.approx(task.round_s(call_s, procedure))


@given(confidence=st.floats(0.5, 0.999), freedom=st.integers(1, 60))
def test_quantiles_of_students_t(confidence, freedom):
    exact = float(stdtrit(freedom, 0.5 + confidence / 2))
    assert plan.t_quantile(confidence, freedom) == pytest.approx(exact, rel=0.12)


def test_the_half_width_of_a_few_processes():
    logs = [math.log(value) for value in (1.0, 1.1, 1.2)]
    spread = math.sqrt(sum((one - sum(logs) / 3) ** 2 for one in logs) / 2)
    wanted = math.sinh(float(stdtrit(2, 0.975)) * spread / math.sqrt(3))
    assert plan.half_width([1.0, 1.1, 1.2], 0.95) == pytest.approx(wanted)
    assert plan.half_width([1.0], 0.95) == math.inf


def rounds_of(task_, medians, *, each_s=0.5):
    for number, median in enumerate(medians, len(task_.medians)):
        task_.add(
            {
                "values_s": [median] * 10,
                "starts_s": [0.0] * 10,
                "settle": 0,
                "calls_per_value": 1,
                "started_at": 100.0 + number * each_s,
            }
        )
    return task_


def test_a_process_gives_its_share_and_more_where_rounds_differ():
    procedure = vars(Procedure(processes=2, min_calls=20, min_rounds=10, span_s=2.0))
    calm = plan.Task({}, 0.01, procedure)
    assert not rounds_of(calm, [0.01] * 4).enough()  # of five that each process owes
    assert rounds_of(calm, [0.01, 0.0101]).enough()
    hasty = plan.Task({}, 0.01, procedure)
    assert not rounds_of(hasty, [0.01] * 8, each_s=0.01).enough()  # over less than a second
    restless = plan.Task({}, 0.01, procedure)
    assert not rounds_of(restless, [0.01, 0.02, 0.04, 0.02, 0.03, 0.01]).enough()
    long = plan.Task({}, 0.01, dict(procedure, max_time_s=0.5))
    assert rounds_of(long, [0.01, 0.02, 0.04, 0.02, 0.03, 0.01]).enough()


WORKLOADS = st.builds(
    Workload,
    variant=st.builds(
        Variant,
        model=st.text(min_size=1),
        backend=st.just("torch"),
        precision=st.just("fp32"),
        options=st.sampled_from([(), (("memory_format", "channels_last"),)]),
    ),
    target=st.builds(Target, threads=st.integers(1, 64)),
    shape=st.builds(
        Shape, batch_size=st.integers(1, 64), input_size=st.none() | st.integers(1, 512)
    ),
)


@given(workload=WORKLOADS)
def test_keys_of_workloads(workload):
    assert results.key_of(workload.to_json()) == workload.key
    assert (
        results.key_of(dict(workload.to_json(), options={}))
        == Workload.from_json(
            {name: one for name, one in workload.to_json().items() if name != "options"}
        ).key
    )


@pytest.mark.parametrize("changes", [{}, {"budget_s": 60.0}, {"control": True}, {"seed": 5}])
@pytest.mark.parametrize("options", [(), ("torch.memory_format=channels_last",)])
def test_signatures_of_studies(changes, options):
    study = Study(
        name="x",
        sweep=Sweep(models=("unet",), options=options, threads=2),
        procedure=Procedure(**changes),
    )
    assert results.signature_of(study.to_json()) == study.signature


SENSORS = [
    {"quantity": "energy", "period_s": 0.001},
    {"quantity": "power", "period_s": 0.1, "window_s": 0.1},
    {"quantity": "power", "period_s": 0.42, "window_s": 0.42},
]


@pytest.mark.parametrize("asked_s", [None, 30.0])
@pytest.mark.parametrize("sensor", SENSORS)
def test_windows_of_energy_are_long_enough(sensor, asked_s):
    named = {"name": "x", "kind": "x", "scope": "package", "method": "measured"}
    wanted = plan_windows(SourceInfo(**named, **sensor), Procedure(energy_window_s=asked_s))
    made = energy.WindowPlan(sensor, asked_s)
    assert made.window_s == pytest.approx(wanted.window_s)
    assert made.idle_s == pytest.approx(wanted.idle_s)
    assert made.rest_s == pytest.approx(wanted.rest_s)
    assert made.warm_up_s == pytest.approx(wanted.warm_up_s)
    assert (SHARE, wanted.count) == (energy.SHARE, energy.MIN_WINDOWS)


@given(call_s=st.floats(1e-5, 10.0))
def test_rounds_of_energy(call_s):
    margin_s = 0.0 if call_s >= energy.LONG_CALL_S else energy.SWITCH_S
    wanted = round_of(call_s, 2.0, margin_s)
    made = energy.round_of_energy(call_s, 2.0)
    assert (made["values"], made["calls_per_value"]) == (wanted.values, wanted.calls_per_value)
    assert made["seconds"] == pytest.approx(wanted.seconds)
    assert after_lead.__name__ == energy.after_lead.__name__


def test_constants_that_decide():
    assert (signals.CANARY_STEPS, signals.CANARY_BLOCK) == (canary.LOOP_STEPS, canary.BLOCK)
    assert signals.CANARY_REPEATS == canary.REPEATS
    names = ("ENOUGH_S", "SLOW_S", "MIN_CALLS", "MAX_CALLS")
    for name in (f"WARMUP_{name}" for name in names):
        assert getattr(harness, name) == getattr(ours, name)
    assert (pool.USABLE, pool.RESIDENT_SHARE) == (our_pool.USABLE, our_pool.RESIDENT_SHARE)
    assert pool.THREAD_VARIABLES == parent.THREAD_VARIABLES


def test_the_lease_is_one_file_for_both(monkeypatch):
    from inferometer.host.lease import VARIABLE, lease_path

    assert lease.LEASE_VARIABLE == VARIABLE
    monkeypatch.delenv(VARIABLE, raising=False)
    assert lease.lease_file() == str(lease_path())
