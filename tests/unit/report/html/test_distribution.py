from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inferometer.core.procedure import Procedure
from inferometer.core.record import Round
from inferometer.figures.summary import summarise
from inferometer.report.html.distribution import MOST_ON_PAGE, course, share_of_page


def make_round(index, values_s, *, phase="measure", process=0, settle=0, k=1):
    return Round(
        index=index,
        process=process,
        phase=phase,
        started_at=1000.0 + 10 * index,
        calls_per_value=k,
        settle=settle,
        starts_s=tuple(0.1 * n for n in range(len(values_s))),
        values_s=tuple(values_s),
    )


@pytest.fixture
def found(record):
    def find(*rounds, most=600):
        return course(replace(record(), rounds=rounds), most)

    return find


STEADY = [0.01 + 0.0001 * (n % 5) for n in range(50)]


def test_every_value_has_its_time_and_its_kind(found):
    warmup = make_round(0, [0.05, 0.02], phase="warmup")
    measured = make_round(1, [0.03, *STEADY, 0.2], settle=1)
    one = found(warmup, measured)
    assert [value.kind for value in one.values] == ["w", "w", "s", *"c" * 50, "o"]
    assert [value.at_s for value in one.values][:4] == pytest.approx([0, 0.1, 10, 10.1])
    assert one.values[-1].value_s == 0.2
    assert one.note == "54 values: 50 counted, 1 standing out, 1 after a switch, 2 of the warm-up."


def test_what_a_process_did_before_it_was_steady_is_warm_up(record):
    procedure = Procedure()
    slow = [make_round(n, [0.02 + 0.0001 * (i % 3) for i in range(20)]) for n in (0, 1)]
    steady = [make_round(n, [0.01 + 0.0001 * (i % 3) for i in range(20)]) for n in range(2, 14)]
    rounds = tuple(slow + steady)
    figures = summarise(record().workload, rounds, procedure)
    one = course(replace(record(), rounds=rounds, figures=figures), 600, procedure)
    counted = figures["latency_calls"]
    assert 200 < counted <= 240
    assert "".join(value.kind for value in one.values) == "w" * (280 - counted) + "c" * counted
    assert one.note == f"280 values: {counted} counted, {280 - counted} of the warm-up."


def test_figures_of_other_calls_than_those_known_are_told_of(record):
    kept = replace(record(latency_calls=20), rounds=(make_round(0, STEADY),))
    assert "The figures are of 20 calls" in course(kept, 600).note
    assert "The figures" not in course(replace(record(), rounds=kept.rounds), 600).note


def test_rest_and_energy_are_no_latencies(found):
    one = found(make_round(0, STEADY), make_round(1, [5.0], phase="idle"))
    assert one.total == 50
    assert found(make_round(0, [5.0], phase="energy")) is None
    assert found() is None


def test_rounds_are_put_in_the_order_of_time(found):
    later, earlier = make_round(3, [0.3]), make_round(1, [0.1], process=1)
    one = found(later, earlier)
    assert [value.value_s for value in one.values] == [0.1, 0.3]
    assert one.processes_s == (0.0, 20.0)


def test_the_histogram_holds_all_that_count_and_nothing_else(found):
    one = found(
        make_round(0, [9.0] * 30, phase="warmup"), make_round(1, [0.3, *STEADY, 0.2], settle=1)
    )
    assert sum(one.bins) == 51
    assert (one.low_s, one.high_s) == (0.01, 0.2)
    assert one.bins[-1] == 1
    assert found(make_round(0, STEADY[:5])).bins == ()
    assert found(make_round(0, [0.01] * 20 + [0.0100000001])).bins == ()  # one bin, of no width


def test_values_of_nothing_are_told_of(found):
    one = found(make_round(0, [*STEADY, 0.0, 0.0]))
    assert one.total == 50
    assert "2 further values of 0 s" in one.note


def test_thinning_keeps_the_rare_and_says_what_it_did(found):
    rounds = [make_round(n, [0.5, *STEADY], settle=1, k=3) for n in range(20)]
    one = found(*rounds, most=100)
    assert one.total == 1020
    assert len(one.values) <= 100
    assert sum(value.kind == "s" for value in one.values) == 20
    assert "Shown are 100" in one.note
    assert "A value is the mean of up to 3 calls." in one.note
    assert sum(one.bins) == 1000


@given(
    st.lists(st.floats(1e-6, 100), min_size=1, max_size=400),
    st.integers(0, 5),
    st.integers(8, 60),
)
def test_thinning_keeps_within_bounds_and_keeps_the_extremes_of_each_kind(values, settle, most):
    from inferometer.core.record import Record
    from inferometer.core.workload import Shape, Target, Variant, Workload

    workload = Workload(
        variant=Variant(model="m", backend="torch", precision="fp32"),
        target=Target(device="cpu", threads=1),
        shape=Shape(batch_size=1, input_size=None),
    )
    rounds = (make_round(0, values, settle=settle),)
    record = Record(workload=workload, status="ok", rounds=rounds)
    full, thin = course(record, 10_000), course(record, most)
    assert full.total == len(full.values) == len(values)
    assert len(thin.values) <= most
    times = [value.at_s for value in thin.values]
    assert times == sorted(times)
    assert set(thin.values) <= set(full.values)
    counted = [value.value_s for value in full.values if value.kind == "c"]
    kept = [value.value_s for value in thin.values if value.kind == "c"]
    if counted:
        assert (min(kept), max(kept)) == (min(counted), max(counted))
    assert thin.bins == full.bins


def test_a_page_of_many_workloads_has_a_bound_for_all():
    assert share_of_page(1) == 600
    assert share_of_page(2000) * 2000 <= MOST_ON_PAGE
    assert share_of_page(10**6) == 8
