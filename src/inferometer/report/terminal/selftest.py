"""The self-test for a terminal: one line for each figure."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from inferometer.core.units import duration, is_lopsided, number, percent, seconds
from inferometer.runner.selftest.check import Check
from inferometer.runner.selftest.run import SelfTest

WIDTH = 80
PARTS = "bias", "canary late", "memory"
MARKS = {
    "ok": "ok",
    "off": "OFF",
    "unsure": "unsure",
    "not observable": "not observable",
    "shown": "",
}


def lines(found: SelfTest) -> list[str]:
    """The figures, then what they come to."""
    return [*check_lines(found.checks), "", *textwrap.wrap(_verdict(found), WIDTH)]


def check_lines(checks: Sequence[Check]) -> list[str]:
    """The figures, each with its interval, its bound and its verdict."""
    rows = [_row(check) for check in checks]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    out = []
    for check, row in zip(checks, rows, strict=True):
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        out.append("  ".join([*cells, MARKS[check.state]]).rstrip())
        if check.message:
            out.append(f"    {check.message}")
    return out


def _row(check: Check) -> tuple[str, str, str, str]:
    return (check.subject, check.name, _figure(check), _bound(check))


def _figure(check: Check) -> str:
    """The value with half of its interval where it has one; both ends of a lopsided one."""
    if check.value is None:
        return ""
    text = _amount(check, check.value)
    if check.low is None or check.high is None:
        return text
    if is_lopsided(check.value, check.low, check.high):
        return f"{text} [{_amount(check, check.low)}, {_amount(check, check.high)}]"
    return f"{text} ± {_amount(check, (check.high - check.low) / 2)}"


def _amount(check: Check, value: float) -> str:
    if check.unit == "s":
        return f"{value * 1e9:,.0f} ns" if abs(value) < 1e-6 else seconds(value)  # noqa: PLR2004 - a µs
    if check.name not in PARTS:
        return f"{value:+.0f}"
    shown = percent(abs(value)) if abs(value) >= 1e-6 else "0 %"  # noqa: PLR2004 - a millionth
    return f"-{shown}" if value < 0 and shown != "0 %" else shown


def _bound(check: Check) -> str:
    if check.bound is None:
        return ""
    if check.bound == 0:
        return "= 0"
    if check.unit == "s":
        return f"<= {check.bound * 1e9:,.0f} ns"
    return f"<= {number(check.bound * 100).rstrip('0').rstrip('.')} %"


def _verdict(found: SelfTest) -> str:
    took = duration(found.wall_s)
    unsure = sum(check.state in ("unsure", "not observable") for check in found.checks)
    if found.off:
        names = ", ".join(f"{check.name} of {check.subject}" for check in found.off)
        return f"off: {names} ({took})"
    if unsure:
        return f"ok as far as it can be seen here; {unsure} of the figures cannot ({took})"
    return f"ok ({took})"
