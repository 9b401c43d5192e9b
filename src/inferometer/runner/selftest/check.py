"""A figure of the instrument about itself, and whether it is good enough."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from inferometer.core.record import Record

State = Literal["ok", "off", "unsure", "not observable", "shown"]


@dataclass(frozen=True, kw_only=True)
class Check:
    """One figure of the instrument about itself.

    Attributes:
        subject: what was measured, such as `a call of 100 µs`.
        name: which figure: `bias`, `calls`, `overhead`, `memory` …
        value: the figure; None where it cannot be observed.
        low: lower end of its interval; None where it has none.
        high: upper end of its interval.
        unit: `1` for a share or a count, `s`, `B`.
        bound: most that its magnitude may be; None where nothing is asked of it.
        state: `shown` where nothing is asked of it.
        message: what a reader should know; may be empty.
    """

    subject: str
    name: str
    value: float | None
    low: float | None = None
    high: float | None = None
    unit: str = "1"
    bound: float | None = None
    state: State = "shown"
    message: str = ""


def judged(check: Check) -> Check:
    """The check with its state: is its magnitude within the bound, and its interval too?"""
    if check.bound is None or check.value is None:
        return check
    ends = (check.low, check.value, check.high)
    reach = max(abs(end) for end in ends if end is not None)
    if abs(check.value) > check.bound:
        return replace(check, state="off")
    if reach > check.bound:
        return replace(check, state="unsure", message="its interval reaches past the bound")
    return replace(check, state="ok")


def failed(subject: str, name: str, record: Record) -> Check:
    """The check of a workload that has no figures."""
    message = record.failure.message if record.failure else ""
    return Check(subject=subject, name=name, value=None, state="off", message=message)
