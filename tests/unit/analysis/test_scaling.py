"""A fixed part, a part for each input, and the best batch."""

from __future__ import annotations

import pytest

from inferometer.analysis.analyse import analyse
from inferometer.analysis.grid import build
from inferometer.analysis.scaling import scaling


def test_latency_that_is_a_line(record):
    records = [record("net", batch=b, latency_s=0.002 + 0.01 * b) for b in (1, 2, 4, 8)]
    (one,) = scaling(build(records))
    assert one.subject == "net at 224"
    assert one.fixed_s.value == pytest.approx(0.002)
    assert one.per_input_s.value == pytest.approx(0.01)
    assert one.fixed_s.low == pytest.approx(0.002, abs=1e-6)
    assert 0.8 < one.exponent.value < 1
    assert (one.best, one.points) == (8, 4)
    assert one.best_throughput_per_s == pytest.approx(8 / 0.082)
    assert one.marginal_s == pytest.approx(0.01)
    assert "about 2.00 ms for a call and 10.0 ms for each sample" in one.sentence
    assert "highest at batch 8 (97.6/s), where one more sample costs 10.0 ms" in one.sentence


def test_latency_that_is_no_line_is_not_called_one(record):
    records = [record("net", batch=b, latency_s=s) for b, s in ((1, 1), (2, 9), (4, 3), (8, 50))]
    (one,) = scaling(build(records))
    assert "does not follow a line" in one.sentence


@pytest.mark.parametrize("seen", [((1, 0.6), (2, 0.6)), ((1, 0.6), (2, 0.5))])
def test_latency_that_does_not_grow_is_told_so(record, seen):
    (one,) = scaling(build([record("net", batch=b, latency_s=s) for b, s in seen]))
    assert one.sentence.startswith("net at 224: latency does not grow with the batch size;")


def test_a_best_batch_where_more_took_less_has_no_marginal_cost(record):
    records = [record("net", batch=b, latency_s=s) for b, s in ((1, 0.02), (2, 0.01))]
    (one,) = scaling(build(records))
    assert one.best == 2
    assert one.marginal_s is None
    assert one.fixed_s.low is None


def test_along_the_input_size(record):
    records = [record("net", size=s, latency_s=1e-6 * s**2) for s in (112, 224, 448)]
    (one,) = scaling(build(records))
    assert (one.axis, one.subject) == ("input_size", "net at batch 1")
    assert one.exponent.value == pytest.approx(2)
    assert one.per_input_s.value == pytest.approx(1e-6)


def test_along_the_length_of_a_sequence(record):
    shape = "input_ids=1x64, attention_mask=1x64"
    records = [
        record("bert", size=n, latency_s=2e-6 * n, input_shape=shape) for n in (64, 128, 256)
    ]
    (one,) = scaling(build(records))
    assert one.per_input_s.name == "latency per position"
    assert one.per_input_s.value == pytest.approx(2e-6)
    assert "the power 1.00 of the length (1 is in proportion to it)" in one.sentence


def test_two_sizes_give_an_exponent_alone(record):
    records = [record("net", size=s, latency_s=1e-6 * s**2) for s in (224, 448)]
    (one,) = scaling(build(records))
    assert one.fixed_s is None
    assert one.exponent.low is None


def test_an_analysis_is_plain_data(record):
    records = [record("net", batch=b, latency_s=0.01 * b, parameters=5) for b in (1, 2)]
    found = analyse(build(records)).to_json()
    assert list(found) == ["hypotheses", "anomalies", "scaling", "operators"]
    assert [one["outcome"] for one in found["hypotheses"]][1] == "untestable"
    assert found["scaling"][0]["best"] == 1
