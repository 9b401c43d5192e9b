"""What raw observations show over all workloads of a run: a device that changed, an order effect.

Needs records with their rounds; says nothing of others.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp, log
from statistics import fmean, median

from scipy.special import stdtr

from inferometer.analysis.anomalies.named import Place, anomaly, label
from inferometer.analysis.findings import Anomaly
from inferometer.analysis.grid import Grid
from inferometer.core import units
from inferometer.core.catalogue import UNSEEN
from inferometer.core.record import Record
from inferometer.stats.comparison import holm
from inferometer.stats.ranks import kruskal_wallis

CHANGED = 0.10
"""Smaller changes of the whole device than this are left to the verdicts of the figures."""
AGREED = 0.8
"""Share of the workloads that must have moved the same way."""
SURE = 0.001
SURE_ORDER = 0.01
CUTS = (0.2, 0.35, 0.5, 0.65, 0.8)
FEWEST_WORKLOADS = 4
FEWEST_ROUNDS = 3
ENOUGH_ROUNDS = 12
ORDER = 1.10
TWO = 2
OTHER_STATE = ("throttled", "drifting")


@dataclass(frozen=True, kw_only=True)
class _Seen:
    """One round: when it began, its place in the run's order, and log of its median."""

    at: float
    index: int
    log_s: float


def device_changed(grid: Grid) -> list[Anomaly]:
    """Runs in which most workloads became faster or slower at one time; verdicts that say so."""
    found = [
        one
        for run_id, cells in _runs(grid).items()
        if (one := _change(grid, run_id, cells)) is not None
    ]
    for verdict in OTHER_STATE:
        places = [
            (column, shape)
            for (shape, column), record in grid.cells.items()
            if record.figures.get("verdict") == verdict
        ]
        if places:
            found.append(_by_verdict(grid, verdict, places))
    return found


def order_effects(grid: Grid) -> list[Anomaly]:
    """Latencies that depend on what ran just before: of all workloads together, or of one."""
    found = []
    for run_id, cells in _runs(grid).items():
        after = _after(cells, _by_index(grid, run_id))
        together: dict[str, list[float]] = defaultdict(list)
        for groups in after.values():
            middle = median([one for logs in groups.values() for one in logs])
            for name, logs in groups.items():
                together[name] += [one - middle for one in logs]
        tests = [_order_test(list(after), together)]
        tests += [_order_test([place], groups) for place, groups in after.items()]
        found += [_order_effect(grid, one) for one in _sure(tests)]
    return found


# A device that changed


def _change(grid: Grid, run_id: str, cells: dict[Place, list[_Seen]]) -> Anomaly | None:
    times = sorted(seen.at for mine in cells.values() for seen in mine)
    if len(cells) < FEWEST_WORKLOADS or not times:
        return None
    cuts = dict.fromkeys(times[int(share * (len(times) - 1))] for share in CUTS)
    moves = [(cut, _moved(cells, cut)) for cut in cuts]
    judged = [(cut, moved, _p(moved)) for cut, moved in moves if len(moved) >= FEWEST_WORKLOADS]
    sure = [
        (cut, moved)
        for cut, moved, p in judged
        if p * len(judged) <= SURE and abs(fmean(moved)) > log(1 + CHANGED) and _agree(moved)
    ]
    if not sure:
        return None
    cut, moved = max(sure, key=lambda one: abs(fmean(one[1])))
    size = exp(fmean(moved))
    way = "slower" if size > 1 else "faster"
    share = units.percent(abs(size - 1))
    return anomaly(
        grid,
        "device_changed",
        f"Run {run_id}: about {(cut - times[0]) / 60:.0f} min after its first round the device "
        f"became {way}: {len(moved)} workloads by {share} on average",
        list(cells),
        size,
        (
            "it grew hot and was throttled, or cooled down",
            "another program began or ended",
            "the power supply or the governor changed its mode",
        ),
    )


def _moved(cells: dict[Place, list[_Seen]], cut: float) -> list[float]:
    """By how much each workload moved at a time, in logarithms."""
    found = []
    for mine in cells.values():
        before = [seen.log_s for seen in mine if seen.at < cut]
        after = [seen.log_s for seen in mine if seen.at >= cut]
        if min(len(before), len(after)) >= FEWEST_ROUNDS:
            found.append(median(after) - median(before))
    return found


def _p(moved: Sequence[float]) -> float:
    """Two-sided p of Student's t: the workloads did not move."""
    n, mean = len(moved), fmean(moved)
    variance = sum((one - mean) ** 2 for one in moved) / (n - 1)
    if variance == 0:
        return 1.0 if mean == 0 else 0.0
    return 2 * float(stdtr(n - 1, -abs(mean) / (variance / n) ** 0.5))


def _agree(moved: Sequence[float]) -> bool:
    up = sum(one > 0 for one in moved) / len(moved)
    return max(up, 1 - up) >= AGREED


def _by_verdict(grid: Grid, verdict: str, places: list[Place]) -> Anomaly:
    records = [grid.cells[shape, column] for column, shape in places]
    causes = dict.fromkeys(
        str(cause) for record in records for cause in record.causes if cause.code not in UNSEEN
    )
    return anomaly(
        grid,
        "device_changed",
        f"The verdict of {len(places)} workloads is {verdict}: the device was not in one state",
        places,
        None,
        tuple(causes) or ("see the verdicts",),
    )


# The order of rounds


@dataclass(frozen=True, kw_only=True)
class _OrderTest:
    """Whether rounds of some workloads differ by what ran before them."""

    places: list[Place]
    p: float
    ratio: float
    after_slow: str
    after_fast: str


def _after(
    cells: dict[Place, list[_Seen]], ran: Mapping[int, str]
) -> dict[Place, dict[str, list[float]]]:
    """Rounds of each workload with enough of them, by the variant that ran just before."""
    found: dict[Place, dict[str, list[float]]] = {}
    for place, mine in cells.items():
        groups: dict[str, list[float]] = defaultdict(list)
        for seen in mine:
            if (before := ran.get(seen.index - 1)) is not None:
                groups[before].append(seen.log_s)
        if groups and len(mine) >= ENOUGH_ROUNDS:
            found[place] = dict(groups)
    return found


def _by_index(grid: Grid, run_id: str) -> dict[int, str]:
    """Which variant ran in each round of a run, those that make no latency too; rests are none."""
    return {
        done.index: column.label
        for (_, column), record in grid.cells.items()
        if column.run_id == run_id
        for done in record.rounds
        if done.phase != "idle"
    }


def _order_test(places: list[Place], groups: dict[str, list[float]]) -> _OrderTest:
    """Compare the groups that have enough rounds."""
    groups = {name: logs for name, logs in groups.items() if len(logs) >= FEWEST_ROUNDS}
    middles = {name: median(logs) for name, logs in groups.items()}
    if len(groups) < TWO:
        return _OrderTest(places=places, p=1.0, ratio=1.0, after_slow="", after_fast="")
    slow, fast = max(middles, key=middles.__getitem__), min(middles, key=middles.__getitem__)
    return _OrderTest(
        places=places,
        p=kruskal_wallis(list(groups.values())),
        ratio=exp(middles[slow] - middles[fast]),
        after_slow=slow,
        after_fast=fast,
    )


def _sure(tests: Sequence[_OrderTest]) -> list[_OrderTest]:
    """Those that are surely an effect; that of all together stands for those of each."""
    adjusted = holm([one.p for one in tests])
    sure = [
        one for one, p in zip(tests, adjusted, strict=True) if p <= SURE_ORDER and one.ratio > ORDER
    ]
    return sure[:1] if sure[:1] == list(tests[:1]) else sure


def _order_effect(grid: Grid, one: _OrderTest) -> Anomaly:
    several = len(one.places) > 1
    subject = f"A round of {len(one.places)} workloads" if several else label(*one.places[0])
    return anomaly(
        grid,
        "order_effect",
        f"{subject} takes {units.ratio(one.ratio)} as long right after {one.after_slow} as right "
        f"after {one.after_fast}",
        one.places,
        one.ratio,
        (
            "what ran before left the caches, the memory or the clock in another state",
            "heat of what ran before",
        ),
    )


def _runs(grid: Grid) -> dict[str, dict[Place, list[_Seen]]]:
    """The rounds that count of each workload, by run, relative to nothing yet."""
    runs: dict[str, dict[Place, list[_Seen]]] = defaultdict(dict)
    for (shape, column), record in grid.cells.items():
        if record.status == "ok" and (mine := _rounds(record)):
            runs[column.run_id][column, shape] = mine
    return runs


def _rounds(record: Record) -> list[_Seen]:
    return [
        _Seen(at=done.started_at, index=done.index, log_s=log(done.median_s))
        for done in record.rounds
        if done.phase == "measure" and done.pair is None and done.settled_s and done.median_s > 0
    ]
