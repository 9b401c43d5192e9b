"""What is found in studies made up from a known truth, and what is not."""

from __future__ import annotations

import sys
from dataclasses import replace
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import numpy as np
import pytest

from inferometer.analysis.anomalies import find_anomalies
from inferometer.analysis.grid import build
from inferometer.store.tables.importing import read_runs

LAB2 = Path(__file__).parents[3] / "data" / "lab2_jetson_nano_2gb.csv"


def load_studies():
    name = "inferometer_made_up_studies"
    spec = spec_from_file_location(name, Path(__file__).parents[1] / "studies.py")
    module = sys.modules[name] = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


studies = load_studies()
CELL = ("middle", 224, 8)


def found(**planted):
    return find_anomalies(build(studies.MadeUp(seed=1, **planted).records()))


def test_a_clean_study_has_none():
    assert found() == []


PLANTED = {
    "repeated_figure": {"copied": ((CELL, ("middle", 448, 8)),)},
    "faster_with_more_work": {"factor": {CELL: 0.3}},
    "jump": {"factor": {("large", 448, 8): 6.0, ("large", 448, 16): 6.0}},
    "off_fit": {"factor": {("small", 224, 4): 1.9}},
    "first_call_in_mean": {"first_call": (CELL,)},
    "device_changed": {"slower_after": 0.4, "slower_by": 1.3},
    "order_effect": {"after": "large", "after_by": 1.5},
}


@pytest.mark.parametrize("kind", PLANTED)
def test_what_was_planted_is_found(kind):
    kinds = {one.kind: one for one in found(**PLANTED[kind])}
    assert kind in kinds
    one = kinds[kind]
    assert one.causes
    assert one.sentence.endswith(".")
    assert one.rerun.startswith("inferometer run --resume 3fa91c02 --only ")


def test_cells_and_sizes_are_told():
    (fast,) = (one for one in found(factor={CELL: 0.3}) if one.kind == "faster_with_more_work")
    assert fast.cells == ("middle 224/4", "middle 224/8")
    assert 0.4 < fast.size < 0.8
    assert "1 of 8 series" in fast.sentence
    assert fast.rerun.endswith("--only middle:224/4,middle:224/8")
    jump = next(one for one in found(**PLANTED["jump"]) if one.kind == "jump")
    assert "large 448/8" in jump.cells
    assert jump.size == pytest.approx(6, rel=0.2)
    change = next(one for one in found(**PLANTED["device_changed"]) if one.kind == "device_changed")
    assert change.size == pytest.approx(1.3, rel=0.1)
    assert len(change.cells) == 44
    assert change.rerun.endswith("--only tiny,small,middle,large")  # all cells of each
    order = [one for one in found(**PLANTED["order_effect"]) if one.kind == "order_effect"]
    assert all("right after large" in one.sentence for one in order)
    assert order[0].size == pytest.approx(1.5, rel=0.15)


@pytest.mark.parametrize(("shape", "jumps"), [("1x64", True), ("1x3x64x64", False), (None, False)])
def test_twice_the_length_is_twice_the_positions_but_four_times_the_pixels(record, shape, jumps):
    records = [
        record("net", size=size, latency_s=s, input_shape=shape) for size, s in ((64, 1), (128, 5))
    ]
    assert ["each position" in one.sentence for one in find_anomalies(build(records))] == [
        True
    ] * jumps


def test_what_lies_beyond_a_jump_is_not_off_the_line_before_it(record):
    """The data no longer fit a cache: one finding, not one for each larger batch."""
    times = ((1, 85e-6), (2, 477e-6), (4, 0.046), (8, 0.118), (16, 0.174), (32, 0.412))
    records = [record("net", batch=batch, latency_s=s) for batch, s in times]
    assert [one.kind for one in find_anomalies(build(records))] == ["jump"]


def test_what_ran_just_before_is_told_from_all_rounds():
    """Each measured round of a follows a warm-up of b, which is no measured round."""
    records = {r.workload.variant.model: r for r in studies.MadeUp(seed=1).records()}
    one, other = records["tiny"], records["small"]
    logs = np.random.default_rng(3).permutation(np.repeat([1.0, 1.5], 12))

    def rounds(shift, phase):
        return tuple(
            replace(one.rounds[0], index=3 * at + shift, phase=phase, values_s=(scale,) * 5)
            for at, scale in enumerate(logs)
        )

    a = replace(one, rounds=rounds(1, "measure"))
    slow = tuple(done for done in rounds(0, "warmup") if done.values_s[0] > 1)
    fast = tuple(done for done in rounds(0, "energy") if done.values_s[0] == 1)
    b, c = replace(other, rounds=slow), replace(records["large"], rounds=fast)
    (found,) = [odd for odd in find_anomalies(build([a, b, c])) if odd.kind == "order_effect"]
    assert (
        "1.50\N{MULTIPLICATION SIGN} as long right after small as right after large"
        in found.sentence
    )
    assert found.cells == (f"tiny {one.workload.input_size}/{one.workload.batch_size}",)


def test_nothing_is_said_of_the_order_where_nothing_is_known_to_have_run_before():
    one = studies.MadeUp(seed=1).records()[0]
    rounds = tuple(replace(one.rounds[0], index=2 * at) for at in range(20))
    assert not find_anomalies(build([replace(one, rounds=rounds)]))


def test_a_repeated_figure_is_told_to_the_last_digit():
    (one,) = found(copied=((CELL, ("middle", 448, 8)),))[:1]
    assert one.kind == "repeated_figure"
    assert one.cells == ("middle 224/8", "middle 448/8")


def test_percentiles_of_few_calls(record):
    records = [record("net", batch=b, latency_p99_s=0.05, latency_calls=20) for b in (1, 2)]
    records.append(record("net", batch=4, latency_s=0.1, latency_p99_s=0.2, latency_calls=1000))
    (one,) = find_anomalies(build(records))
    assert (one.kind, one.cells) == ("few_calls", ("net 224/1", "net 224/2"))
    assert "368 calls" in one.sentence


def test_a_first_call_that_was_recorded_apart_is_not_in_the_mean(record):
    figures = {"latency_median_s": 1.0, "latency_std_s": 2.0, "latency_calls": 100}
    alike = record("net", latency_s=1.2, **figures)
    assert [one.kind for one in find_anomalies(build([alike]))] == ["first_call_in_mean"]
    apart = record("net", latency_s=1.2, first_call_s=21.0, **figures)
    assert find_anomalies(build([apart])) == []


def test_a_verdict_of_throttling_is_one_of_the_device(record):
    records = [record("net", verdict="throttled", causes=["the firmware throttled it"])]
    (one,) = find_anomalies(build(records))
    assert one.kind == "device_changed"
    assert one.causes == ("the firmware throttled it",)


def test_a_skewed_distribution_is_no_first_call(record):
    """The mean is above the median, but the deviation is not that of one call."""
    records = [record("net", latency_s=1.2, latency_median_s=1.0, latency_std_s=0.3,
                      latency_calls=100)]  # fmt: skip
    assert find_anomalies(build(records)) == []


def test_the_labs_table():
    (run,) = read_runs(LAB2).runs
    found = find_anomalies(build(run.records))
    assert found[0].kind == "repeated_figure"
    assert "2.90050734299" in found[0].sentence
    assert found[1].sentence.startswith("From batch size 8 to 16 latency falls in 7 of 8 series")
    jump = next(one for one in found if one.kind == "jump")
    assert "unet" in jump.sentence
    assert {"unet 448/8", "unet 448/16", "unet 448/2", "unet 448/4"} <= set(jump.cells)
    assert "swapped" in jump.causes[0]
    assert {one.rerun for one in found} == {""}  # an imported table cannot be measured again


def test_a_jump_is_put_down_to_swapping_only_where_that_may_be(record):
    def causes(verdict):
        records = [
            record("net", size=size, latency_s=s, half_s=s / 100, verdict=verdict)
            for size, s in ((64, 1), (128, 9))
        ]
        return " ".join(next(iter(find_anomalies(build(records)))).causes)

    assert "swapped, as the verdict says" in causes("swapped")
    assert "swapped" in causes("unknown")
    assert "swapped" not in causes("contended")
