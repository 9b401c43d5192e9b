"""The state of a device over a run, as the strip above the raw observations, and in words."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from inferometer.core import units
from inferometer.core.record import Record
from inferometer.figures.joint import MachineState, machine_state
from inferometer.report.document.sources import RunRecords
from inferometer.report.document.wording import joined, plural
from inferometer.report.html.distribution import extremes

SLOWER = 1.1
"""Times the run's average, from which a stretch is told in words."""
MOST_TOLD = 4
MOST_POINTS = 600
Place = tuple[str, str]
"""A run by its id, and one of its devices."""


@dataclass(frozen=True, kw_only=True)
class Strip:
    """How the speed of a device moved over a run.

    Attributes:
        begin_s: Unix time of the first call of the run.
        at_s: seconds after it.
        factor: latency of all workloads at each, times that of the run on average.
        words: the same in words.
    """

    begin_s: float
    at_s: tuple[float, ...] = field(repr=False)
    factor: tuple[float, ...] = field(repr=False)
    words: str

    def to_json(self) -> dict[str, Any]:
        """What the page's script needs, of many points the smallest and largest of stretches."""
        kept = sorted(extremes(range(len(self.at_s)), MOST_POINTS, lambda at: self.factor[at]))
        return {
            "begin": self.begin_s,
            "at": [round(self.at_s[at], 1) for at in kept],
            "factor": [round(self.factor[at], 4) for at in kept],
        }


def place_of(record: Record) -> Place:
    """Whose state is behind a record."""
    return str(record.run.get("run_id")), record.workload.device


def strips(runs: Sequence[RunRecords]) -> Mapping[Place, Strip]:
    """The states of all devices that a joint fit knows them of."""
    found: dict[Place, Strip] = {}
    for one in runs:
        by_device: dict[str, list[Record]] = defaultdict(list)
        for record in one.records:
            by_device[record.workload.device].append(record)
        for device, records in by_device.items():
            state = machine_state(one.run, records)
            if state is not None:
                begin_s = min(done.started_at for record in records for done in record.rounds)
                found[one.run.id, device] = _strip(state, begin_s, f"run {one.run.id}, {device}")
    return found


def _strip(state: MachineState, begin_s: float, name: str) -> Strip:
    at_s = tuple(when_s - begin_s for when_s in state.when_s)
    return Strip(
        begin_s=begin_s, at_s=at_s, factor=state.factor, words=_words(name, at_s, state.factor)
    )


def _words(name: str, at_s: Sequence[float], factor: Sequence[float]) -> str:
    """Between which values the state moved, and when the device was clearly slower."""
    low, high = min(factor), max(factor)
    lasted = units.duration(at_s[-1] - at_s[0])
    moved = (
        f"State of the machine ({name}): over {lasted} all workloads took between {low:.2f} and "
        f"{high:.2f} times their average of the run"
    )
    stretches = [
        list(part)
        for slow, part in groupby(zip(at_s, factor, strict=True), lambda one: one[1] >= SLOWER)
        if slow
    ]
    if not stretches:
        return f"{moved}, and never {SLOWER:.1f} times or more."
    worst = sorted(stretches, key=lambda part: part[0][0] - part[-1][0])[:MOST_TOLD]
    told = joined([_told(part) for part in sorted(worst)])
    more = len(stretches) - len(worst)
    shorter = f", and in {plural(more, 'shorter stretch', 'shorter stretches')}" * bool(more)
    return f"{moved}; {SLOWER:.1f} times or more {told}{shorter}."


def _told(stretch: Sequence[tuple[float, float]]) -> str:
    (begin_s, _), (end_s, _) = stretch[0], stretch[-1]
    most = max(factor for _, factor in stretch)
    return f"from {begin_s:.0f} to {end_s:.0f} s (at most {most:.2f})"
