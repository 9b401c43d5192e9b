"""What is said of profiles by kind of operator: contrasts that are there, and no others."""

from __future__ import annotations

import pytest

from inferometer.analysis.analyse import analyse
from inferometer.analysis.explain import why
from inferometer.analysis.grid import build
from inferometer.analysis.operators import shares_of, time_shares
from inferometer.core.operators import DEPTHWISE, OUTSIDE, KindTime, to_text


def row(kind, share, *, module="features", bound_s=None, macs=0, moved=0, spread=0.02):
    return KindTime(
        kind=kind,
        module=module,
        share=share,
        low=share - spread * share,
        high=share + spread * share,
        seconds=share,
        bound_seconds=bound_s,
        macs=macs,
        bytes=moved,
        calls=1,
    )


@pytest.fixture
def profiled(record):
    def make(model, latency_s, *rows, added=0.1, plain=1.0, **more):
        known = {
            "operator_times": to_text(rows),
            "operator_times_latency_s": plain * latency_s,
            "operator_times_added": added,
            "flops": 2_000,
            "macs": 1_000,
        }
        return record(model, latency_s=latency_s, half_s=0.01 * latency_s, **known | more)

    return make


@pytest.fixture
def mobile(profiled):
    return profiled(
        "mobile",
        0.01,
        row(DEPTHWISE, 0.4, bound_s=0.0001, macs=100, moved=500),
        row("convolution", 0.3, bound_s=0.001, macs=600, moved=500),
        row("convolution", 0.1, module="classifier", bound_s=0.0005, macs=200, moved=500),
        row(OUTSIDE, 0.2, module=""),
    )


@pytest.fixture
def residual(profiled):
    return profiled(
        "residual",
        0.04,
        row("convolution", 0.8, bound_s=0.01, macs=1_600, moved=900),
        row(OUTSIDE, 0.2),
    )


def sentences(*records, kind="operators"):
    grid = build(records)
    found = why(grid, *grid.columns, grid.shapes[0])
    return [one.sentence for one in found if one.kind == kind]


def test_modules_are_added_up_and_shares_are_taken_of_the_latency(mobile):
    found = shares_of(mobile, "mobile")
    kinds = {one.kind: one for one in found.kinds}
    assert [one.share for one in found.kinds] == pytest.approx([0.4, 0.4, 0.2])
    assert kinds["convolution"].macs == 800
    assert kinds["convolution"].seconds == pytest.approx(0.004)
    assert kinds["convolution"].times_bound == pytest.approx(0.004 / 0.0015)
    assert kinds[OUTSIDE].times_bound is None
    assert found.comparable


def test_depthwise_convolutions_are_set_beside_the_others(mobile):
    found = shares_of(mobile, "mobile")
    assert found.is_contrast
    assert found.sentence == (
        "mobile: depthwise convolutions take 40 % of the time, 40.0\u00d7 their roofline bound; they "
        "move 0.500\u00d7 the bytes of the other convolutions, and a MAC of theirs takes 8.00\u00d7 as "
        "long (quartiles 7.69 to 8.33)."
    )


def test_no_contrast_is_told_where_the_quartiles_meet(profiled):
    wide = profiled(
        "mobile",
        0.01,
        row(DEPTHWISE, 0.4, macs=500, moved=500, spread=0.3),
        row("convolution", 0.6, macs=1_000, moved=500, spread=0.3),
    )
    found = shares_of(wide, "mobile")
    assert not found.is_contrast
    assert found.sentence == "mobile: convolutions take 60 % of the time."


def test_a_difference_is_told_by_kind_with_what_equal_rates_would_leave(mobile, residual):
    (sentence,) = sentences(mobile, residual)
    assert sentence == (
        "Of the 30.0 ms between the two, by kind: convolutions 28.0 \u00b1 0.7 ms (4.00 ms at "
        "equal time for a MAC), time outside operators 6.00 \u00b1 0.18 ms, depthwise "
        "convolutions \N{MINUS SIGN}4.00 \u00b1 0.09 ms."
    )
    assert not sentences(mobile, residual, kind="difference")


@pytest.mark.parametrize("changes", [{"added": 0.6}, {"plain": 1.3}, {"plain": 0.7}])
def test_a_profile_far_from_the_latency_compares_nothing(profiled, residual, changes):
    off = profiled("mobile", 0.01, row("convolution", 1.0, macs=1, moved=1), **changes)
    assert not shares_of(off, "mobile").comparable
    assert not sentences(off, residual)


def test_a_difference_within_its_uncertainty_is_not_told(profiled):
    one = profiled("one", 0.030, row("convolution", 1.0, macs=1, moved=1, spread=0.5))
    other = profiled("other", 0.034, row("convolution", 1.0, macs=1, moved=1, spread=0.5))
    assert not sentences(one, other)


def test_what_was_not_profiled_has_no_shares(record, mobile, residual):
    assert shares_of(record("plain"), "plain") is None
    assert [one.model for one in time_shares(build([record("plain"), mobile]))] == ["mobile"]
    assert not sentences(record("plain", latency_s=0.04, half_s=0.001, flops=9), mobile)


def test_the_findings_hold_them(mobile, residual):
    found = analyse(build([mobile, residual])).to_json()
    first, second = found["operators"]
    assert (first["model"], second["model"]) == ("mobile", "residual")
    assert first["kinds"][0]["kind"] == DEPTHWISE
    assert first["shape"] == "224/1"
