import hashlib
from dataclasses import replace

import numpy as np
import pytest

from inferometer.core.dataset import Evaluation, Kept, Skipped
from inferometer.core.record import Record
from inferometer.core.workload import Shape, Target, Variant, Workload
from inferometer.figures.accuracy import accuracy_of, metric_of, passes_of

CELL = Workload(
    variant=Variant(model="m", backend="torch", precision="fp32"),
    target=Target(device="cpu", threads=1),
    shape=Shape(batch_size=4, input_size=8),
)


def passed(right, **changes):
    rows = np.asarray(right, dtype=float)[:, None]
    count = len(rows)
    whole = Evaluation(
        workload=CELL.key,
        dataset="digits",
        task="classification",
        classes=("0", "1", "2"),
        digest="d",
        metric="top1",
        higher_is_better=True,
        samples=count,
        kept=Kept.of(rows),
        units=np.arange(count),
        contents=tuple(
            hashlib.sha256(bytes([n % 256, n // 256])).hexdigest()[:32] for n in range(count)
        ),
        real_s=(0.2,) * 20,
        synthetic_s=(0.1,) * 20,
        stages={"load": 1.0, "preprocess": 2.0, "postprocess": 3.0},
    )
    return replace(whole, **changes)


def test_a_share_has_wilsons_interval():
    from scipy.stats import binomtest

    found, notes = accuracy_of(passed([1] * 90 + [0] * 10), 4)
    exact = binomtest(90, 100).proportion_ci(method="wilson")
    assert found.accuracy == 0.9
    assert found.accuracy_ci_low == pytest.approx(exact.low)
    assert found.accuracy_ci_high == pytest.approx(exact.high)
    assert (found.accuracy_examples, found.dataset, found.accuracy_metric) == (
        100,
        "digits",
        "top1",
    )
    assert found.accuracy_batch_size == 4
    assert found.data_over_synthetic == pytest.approx(2.0)
    assert found.data_load_s == pytest.approx(0.01)
    assert notes == []


def test_samples_of_one_unit_count_as_what_they_are():
    right = np.repeat(np.arange(40) % 4 > 0, 10)
    alone, _ = accuracy_of(passed(right), 4)
    grouped, _ = accuracy_of(passed(right, units=np.repeat(np.arange(40), 10)), 4)
    widths = [one.accuracy_ci_high - one.accuracy_ci_low for one in (alone, grouped)]
    assert 2.5 < widths[1] / widths[0] < 4  # about the root of 10


def test_what_was_left_out_is_noted():
    skipped = (Skipped(name="a.png", why="broken"), Skipped(name="b.png", why="empty"))
    _, notes = accuracy_of(passed([1] * 12, samples=40, skipped=skipped), 4)
    said = [str(note) for note in notes]
    assert any("12 of the 40 samples" in one for one in said)
    assert any(
        "2 samples of the data could not be used, such as a.png: broken" in one for one in said
    )


def test_without_units_enough_there_is_no_interval_and_a_reason():
    found, notes = accuracy_of(passed([1, 0] * 10, units=np.repeat([0, 1], 10)), 4)
    assert found.accuracy == 0.5
    assert found.accuracy_ci_low is None
    assert any("too few independent units" in str(note) for note in notes)


def test_a_metric_of_the_users_is_computed_without_their_code(tmp_path):
    name = f"{tmp_path}/gone.py:f"
    one = passed([0.5, 1.5] * 10, metric=name, task="other", classes=(), higher_is_better=False)
    found, _ = accuracy_of(one, 4)
    assert found.accuracy == pytest.approx(1.0)
    assert not metric_of(one).higher_is_better


def test_a_record_finds_the_pass_at_the_batch_size_it_was_judged_at():
    one = passed([1])
    figures = {"accuracy": 1.0, "accuracy_batch_size": 4}
    larger = replace(CELL, shape=replace(CELL.shape, batch_size=16))
    record = Record(workload=larger, status="ok", figures=figures, run={"run_id": "a"})
    pass_of = passes_of({"a": {one.workload: one}})
    assert pass_of(record) is one
    assert pass_of(replace(record, run={"run_id": "b"})) is None
    assert pass_of(replace(record, figures={})) is None
