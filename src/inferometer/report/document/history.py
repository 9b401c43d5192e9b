"""Histories as the cells of a table, and as sentences."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from statistics import median

from inferometer.analysis.history.course import SOON, Difference, History, Marked
from inferometer.analysis.history.gate import HistoryGate, Judgement
from inferometer.core import units
from inferometer.core.workload import Workload
from inferometer.report.document.wording import few, local_time, plural, sentence
from inferometer.stats.history.changes import FALSE_ALARMS, FEWEST, Shift

HEADS = ("workload", "runs", "course", "last change", "since")
BLOCKS, PLAIN_BLOCKS = "▁▂▃▄▅▆▇█", "_.-=+*#@"
WIDTH = 20
"""Characters of a course."""
LEAST_SPAN = 0.1
"""From the foot to the top of a course, in logarithms: noise is not shown as large as a change."""
MOST_DIFFERENCES = 6


def cells(history: History, *, blocks: str = BLOCKS) -> tuple[str, ...]:
    """A row of the table, to go with `HEADS`."""
    series, changes = history.series, history.changes
    name = series.workload.label + f", {series.device_name}" * bool(series.device_name)
    if history.state == "too_few":
        told = ("too few runs", units.ABSENT)
    elif not changes:
        told = ("none", units.ABSENT)
    else:
        when = datetime.fromtimestamp(changes[-1].run.created_at).astimezone()
        told = (change_text(changes[-1].change.shift), f"{when:%Y-%m-%d}")
    return (name, f"{len(series.points):,}", spark(history, blocks=blocks), *told)


def change_text(shift: Shift) -> str:
    """By how much a level changed, with its interval: `+5.1 % [+4.2, +6.0]`."""
    half = shift.half_width(0.95)
    if not math.isfinite(half):
        return f"{_signed(shift.log_ratio)} % [no interval]"
    low, high = shift.log_ratio - half, shift.log_ratio + half
    return f"{_signed(shift.log_ratio)} % [{_signed(low)}, {_signed(high)}]"


def spark(history: History, width: int = WIDTH, *, blocks: str = BLOCKS) -> str:
    """The course of a workload in a line of blocks, each the median of some runs."""
    values = shown_values(history)
    if not values:
        return ""
    parts = min(width, len(values))
    edges = [round(number * len(values) / parts) for number in range(parts + 1)]
    middles = [median(values[a:b]) for a, b in pairwise(edges)]
    low, span = min(middles), max(max(middles) - min(middles), LEAST_SPAN)
    top = len(blocks) - 1
    return "".join(blocks[min(top, int((one - low) / span * len(blocks)))] for one in middles)


def shown_values(history: History) -> list[float]:
    """Logarithms of what is looked at, without what devices differ by."""
    offsets = dict(history.course.offsets)
    return [
        point.log_ratio - offsets.get(point.run.device_name, 0.0) for point in history.series.points
    ]


def told(history: History) -> list[str]:
    """What is to be said of a workload beside its row: its changes, and what is in the way."""
    return [*map(change_sentence, history.changes), *notes(history)]


def change_sentence(marked: Marked) -> str:
    """A change with its place, and what else happened there."""
    shift = marked.change.shift
    word = "slower" if marked.is_slower else "faster"
    text = f"{local_time(marked.run.created_at)}, run {marked.run.id}: {word}, {change_text(shift)}"
    if marked.earliest.id != marked.latest.id:
        text += f"; first between runs {marked.earliest.id} and {marked.latest.id}"
    if marked.control_ratio is not None:
        text += (
            f"; the latency itself {_signed(math.log(marked.latency_ratio))} %, that of the "
            f"control {_signed(math.log(marked.control_ratio))} %"
        )
    return sentence(f"{text}{_beside(marked)}")


def _beside(marked: Marked) -> str:
    """What else changed at the same place: it may be why."""
    names = list(map(difference_text, marked.differences))
    if not names:
        return "; no version and nothing known of the device changed with it"
    return f"; with it changed {few(names, MOST_DIFFERENCES)}"


def difference_text(one: Difference) -> str:
    """What changed beside a workload: `torch 2.5.1 → 2.6.0`."""
    return f"{one.what} {one.before or 'none'} → {one.after or 'none'}"


def notes(history: History) -> list[str]:
    """What a reader should know of a workload's figures."""
    series, found = history.series, []
    if series.uncontrolled:
        found.append(f"{plural(series.uncontrolled, 'run')} without the control left out")
    if series.failed:
        found.append(f"failed in {plural(len(series.failed), 'run')}: {_ids(history)}")
    if history.course.outliers:
        found.append(f"{plural(len(history.course.outliers), 'outlier')} belong to no level")
    if history.smallest is not None:
        noise = history.course.noise
        assert noise
        found.append(
            f"runs differ by {units.percent(noise.scale)} while nothing changes; a slowdown of "
            f"{units.percent(history.smallest)} is found within {SOON} runs in half of the cases"
        )
    return [sentence(one) for one in found]


def _ids(history: History) -> str:
    return few([run.id for run in history.series.failed][::-1])


def explanation(found: Sequence[History]) -> list[str]:
    """What the table shows, and how often it would be wrong."""
    controls = list(dict.fromkeys(_name(one.series.control) for one in found if one.series.control))
    what = f"Latency over that of {' or '.join(controls)} beside it" if controls else "Latency"
    if controls and not all(one.is_told_apart for one in found):
        what += ", where there is one"
    many = found[0].many if found else 1
    who = "it shows" if many == 1 else f"{many} series together show"
    chance = units.percent(FALSE_ALARMS)
    lines = [
        f"{what}, run by run.",
        f"In a year of nightly runs without a change {who} one with {chance} at the most.",
    ]
    if few_runs := sum(one.state == "too_few" for one in found):
        lines.append(f"Changes are looked for from {FEWEST} runs on; {few_runs} have fewer.")
    if alone := sum(not one.is_told_apart for one in found):
        lines.append(
            f"No control in the runs of {alone} of {len(found)}: a slower machine cannot be told "
            "from a slower model; measure with `inferometer run --control`, or name a model that "
            "is in them by --control."
        )
    return lines


JUDGEMENTS: dict[Judgement, str] = {
    "slower": "slower by more than {limit}",
    "undecided": "undecided about {limit}, or without a control",
    "failed": "failed in the latest run",
    "within": "at most {limit} slower",
    "too_few": "too few runs",
}


def gate_sentence(found: Sequence[History], gated: HistoryGate) -> str:
    """Why a gate passed or failed: `Failed: slower by more than 5 %: resnet18 224/1 …`."""
    limit = units.percent(gated.limit)
    by_judgement: dict[Judgement, list[str]] = {}
    for one, judgement in zip(found, gated.judgements, strict=True):
        by_judgement.setdefault(judgement, []).append(judged(one))
    parts = [
        f"{JUDGEMENTS[judgement].format(limit=limit)}: {few(names)}"
        for judgement, names in by_judgement.items()
        if gated.is_failure(judgement) or judgement in ("undecided", "too_few")
    ]
    if gated.passes:
        within = len(by_judgement.get("within", []))
        parts.insert(0, f"{plural(within, 'workload')} at most {limit} slower than before")
    return sentence(f"{'Passed' if gated.passes else 'Failed'}: {'; '.join(parts)}")


def judged(history: History) -> str:
    """A workload with how its last level is against its best earlier one."""
    shift, label = history.against_best, history.series.workload.label
    return label if shift is None else f"{label} {change_text(shift)}"


def _name(control: Workload) -> str:
    return control.variant.model if control.is_control else control.label


def _signed(log_ratio: float) -> str:
    return f"{100 * math.expm1(log_ratio):+.1f}"
