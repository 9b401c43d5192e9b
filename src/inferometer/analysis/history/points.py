"""Records of many runs → the series of each workload, in the order of time."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from inferometer.analysis.grid import measured
from inferometer.analysis.matching import MEAN, MEDIAN
from inferometer.analysis.sides import difference_of, latency_side
from inferometer.core.record import Record
from inferometer.core.run import Run
from inferometer.core.workload import CONTROL, Workload

Stored = tuple[Run, Record]
"""A record, and the run that it is of."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which runs and workloads a history is of; what is None leaves all in.

    Attributes:
        since: no run that was created before this Unix time.
        last: no more than so many runs of each workload, the latest.
        device_name: of the runs.
        backend: of the workloads.
        precision: of the workloads.
        batch_size: of the workloads.
        input_size: of the workloads.
        control: model whose workload beside them shows how fast the machine was.
        pool: whether runs of all devices are one series: each device differs from the others by
            what it differs by throughout.
    """

    since: float | None = None
    last: int | None = None
    device_name: str | None = None
    backend: str | None = None
    precision: str | None = None
    batch_size: int | None = None
    input_size: int | None = None
    control: str = CONTROL
    pool: bool = False

    def takes_run(self, run: Run) -> bool:
        """Whether a run is wanted."""
        late = self.since is None or run.created_at >= self.since
        return late and self.device_name in (None, run.device_name)

    @property
    def columns(self) -> dict[str, str | int]:
        """Fields of a workload and the values that are wanted."""
        asked = {
            "backend": self.backend,
            "precision": self.precision,
            "batch_size": self.batch_size,
            "input_size": self.input_size,
        }
        return {name: value for name, value in asked.items() if value is not None}

    def takes(self, workload: Workload) -> bool:
        """Whether a workload is wanted."""
        fields = workload.to_json()
        return all(fields[name] == value for name, value in self.columns.items())


@dataclass(frozen=True, kw_only=True)
class Point:
    """A workload in one run.

    Attributes:
        run: the run.
        record: of the workload.
        latency_s: median latency; None where it has none.
        control_s: that of the control; None where the run has none.
        log_ratio: logarithm of the one over the other, or of the latency alone.
        error: its standard error within the run; infinite where it is not known.
    """

    run: Run = field(repr=False)
    record: Record = field(repr=False)
    latency_s: float | None
    control_s: float | None
    log_ratio: float = math.nan
    error: float = math.inf


@dataclass(frozen=True, kw_only=True)
class Series:
    """A workload over time.

    Attributes:
        workload: what was measured.
        device_name: of all its runs; empty where they are of a pool of devices.
        control: the workload beside it that the machine's speed is told by; None without one.
        points: those that have what is looked at, in the order of time.
        failed: runs in which it failed, the latest last.
        uncontrolled: runs that have a latency and no control, and are left out.
        latest: the latest run that the workload is in.
    """

    workload: Workload
    device_name: str
    control: Workload | None
    points: tuple[Point, ...]
    failed: tuple[Run, ...] = ()
    uncontrolled: int = 0
    latest: Run | None = None


def series_of(
    records: Iterable[Stored], controls: Iterable[Stored], wanted: Wanted
) -> list[Series]:
    """The series of each workload on each device, or in a pool of devices.

    Args:
        records: of the models that are looked at.
        controls: of the model that is the control.
        wanted: which of them.
    """
    beside: dict[str, list[Record]] = defaultdict(list)
    for run, record in controls:
        if measured(record) is not None:
            beside[run.id].append(record)
    found: dict[tuple[Workload, str], list[Stored]] = defaultdict(list)
    for run, record in records:
        if wanted.takes_run(run) and wanted.takes(record.workload) and record.status != "skipped":
            found[record.workload, "" if wanted.pool else run.device_name].append((run, record))
    return [
        _series(workload, device, sorted(mine, key=_when)[-(wanted.last or 0) :], beside)
        for (workload, device), mine in sorted(found.items(), key=_place)
    ]


def _place(one: tuple[tuple[Workload, str], list[Stored]]) -> tuple[object, ...]:
    """A key that puts workloads of a model beside each other, small shapes first."""
    (workload, device), _ = one
    return workload.variant, workload.device, workload.threads or 0, workload.shape.order, device


def _when(one: Stored) -> float:
    return one[0].created_at


def _series(
    workload: Workload, device: str, mine: Sequence[Stored], beside: dict[str, list[Record]]
) -> Series:
    control = _control(workload, [beside.get(run.id, []) for run, _ in mine])
    points, uncontrolled = [], 0
    for run, record in mine:
        if measured(record) is None:
            continue
        partner = next((o for o in beside.get(run.id, []) if o.workload == control), None)
        if control is not None and partner is None:
            uncontrolled += 1
        else:
            points.append(_point(run, record, partner))
    return Series(
        workload=workload,
        device_name=device,
        control=control,
        points=tuple(points),
        failed=tuple(run for run, record in mine if measured(record) is None),
        uncontrolled=uncontrolled,
        latest=mine[-1][0],
    )


def _control(workload: Workload, beside: Sequence[Sequence[Record]]) -> Workload | None:
    """The workload of the control that most runs have; of several that which is most like it.

    Where it is missing in most runs, it is none: what can be compared would be too little.
    """
    counts = Counter(
        one.workload
        for records in beside
        for one in records
        if one.workload != workload and one.workload.target == workload.target
    )
    if not counts:
        return None
    best = max(counts, key=lambda one: (counts[one], _alike(one, workload), one.key))
    return best if 2 * counts[best] > len(beside) else None


def _alike(one: Workload, other: Workload) -> int:
    pairs = (
        (one.variant.backend, other.variant.backend),
        (one.variant.precision, other.variant.precision),
        (one.shape, other.shape),
    )
    return sum(a == b for a, b in pairs)


def _point(run: Run, record: Record, control: Record | None) -> Point:
    """A record beside its control, with what the joint fit of their run says of the two."""
    metric = MEDIAN if record.number(MEDIAN) else MEAN
    mine = latency_side(record, metric)
    latency_s = math.exp(mine.log_median)
    if control is None:
        return Point(
            run=run,
            record=record,
            latency_s=latency_s,
            control_s=None,
            log_ratio=mine.log_median,
            error=mine.standard,
        )
    base = latency_side(control, MEDIAN if control.number(MEDIAN) else MEAN)
    difference = difference_of(base, mine)
    return Point(
        run=run,
        record=record,
        latency_s=latency_s,
        control_s=math.exp(base.log_median),
        log_ratio=difference.log_ratio,
        error=max((one.standard for one in difference.errors), default=math.inf),
    )
