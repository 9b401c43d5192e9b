"""Bundles of jobs of one group → one run: the parts of a study that equal devices measured.

A part is taken once, however often it comes. Of two that measured the same workload (a device was
given up, and came back) the first one counts, but for the workload that all parts have. Round and
process numbers go on where those of the part before ended, so that a process of the run is one of
one device.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from inferometer.core.record import Record, Round
from inferometer.core.run import PARTS, Run
from inferometer.core.sweep import Study
from inferometer.core.workload import Workload
from inferometer.figures.joint import joined
from inferometer.figures.summary import by_process, summarise
from inferometer.fleet.engine.blocks import common_of
from inferometer.store import Store
from inferometer.store.bundle import Bundle, bundle_of

_OF_THE_DEVICE = ("own_name", "said", "cpu_model", "board", "kernel", "governor", "before_the_run")
"""Facts that stand with each part: what devices of one class may differ by."""


def add_parts(
    store: Store,
    parts: Sequence[Bundle],
    *,
    group: str,
    name: str,
    facts: Mapping[str, Any] = {},
) -> Run | None:
    """Add what devices measured to the run that it is a part of, which may be new.

    The figures of all workloads are fitted together, once nothing is missing.

    Args:
        store: where the run goes.
        parts: bundles of whole jobs, with figures.
        group: id of the run.
        name: what the run's device is called: the class.
        facts: what else is known of the class, such as its price.

    Returns:
        The run; None where nothing of the parts is new.
    """
    before = _stored(store, group)
    run = before
    for part in parts:
        run = _with_part(run or Bundle(run=_new_run(part, group, name, facts)), part)
    if run is None or run is before:
        return None
    run = _with_shared(run)
    store.merge(_finished(run, max(one.run.finished_at or 0.0 for one in parts)))
    return store.run(group)


def add_part(
    store: Store, part: Bundle, *, group: str, name: str, facts: Mapping[str, Any] = {}
) -> Run | None:
    """Add one part; see `add_parts`."""
    return add_parts(store, [part], group=group, name=name, facts=facts)


def _with_part(before: Bundle, part: Bundle) -> Bundle:
    """A run with one more part; as it was, where nothing of that is new."""
    known = {one.workload for one in before.records if not _is_cut(one)}
    parts = before.run.device[PARTS]
    if any(one["job"] == part.run.id for one in parts) or all(
        one.workload in known for one in part.records
    ):
        return before
    part = _news(part, before)
    added = _renumbered(part, before)
    device = {**before.run.device, PARTS: [*parts, _entry(part, before)]}
    return Bundle(
        run=replace(before.run, device=device, finished_at=None),
        records=_records(before, added),
        rounds={
            key: (*before.rounds.get(key, ()), *added.rounds.get(key, ()))
            for key in dict.fromkeys([*before.rounds, *added.rounds])
        },
        evaluations={**added.evaluations, **before.evaluations},
    )


def _is_cut(record: Record) -> bool:
    """Whether the budget ended before it was measured, so that it may be measured later."""
    return record.failure is not None and record.failure.kind == "budget"


def _news(part: Bundle, before: Bundle) -> Bundle:
    """A part without what was measured before: all parts have only the common workload."""
    common = common_of(Study.from_json(before.run.document).workloads())
    known = {one.workload for one in before.records if one.status == "ok"}
    known = {one for one in known if without_threads(one) != without_threads(common)}
    records = tuple(one for one in part.records if one.workload not in known)
    keys = {one.workload.key for one in records}
    return replace(
        part,
        records=records,
        rounds={key: mine for key, mine in part.rounds.items() if key in keys},
        evaluations={key: one for key, one in part.evaluations.items() if key in keys},
    )


def without_threads(workload: Workload) -> Workload:
    """A workload as it is planned for a device that fills in its own number of threads."""
    return replace(workload, target=replace(workload.target, threads=None))


def _stored(store: Store, group: str) -> Bundle | None:
    if all(run.id != group for run in store.runs()):
        return None
    return bundle_of(store, group)


def _new_run(part: Bundle, group: str, name: str, facts: Mapping[str, Any]) -> Run:
    """A run without parts, of the study that the part belongs to."""
    device = {"name": name, "class": name, **facts, PARTS: []}
    planned = len(Study.from_json(part.run.document).workloads())
    return replace(part.run, id=group, device=device, planned=planned, finished_at=None)


def _entry(part: Bundle, before: Bundle) -> dict[str, Any]:
    """What the run says of a part."""
    device = part.run.device
    said = {name: device[name] for name in _OF_THE_DEVICE if device.get(name) is not None}
    return {
        "job": part.run.id,
        "device": part.run.device_name,
        "first_process": _next_process(before),
        **said,
    }


def _next_process(bundle: Bundle) -> int:
    return max((one.process + 1 for mine in bundle.rounds.values() for one in mine), default=0)


def _renumbered(part: Bundle, before: Bundle) -> Bundle:
    """A part whose rounds and processes follow those of the run."""
    last = max((one.index for mine in before.rounds.values() for one in mine), default=-1)
    process = _next_process(before)

    def moved(done: Round) -> Round:
        return replace(done, index=done.index + last + 1, process=done.process + process)

    rounds = {key: tuple(map(moved, mine)) for key, mine in part.rounds.items()}
    return replace(part, rounds=rounds)


def _records(before: Bundle, added: Bundle) -> tuple[Record, ...]:
    """Records of both, each with its devices; one that measured it is better than one that failed.

    Figures of a workload that several measured are made later, from all of its rounds.
    """
    known = {one.workload: one for one in before.records}
    for one in added.records:
        new, old = _with_devices(one, [added.run.device_name]), known.get(one.workload)
        if old is None or old.status != "ok":
            known[one.workload] = new
        elif new.status == "ok":
            both = _with_devices(old, [*_devices(old), *_devices(new)])
            known[one.workload] = replace(both, figures={**new.figures, **both.figures})
    return tuple(known.values())


def _with_shared(run: Bundle) -> Bundle:
    """A run in which workloads that several devices measured have figures from all rounds."""
    procedure = Study.from_json(run.run.document).procedure

    def made(one: Record) -> Record:
        rounds = run.rounds.get(one.workload.key, ())
        if len(_devices(one)) == 1 or one.status != "ok" or not by_process(rounds):
            return one
        figures = summarise(one.workload, rounds, procedure, one.figures)
        return replace(one, figures={**one.figures, **figures})

    return replace(run, records=tuple(map(made, run.records)))


def _devices(record: Record) -> list[str]:
    value = record.figures.get("devices")
    return [str(one) for one in value] if isinstance(value, list) else []


def _with_devices(record: Record, names: list[str]) -> Record:
    return replace(record, figures={**record.figures, "devices": list(dict.fromkeys(names))})


def _finished(whole: Bundle, at: float) -> Bundle:
    """The run with its joint fit, once every workload of its study has a record."""
    study = Study.from_json(whole.run.document)
    done = {without_threads(one.workload) for one in whole.records}
    if any(without_threads(one) not in done for one in study.workloads()):
        return whole
    ends = [one.started_at for mine in whole.rounds.values() for one in mine]
    run = replace(whole.run, finished_at=max([at, *ends]))
    records = joined(run, whole.with_rounds())
    return replace(whole, run=run, records=tuple(replace(one, rounds=()) for one in records))
