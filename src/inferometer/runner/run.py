"""Starts a run, or finds the one to resume, and measures what it lacks."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from inferometer.core.errors import InputError
from inferometer.core.record import Record, Value
from inferometer.core.run import Run
from inferometer.core.sweep import Study
from inferometer.core.workload import Workload
from inferometer.host.conditions import conditions
from inferometer.host.files import LIVE
from inferometer.runner.campaign import Campaign
from inferometer.runner.events import Listener, Notice, RunEnded, RunStarted
from inferometer.runner.journal import Journal
from inferometer.runner.sustained import SustainedCampaign
from inferometer.store import Store

RESUME_ANY = ""
"""Resume the latest unfinished run of the same study and flags, or start one."""

BEFORE = "before_the_run"
"""Key of a run's device: the state it was in (`host.conditions`)."""
NO_SENSOR = "energy was not measured: this version reads no power sensor"
SWITCHED_OFF = "energy was switched off (--no-energy)"


@dataclass(frozen=True, kw_only=True)
class Options:
    """What is not part of the study.

    Attributes:
        resume: None starts a run; `RESUME_ANY` or the reference of a run continues one.
        retry_failed: when resuming, measure failed workloads again.
        energy: whether energy is wanted.
        root: where the signals of the device are read: `/`, or a recorded device tree.
    """

    resume: str | None = None
    retry_failed: bool = False
    energy: bool = True
    root: Path = LIVE


def run_study(
    study: Study,
    store: Store,
    *,
    listener: Listener = lambda _: None,
    options: Options = Options(),
) -> Run:
    """Measure a study; gives the run, whose `finished_at` is None where something is left.

    Ctrl-C ends it early: what is done is kept.

    Raises:
        InputError: a model or a backend is not known, a package is missing, or the run to resume
            does not exist or belongs to another study. Nothing was measured.
        StoreError: the store cannot be written; what was written before is kept.
    """
    study = settled(study)
    check(study)
    run = _run_for(study, store, options)
    missing = missing_workloads(study, store.records(run.id), retry_failed=options.retry_failed)
    done = run.planned - len(missing)
    listener(RunStarted(run=run, planned=run.planned, done=done, budget_s=study.procedure.budget_s))
    interrupted = False
    if missing:
        for advice in _advice(options.root):
            listener(Notice(message=advice))
        store.claim(run.id)
        try:
            store.reopen_run(run.id)
            journal = Journal(store=store, run=run, done=done, listener=listener)
            interrupted = _measure(study, journal, missing, options)
        finally:
            store.release(run.id)
    run = store.run(run.id)
    listener(RunEnded(run=run, interrupted=interrupted))
    return run


def settled(study: Study) -> Study:
    """The study with the number of threads filled in, as it is written down."""
    from inferometer.host.cpus import physical_cores

    threads = study.sweep.threads or physical_cores()
    return replace(study, sweep=replace(study.sweep, threads=threads))


def check(study: Study) -> None:
    """Refuse what cannot work before anything is measured. Imports no runtime.

    Raises:
        InputError: an unknown model, backend or precision, or a package that is missing.
    """
    from inferometer.backends import BACKENDS
    from inferometer.models import check as check_model

    sweep = study.sweep
    known: list[str] = []
    for name in sweep.backends:
        known += BACKENDS.get(name).precisions
    for precision in sweep.precisions:
        if precision not in known:
            raise InputError(
                f"no chosen backend has the precision {precision!r}; "
                f"known: {', '.join(dict.fromkeys(known))}"
            )
    for model in sweep.models:
        check_model(model)
    variants = {workload.variant for workload in study.workloads()}
    if study.procedure.pair and len(variants) != 2:  # noqa: PLR2004 - a pair
        raise InputError(
            f"--pair compares two variants, and the study has {len(variants)}: give two models, "
            "two backends or two precisions"
        )


def missing_workloads(study: Study, records: list[Record], *, retry_failed: bool) -> list[Workload]:
    """Workloads without a final record. One that a budget cut is not final."""
    final = {record.workload for record in records if _is_final(record, retry_failed=retry_failed)}
    return [workload for workload in study.workloads() if workload not in final]


def _is_final(record: Record, *, retry_failed: bool) -> bool:
    if record.failure is None:
        return True
    return record.failure.kind != "budget" and not retry_failed


def _run_for(study: Study, store: Store, options: Options) -> Run:
    """The run to continue, or a new one."""
    if options.resume is None:
        return _new_run(study, store, options.root)
    if options.resume != RESUME_ANY:
        run = store.run(options.resume)
        if run.signature != study.signature:
            raise InputError(
                f"run {run.id} is of another study or had other flags ({run.study}); "
                "give the same ones, or start a new run without --resume"
            )
        return run
    alike = store.runs_like(study.signature)
    unfinished = [run for run in alike if run.finished_at is None]
    return next(iter(unfinished + alike), None) or _new_run(study, store, options.root)


def _advice(root: Path) -> list[str]:
    """What a look at the device suggests before the run begins, a line each."""
    from inferometer.host.advice import advise
    from inferometer.host.identity import identify
    from inferometer.host.memory import memory

    found = advise(identify(root), memory(root), conditions(root))
    return [advice.replace("\n", " ") for advice in found]


def _new_run(study: Study, store: Store, root: Path) -> Run:
    from inferometer.host.identity import identify
    from inferometer.host.software import versions

    device = {**identify(root), BEFORE: asdict(conditions(root))}
    return store.create_run(
        study, planned=len(study.workloads()), device=device, software=versions()
    )


def _measure(study: Study, journal: Journal, missing: list[Workload], options: Options) -> bool:
    """Measure; whether it was interrupted. The run is finished where nothing was left."""
    constants: dict[str, Value] = {"energy_reason": NO_SENSOR if options.energy else SWITCHED_OFF}
    kind = Campaign if study.procedure.sustain_s is None else SustainedCampaign
    campaign = kind(study.procedure, journal, constants=constants, root=options.root)
    try:
        campaign.execute(missing)
    except KeyboardInterrupt:
        return True
    journal.store.finish_run(journal.run.id, time.time())
    return False
