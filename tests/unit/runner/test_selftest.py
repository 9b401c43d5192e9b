"""What the instrument says of itself, from records and accounts whose truth is made up here."""

from __future__ import annotations

from dataclasses import replace

import pytest

from inferometer.core.record import Failure, Record, Round
from inferometer.core.workload import Shape, Target, Variant, Workload
from inferometer.models.zoo.known import Account, Call
from inferometer.runner.selftest import calls as selftest_calls
from inferometer.runner.selftest import check as selftest_check
from inferometer.runner.selftest import run as selftest
from inferometer.runner.selftest.check import Check

WORKLOAD = Workload(variant=Variant(model="spin", backend="python", precision="fp32"), target=Target(device="cpu", threads=1), shape=Shape(batch_size=1, input_size=None))  # fmt: skip
TRUE_S = 1e-3
GAP_S = 400e-9


def scene(*, rounds=6, values=10, k=1, settle=2, inside_s=200e-9, scale=1.0):
    """Rounds of an instrument that adds `inside_s` to each call, and the account of their model."""
    calls, parts, at_s = [], [], 1_000.0
    for index in range(rounds):
        started_at, starts, found = at_s, [], []
        for _ in range(settle + values):
            starts.append(at_s - started_at)
            for _ in range(k):
                start_ns = round((at_s + inside_s / 2) * 1e9)
                calls.append(
                    Call(at_s=at_s + inside_s / 2, start_ns=start_ns, end_ns=start_ns + 1_000_000)
                )
                at_s += TRUE_S + GAP_S
            found.append((TRUE_S + inside_s) * scale)
        parts.append(
            Round(
                index=index, process=0, phase="measure", started_at=started_at, calls_per_value=k,
                settle=settle, starts_s=tuple(starts), values_s=tuple(found),
            )
        )  # fmt: skip
        at_s += 0.01
    figures = {
        "latency_median_s": (TRUE_S + inside_s) * scale,
        "latency_calls": rounds * values * k,
    }
    record = Record(workload=WORKLOAD, status="ok", figures=figures, rounds=tuple(parts))
    return record, Account(count=len(calls), bare_gap_s=150e-9, calls=tuple(calls))


def checks_of(record, account, bound=0.001):
    found = selftest_calls.spin_checks("x", record, account, bound=bound, with_overhead=True)
    return {check.name: check for check in found}


@pytest.mark.parametrize("k", [1, 5])
def test_what_the_instrument_adds_is_its_bias(k):
    checks = checks_of(*scene(k=k, inside_s=200e-9))
    assert checks["bias"].value == pytest.approx(200e-6, rel=1e-3)
    assert checks["bias"].low <= checks["bias"].value <= checks["bias"].high
    assert checks["bias"].state == "ok"
    assert checks["calls"].state == "ok"


def test_a_bias_that_is_in_every_call_is_off():
    assert checks_of(*scene(inside_s=2e-6))["bias"].state == "off"


def test_a_wrong_unit_is_off():
    assert checks_of(*scene(scale=1.02))["bias"].state == "off"


def test_a_median_that_is_not_that_of_its_values_is_off():
    record, account = scene()
    wrong = {**record.figures, "latency_median_s": TRUE_S * 1.01}
    record = Record(workload=WORKLOAD, status="ok", figures=wrong, rounds=record.rounds)
    assert checks_of(record, account)["bias"].state == "off"


def test_what_a_bare_loop_takes_is_no_overhead():
    overhead = checks_of(*scene())["overhead"]
    assert overhead.value == pytest.approx(GAP_S - 150e-9, abs=5e-9)
    assert overhead.state == "ok"


def test_a_call_that_was_not_reported_is_off():
    record, account = scene()
    figures = {**record.figures, "latency_calls": 59}
    record = Record(workload=WORKLOAD, status="ok", figures=figures, rounds=record.rounds)
    check = checks_of(record, account)["calls"]
    assert (check.value, check.state) == (-1, "off")
    assert check.message == "59 reported, 60 counted by the model"


def test_a_call_that_was_never_made_is_off():
    record, account = scene()
    account = Account(count=71, bare_gap_s=0.0, calls=account.calls[1:])
    assert checks_of(record, account)["calls"].state == "off"


def test_the_calls_of_other_rounds_are_not_taken_for_those_of_a_round():
    record, account = scene()
    first, second = record.rounds[:2]
    assert selftest_calls.calls_of(first, account.calls) == account.calls[:12]
    assert selftest_calls.calls_of(second, account.calls) == account.calls[12:24]


@pytest.mark.parametrize("shift_s", [-3e-4, 3e-4, -1e-2])
def test_a_loop_that_was_held_up_or_a_clock_that_drifted_loses_no_call(shift_s):
    """The time of day at which a round began is not quite that of its first call."""
    record, account = scene()
    first, second = (replace(r, started_at=r.started_at + shift_s) for r in record.rounds[:2])
    if shift_s > -1e-3:
        assert selftest_calls.calls_of(first, account.calls) == account.calls[:12]
    assert selftest_calls.calls_of(second, account.calls) == account.calls[12:24]


def test_a_round_whose_last_call_has_no_end_is_left_out_of_the_bias():
    record, account = scene()
    last = Call(at_s=account.calls[-1].at_s, start_ns=account.calls[-1].start_ns, end_ns=0)
    account = Account(count=72, bare_gap_s=150e-9, calls=(*account.calls[:-1], last))
    checks = checks_of(record, account)
    assert checks["calls"].state == "ok"
    assert checks["bias"].value == pytest.approx(200e-6, rel=1e-3)


def test_without_an_account_the_bias_is_not_observable():
    record, _ = scene()
    checks = checks_of(record, Account(count=0, bare_gap_s=0.0, calls=()))
    assert checks["bias"].state == "not observable"


@pytest.mark.parametrize(
    ("value", "low", "high", "state"),
    [
        (0.001, 0.0, 0.002, "ok"),
        (-0.001, -0.002, 0.0, "ok"),
        (0.006, 0.004, 0.008, "off"),
        (-0.006, -0.008, -0.004, "off"),
        (0.004, 0.002, 0.006, "unsure"),
        (-0.004, -0.006, -0.002, "unsure"),
        (0.004, None, None, "ok"),
    ],
)
def test_a_figure_is_judged_with_its_interval(value, low, high, state):
    check = Check(subject="x", name="bias", value=value, low=low, high=high, bound=0.005)
    assert selftest_check.judged(check).state == state


@pytest.mark.parametrize(("floor", "state"), [(0.001, "unsure"), (0.01, "off"), (-0.01, "off")])
def test_only_what_is_in_the_quietest_calls_too_is_the_instruments_own(floor, state):
    check = Check(subject="x", name="bias", value=0.02, bound=0.005, state="off")
    assert selftest_calls.excused(check, floor).state == state


def test_nothing_is_asked_where_there_is_no_bound():
    assert selftest_check.judged(Check(subject="x", name="bias", value=9.0)).state == "shown"


@pytest.mark.parametrize(
    ("rise", "state"), [(64.5, "ok"), (63.5, "ok"), (50, "off"), (80, "off"), (0, "off")]
)
def test_memory_must_rise_by_what_was_taken(rise, state):
    assert selftest.memory_check("x", rise * 2**20, 64 << 20).state == state


def test_memory_that_was_not_seen_has_not_stood_still(tmp_path, monkeypatch):
    """Without a counter that is reset there is no layer of activations, and without any no peak."""
    peaks = iter((None, 1.0, 1.0))

    def measured(*_):
        return [
            Record(workload=WORKLOAD, status="ok", figures={"peak_memory_bytes": peak})
            for peak in peaks
        ]

    monkeypatch.setattr(selftest, "_measured", measured)
    assert {check.state for check in selftest.memory_checks(tmp_path)} == {"not observable"}


@pytest.mark.parametrize(("counted", "state"), [(2608, "ok"), (2607, "off")])
def test_a_count_must_be_exact(counted, state):
    assert selftest.exact_check("x", "parameters", counted, 2608).state == state


def test_a_workload_that_failed_is_off_and_says_why():
    failure = Failure(stage="load", kind="crash", message="it died")
    check = selftest_check.failed(
        "x", "bias", Record(workload=WORKLOAD, status="failed", failure=failure)
    )
    assert (check.state, check.message) == ("off", "it died")


def test_the_clock_and_the_canary_are_shown_and_not_judged():
    for check in (*selftest.clock_checks(), selftest.canary_check()):
        assert check.state == "shown"
        assert check.value >= 0
