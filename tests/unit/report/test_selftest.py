"""How the self-test is printed."""

from __future__ import annotations

import pytest

from inferometer.report.terminal.selftest import check_lines, lines
from inferometer.runner.selftest.check import Check
from inferometer.runner.selftest.run import SelfTest

BIAS = Check(
    subject="call of 1 ms", name="bias", value=0.0002, low=0.0001, high=0.0003, bound=0.001,
    state="ok",
)  # fmt: skip
OFF = Check(subject="call of 1 ms", name="calls", value=-3.0, bound=0.0, state="off", message="why")


@pytest.mark.parametrize(
    ("check", "line"),
    [
        (BIAS, "call of 1 ms  bias  0.020 % ± 0.010 %  <= 0.1 %  ok"),
        (OFF, "call of 1 ms  calls  -3  = 0  OFF"),
        (
            Check(subject="a", name="overhead", value=2e-7, unit="s", bound=5e-7, state="ok"),
            "a  overhead  200 ns  <= 500 ns  ok",
        ),
        (Check(subject="a", name="memory", value=-0.01), "a  memory  -1 %"),
        (Check(subject="a", name="bias", value=0.0), "a  bias  0 %"),
        (
            Check(subject="a", name="memory", value=None, state="not observable"),
            "a  memory      not observable",
        ),
        (
            Check(subject="clock", name="empty pair", value=2e-6, unit="s"),
            "clock  empty pair  2.00 µs",
        ),
    ],
)
def test_a_figure_with_its_interval_its_bound_and_its_verdict(check, line):
    assert check_lines([check])[0] == line


def test_a_message_stands_under_its_figure():
    assert check_lines([BIAS, OFF])[-1] == "    why"


@pytest.mark.parametrize(
    ("checks", "last"),
    [
        ([BIAS], "ok (12 s)"),
        ([BIAS, OFF], "off: calls of call of 1 ms (12 s)"),
        (
            [Check(subject="a", name="bias", value=None, state="not observable")],
            "ok as far as it can be seen here; 1 of the figures cannot (12 s)",
        ),
    ],
)
def test_the_last_line_is_what_it_comes_to(checks, last):
    assert lines(SelfTest(checks=tuple(checks), wall_s=12.0))[-1] == last


def test_the_lines_fit_into_eighty_columns():
    long = Check(
        subject="two linear layers", name="smallest step", value=0.0123, low=0.01, high=0.015,
        bound=0.005, state="not observable", message="within it in the quietest tenth of the calls: repeat on a quiet device",
    )  # fmt: skip
    found = SelfTest(checks=(BIAS, *[OFF] * 9, long), wall_s=12.0)
    assert max(map(len, lines(found))) <= 80
