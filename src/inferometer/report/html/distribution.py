"""Raw observations of a workload, thinned so that a page can hold those of a large study."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Literal

from inferometer.core.procedure import Procedure
from inferometer.core.record import Record, Round
from inferometer.figures.outliers import labels
from inferometer.figures.summary import counting_rounds
from inferometer.report.document.wording import plural

Kind = Literal["w", "s", "o", "c"]
"""Warm-up until it is steady, after a switch, standing out from its neighbours, counted."""

MOST_ON_PAGE = 40_000
"""Values on a page."""
MOST = 600
"""Values of a workload."""
_LEAST = 8
_BINS = 40
_FEWEST_BINNED = 10
_DIGITS = 5


@dataclass(frozen=True, kw_only=True)
class Value:
    """One raw observation.

    Attributes:
        at_s: its begin, seconds after the first of the workload.
        value_s: seconds per call.
        kind: whether and how it counts.
    """

    at_s: float
    value_s: float
    kind: Kind


@dataclass(frozen=True, kw_only=True)
class Course:
    """The observations of a workload over time.

    Attributes:
        begin_s: Unix time of the first.
        values: those that are shown, in the order of time.
        total: how many there were.
        processes_s: begin of each process, seconds after that of the workload.
        bins: how often a latency occurred among all that count, outliers included: the number in
            each of equal stretches of the logarithm.
        low_s: where the first of them begins.
        high_s: where the last of them ends.
        note: what is shown, in words.
    """

    begin_s: float
    values: tuple[Value, ...] = field(repr=False)
    total: int
    processes_s: tuple[float, ...]
    bins: tuple[int, ...] = field(repr=False)
    low_s: float
    high_s: float
    note: str

    def to_json(self) -> dict[str, Any]:
        """What the page's script needs, in few bytes."""
        edges = [_short(self.low_s), _short(self.high_s)] if self.bins else []
        return {
            "begin": self.begin_s,
            "at": [round(one.at_s, 4) for one in self.values],
            "values": [_short(one.value_s) for one in self.values],
            "kinds": "".join(one.kind for one in self.values),
            "processes": [round(at_s, 4) for at_s in self.processes_s],
            "bins": list(self.bins),
            "edges": edges,
            "note": self.note,
        }


def share_of_page(workloads: int) -> int:
    """How many values of each workload a page of so many may show."""
    return min(MOST, max(_LEAST, MOST_ON_PAGE // max(1, workloads)))


def course(record: Record, most: int, procedure: Procedure | None = None) -> Course | None:
    """The observations of a record, at most so many; None where it has none.

    Args:
        record: with its rounds.
        most: values to keep, at least 8.
        procedure: how it was measured; None where that is not known.
    """
    rounds = [done for done in record.rounds if done.phase in {"warmup", "measure"}]
    rounds = sorted((done for done in rounds if done.values_s), key=lambda done: done.started_at)
    counting = _counting(record, rounds, procedure)
    values = _values(rounds, counting)
    if not values:
        return None
    kept = _thinned(values, most)
    counted = [one.value_s for one in values if one.kind in "co"]
    low_s, high_s = (min(counted), max(counted)) if counted else (0.0, 0.0)
    return Course(
        begin_s=rounds[0].started_at,
        values=tuple(kept),
        total=len(values),
        processes_s=tuple(_processes(rounds)),
        bins=tuple(_bins(counted, low_s, high_s)),
        low_s=low_s,
        high_s=high_s,
        note=_note(values, kept, rounds) + _unknown(record, counting),
    )


def _counting(
    record: Record, rounds: Sequence[Round], procedure: Procedure | None
) -> Sequence[Round]:
    """The rounds that make the figures; before it was steady a process only warmed up."""
    measured = [done for done in rounds if done.phase == "measure"]
    if procedure is None or not _unknown(record, measured):
        return measured  # looking for the steady state takes long, and nothing was left out
    return counting_rounds(rounds, procedure, record.figures)[1]


def _unknown(record: Record, counting: Sequence[Round]) -> str:
    """A sentence where the figures are not those of the rounds; empty where they are."""
    calls, here = record.number("latency_calls"), sum(done.calls for done in counting)
    if calls is None or calls == here:
        return ""
    return f" The figures are of {int(calls):,} calls; which others were left out is not known."


def _values(rounds: Sequence[Round], counting: Sequence[Round]) -> list[Value]:
    """Every value of the rounds with its kind, in the order of time."""
    if not rounds:
        return []
    begin = rounds[0].started_at
    indices = (done.index for done in counting)
    outliers = dict(zip(indices, labels(counting), strict=True))
    return [
        Value(at_s=done.started_at - begin + start_s, value_s=value_s, kind=kind)
        for done in rounds
        for start_s, value_s, kind in zip(
            done.starts_s,
            done.values_s,
            _kinds(done, outliers.get(done.index, ())),
            strict=True,
        )
        if value_s > 0  # a clock of coarse steps may give 0, which has no place on the axis
    ]


def _kinds(done: Round, outliers: Sequence[bool]) -> list[Kind]:
    """The kind of each value.

    Args:
        done: the round.
        outliers: of each of the last ones, which count, whether it is an outlier.
    """
    switched = 0 if done.phase == "warmup" else min(done.settle, len(done.values_s))
    warming = len(done.values_s) - switched - len(outliers)
    kinds: list[Kind] = [*("s" * switched), *("w" * warming)]
    return kinds + [("o" if out else "c") for out in outliers]


def _thinned(values: Sequence[Value], most: int) -> list[Value]:
    """At most so many of the values, in the order of time.

    What is rare and tells most is kept whole where it takes no more than half of the room. Of what
    is thinned the smallest and the largest of equal stretches remain, so that the band that the
    values fill stays as wide as it was.
    """
    if len(values) <= most:
        return list(values)
    rare = [i for i, one in enumerate(values) if one.kind != "c"]
    common = [i for i, one in enumerate(values) if one.kind == "c"]
    rare = extremes(rare, max(most // 2, most - len(common)), lambda i: values[i].value_s)
    common = extremes(common, most - len(rare), lambda i: values[i].value_s)
    return [values[i] for i in sorted([*rare, *common])]


def extremes(places: Sequence[int], most: int, size: Callable[[int], float]) -> list[int]:
    """The places of the smallest and the largest value of each of some equal stretches."""
    if len(places) <= most:
        return list(places)
    stretches = most // 2
    edges = [len(places) * n // stretches for n in range(stretches + 1)]
    parts = [places[a:b] for a, b in pairwise(edges)]
    return [i for part in parts for i in {min(part, key=size), max(part, key=size)}]


def _processes(rounds: Sequence[Round]) -> Iterable[float]:
    begins: dict[int, float] = {}
    for done in rounds:
        begins.setdefault(done.process, done.started_at)
    return (at - rounds[0].started_at for at in begins.values())


def _bins(counted: Sequence[float], low_s: float, high_s: float) -> list[int]:
    if len(counted) < _FEWEST_BINNED or _short(low_s) == _short(high_s):
        return []
    width = math.log(high_s / low_s) / _BINS
    counts = [0] * _BINS
    for value_s in counted:
        counts[min(_BINS - 1, int(math.log(value_s / low_s) / width))] += 1
    return counts


def _note(values: Sequence[Value], kept: Sequence[Value], rounds: Sequence[Round]) -> str:
    names: dict[Kind, str] = {
        "c": "counted",
        "o": "standing out",
        "s": "after a switch",
        "w": "of the warm-up",
    }
    counts = Counter(one.kind for one in values)
    parts = ", ".join(f"{counts[kind]:,} {name}" for kind, name in names.items() if counts[kind])
    note = f"{plural(len(values), 'value')}: {parts}."
    if len(kept) < len(values):
        note += (
            f" Shown are {len(kept):,}: of equal stretches the smallest and the largest, so the "
            "picture is as wide as the data and not as dense."
        )
    nothing = sum(value_s <= 0 for done in rounds for value_s in done.values_s)
    if nothing:
        note += f" {plural(nothing, 'further value')} of 0 s cannot be drawn on this axis."
    calls = max(done.calls_per_value for done in rounds)
    if calls > 1:
        note += f" A value is the mean of up to {calls:,} calls."
    return note


def _short(value: float) -> float:
    return float(f"{value:.{_DIGITS}g}")
