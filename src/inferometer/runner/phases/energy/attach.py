"""Joins a power log, taken by any meter, to a run whose windows are in the store."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from inferometer.core.errors import MeterError
from inferometer.core.record import Record, Round
from inferometer.core.shown import shown
from inferometer.meters.energy.logs.power_log import PowerLog
from inferometer.runner.phases.energy.covering import (
    apart,
    counted,
    covered,
    share_covered,
    shortfall,
)
from inferometer.runner.phases.energy.figures import Sourced, joined
from inferometer.runner.phases.energy.measurement import ENERGY
from inferometer.runner.phases.energy.views import views
from inferometer.runner.phases.energy.windows import (
    around,
    last_try,
    rest_window,
    sensor_of,
    work_window,
)
from inferometer.stats.alignment import MIN_SHARE, align
from inferometer.stats.energy import EnergyResult, energy_per_sample
from inferometer.stats.energy_windows import MIN_WINDOWS, Window, why_too_short
from inferometer.store import Store

Interval = tuple[float, float]
NOT_FOR_LOGS = (
    "the windows were made for a sensor that was read meanwhile, and are too short for a log: "
    "make longer ones with inferometer run --mark FILE"
)


@dataclass(frozen=True, kw_only=True)
class Attached:
    """What a log gave.

    Attributes:
        records: with their new figures, as stored.
        offset_s: seconds that were added to the log's times.
        offset_u_s: standard uncertainty of the fitted offset; None where the user gave it.
        notes: what was assumed about the log, and where it gave nothing.
    """

    records: tuple[Record, ...]
    offset_s: float
    offset_u_s: float | None
    notes: tuple[str, ...]


def attach(store: Store, run_id: str, log: PowerLog, *, offset_s: float | None = None) -> Attached:
    """Compute the energy of every workload whose windows the run holds, and store it.

    A figure that another meter gave is kept: beside that of the log, or where the log gives none.

    Args:
        store: where the run is.
        run_id: its full id.
        log: what the meter wrote.
        offset_s: seconds to add to the log's times; None fits them by the steps of the load.

    Raises:
        MeterError: the run has no windows, or the clocks cannot be aligned.
    """
    records = [one for one in store.records(run_id, with_rounds=True) if one.status == "ok"]
    tried = {one.workload: last_try(one.rounds) for one in records}
    measured = [one for one in records if any(r.phase == "energy" for r in tried[one.workload])]
    if not measured:
        raise MeterError(
            f"run {run_id} has no windows in which energy was measured; make some with "
            "inferometer run --mark FILE (a CSV of the windows) while the meter logs"
        )
    uncertainty = None
    if offset_s is None:
        offset_s, uncertainty = _fitted(log, [r for one in measured for r in tried[one.workload]])
    idle = [rest_window(r) for rounds in tried.values() for r in rounds if r.phase == "idle"]
    changed: list[Record] = []
    kept = Counter[str]()
    windows = {one.workload: _windows(one, tried[one.workload]) for one in measured}
    work = [window for mine in windows.values() for window in mine]
    missed = shortfall(log, offset_s, work) if work else ""
    for record in measured:
        rounds = tried[record.workload]
        result = _result(log, offset_s, windows[record.workload], idle, missed)
        found = Sourced(info=log.info, result=result)
        figures = {**record.reached(ENERGY).figures, **joined(found, rounds, record)}
        if figures["energy_source"] not in (None, log.info.name):
            kept[found.result.reason or ""] += 1
        changed.append(replace(record, figures=figures))
        store.put_record(run_id, replace(changed[-1], rounds=()))
    notes = [
        f"The log gives no figure for {count} of {len(measured)} workloads, whose earlier one "
        f"stays: {reason}"
        for reason, count in kept.items()
    ]
    if missed:
        notes.insert(0, f"{missed[0].upper()}{missed[1:]}; {counted(log, offset_s, work)}.")
    return Attached(
        records=tuple(changed),
        offset_s=offset_s,
        offset_u_s=uncertainty,
        notes=(*log.notes, *notes),
    )


def _windows(record: Record, rounds: Sequence[Round]) -> list[Window]:
    mine = [one for one in rounds if one.phase == "energy"]
    batch_size = record.workload.batch_size
    return [window for one in mine if (window := work_window(one, batch_size))]


def _result(
    log: PowerLog, offset_s: float, windows: Sequence[Window], idle: Sequence[Window], missed: str
) -> EnergyResult:
    """The energy of a workload, from those of its windows that the log covers.

    Args:
        log: what the meter wrote.
        offset_s: seconds to add to its times.
        windows: of this workload.
        idle: of the run.
        missed: by how much the log misses the windows of the run.
    """
    if not windows:
        return EnergyResult(reason=NOT_FOR_LOGS, net_reason=NOT_FOR_LOGS)
    sensor = sensor_of(log.info)
    inside = covered(log, offset_s, windows)
    if len(inside) < min(MIN_WINDOWS, len(windows)):
        reason = f"{missed}; {counted(log, offset_s, windows)} of this workload"
        return EnergyResult(reason=reason, net_reason=reason)
    load = [one for one in inside if why_too_short(sensor, one.duration_s) is None] or inside
    found = energy_per_sample(
        sensor,
        log.times_s + offset_s,
        log.watts,
        load,
        idle=around(covered(log, offset_s, idle), load),
    )
    if missed and found.net_reason and found.gross_j:
        return replace(found, net_reason=f"{found.net_reason}: {missed}")
    return found


def _fitted(log: PowerLog, rounds: Sequence[Round]) -> tuple[float, float]:
    """The offset of the log's clock, by the steps between work and idling."""
    first, *others = views(rounds)
    intervals = [*first.loads, *first.idles]
    if away := apart(log, intervals):
        raise MeterError(f"{shown(log.path)}: {away}")
    shift_s = _rough_shift(log, intervals)
    share = share_covered(log, shift_s, intervals)
    found = align(
        log.times_s + shift_s,
        log.watts,
        first.loads,
        first.idles,
        others=others,
        least_share=MIN_SHARE * share if log.clock != "start" else MIN_SHARE,
    )
    if found is None:
        raise MeterError(
            f"{shown(log.path)}: where the work began and ended cannot be told from the log, so "
            "that its clock cannot be aligned: give --offset SECONDS (to be added to its times), "
            "and check that the meter logged during the run"
        )
    return shift_s + found.offset_s, found.uncertainty_s


def _rough_shift(log: PowerLog, intervals: Sequence[Interval]) -> float:
    """For a log that counts from its start: its end is put at the end of the last window."""
    if log.clock != "start":
        return 0.0
    return max(end for _, end in intervals) - float(log.times_s[-1])
