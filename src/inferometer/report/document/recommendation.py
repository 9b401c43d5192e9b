"""A recommendation as sentences and as the cells of a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from inferometer.analysis.recommend.further import Further
from inferometer.analysis.recommend.points import (
    Candidates,
    Criterion,
    Figure,
    Name,
    Point,
    Precision,
)
from inferometer.analysis.recommend.recommendation import (
    POSSIBLE,
    SURE,
    Choice,
    Miss,
    Placed,
    Recommendation,
    Tie,
)
from inferometer.core import units
from inferometer.core.lines import ONE_PROCESS
from inferometer.core.metric import Estimate
from inferometer.report.document.comparison import SETTLED
from inferometer.report.document.marks import verdict_meaning
from inferometer.report.document.wording import few, joined, plural, sentence, shape_list

NO_INTERVAL = "?"
"""Follows a figure that has no interval."""
_FIRST: Mapping[Name, str] = {
    "latency": "lowest latency per call",
    "throughput": "highest throughput",
    "energy": "lowest energy per sample",
    "memory": "lowest peak memory",
    "accuracy": "best accuracy",
    "parameters": "fewest parameters",
}
_CERTAIN, _RARE = 0.9995, 0.0005  # what the number of draws still tells from all and none


def probability(value: float) -> str:
    """`0.88`, `0.997`, `>0.999`."""
    if value >= _CERTAIN:
        return ">0.999"
    if value < _RARE:
        return "<0.001"
    return f"{value:.2f}" if POSSIBLE / 5 <= value <= 1 - POSSIBLE / 5 else f"{value:.3f}"


def figure_text(name: Name, figure: Figure) -> str:
    """A figure with its interval and unit."""
    return _TEXTS[name](figure)


def value_text(name: Name, value: float) -> str:
    """A value in the unit of a criterion."""
    return _TEXTS[name](Figure(value=value, precision="exact"))


def _latency(figure: Figure) -> str:
    return units.latency(
        Estimate(
            value=figure.value, low=figure.low, high=figure.high, confidence=0.95, method="", n=0
        )
    )


def _energy(figure: Figure) -> str:
    half = None if figure.high is None else figure.high - figure.value
    return units.energy(figure.value, half)


_TEXTS: Mapping[Name, Callable[[Figure], str]] = {
    "latency": _latency,
    "throughput": lambda one: f"{units.plain(one.value, one.low, one.high)} /s",
    "energy": _energy,
    "memory": lambda one: units.byte_count(one.value),
    "accuracy": lambda one: units.plain(one.value, one.low, one.high),
    "parameters": lambda one: units.count(round(one.value)),
}


def scope_line(weighed: Candidates) -> str:
    """What is compared, and by what."""
    by = joined([_named(one, weighed) for one in weighed.criteria])
    where = shape_list(weighed.shapes)
    left = weighed.left_out
    others = f" ({plural(left, 'workload')} at other shapes left out)" * bool(left)
    total = plural(len(weighed.points), "workload")
    return f"Compared: {total} at {where}{others}, by {by}."


def _named(one: Criterion, weighed: Candidates) -> str:
    return f"{one.words} ({weighed.metric})" if one.name == "accuracy" else one.words


def choice_lines(found: Recommendation) -> list[str]:
    """The choice with its reasons and its risk, or that there is none."""
    if found.choice is None:
        return _none(found)
    one, name = found.choice, found.prefer
    point = one.placed.point
    figure = figure_text(name, point.figures[name])
    within = sum(not other.misses for other in found.placed)
    among = f"of {plural(within, 'workload')}" + " within all limits" * bool(found.limits)
    if one.leader is None:
        reason = f"{among} it has the {_FIRST[name]}, {figure}"
    else:
        reason = _tie_reason(one, name, figure)
    lines = [f"Take {point.label}: {reason}.", _risk(found, one)]
    return [*lines, *_safer(one, name), *_doubt(point)]


def _tie_reason(one: Choice, name: Name, figure: str) -> str:
    leader = one.leader
    assert leader is not None
    theirs = figure_text(name, leader.point.figures[name])
    why = "is surer to keep to the limits"
    if one.broken_by is not None:
        ours, other = (
            figure_text(one.broken_by, placed.point.figures[one.broken_by])
            for placed in (one.placed, leader)
        )
        why = f"has the {_FIRST[one.broken_by]} of the two, {ours} against {other}"
    return (
        f"its {name}, {figure}, cannot be told from the best, {theirs} of {leader.point.label}, "
        f"and it {why}"
    )


def _risk(found: Recommendation, one: Choice) -> str:
    best = f"that it is truly the best by {found.prefer} {probability(one.best)}"
    if not found.limits:
        return f"Probability {best}."
    return f"Probability that it keeps to all limits {probability(one.placed.meets)}, {best}."


def _safer(one: Choice, name: Name) -> list[str]:
    if one.safer is None:
        return []
    point = one.safer.point
    told = figure_text(name, point.figures[name])
    chance = probability(one.safer.meets)
    return [f"Safer: {point.label} keeps to all limits with probability {chance}; {name} {told}."]


def _doubt(point: Point) -> list[str]:
    verdict = str(point.record.figures.get("verdict"))
    if verdict in SETTLED:
        return []
    meaning = verdict_meaning(verdict)
    return [f"The verdict on its latency is {verdict}{f': {meaning}' * bool(meaning)}."]


def _none(found: Recommendation) -> list[str]:
    total = plural(len(found.placed), "workload")
    closest = found.closest
    if closest is None:
        return ["There is no choice: no workload has all figures that are needed."]
    misses = "; ".join(_miss(miss, closest.point) for miss in closest.misses)
    allow = joined([_given_up(miss) for miss in closest.misses])
    return [
        f"None of {total} keeps to all limits. Closest is {closest.point.label}: {misses}.",
        f"To take it, allow {allow}.",
    ]


def _given_up(miss: Miss) -> str:
    name = miss.limit.criterion.name
    wanted, had = (value_text(name, value) for value in (miss.limit.value, miss.value))
    return f"{miss.limit.criterion.words} of {had} in place of {wanted}"


def _miss(miss: Miss, point: Point) -> str:
    name = miss.limit.criterion.name
    side = "below" if miss.limit.criterion.higher else "above"
    told = figure_text(name, point.figures[name])
    limit = value_text(name, miss.limit.value)
    chance = f" (kept with {probability(miss.meets)})" * (miss.meets >= _RARE)
    return f"{name} {told}, {units.percent(miss.excess)} {side} {limit}{chance}"


def tied_lines(found: Recommendation) -> list[str]:
    """What may be better than the choice, and by how much."""
    return [_tie(one, found) for one in found.tied]


def _tie(one: Tie, found: Recommendation) -> str:
    ends = f"{units.ratio(one.ratio)} [{units.number(one.low)}, {units.number(one.high)}]"
    meets = one.placed.meets
    limits = f"; keeps to all limits with {probability(meets)}" * (bool(found.limits) and meets < 1)
    better = probability(one.better)
    gains = f"; surely better in {joined(one.gains)}" * bool(one.gains)
    label = one.placed.point.label
    return f"{label}: {found.prefer} {ends} of it, better with {better}{limits}{gains}"


def heads(found: Recommendation) -> list[str]:
    """Names of the columns of the front: the workload, its criteria, probabilities."""
    names = [_named(one, found.weighed) for one in found.weighed.criteria]
    return ["workload", *names, "on front", *(["keeps limits"] if found.limits else [])]


def cells(found: Recommendation) -> list[list[str]]:
    """A row for each that may be on the front, to go with `heads`."""
    return [
        [
            one.point.label,
            *(_cell(name, one.point.figures[name]) for name in found.weighed.names),
            probability(one.on_front),
            *([probability(one.meets)] if found.limits else []),
        ]
        for one in found.front
    ]


def _cell(name: Name, figure: Figure) -> str:
    mark = f" {NO_INTERVAL}" if figure.precision == "unknown" else ""
    return f"{figure_text(name, figure)}{mark}"


def dominated_lines(found: Recommendation) -> list[str]:
    """Who dominates those that are not on the front, and how surely."""
    return [_dominated(one) for one in found.dominated]


def _dominated(one: Placed) -> str:
    others = probability(1 - one.on_front)
    if one.by is None:
        return f"{one.point.label}: by others, now this one and now that (together {others})"
    together = "" if one.dominated >= SURE else f"; by any {others}"
    return (
        f"{one.point.label}: by {one.by.label} (probability {probability(one.dominated)}{together})"
    )


def unmet_lines(found: Recommendation) -> list[str]:
    """What of each is beyond a limit."""
    return [
        f"{one.point.label}: {'; '.join(_miss(miss, one.point) for miss in one.misses)}"
        for one in found.unmet
    ]


def unknown_lines(found: Recommendation) -> list[str]:
    """What lacks a figure, each reason once."""
    reasons: dict[str, list[str]] = {}
    for one in found.unknown:
        reasons.setdefault(one.why.rstrip("."), []).append(one.label)
    return [f"{few(labels, 4)}: {why}" for why, labels in reasons.items()]


def further_line(one: Further) -> str:
    """What would decide something, without its command."""
    who = joined(list(one.workloads)) if len(one.workloads) < 4 else few(one.workloads, 2)  # noqa: PLR2004
    if one.why == "unknown":
        return f"Without {one.criterion}: {who}. To measure it:"
    what = {
        "tied": f"tell {who} apart by {one.criterion}",
        "limit": f"tell whether {who} keeps to the limit of {one.criterion}",
    }[one.why]
    if one.more is None:
        return f"Nothing that was measured says how much more would {what}."
    much = f"about {one.more:,} more {one.unit} of each"
    if not one.worth:
        return f"{much[0].upper()}{much[1:]} would {what}: that is not worth it."
    where = ", on data (DATA) that has so many" if one.unit == "samples" else ""
    return f"{much[0].upper()}{much[1:]} would {what}{where}:"


def note_lines(weighed: Candidates, *, limits: bool = False) -> list[str]:
    """What a reader must know of the figures.

    Args:
        weighed: what has them.
        limits: whether any of them is held against a limit.
    """
    lines: list[str] = []
    for one in weighed.criteria:
        kinds: list[Precision] = [point.figures[one.name].precision for point in weighed.points]
        if "unknown" in kinds:
            assumed = units.percent(one.assumed)
            lines.append(
                f"{NO_INTERVAL} after a figure: no interval of {one.words} is known, and "
                f"± {assumed} was assumed."
            )
    processes = _of_one_process(weighed.points)
    if processes:
        lines.append(
            f"{processes} measured in a single process{_as_far(weighed.points)}: how much fresh "
            "processes differ was not observed, "
            f"and ± {units.percent(ONE_PROCESS)} was added to the intervals."
        )
    if weighed.is_relative and limits:
        lines.append(
            "Intervals of the latency are those for comparisons within the run; against a limit "
            "the wider one on this device counts."
        )
    return [*lines, *(sentence(note) for note in weighed.notes)]


def _as_far(points: Sequence[Point]) -> str:
    """A remark where nobody says in how many processes a figure was measured."""
    told = all(point.record.number("latency_processes") is not None for point in points)
    return "" if told else ", as far as is known"


def _of_one_process(points: Sequence[Point]) -> str:
    single = sum(
        any(figure.precision == "one process" for figure in point.figures.values())
        for point in points
    )
    if not single:
        return ""
    return (
        "Latencies were" if single == len(points) else f"{plural(single, 'latency', 'latencies')}"
    )
