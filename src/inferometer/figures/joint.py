"""Figures of a run's workloads from all of its rounds together: see `stats.joint`."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from inferometer.core.procedure import Procedure
from inferometer.core.record import Record, Round, Value
from inferometer.core.run import Run
from inferometer.core.sections import Joint
from inferometer.core.statement import Statement
from inferometer.core.sweep import Study, study_of
from inferometer.core.workload import Workload
from inferometer.figures.summary import by_process, counted_rounds
from inferometer.figures.use import usable_for
from inferometer.stats.joint import LARGEST

if TYPE_CHECKING:
    from inferometer.stats.joint.alone import Alone
    from inferometer.stats.joint.fit import JointFit

METHOD = "joint fit of {} rounds of {} workloads"
ON_DEVICES = " on {} devices"
Key = tuple[str, Workload]
"""A workload of a run, by the run's id."""
OF_INTERVAL = ("moved_alone", "wide_interval", "no_interval")
"""Causes that the joint fit tells anew."""
WORSE = ("swapped", "throttled", "contended")
"""Verdicts that a workload which moved alone keeps: they may be why."""
NEAR_S = 3600.0
"""From the end of one run to the beginning of another; a machine changes over longer times."""
REPLICATED = 2
"""So many workloads need several processes, so that the difference of processes is known."""


def joined(run: Run, records: Sequence[Record]) -> list[Record]:
    """Records with the figures of the joint fit, where the run holds what it needs.

    Those that cannot have them (imported, paired, sustained, of one workload or of one process
    each) are as they were.

    Args:
        run: whose records they are.
        records: all of the run, with their rounds.
    """
    return _joined([(run, records)])[0]


def completed(run: Run, records: Sequence[Record]) -> list[Record]:
    """Records with the figures of the joint fit: those that are stored, or else made now.

    Args:
        run: whose records they are.
        records: all of the run, with their rounds.
    """
    return list(records) if any(map(has_joint, records)) else joined(run, records)


def joined_across(
    one: tuple[Run, Sequence[Record]], other: tuple[Run, Sequence[Record]]
) -> tuple[list[Record], list[Record]]:
    """Records of two runs, read together where they share a device and an hour; else each alone.

    Args:
        one: a run, and all of its records with their rounds.
        other: another.
    """
    if not _near(one, other):
        return completed(*one), completed(*other)
    name = f"{one[0].id} and {other[0].id}"
    first, second = _joined([one, other], name)
    return first, second


def _near(one: tuple[Run, Sequence[Record]], other: tuple[Run, Sequence[Record]]) -> bool:
    """Whether two runs are of one device, and begin within an hour of the end of the earlier."""
    if dict(one[0].device).get("name") != dict(other[0].device).get("name"):
        return False
    spans = [_span(records) for _, records in (one, other)]
    if any(span is None for span in spans):
        return False
    (_, early_end), (late_begin, _) = sorted(span for span in spans if span is not None)
    return late_begin - early_end < NEAR_S


def _span(records: Sequence[Record]) -> tuple[float, float] | None:
    begins = [done.started_at for record in records for done in record.rounds]
    return (min(begins), max(begins)) if begins else None


def _joined(runs: Sequence[tuple[Run, Sequence[Record]]], name: str = "") -> list[list[Record]]:
    """Records of runs that are read together, one fit for each device."""
    groups, procedure = _grouped(runs)
    found: dict[Key, dict[str, Value]] = {}
    of_id = {run.id: run for run, _ in runs}
    for rounds in groups.values():
        measured_by = [of_id[run_id] for run_id, _ in rounds]
        found |= {} if procedure is None else _figures(rounds, procedure, measured_by)
    return [
        [
            _with(record, found[run.id, record.workload], name)
            if (run.id, record.workload) in found
            else record
            for record in records
        ]
        for run, records in runs
    ]


@dataclass(frozen=True, kw_only=True)
class MachineState:
    """How the speed of the device moved while a run went on, common to all of its workloads.

    Attributes:
        when_s: middles of the rounds, Unix time, in that order.
        factor: latency at each over that of the run on average.
    """

    when_s: tuple[float, ...]
    factor: tuple[float, ...]


def machine_state(run: Run, records: Sequence[Record]) -> MachineState | None:
    """State of the device over a run, from its rounds; None where there is no joint fit.

    None as well for a run that was spread over several devices, each of which has its own.

    Args:
        run: whose records they are.
        records: all of the run, with their rounds; of several devices the one with most workloads.
    """
    groups, procedure = _grouped([(run, records)])
    if procedure is None or not groups:
        return None
    rounds = list(max(groups.values(), key=len).values())
    fit = _fit(rounds, procedure.confidence, [run] * len(rounds))
    if fit is None or len(fit.devices) > 1:
        return None
    return MachineState(
        when_s=tuple(map(float, fit.when)), factor=tuple(map(float, np.exp(fit.state)))
    )


def lacks_joint(study: Study, records: Sequence[Record]) -> bool:
    """Whether a joint fit is possible, and no record has its figures."""
    replicated = sum((record.number("latency_processes") or 0) > 1 for record in records)
    return (
        _takes_turns(study.procedure)
        and replicated >= REPLICATED
        and not any(map(has_joint, records))
    )


def is_beyond_fit(run: Run, records: Sequence[Record]) -> bool:
    """Whether all rounds of a run would be read together, were they not too many for that."""
    study = study_of(run)
    if study is None or not _takes_turns(study.procedure):
        return False
    return {record.workload.device for record in records} <= _too_many([(run, records)])


def _takes_turns(procedure: Procedure) -> bool:
    """Whether all workloads of a run are interleaved: not two in pairs, nor one for a long time."""
    return not procedure.pair and procedure.sustain_s is None


def has_joint(record: Record) -> bool:
    """Whether a record has the figures of the joint fit."""
    return record.number("latency_relative_ci_low_s") is not None


def relative_half_widths(rounds: Mapping[Workload, Sequence[Round]]) -> dict[Workload, float]:
    """Half-width of each workload's relative interval, in logarithms; empty without a joint fit.

    Args:
        rounds: those that were measured of each workload so far.
    """
    workloads = [workload for workload, mine in rounds.items() if by_process(mine)]
    fit = _fit([rounds[workload] for workload in workloads], 0.95)
    if fit is None:
        return {}
    return {one: float(half) for one, half in zip(workloads, fit.relative, strict=True)}


def _grouped(
    runs: Sequence[tuple[Run, Sequence[Record]]],
) -> tuple[dict[str, dict[Key, Sequence[Round]]], Procedure | None]:
    """Rounds that count of each workload, by device, and the procedure of the first run."""
    groups: dict[str, dict[Key, Sequence[Round]]] = defaultdict(dict)
    procedure: Procedure | None = None
    too_many = _too_many(runs)
    for run, records in runs:
        study = study_of(run)
        if study is None or not _takes_turns(study.procedure):
            continue
        procedure = procedure or study.procedure
        for record in records:
            if record.status == "ok" and record.workload.device not in too_many:
                steady = counted_rounds(record, study.procedure)
                groups[record.workload.device][run.id, record.workload] = steady
    return groups, procedure


def _too_many(runs: Sequence[tuple[Run, Sequence[Record]]]) -> set[str]:
    """Devices with more workloads and processes than a fit takes: no need to look what counts."""
    size: Counter[str] = Counter()
    for record in (one for _, records in runs for one in records if one.status == "ok"):
        size[record.workload.device] += 1 + int(record.number("latency_processes") or 1)
    return {device for device, parts in size.items() if parts > LARGEST}


def _figures(
    rounds: Mapping[Key, Sequence[Round]], procedure: Procedure, runs: Sequence[Run]
) -> dict[Key, dict[str, Value]]:
    fit = _fit(list(rounds.values()), procedure.confidence, runs)
    if fit is None:
        return {}
    alone = {one.workload: one for one in fit.alone}
    return {
        key: _figures_of(fit, index, procedure, alone.get(index))
        for index, key in enumerate(rounds)
    }


def _fit(
    rounds: Sequence[Sequence[Round]], confidence: float, runs: Sequence[Run] = ()
) -> JointFit | None:
    """The fit of all rounds that have a duration; None where there is none.

    Args:
        rounds: of each workload.
        confidence: of the intervals.
        runs: that of each workload, which knows the devices; none where there is one device.
    """
    processes = [len({done.process for done in mine}) for mine in rounds]
    if sum(count > 1 for count in processes) < REPLICATED:
        return None
    rows = [
        (index, done.process, _middle_s(done), done.median_s, _device(runs, index, done.process))
        for index, mine in enumerate(rounds)
        for done in mine
        if done.phase == "measure" and done.settled_s and done.median_s > 0
    ]
    if len({row[0] for row in rows}) < len(rounds):
        return None
    workload, process, when_s, latency_s, names = zip(*rows, strict=True)
    numbers = {name: number for number, name in enumerate(sorted(set(names)))}
    device = [numbers[name] for name in names]
    # Here, as most runs that are read were fitted when they ended: it takes a while to load.
    from inferometer.stats.joint.fit import joint_fit

    return joint_fit(workload, process, when_s, latency_s, confidence, device=device)


def _device(runs: Sequence[Run], index: int, process: int) -> str:
    """Name of the device that a process of a workload ran on."""
    return runs[index].device_of(process) if runs else ""


def _figures_of(
    fit: JointFit, index: int, procedure: Procedure, alone: Alone | None
) -> dict[str, Value]:
    centre, half = float(fit.mean[index]), float(fit.relative[index])
    low, high = _ends(centre, half)
    reached = math.sinh(half)
    absolute = _ends(centre, math.hypot(half, fit.common))
    quiet: tuple[float | None, ...] = (None, None, None)
    if fit.quiet is not None:
        level, error = fit.quiet
        quiet = (
            math.exp(centre + level),
            *_ends(centre + level, math.hypot(half, error, fit.device_half)),
        )
    section = Joint(
        latency_relative_ci_low_s=low,
        latency_relative_ci_high_s=high,
        latency_relative_freedom=float(fit.freedom[index]),
        latency_state_half_width=math.expm1(fit.common),
        latency_undisturbed_s=quiet[0],
        latency_undisturbed_ci_low_s=quiet[1],
        latency_undisturbed_ci_high_s=quiet[2],
    )
    return {
        "latency_median_s": math.exp(centre),
        "latency_ci_low_s": absolute[0],
        "latency_ci_high_s": absolute[1],
        "latency_confidence": procedure.confidence,
        "latency_ci_method": METHOD.format(len(fit.when), len(fit.mean)) + _of_devices(fit),
        "latency_target_met": reached <= procedure.target,
        **section.figures(),
        "against": [
            *([] if alone is None else [_moved(fit, alone)]),
            *([] if reached <= procedure.target else [_wide(reached, procedure)]),
        ],
    }


def _of_devices(fit: JointFit) -> str:
    return ON_DEVICES.format(len(fit.devices)) if len(fit.devices) > 1 else ""


def _wide(reached: float, procedure: Procedure) -> Statement:
    return Statement("wide_interval", {"reached": reached, "target": procedure.target})


def _moved(fit: JointFit, alone: Alone) -> Statement:
    """What is said of a workload that moved when the others did not."""
    begin = float(fit.when.min())
    values = {
        "change": alone.factor - 1,
        "begin_s": alone.begin_s - begin,
        "end_s": alone.end_s - begin,
    }
    return Statement("moved_alone", values)


def _with(record: Record, figures: Mapping[str, Value], name: str) -> Record:
    """A record with the figures of the joint fit, and what these say against it."""
    found = dict(figures)
    causes = [cause for cause in record.causes if cause.code not in OF_INTERVAL]
    found["causes"] = [*found.pop("against"), *causes]  # type: ignore[misc]
    codes = {cause.code for cause in found["causes"]}  # type: ignore[union-attr]
    verdict = str(record.figures.get("verdict"))
    if "moved_alone" in codes and verdict not in WORSE:
        found["verdict"] = "drifting"
    elif verdict in ("trusted", "noisy"):
        found["verdict"] = "noisy" if "wide_interval" in codes else "trusted"
    bound_s, median_s = record.number("roof_latency_s"), found.get("latency_median_s")
    if bound_s and isinstance(median_s, float) and bound_s <= median_s:
        found["roof_share"] = bound_s / median_s
    whole = replace(record, figures={**record.figures, **found}, fit=name)
    return replace(whole, figures={**whole.figures, "usable_for": usable_for(whole)})


def _ends(centre: float, half: float) -> tuple[float, float]:
    return math.exp(centre - half), math.exp(centre + half)


def _middle_s(done: Round) -> float:
    """Middle of the calls that count, Unix time."""
    last = done.starts_s[-1] + done.values_s[-1] * done.calls_per_value
    return done.started_at + (done.starts_s[done.settle] + last) / 2
