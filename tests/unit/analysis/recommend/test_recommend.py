"""Recommendations from records made by hand, and from fronts that are known."""

from __future__ import annotations

import numpy as np
import pytest

from inferometer.analysis.recommend import recommend
from inferometer.analysis.recommend.further import further
from inferometer.analysis.recommend.rows import to_json
from inferometer.core.errors import InputError
from inferometer.core.record import Failure, Record
from inferometer.core.workload import Shape, Target, Variant, Workload
from inferometer.stats.intervals import Interval

MS = 1e-3


def make(model, latency_ms=None, *, batch=1, size=224, failed=False, **figures):
    """A record of five processes; `accuracy` and others are given as in an export."""
    known = {"latency_processes": 5, "verdict": "trusted"}
    if latency_ms is not None:
        value, half = latency_ms * MS, figures.pop("half", 0.02)
        known |= {
            "latency_median_s": value, "latency_confidence": 0.95,
            "latency_ci_low_s": value * (1 - half), "latency_ci_high_s": value * (1 + half),
        }  # fmt: skip
    if "accuracy" in figures:
        value, half = figures["accuracy"], figures.pop("accuracy_half", 0.02)
        known |= {
            "accuracy_ci_low": value - half, "accuracy_ci_high": value + half,
            "accuracy_metric": "top1", "accuracy_examples": 500, "dataset": "digits",
        }  # fmt: skip
    return Record(
        workload=Workload(
            variant=Variant(model=model, backend="torch", precision="fp32"),
            target=Target(threads=2),
            shape=Shape(batch_size=batch, input_size=size),
        ),
        status="failed" if failed else "ok",
        failure=Failure(stage="load", kind="crash", message="It died.") if failed else None,
        figures=known | figures,
        run={"run_id": "3fa91c02", "device_name": "board"},
    )


def labels(found):
    return [one.point.label for one in found]


THREE = (
    make("fast", 10, accuracy=0.80),
    make("middle", 20, accuracy=0.90),
    make("slow", 40, accuracy=0.97),
)


def test_the_most_accurate_within_a_limit_of_latency_is_taken():
    found = recommend(THREE, {"latency": 25 * MS}, "accuracy")
    assert found.choice.placed.point.label == "middle 224/1"
    assert found.choice.placed.meets > 0.999
    assert found.choice.best > 0.999
    assert not found.tied
    assert labels(found.unmet) == ["slow 224/1"]
    assert found.unmet[0].misses[0].excess == pytest.approx(0.6)


def test_without_limits_all_that_trade_are_on_the_front():
    found = recommend([*THREE, make("bad", 45, accuracy=0.85)])
    assert labels(found.front) == ["fast 224/1", "middle 224/1", "slow 224/1"]
    assert [one.on_front for one in found.front] == [1.0] * 3
    (bad,) = found.dominated
    assert (bad.by.label, bad.dominated > 0.999) == ("slow 224/1", True)


def test_none_within_the_limits_gives_the_least_beyond_them():
    found = recommend(THREE, {"latency": 15 * MS, "accuracy": 0.95}, "latency")
    assert found.choice is None
    assert found.closest.point.label == "fast 224/1"
    assert found.closest.misses[0].excess == pytest.approx(0.15 / 0.95)
    assert len(found.unmet) == 3


FASTEST = (make("fast", 10, accuracy=0.925), make("slow", 30, accuracy=0.935))


def test_a_fastest_that_is_insignificantly_less_accurate_is_a_tie_and_no_loss():
    found = recommend(FASTEST, prefer="accuracy")
    assert found.choice.placed.point.label == "fast 224/1"
    assert found.choice.leader.point.label == "slow 224/1"
    assert found.choice.broken_by == "latency"
    assert labels(one.placed for one in found.tied) == ["slow 224/1"]
    assert 0.5 < found.tied[0].better < 0.95


def test_one_that_is_undecided_rather_than_alike_stays_a_tie_but_is_not_taken():
    pair = (make("fast", 10, accuracy=0.914), FASTEST[1])
    found = recommend(pair, prefer="accuracy")
    assert found.choice.placed.point.label == "slow 224/1"
    (tie,) = found.tied
    assert (tie.placed.point.label, tie.gains) == ("fast 224/1", ("latency",))


def test_pairs_on_the_same_samples_tell_apart_what_intervals_alone_do_not():
    """All but a few samples are judged alike: the difference is much surer than either accuracy."""
    found = recommend(
        FASTEST, prefer="accuracy", paired=lambda *_: Interval(low=-0.012, high=-0.008)
    )
    assert found.choice.placed.point.label == "slow 224/1"
    assert not found.tied
    assert found.choice.best > 0.999


def test_a_limit_within_an_interval_is_a_risk_and_a_safer_one_is_named():
    found = recommend(THREE, {"latency": 20.1 * MS}, "accuracy")
    assert found.choice.placed.point.label == "middle 224/1"
    assert 0.5 < found.choice.placed.meets < 0.95
    assert found.choice.safer.point.label == "fast 224/1"
    assert [one.why for one in further(found)] == ["limit"]


def test_what_may_keep_to_a_limit_and_would_win_is_tied():
    found = recommend(THREE, {"accuracy": 0.81}, "latency")
    assert found.choice.placed.point.label == "middle 224/1"
    assert labels(one.placed for one in found.tied) == ["fast 224/1"]
    assert 0.05 < found.tied[0].placed.meets < 0.5


def test_a_figure_without_an_interval_is_never_sure():
    pair = [make(name, value, half=0.0) for name, value in (("a", 10), ("b", 11))]
    bare = [
        make(one.workload.variant.model, latency_mean_s=one.number("latency_median_s"))
        for one in pair
    ]
    sure, unsure = (recommend(records, prefer="latency") for records in (pair, bare))
    assert sure.choice.best > unsure.choice.best
    assert unsure.choice.best < 0.9
    assert unsure.front[0].point.figures["latency"].precision == "unknown"
    assert labels(one.placed for one in unsure.tied) == ["b 224/1"]


def test_a_single_process_says_less_than_several():
    several = [make("a", 10), make("b", 11.5)]
    single = [make("a", 10, latency_processes=1), make("b", 11.5, latency_processes=1)]
    assert recommend(several, prefer="latency").choice.best > 0.999
    found = recommend(single, prefer="latency")
    assert found.choice.best < 0.95
    assert further(found)[0].command.endswith("--processes 3")


def test_what_all_latencies_of_a_fit_have_in_common_does_not_blur_their_order_but_the_limit():
    joint = [
        make(
            model, ms, half=0.2, latency_relative_freedom=30.0,
            latency_relative_ci_low_s=0.99 * ms * MS, latency_relative_ci_high_s=1.01 * ms * MS,
        )
        for model, ms in (("a", 10), ("b", 11))
    ]  # fmt: skip
    found = recommend(joint, {"latency": 10.5 * MS}, "latency")
    assert found.choice.best == pytest.approx(found.choice.placed.meets)
    assert 0.6 < found.choice.placed.meets < 0.8
    assert found.placed[1].dominated > 0.999


def test_the_throughput_is_that_of_the_same_latency_and_its_batch():
    records = [make("a", 10 * batch**0.5, batch=batch) for batch in (1, 4, 16)]
    found = recommend(records, {"latency": 25 * MS}, "throughput")
    assert found.choice.placed.point.label == "a 224/4"
    latency, throughput = (found.weighed.names.index(name) for name in ("latency", "throughput"))
    product = found.drawn[:, :, latency] * found.drawn[:, :, throughput]
    assert np.allclose(product, [1, 4, 16])


def test_a_lacking_figure_makes_a_workload_unknown_and_says_why():
    records = [*THREE, make("blind", 5), make("dead", failed=True)]
    found = recommend(records, {"accuracy": 0.5})
    assert {one.label: one.why for one in found.unknown} == {
        "blind 224/1": "no accuracy in the record",
        "dead 224/1": "failed: It died.",
    }
    (step,) = [one for one in further(found) if one.why == "unknown"]
    assert step.workloads == ("blind 224/1",)
    assert "--models blind" in step.command
    assert "--data DATA" in step.command


def test_one_shape_is_compared_unless_others_can_win():
    records = [make(m, 10 * b, batch=b, size=s) for m in "ab" for b in (1, 8) for s in (224, 448)]
    assert [one.label for one in recommend(records).weighed.shapes] == ["224/1"]
    assert recommend(records).weighed.left_out == 6
    by_throughput = recommend(records, prefer="throughput").weighed
    assert [one.label for one in by_throughput.shapes] == ["224/1", "224/8"]
    asked = recommend(records, sizes=[448], batches=[8]).weighed
    assert [one.label for one in asked.shapes] == ["448/8"]
    with pytest.raises(InputError, match="no workload has such a shape; there are 224/1, 224/8"):
        recommend(records, batches=[3])


def test_accuracies_of_two_kinds_are_refused_where_they_count_and_left_out_where_not():
    records = [THREE[0], make("other", 20, accuracy=0.9, dataset="mnist_5k")]
    with pytest.raises(InputError, match=r"top1 on digits \(1\), top1 on mnist_5k \(1\)"):
        recommend(records, {"accuracy": 0.5})
    found = recommend(records)
    assert "accuracy" not in found.weighed.names
    assert "accuracy is left out" in found.weighed.notes[0]


def test_of_errors_fewer_are_better():
    records = [
        make(name, ms, accuracy=rate, accuracy_metric="wer")
        for name, ms, rate in (("fast", 10, 0.30), ("slow", 20, 0.10))
    ]
    found = recommend(records, {"accuracy": 0.2}, "accuracy")
    assert found.choice.placed.point.label == "slow 224/1"
    assert labels(found.unmet) == ["fast 224/1"]
    assert labels(recommend(records).front) == ["fast 224/1", "slow 224/1"]


def test_batches_that_one_pass_judged_are_as_accurate_as_each_other():
    records = [
        make("a", ms, batch=batch, accuracy=0.9, accuracy_batch_size=8)
        for batch, ms in ((1, 10), (8, 40))
    ]
    found = recommend(records, {"accuracy": 0.5}, batches=[1, 8])
    place = found.weighed.names.index("accuracy")
    assert np.allclose(found.drawn[:, 0, place], found.drawn[:, 1, place])


def test_more_samples_are_those_that_shrink_the_interval_to_the_difference():
    pair = (make("fast", 10, accuracy=0.91), make("slow", 30, accuracy=0.93))
    (step,) = further(recommend(pair, prefer="accuracy"))
    wide = np.hypot(0.02, 0.02) / 0.02
    assert step.more == pytest.approx(500 * (wide**2 - 1), rel=0.1)
    assert (step.unit, step.worth) == ("samples", True)
    assert step.command.endswith("--data DATA")  # whether there are so many, no record knows
    alike = (make("fast", 10, accuracy=0.93), make("slow", 30, accuracy=0.9301))
    (step,) = further(recommend(alike, prefer="accuracy"))
    assert (step.worth, step.command) == (False, "")


def test_a_preference_without_figures_leaves_no_choice():
    found = recommend(THREE, prefer="energy")
    assert (found.choice, found.closest, found.placed) == (None, None, ())
    assert found.unknown[0].why == "no energy in the record"
    with pytest.raises(InputError, match="no workload has a figure for latency"):
        recommend([make("a", peak_memory_bytes=1)])


PLACED = {
    "label", "workload", "run_id", "device_name", "model", "backend", "precision", "device",
    "threads", "batch_size", "input_size", "figures", "probability_on_front", "probability_meets",
}  # fmt: skip


def test_the_json_has_its_documented_names():
    records = [*FASTEST, make("bad", 90, accuracy=0.85), make("blind", 5)]
    row = to_json(recommend(records, {"latency": 50 * MS}, "accuracy"))
    assert set(row) == {
        "choice", "tied", "front", "dominated", "unmet", "next", "closest", "unknown", "prefer",
        "limits", "criteria", "accuracy_metric", "shapes", "left_out", "notes",
    }  # fmt: skip
    assert set(row["choice"]) == PLACED | {
        "probability_best", "tie_broken_from", "tie_broken_by", "safer",
    }  # fmt: skip
    assert set(row["tied"][0]) == PLACED | {
        "probability_better", "ratio", "ratio_low", "ratio_high", "better_in",
    }  # fmt: skip
    assert set(row["front"][0]) == PLACED
    assert set(row["dominated"][0]) == PLACED | {"by", "by_workload", "probability_dominated"}
    assert set(row["unmet"][0]) == PLACED | {"misses"}
    assert set(row["unmet"][0]["misses"][0]) == {
        "name", "limit", "value", "excess", "probability_meets",
    }  # fmt: skip
    assert {"label", "lacks", "why"} < set(row["unknown"][0])
    assert set(row["next"][0]) == {
        "why", "name", "workloads", "more", "unit", "worth_it", "command",
    }  # fmt: skip
    assert row["choice"]["figures"]["latency"] == {
        "value": 0.01, "low": 0.0098, "high": 0.0102, "precision": "interval",
    }  # fmt: skip
    assert row["limits"] == [{"name": "latency", "at": "most", "value": 0.05}]


def test_the_choice_is_on_the_true_front_where_separations_exceed_the_intervals():
    """Figures are the truth with an error of their interval; the nearest are twice that apart."""
    hits = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        latency = 10 * 1.15 ** rng.permutation(8)
        accuracy = 0.5 + 0.05 * rng.permutation(8)
        on_front = {
            i
            for i in range(8)
            if not any(latency[j] < latency[i] and accuracy[j] > accuracy[i] for j in range(8))
        }
        seen = latency * np.exp(0.03 / 1.96 * rng.standard_normal(8))
        right = accuracy + 0.012 / 1.96 * rng.standard_normal(8)
        records = [
            make(f"m{i}", seen[i], half=0.03, accuracy=right[i], accuracy_half=0.012)
            for i in range(8)
        ]
        limit = float(np.median(latency)) * MS
        found = recommend(records, {"latency": limit}, "accuracy")
        hits += int(found.choice.placed.point.label[1]) in on_front
    assert hits >= 57
