"""Outputs against a reference: figures by hand, verdicts, and outputs that show nothing."""

import math

import numpy as np
import pytest

from inferometer.stats.fidelity import LIMITS, compare


def outputs(samples=8, classes=10, seed=0, scale=1.0):
    random = np.random.default_rng(seed)
    return [[scale * random.standard_normal((1, classes))] for _ in range(samples)]


def changed(reference, error, seed=1):
    """The same outputs with noise of just this relative error."""
    random = np.random.default_rng(seed)
    noise = [random.standard_normal(one.shape) for (one,) in reference]
    norm = math.sqrt(sum((one**2).sum() for (one,) in reference))
    factor = error * norm / math.sqrt(sum((one**2).sum() for one in noise))
    return [[one + factor * other] for (one,), other in zip(reference, noise, strict=True)]


def test_figures_are_those_of_their_formulas():
    reference = [[np.array([[3.0, 0.0]])], [np.array([[0.0, 4.0]])]]
    variant = [[np.array([[3.0, 0.5]])], [np.array([[0.0, 2.0]])]]
    found = compare(reference, variant, "fp32")
    assert found.relative_error == pytest.approx(math.sqrt(0.25 + 4) / 5)
    assert found.max_abs == 2
    assert found.cosine == pytest.approx((9 + 8) / (5 * math.sqrt(9 + 0.25 + 4)))
    assert found.snr_db == pytest.approx(20 * math.log10(5 / math.sqrt(4.25)))
    assert (found.agreeing, found.samples, found.verdict) == (2, 2, "different")
    assert found.signal == pytest.approx(math.sqrt(2 * (1.5**2 + 2**2)) / 5)


@pytest.mark.parametrize("precision", LIMITS)
def test_verdicts_change_at_the_limits_of_the_precision(precision):
    reference, limits = outputs(), LIMITS[precision]
    for error, verdict in (
        (0.9 * limits.same, "same"),
        (1.1 * limits.same, "close"),
        (0.9 * limits.close, "close"),
        (1.1 * limits.close, "different"),
    ):
        found = compare(reference, changed(reference, error), precision)
        assert (found.relative_error, found.verdict) == (pytest.approx(error), verdict)


def test_equal_outputs_are_the_same_without_a_signal_to_noise():
    reference = outputs()
    found = compare(reference, reference, "fp32")
    assert (found.verdict, found.relative_error, found.cosine) == ("same", 0, pytest.approx(1))
    assert found.snr_db is None


def test_of_several_outputs_the_worst_counts():
    reference = [[*a, *b] for a, b in zip(outputs(), outputs(seed=2), strict=True)]
    one, other = ([[pair[n]] for pair in reference] for n in (0, 1))
    variant = [[*a, *b] for a, b in zip(changed(one, 1e-5), changed(other, 5e-4), strict=True)]
    found = compare(reference, variant, "fp32")
    assert (found.verdict, found.relative_error) == ("close", pytest.approx(5e-4))


def test_whole_numbers_are_judged_by_the_share_that_differs():
    reference = [[np.arange(1000) + 7 * n] for n in range(4)]
    variant = [[one.copy()] for (one,) in reference]
    variant[0][0][:2] += 3
    found = compare(reference, variant, "fp32")
    assert (found.verdict, found.relative_error) == ("close", pytest.approx(2 / 4000))
    assert (found.max_abs, found.cosine, found.agreeing) == (3, None, None)


def test_other_shapes_and_another_number_of_outputs_are_different():
    reference = outputs()
    found = compare(reference, [[one.T] for (one,) in reference], "fp32")
    assert (found.verdict, found.reason) == ("different", "other_shapes")
    assert found.values == {"output": 0, "expected": "1x10", "found": "10x1"}
    two = compare(reference, [[one, one] for (one,) in reference], "fp32")
    assert (two.verdict, two.reason) == ("different", "other_outputs")


def test_nan_of_the_variant_is_different_and_of_the_reference_unknown():
    reference, broken = outputs(), outputs()
    broken[3][0][0, 2] = math.nan
    found = compare(reference, broken, "fp32")
    assert (found.verdict, found.reason) == ("different", "nan")
    assert found.values == {"output": 0, "nan": 1, "of": 80}
    assert compare(broken, reference, "fp32").reason == "nan_in_reference"
    assert compare(broken, broken, "fp32").verdict == "unknown"


def test_infinities_count_only_where_the_sides_differ():
    reference, masked = outputs(), outputs()
    for one in (*reference, *masked):
        one[0][0, 0] = -math.inf
    assert compare(reference, masked, "fp32").verdict == "same"
    masked[0][0][0, 1] = math.inf
    found = compare(reference, masked, "fp32")
    assert (found.verdict, found.reason) == ("different", "infinite")


def test_a_constant_answer_never_passes():
    """However little the reference's outputs differ: what ignores its input is not called close."""
    for spread in (1.0, 0.3, 0.1, 0.03, 1e-3, 1e-5, 0.0):
        reference = [[5 + spread * one] for (one,) in outputs()]
        mean = sum(one for (one,) in reference) / len(reference)
        for precision in LIMITS:
            verdict = compare(reference, [[mean]] * len(reference), precision).verdict
            assert verdict in ("unknown", "different")


def test_outputs_that_hardly_differ_or_vanish_are_unknown():
    alike = [[np.full((1, 10), 0.5)] for _ in range(4)]
    assert compare(alike, alike, "fp32").reason == "no_signal"
    flat = [[0.5 + 0.002 * one] for (one,) in outputs()]
    assert compare(flat, changed(flat, 1e-6), "fp32").verdict == "same"
    found = compare(flat, changed(flat, 2e-3), "bf16")
    assert (found.verdict, found.reason) == ("unknown", "no_signal")
    assert found.values == {"signal": found.signal, "error": pytest.approx(2e-3)}
    assert compare(flat, changed(flat, 1e-3), "bf16").verdict == "close"
    assert compare(flat, changed(flat, 4e-4), "bf16").verdict == "same"
    tiny = outputs(scale=1e-10)
    assert compare(tiny, tiny, "fp32").reason == "vanishing"
    zeros = [[np.zeros((1, 10))]] * 3
    found = compare(zeros, outputs(3), "fp32")
    assert (found.verdict, found.relative_error) == ("unknown", None)


def test_an_output_that_never_changes_is_not_held_against_the_others():
    anchors = np.full((1, 4), 3.0)
    reference = [[*one, anchors] for one in outputs()]
    assert compare(reference, reference, "fp32").verdict == "same"
    moved = [[one, 2 * other] for one, other in reference]
    assert compare(reference, moved, "fp32").verdict == "different"


def test_outputs_of_other_sizes_in_each_sample_can_be_compared():
    reference = [[np.arange(n + 2.0)] for n in range(4)]
    assert compare(reference, reference, "fp32").verdict == "same"


def test_the_first_samples_count_where_a_side_has_fewer():
    reference = outputs(8)
    assert compare(reference, reference[:3], "fp32").samples == 3
    assert compare(reference, [], "fp32").reason == "no_samples"
