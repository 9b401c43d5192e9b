"""A recommendation as JSON; names are only ever added (docs/how-to/recommend.md)."""

from __future__ import annotations

from typing import Any

from inferometer.analysis.recommend.further import Further, further
from inferometer.analysis.recommend.points import Point, Unknown
from inferometer.analysis.recommend.recommendation import (
    Choice,
    Limit,
    Miss,
    Placed,
    Recommendation,
    Tie,
)
from inferometer.core.record import Record


def to_json(found: Recommendation) -> dict[str, Any]:
    """The recommendation as an object."""
    weighed = found.weighed
    return {
        "choice": found.choice and _choice(found.choice),
        "tied": [_tie(one) for one in found.tied],
        "front": [_placed(one) for one in found.front],
        "dominated": [_dominated(one) for one in found.dominated],
        "unmet": [_unmet(one) for one in found.unmet],
        "next": [_further(one) for one in further(found)],
        "closest": found.closest and _unmet(found.closest),
        "unknown": [_unknown(one) for one in found.unknown],
        "prefer": found.prefer,
        "limits": [_limit(one) for one in found.limits],
        "criteria": [
            {"name": one.name, "higher_is_better": one.higher} for one in weighed.criteria
        ],
        "accuracy_metric": weighed.metric or None,
        "shapes": [shape.label for shape in weighed.shapes],
        "left_out": weighed.left_out,
        "notes": list(weighed.notes),
    }


def _choice(one: Choice) -> dict[str, Any]:
    return {
        **_placed(one.placed),
        "probability_best": one.best,
        "tie_broken_from": one.leader and one.leader.point.label,
        "tie_broken_by": one.broken_by,
        "safer": one.safer and _placed(one.safer),
    }


def _placed(one: Placed) -> dict[str, Any]:
    return {
        **_named(one.point.label, one.point.record),
        "figures": _figures(one.point),
        "probability_on_front": one.on_front,
        "probability_meets": one.meets,
    }


def _named(label: str, record: Record) -> dict[str, Any]:
    return {
        "label": label,
        "workload": record.workload.key,
        "run_id": record.run.get("run_id"),
        "device_name": record.run.get("device_name"),
        **record.workload.to_json(),
    }


def _figures(point: Point) -> dict[str, Any]:
    return {
        name: {
            "value": figure.value,
            "low": figure.low,
            "high": figure.high,
            "precision": figure.precision,
        }
        for name, figure in point.figures.items()
    }


def _tie(one: Tie) -> dict[str, Any]:
    return {
        **_placed(one.placed),
        "probability_better": one.better,
        "ratio": one.ratio,
        "ratio_low": one.low,
        "ratio_high": one.high,
        "better_in": list(one.gains),
    }


def _dominated(one: Placed) -> dict[str, Any]:
    return {
        **_placed(one),
        "by": one.by and one.by.label,
        "by_workload": one.by and one.by.record.workload.key,
        "probability_dominated": one.dominated if one.by else None,
    }


def _limit(one: Limit) -> dict[str, Any]:
    return {
        "name": one.criterion.name,
        "at": "least" if one.criterion.higher else "most",
        "value": one.value,
    }


def _miss(one: Miss) -> dict[str, Any]:
    return {
        "name": one.limit.criterion.name,
        "limit": one.limit.value,
        "value": one.value,
        "excess": one.excess,
        "probability_meets": one.meets,
    }


def _unmet(one: Placed) -> dict[str, Any]:
    return {**_placed(one), "misses": [_miss(miss) for miss in one.misses]}


def _unknown(one: Unknown) -> dict[str, Any]:
    return {**_named(one.label, one.record), "lacks": list(one.lacks), "why": one.why}


def _further(one: Further) -> dict[str, Any]:
    return {
        "why": one.why,
        "name": one.criterion,
        "workloads": list(one.workloads),
        "more": one.more,
        "unit": one.unit,
        "worth_it": one.worth,
        "command": one.command or None,
    }
