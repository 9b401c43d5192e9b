"""Explanations of planted models: what is true of them is said, and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from inferometer.analysis.explain import why
from inferometer.analysis.grid import build
from inferometer.analysis.ordering import factors
from inferometer.analysis.parts import parts_of
from inferometer.core.roofline import Attained, Roofline


def attained(rate):
    return Attained(best=rate, median=rate, repeats=5, what="planted")


ROOFLINE = Roofline(
    device="cpu", precision="fp32", threads=2, flops=attained(1e11), memory=attained(1e10),
    cache=None, dispatch_s=1e-5, at=0.0,
)  # fmt: skip
FLOPS, BYTES = ROOFLINE.flops.best, ROOFLINE.memory.best


@pytest.fixture
def planted(record):
    """A record of so many seconds of arithmetic, moving and dispatch, and a remainder."""

    def plant(model, arithmetic_s, moving_s, calls=10, rest_s=0.0, *, start_s=1e-5, **more):
        dispatch = calls * start_s
        flops = int(more.pop("flops", arithmetic_s * FLOPS))
        work = arithmetic_s + moving_s
        figures = {
            "flops": flops,
            "macs": flops // 2,
            "operator_bytes": int(moving_s * BYTES) or 1,
            "operator_calls": calls,
            "operator_roof_latency_s": work,
            "memory_bound_share": moving_s / work if work else 0.0,
            "dispatch_latency_s": dispatch,
        }
        latency = work + dispatch + rest_s
        return record(model, latency_s=latency, half_s=latency * 0.01, **figures | more)

    return plant


def told(records, rooflines=None, kinds=()):
    grid = build(records)
    found = why(grid, *grid.columns, grid.shapes[0], rooflines)
    return " ".join(one.sentence for one in found if not kinds or one.kind in kinds)


def test_a_twentieth_of_the_operations_at_half_the_time_is_memory(planted):
    small = planted("small", 0.001, 0.049, flops=0.005 * FLOPS)
    large = planted("large", 0.1, 0.0)
    text = told([small, large], {"3fa91c02": [ROOFLINE]})
    assert "small does 1/20.0 of the FLOPs of large, but takes 1/2.00 of its time at 224/1" in text
    assert (
        "small does 9.98 GFLOP/s (10 % of the attained arithmetic rate), large 99.9 GFLOP/s (100 %"
        in text
    )
    assert "small is memory-bound: moving its operators' data alone is 98 % of its time." in text
    assert "not explained" not in text


def test_rates_stand_alone_where_no_roofline_is_known(planted):
    text = told([planted("small", 0.001, 0.045), planted("large", 0.1, 0.001)])
    assert "GFLOP/s" in text
    assert "arithmetic rate" not in text


def test_more_operations_that_explain_the_time_are_called_the_reason(planted):
    records = [planted("resnet", 0.03, 0.001), planted("unet", 0.15, 0.02)]
    text = told(records)
    assert "unet does 5.00\u00d7 the FLOPs of resnet and takes 5.47\u00d7 its time at 224/1" in text
    assert "leads one to expect" in text
    assert "memory-bound" not in text
    assert (
        "Of the 139 ms between resnet and unet, 120 ms is arithmetic at the "
        "attained rate, 19.0 ms is moving data; the rest is 0 s" in text
    )


def test_fewer_operations_and_slower_is_not_operations(planted):
    records = [planted("a", 0.02, 0.001), planted("b", 0.01, 0.08)]
    text = told(records)
    assert "b does 1/2.00 of the FLOPs of a, yet takes 4.27\u00d7 its time at 224/1" in text
    assert "the number of operations is not the reason" in text
    assert "b is memory-bound" in text


def test_operations_within_the_interval_of_the_ratio_are_not_said_to_be_no_reason(planted):
    """1.4 times the operations and 1.5 times the time, which may be 1.35 or 1.67."""
    sides = {"latency_median_s": 0.1, "latency_processes": 3}
    near = planted("a", 0.1, 0.0, **sides)
    more = {"latency_median_s": 0.15, "latency_ci_low_s": 0.138, "latency_ci_high_s": 0.163}
    text = told([near, planted("b", 0.15, 0.0, flops=0.14 * FLOPS, **sides | more)])
    assert "b does 1.40\u00d7 the FLOPs of a and takes 1.50\u00d7 its time" in text
    assert "not the reason" not in text
    sure = {"latency_ci_low_s": 0.1499, "latency_ci_high_s": 0.1501}
    text = told([near, planted("b", 0.15, 0.0, flops=0.11 * FLOPS, **sides | more | sure)])
    assert "the number of operations is not the reason" in text


def test_dispatch_overhead_of_many_small_operators_is_named(planted):
    records = [planted("a", 0.02, 0.001), planted("b", 0.001, 0.0005, calls=800)]
    text = told(records)
    assert "8.00 ms dispatching 800 operators" in text
    assert "Dispatch overhead takes 84 % of the time of b." in text
    assert "memory-bound" not in text


@pytest.mark.parametrize(
    ("share", "outside"), [(0.1, 0.0), (0.4, 0.0), (0.9, 0.9), (0.9, 5.0), (0.0, 0.0)]
)
def test_what_is_little_of_the_time_is_never_called_the_limit(planted, share, outside):
    small = planted("a", 0.01 * (1 - share), 0.01 * share, rest_s=0.01 * outside * 3)
    text = told([small, planted("b", 1.0, 0.0)])
    assert "memory-bound" not in text


part_s = st.floats(1e-6, 1.0)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(part_s, part_s, st.integers(1, 1000), st.floats(0.0, 3.0))
def test_a_limit_is_named_only_where_it_is_most_of_the_time(
    planted, arithmetic, moving, calls, rest
):
    one = planted("a", arithmetic, moving, calls, rest_s=rest)
    made = parts_of(one)
    shares = [made.share(s) for s in (made.moving_s, made.arithmetic_s, made.unexplained_s)]
    assume(all(abs(share - 0.5) > 1e-9 for share in shares))
    assert made.explained_s + made.unexplained_s == pytest.approx(made.latency_s)
    text = told([one, planted("b", 30.0, 0.0)])
    assert ("a is memory-bound" in text) == (shares[0] > 0.5)
    assert ("a is compute-bound" in text) == (shares[1] > 0.5)


def test_the_unexplained_is_called_that(planted):
    text = told([planted("a", 0.001, 0.001, rest_s=0.02), planted("b", 0.2, 0.001)])
    assert "20.0 ms (90 %) is explained by none of these" in text


def test_parts_above_the_latency_are_not_called_a_cause(planted):
    text = told([planted("a", 0.001, 0.02, rest_s=-0.01), planted("b", 0.5, 0.001)])
    assert "more than was measured" in text
    assert "or faster than was measured" in text
    assert "memory-bound" not in text


def test_a_workload_above_its_roofline_is_not_called_bound_by_it(planted):
    text = told(
        [planted("a", 0.02, 0.001, rest_s=-0.01), planted("b", 0.5, 0.0, rest_s=-0.3)],
        kinds=("limit",),
    )
    assert "the rate was measured too low" in text
    assert "bound by arithmetic" not in text


def test_equal_latencies_have_nothing_to_explain(planted):
    text = told([planted("a", 0.02, 0.001), planted("b", 0.02, 0.001)])
    assert text == "a and b cannot be told apart at 224/1: there is nothing to explain."


def test_without_counted_operations_nothing_is_made_up(record):
    text = told([record("a", latency_s=1.0), record("b", latency_s=2.0)])
    assert text == ("Why b is slower than a cannot be told: their operations were not counted.")


def test_what_was_not_measured_is_not_explained(record):
    assert told([record("a"), record("b", failure="crash")]) == ""


def test_operations_alone_still_say_what_they_can(record):
    records = [record("a", latency_s=1.0, flops=10**9), record("b", latency_s=2.0, flops=10**9)]
    text = told(records)
    assert "about as many FLOPs" in text
    assert "1.00 GFLOP/s" in text
    assert "bound" not in text


def test_what_a_call_takes_whatever_its_batch_is_told(planted):
    """30 ms a call and 10 ms an input: 75 % of a call of one input."""
    grid = build(
        [planted("a", 0.001, 0.0, batch=b, rest_s=0.029 + 0.01 * b - 1e-4) for b in (1, 2, 4, 8)]
        + [planted("b", 1.0, 0.0)]
    )
    (found,) = [one for one in why(grid, *grid.columns, grid.shapes[0]) if one.kind == "per call"]
    assert found.figures["fixed_s"] == pytest.approx(0.03, rel=0.01)
    assert (
        "do not depend on the batch, 3.00 ms for each operator: 75 % of this call."
        in found.sentence
    )


@pytest.mark.parametrize("batches", [(1, 2), (1, 2, 4, 8)])
def test_nothing_is_said_of_a_fixed_part_that_is_none_or_cannot_be_fitted(planted, batches):
    fixed = 0.02 if len(batches) == 2 else 0.0
    grid = build(
        [planted("a", 0.001 * b, 0.0, calls=1, batch=b, rest_s=fixed) for b in batches]
        + [planted("b", 1.0, 0.0)]
    )
    assert "per call" not in [one.kind for one in why(grid, *grid.columns, grid.shapes[0])]


def test_doubts_are_told(planted):
    records = [
        planted("a", 0.02, 0.001, verdict="contended"),
        planted("b", 0.2, 0.001, verdict="trusted", unknown_operators=["aten.odd (2)"]),
    ]
    text = told(records, kinds=("doubt", "incomplete"))
    assert "The latency of a is called contended" in text
    assert "The FLOPs of b are without those of aten.odd (2)" in text


def test_an_accelerator_is_given_operators_while_it_works(planted):
    one = parts_of(planted("a", 0.001, 0.002, calls=100, device="cuda"))
    assert one.explained_s == pytest.approx(0.003)
    assert one.unexplained_s == pytest.approx(0.001)
    assert parts_of(planted("a", 0.001, 0.002, calls=100)).unexplained_s == pytest.approx(
        0, abs=1e-12
    )


def test_the_order_of_four_models_is_that_of_their_operations(planted):
    times = {"m": 0.002, "s": 0.02, "r": 0.04, "u": 0.2}
    counts = {"m": 2_500, "s": 1_200, "r": 11_700, "u": 7_800}
    records = [planted(name, t, t / 9, parameters=counts[name]) for name, t in times.items()]
    grid = build(records)
    found = {one.name: one for one in factors(grid, grid.columns, grid.shapes[0])}
    assert [column.label for column in found["FLOPs"].columns] == list("msru")
    assert found["FLOPs"].agrees
    assert found["FLOPs"].chance == pytest.approx(1 / 24)
    assert found["FLOPs"].spread < 1.1
    assert not found["parameters"].agrees
    assert (found["parameters"].concordant, found["parameters"].pairs) == (4, 6)


def test_pairs_that_are_not_apart_do_not_count(planted):
    records = [planted(name, t, 0.0) for name, t in (("a", 0.1), ("b", 0.1001), ("c", 0.3))]
    grid = build(records)
    (found,) = [f for f in factors(grid, grid.columns, grid.shapes[0]) if f.name == "FLOPs"]
    assert (found.pairs, found.chance) == (2, None)


def test_a_cost_that_one_model_lacks_orders_nothing(planted, record):
    records = [planted("a", 0.1, 0.0), planted("b", 0.2, 0.0), record("c", latency_s=0.3)]
    grid = build(records)
    assert factors(grid, grid.columns, grid.shapes[0]) == []
    assert factors(grid, grid.columns[:2], grid.shapes[0]) == []
