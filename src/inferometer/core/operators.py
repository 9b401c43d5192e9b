"""Where the time of a call goes by kind of operator, as a record holds it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from math import isfinite
from typing import Any

from inferometer.core.record import Record

DEPTHWISE = "depthwise convolution"
"""A convolution of each channel alone; told apart from the kind `convolution`."""
OTHER = "other operators"
"""Those that were not counted, or of which several kinds share the time."""
OUTSIDE = "outside operators"
"""Python, dispatch, and the profiler's ranges; on an accelerator all but its kernels."""


@dataclass(frozen=True, kw_only=True)
class KindTime:
    """All operators of one kind below one top-level module; seconds are of the profiled call.

    Attributes:
        kind: one of `core.cost.Kind`, `DEPTHWISE`, `OTHER` or `OUTSIDE`.
        module: the first part of the module's path; empty for the network itself.
        share: of the profiled call.
        low: the share at the lower quartiles of its parts.
        high: the share at their upper quartiles.
        seconds: mean over the middle half of the profiled calls.
        bound_seconds: its roofline bound, operator by operator; None without a roofline, or where
            nothing of it was counted.
        macs: multiply-accumulates that were counted.
        bytes: that its operators read and write.
        calls: of the operators that were counted.
    """

    kind: str
    module: str
    share: float
    low: float
    high: float
    seconds: float
    bound_seconds: float | None = None
    macs: int = 0
    bytes: int = 0
    calls: int = 0


_NUMBERS = ("share", "low", "high", "seconds", "macs", "bytes", "calls")
_NAMES = frozenset(field.name for field in fields(KindTime))


def to_text(rows: Sequence[KindTime]) -> str:
    """The field `operator_times` of a record."""
    return json.dumps([_rounded(asdict(row)) for row in rows], separators=(",", ":"))


def kind_times(record: Record | None) -> list[KindTime]:
    """The rows that a record holds; none where it holds none, or what no profile has said."""
    held = None if record is None else record.figures.get("operator_times")
    if not isinstance(held, str):
        return []
    try:
        data = json.loads(held)
    except (ValueError, RecursionError):
        return []
    rows = data if isinstance(data, list) else []
    found = [KindTime(**row) for row in rows if isinstance(row, Mapping) and _is_sound(row)]
    return found if len(found) == len(rows) else []


def _is_sound(row: Mapping[str, Any]) -> bool:
    bound = row.get("bound_seconds")
    return (
        set(row) == _NAMES
        and all(isinstance(row[name], str) for name in ("kind", "module"))
        and all(_is_amount(row[name]) for name in _NUMBERS)
        and (bound is None or _is_amount(bound))
    )


def _is_amount(value: object) -> bool:
    return (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and isfinite(value)
        and value >= 0
    )


def _rounded(row: dict[str, Any]) -> dict[str, Any]:
    """Six digits: more than a profile can tell, and half the bytes."""
    return {k: float(f"{v:.6g}") if isinstance(v, float) else v for k, v in row.items()}
