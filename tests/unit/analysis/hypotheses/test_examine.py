"""What is said of hypotheses, on tables whose truth is known."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from inferometer.analysis.anomalies import find_anomalies
from inferometer.analysis.grid import build
from inferometer.analysis.hypotheses import examine
from inferometer.core.hypothesis import THE_LABS
from inferometer.store.tables.importing import read_runs

LAB2 = Path(__file__).parents[3] / "data" / "lab2_jetson_nano_2gb.csv"
PARAMETERS = {"tiny": 1_000_000, "small": 2_000_000, "middle": 8_000_000, "large": 12_000_000}


@pytest.fixture
def cell(record):
    """A measured cell with an interval of ± 1 %."""

    def make(model, latency_s, *, half=0.01, processes=3, **more):
        more = {"parameters": PARAMETERS.get(model), "verdict": "trusted"} | more
        return record(
            model,
            latency_s=latency_s,
            half_s=half * latency_s,
            latency_median_s=latency_s,
            latency_processes=processes,
            **more,
        )

    return make


def ask(records, text):
    (found,) = examine(build(records), [text])
    return found


def grown(cell, exponent, *, models=("small", "large"), batches=(1, 2, 4, 8)):
    return [
        cell(model, 0.01 * (1 + place) * batch**exponent, batch=batch)
        for place, model in enumerate(models)
        for batch in batches
    ]


def test_a_figure_that_grows_everywhere_supports_it(cell):
    found = ask(grown(cell, 0.9), "latency increases with batch_size")
    assert found.outcome == "supported"
    assert (found.strata, found.pairs, found.supporting, found.against) == (2, 6, 6, 0)
    (effect,) = found.effects
    assert effect.value == pytest.approx(0.9)
    assert "rises with batch size in 6 of 6 comparisons" in found.sentence


def test_the_other_direction_is_refuted_and_the_largest_step_named(cell):
    found = ask(grown(cell, 0.9), "latency decreases with batch_size")
    assert found.outcome == "refuted"
    assert found.sentence.startswith("Refuted: from batch size ")
    assert "latency is higher in 2 of 2 comparisons" in found.sentence


def test_some_steps_back_are_mixed(cell):
    records = grown(cell, 1.0)
    records[3] = cell("small", 0.02, batch=8)  # 0.04 s at 4
    found = ask(records, "latency increases with batch_size")
    assert (found.outcome, found.supporting, found.against) == ("mixed", 5, 1)
    assert "small: 40.0 ms at 224/4, 20.0 ms at 224/8" in found.counterexamples[0]


def test_differences_within_the_noise_are_undecided(cell):
    records = [cell("small", 0.01 * (1 + b / 1000), half=0.05, batch=b) for b in (1, 2, 4, 8)]
    found = ask(records, "latency increases with batch_size")
    assert (found.outcome, found.undecided) == ("undecided", 3)


def test_a_slope_over_all_decides_what_no_step_does(cell):
    """Three models that grow alike, each step within its noise."""
    records = [
        cell(model, 0.01 * batch**exponent, half=0.8, batch=batch)
        for model, exponent in (("small", 0.80), ("middle", 0.85), ("large", 0.90))
        for batch in (1, 2, 4)
    ]
    found = ask(records, "latency increases with batch_size")
    assert (found.outcome, found.supporting, found.against) == ("supported", 0, 0)
    assert "the exponent over all is 0.850 [0.726, 0.974], though one by one" in found.sentence
    assert ask(records, "latency decreases with batch_size").outcome == "refuted"


def test_the_slope_over_all_does_not_refute_what_a_step_shows(cell):
    """Three models that fall alike; one step up of one of them is sure, all others are noise."""
    rates = {
        "small": (1.0, 1.3, 0.5, 0.4),
        "middle": (1.0, 0.8, 0.5, 0.4),
        "large": (1, 0.8, 0.6, 0.4),
    }
    records = [
        cell(model, 0.01 * rate, half=0.01 if model == "small" and batch < 4 else 0.8, batch=batch)
        for model, seen in rates.items()
        for batch, rate in zip((1, 2, 4, 8), seen, strict=True)
    ]
    found = ask(records, "latency increases with batch_size")
    assert (found.outcome, found.supporting, found.against) == ("undecided", 1, 0)
    assert found.effects[0].high < 0


def test_what_one_process_cannot_show_is_allowed_for(cell):
    records = [cell("small", 0.01 * f, processes=1, batch=b) for b, f in ((1, 1), (2, 1.2))]
    found = ask(records, "latency increases with batch_size")
    assert found.outcome == "undecided"
    assert "one process" in found.limits[0]


def test_one_pair_of_models_that_is_always_the_other_way_round_refutes(cell):
    """As U-Net against ResNet-18: 5 of 6 pairs agree, yet the rule does not hold."""
    latency = {"tiny": 0.01, "small": 0.02, "middle": 0.09, "large": 0.05}
    records = [cell(m, s * b, batch=b) for m, s in latency.items() for b in (1, 2, 4)]
    found = ask(records, "latency increases with parameters")
    assert found.outcome == "refuted"
    assert (found.supporting, found.against) == (15, 3)
    assert "middle has fewer parameters than large, 8,000,000 against 12,000,000" in found.sentence
    assert "3 of 3 comparisons" in found.sentence
    exponent, order = found.effects
    assert exponent.low < 0 < exponent.high  # four models prove nothing
    assert order.value == pytest.approx(4 / 6)
    assert "p = 0.17" in order.method
    assert "0.042" in order.method
    assert any("no proof of a cause" in limit for limit in found.limits)


def test_what_orders_the_models_better_is_told(cell):
    latency = {"tiny": 0.01, "small": 0.02, "middle": 0.09, "large": 0.05}
    records = [
        cell(m, s * b, batch=b, macs=int(1e10 * s * b)) for m, s in latency.items() for b in (1, 2)
    ]
    found = ask(records, "latency increases with parameters")
    assert "order by MACs is nearer" in found.explanation
    assert "tau 1.00) than that by parameters (0.67)" in found.explanation
    assert ask(records, "latency increases with macs").outcome == "supported"


def test_a_cost_known_of_fewer_models_is_no_better_order(cell):
    latency = {"tiny": 0.01, "small": 0.02, "middle": 0.09, "large": 0.05}
    macs = {"tiny": 1, "small": 2}
    records = [cell(m, s, **{"macs": macs[m]} if m in macs else {}) for m, s in latency.items()]
    assert ask(records, "latency increases with parameters").explanation == ""


def test_models_are_ordered_by_their_costs_at_one_shape(cell):
    """Without its largest shapes a model would seem to have fewer operations than it has."""
    records = [
        cell(model, work * 0.01 * batch, batch=batch, macs=int(1e9 * work * batch))
        for model, work in (("tiny", 1), ("small", 2), ("large", 4))
        for batch in (1, 2, 4, 8)
        if model != "large" or batch == 1
    ]
    found = ask(records, "latency increases with macs")
    assert found.effects[1].value == pytest.approx(1)


def test_the_p_of_an_order_is_that_of_the_direction_expected(cell):
    latency = {"tiny": 0.01, "small": 0.02, "middle": 0.04, "large": 0.09}
    records = [cell(model, s) for model, s in latency.items()]
    order = ask(records, "throughput decreases with parameters").effects[1]
    assert order.value == pytest.approx(-1)
    assert "p = 0.042 by permutation" in order.method


def test_a_model_without_any_parameters_is_compared_too(cell):
    records = [cell("pool", 0.02, parameters=0), cell("tiny", 0.01), cell("large", 0.05)]
    found = ask(records, "latency increases with parameters")
    assert (found.supporting, found.against) == (2, 1)
    assert "pool has fewer parameters than tiny, 0 against 1,000,000" in found.sentence
    assert "means of 2 models" in found.effects[0].method  # 0 has no logarithm
    assert ask(records[:2], "latency scales linearly with parameters").effects == ()


def test_runs_with_the_same_number_of_threads_are_no_step(cell):
    records = [
        cell("small", s, threads=threads, run_id=run)
        for run, threads, s in (("a", 1, 0.04), ("b", 2, 0.03), ("c", 2, 0.02), ("d", 4, 0.01))
    ]
    found = ask(records, "latency decreases with threads")
    assert (found.pairs, found.supporting) == (4, 4)  # 1 to 2 and 2 to 4, twice each
    assert "small (4 threads, d): 10.0 ms" in ask(records, "latency rises with threads").sentence


def test_devices_are_compared_with_the_threads_and_in_all_runs_that_they_have(cell):
    records = [
        cell("small", s, device_name=name, threads=threads, run_id=run)
        for name, threads, run, s in (
            ("pi", 4, "a", 0.4),
            ("pi", 4, "b", 0.5),
            ("nano", 6, "c", 0.1),
        )
    ]
    found = ask(records, "nano is faster than pi")
    assert (found.outcome, found.pairs, found.supporting) == ("supported", 2, 2)


def test_models_under_different_settings_are_not_compared(cell):
    records = [cell("small", 0.1, threads=1), cell("large", 0.05, threads=2)]
    assert ask(records, "latency increases with parameters").outcome == "untestable"


@pytest.mark.parametrize(
    ("exponent", "outcome"), [(1.0, "supported"), (0.7, "refuted"), (1.4, "refuted")]
)
def test_linear(cell, exponent, outcome):
    found = ask(grown(cell, exponent), "latency scales linearly with batch_size")
    assert found.outcome == outcome
    assert found.effects[0].value == pytest.approx(exponent)
    assert [limit.split(",")[0][:20] for limit in found.limits] == ["The intervals of the"]


def test_linear_in_a_property_is_asked_of_the_models_at_each_shape(cell):
    latency = {"tiny": 0.01, "small": 0.02, "middle": 0.08, "large": 0.12}  # as their parameters
    records = [cell(m, s * b, batch=b) for m, s in latency.items() for b in (1, 2)]
    found = ask(records, "latency scales linearly with parameters")
    assert (found.outcome, found.strata, found.pairs, found.supporting) == ("supported", 2, 2, 2)
    assert "means of 4 models" in found.effects[0].method


def test_two_points_do_not_tell_a_line(cell):
    records = grown(cell, 1.0, batches=(1, 2))
    assert ask(records, "latency scales linearly with batch_size").outcome == "undecided"


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("small is faster than large", "supported"),
        ("small is slower than large", "refuted"),
        ("small is at least twice as fast as large", "undecided"),
        ("small is at least 1.8 times as fast as large", "supported"),
        ("small is at least 3 times as fast as large", "refuted"),
        ("small is faster than gigantic", "untestable"),
    ],
)
def test_ratios_of_models(cell, text, outcome):
    found = ask(grown(cell, 1.0), text)
    assert found.outcome == outcome
    if outcome != "untestable":
        (effect,) = found.effects
        assert effect.value == pytest.approx(0.5)


def test_what_is_not_in_the_table_is_named_beside_what_is(cell):
    records = [cell("torchvision:small", 0.1), cell("large", 0.2, precision="bf16")]
    found = ask(records, "gigantic is faster than large")
    assert found.sentence == (
        "Untestable: the table has no 'gigantic'; it has torchvision:small, small, large, fp32, "
        "bf16, torch, cpu, board."
    )
    assert (
        "at small has one at large beside it" in ask(records, "small is faster than large").sentence
    )


def test_a_ratio_of_precisions_holds_the_model_fixed(cell):
    records = [
        cell(model, s, precision=p)
        for model, speed in (("small", 0.4), ("large", 0.8))
        for p, s in (("fp32", 0.1), ("bf16", 0.1 * speed))
    ]
    found = ask(records, "latency at bf16 is at most half of fp32")
    assert (found.outcome, found.supporting, found.against) == ("mixed", 1, 1)
    assert "large" in found.counterexamples[0]


def test_energy_of_a_call_and_of_an_input(cell):
    records = [
        cell("small", 0.1, batch=b, energy_per_inference_j=4 / b**0.5, energy_uncertainty_j=0.02)
        for b in (1, 4, 16)
    ]
    assert ask(records, "energy increases with batch_size").outcome == "supported"
    found = ask(records, "energy per input decreases with batch_size")
    assert found.outcome == "supported"
    assert found.effects[0].value == pytest.approx(-0.5)


def test_failed_workloads_do_not_count(cell, record):
    records = [*grown(cell, 1.0), record("small", batch=16, failure="out_of_memory")]
    assert ask(records, "latency increases with batch_size").pairs == 6


def test_doubtful_figures_are_counted(cell):
    records = [cell("small", 0.01 * b, batch=b, verdict="contended") for b in (1, 2)]
    assert "2 of 2 figures" in ask(records, "latency increases with batch_size").limits[0]


@pytest.mark.parametrize(
    ("std", "outcome"), [(0.01, "supported"), (0.4, "undecided"), (0.0, "supported")]
)
def test_means_with_their_deviation_are_more_than_a_sign(record, std, outcome):
    records = [
        record("net", batch=b, latency_s=s, latency_std_s=std, latency_calls=10)
        for b, s in ((1, 0.1), (2, 0.2))
    ]
    found = ask(records, "latency increases with batch_size")
    assert found.outcome == outcome
    assert ("sign alone" in found.limits[0]) == (std == 0)  # rounded away


@pytest.mark.parametrize(("origin", "outcome"), [("imported", "mixed"), ("measured", "supported")])
def test_a_small_difference_of_few_calls_measured_here_is_no_objection(record, origin, outcome):
    """A board's run of two calls a cell: 1.58 s, 1.54 s and 4 s."""
    records = [
        replace(one, run={**one.run, "origin": origin})
        for one in (
            record("net", batch=b, latency_s=s)
            for b, s in ((8, 0.5), (36, 1.58), (40, 1.54), (80, 4))
        )
    ]
    found = ask(records, "latency increases with batch_size")
    assert (found.outcome, found.supporting) == (outcome, 2)
    assert ("more than 25 %" in found.limits[0]) == (origin == "measured")
    kinds = [one.kind for one in find_anomalies(build(records))]
    assert ("faster_with_more_work" in kinds) == (origin == "imported")


def test_a_ratio_of_one_pair_has_the_interval_of_its_comparison(cell, record):
    (effect,) = ask([cell("a", 0.1), cell("b", 0.2)], "a is faster than b").effects
    assert effect.low < effect.value < effect.high
    assert "interval of its comparison" in effect.method
    (effect,) = ask([record("a", latency_s=1.0), record("b")], "a is slower than b").effects
    assert (effect.low, effect.method) == (None, "one stratum, without intervals")


def test_what_cannot_be_read_is_untestable(cell):
    """A run may be of a version that knew other forms, or let more pass."""
    found = ask([cell("small", 0.1)], "small is faster than small")
    assert found.outcome == "untestable"
    assert found.sentence == "Untestable: 'small' cannot be compared with itself."


def test_an_empty_table_can_be_asked():
    assert [one.outcome for one in examine(build([]), THE_LABS)] == ["untestable"] * 3


def test_the_labs_table():
    """The lab's own discussion said that latency follows the parameter count."""
    (run,) = read_runs(LAB2).runs
    grid = build(run.records)
    parameters, size, batch = examine(grid, THE_LABS)
    assert parameters.outcome == "refuted"
    assert "unet has fewer parameters than resnet18" in parameters.sentence
    assert "11 of 11 comparisons" in parameters.sentence
    assert (size.outcome, size.supporting, size.undecided) == ("supported", 19, 1)
    assert "very same figure stands on both sides of 1: resnet18 224/16 and 448/16" in size.sentence
    assert batch.outcome == "mixed"
    assert batch.counterexamples[0].startswith(
        "from batch size 8 to 16, latency is lower in 7 of 8"
    )
    for one in (parameters, size, batch):
        assert any("sign alone" in limit for limit in one.limits)


def test_true_hypotheses_are_hardly_ever_refuted(cell):
    """Sixty noisy studies: latency grows with the batch and the parameters by a tenth a step."""
    rng = np.random.default_rng(7)
    refuted = 0
    for _ in range(60):
        records = []
        for place, model in enumerate(PARAMETERS):
            for batch in (1, 2, 4):
                true = 0.01 * 1.1 ** (place + math.log2(batch))
                logs = math.log(true) + 0.04 * rng.standard_normal(3)
                half = 4.303 * logs.std(ddof=1) / math.sqrt(3)
                middle = math.exp(logs.mean())
                records.append(cell(model, middle, half=math.sinh(half), batch=batch))
        found = examine(build(records), [THE_LABS[0], THE_LABS[2]])
        refuted += sum(one.outcome == "refuted" for one in found)
    assert refuted <= 6  # 5 % of 120
