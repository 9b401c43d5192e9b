"""Histories as JSON; names are only ever added (docs/how-to/history.md)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from inferometer.analysis.history.course import CONFIDENCE, History, Marked
from inferometer.analysis.history.gate import HistoryGate
from inferometer.analysis.history.points import Point
from inferometer.stats.history.changes import FALSE_ALARMS, Level, Shift


def to_json(found: Sequence[History], gated: HistoryGate | None) -> dict[str, Any]:
    """Histories as an object."""
    judgements = [None] * len(found) if gated is None else gated.judgements
    return {
        "false_alarms_per_year": FALSE_ALARMS,
        "confidence": CONFIDENCE,
        "gate": gated
        and {
            "fail_slower": gated.limit,
            "undecided": "pass" if gated.undecided_passes else "fail",
            "passes": gated.passes,
        },
        "series": [
            _series(one, judgement) for one, judgement in zip(found, judgements, strict=True)
        ],
    }


def _series(one: History, judgement: str | None) -> dict[str, Any]:
    series, noise = one.series, one.course.noise
    best = one.against_best
    return {
        "label": series.workload.label,
        "workload": series.workload.key,
        **series.workload.to_json(),
        "device_name": series.device_name or None,
        "control": series.control and series.control.label,
        "state": one.state,
        "judgement": judgement,
        "runs": len(series.points),
        "failed_runs": [run.id for run in series.failed],
        "runs_without_control": series.uncontrolled,
        **_ratio("ratio_to_best", best),
        "between_runs": noise and noise.scale,
        "between_runs_lasting": noise and noise.unit,
        "smallest_found_soon": one.smallest,
        "levels": [_level(one, number) for number in range(len(one.course.levels))],
        "changes": [_change(marked) for marked in one.changes],
        "offsets": {
            str(name): math.exp(value)
            for name, value in one.course.offsets
            if len(one.course.offsets) > 1
        },
        "points": [
            _point(point, is_outlier=number in one.course.outliers)
            for number, point in enumerate(series.points)
        ],
    }


def _level(one: History, number: int) -> dict[str, Any]:
    level: Level = one.course.levels[number]
    runs = [one.series.points[index].run for index in (level.first, level.last)]
    half = Shift(
        log_ratio=level.mean, standard=level.standard, freedom=len(one.series.points)
    ).half_width(CONFIDENCE)
    return {
        "first_run": runs[0].id,
        "last_run": runs[1].id,
        "first_at": iso(runs[0].created_at),
        "last_at": iso(runs[1].created_at),
        "runs": level.last - level.first + 1,
        "level": math.exp(level.mean),
        "level_low": math.exp(level.mean - half),
        "level_high": math.exp(level.mean + half),
    }


def _change(marked: Marked) -> dict[str, Any]:
    return {
        "run_id": marked.run.id,
        "at": iso(marked.run.created_at),
        "earliest_run": marked.earliest.id,
        "earliest_at": iso(marked.earliest.created_at),
        "latest_run": marked.latest.id,
        "latest_at": iso(marked.latest.created_at),
        **_ratio("ratio", marked.change.shift),
        "latency_ratio": marked.latency_ratio,
        "control_ratio": marked.control_ratio,
        "differences": [asdict(one) for one in marked.differences],
    }


def _ratio(name: str, shift: Shift | None) -> dict[str, float | None]:
    if shift is None:
        return {name: None, f"{name}_low": None, f"{name}_high": None}
    half = shift.half_width(CONFIDENCE)
    is_known = math.isfinite(half)
    return {
        name: math.exp(shift.log_ratio),
        f"{name}_low": math.exp(shift.log_ratio - half) if is_known else None,
        f"{name}_high": math.exp(shift.log_ratio + half) if is_known else None,
    }


def _point(point: Point, *, is_outlier: bool) -> dict[str, Any]:
    return {
        "run_id": point.run.id,
        "at": iso(point.run.created_at),
        "device_name": point.run.device_name,
        "latency_s": point.latency_s,
        "control_s": point.control_s,
        "outlier": is_outlier,
    }


def iso(at: float) -> str:
    """A Unix time in UTC: `2026-11-30T14:20:05Z`."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
