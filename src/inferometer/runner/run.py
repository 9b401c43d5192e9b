"""Starts a run, or finds the one to resume, and measures what it lacks."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from inferometer.core.errors import InputError, MeterError
from inferometer.core.record import Record
from inferometer.core.run import Run
from inferometer.core.shown import shown
from inferometer.core.sweep import Study
from inferometer.core.workload import Workload
from inferometer.host.conditions import conditions
from inferometer.host.files import LIVE, is_live
from inferometer.meters.energy.logs.csv_log import read_log
from inferometer.runner.data import look_at_data, told
from inferometer.runner.events import Listener, Notice, RunEnded, RunStarted
from inferometer.runner.journal import Journal
from inferometer.runner.only import named
from inferometer.runner.phases.energy.attach import attach
from inferometer.runner.phases.energy.choice import EnergyDecision, EnergyOptions, decide
from inferometer.runner.phases.plan import Phase, Site, execute, phases_of
from inferometer.store import Store

RESUME_ANY = ""
"""Resume the latest unfinished run of the same study and flags, or start one."""

BEFORE = "before_the_run"
"""Key of a run's device: the state it was in (`host.conditions`)."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """What is not part of the study.

    Attributes:
        resume: None starts a run; `RESUME_ANY` or the reference of a run continues one.
        retry_failed: when resuming, measure failed workloads again.
        only: when resuming, measure these cells again and nothing else (`runner.only`).
        energy: whether and with what energy is measured.
        root: where the signals of the device are read: `/`, or a recorded device tree.
    """

    resume: str | None = None
    retry_failed: bool = False
    only: tuple[str, ...] = ()
    energy: EnergyOptions = field(default_factory=EnergyOptions)
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
    data = look_at_data(study.procedure)
    if data is not None:
        listener(Notice(message=told(data)))
    decision = decide(study, options.energy, options.root)
    try:
        return _run(study, store, listener, options, decision)
    finally:
        decision.close()


def _run(
    study: Study, store: Store, listener: Listener, options: Options, decision: EnergyDecision
) -> Run:
    run = _run_for(study, store, options)
    records = store.records(run.id)
    missing, left = _missing(study, run, records, options)
    if options.only:
        study = replace(study, procedure=replace(study.procedure, find_cliff=None))
    run = replace(run, planned=max(run.planned, len(records)))  # with those beyond the study
    done = run.planned - len(missing)
    listener(RunStarted(run=run, planned=run.planned, done=done, budget_s=study.procedure.budget_s))
    interrupted = False
    variants = dict.fromkeys(one.variant for one in study.workloads())
    phases = phases_of(study.procedure, decision, variants)
    further = run.finished_at is None or any(phase.lacks(study, records) for phase in phases)
    if missing or further:
        for advice in _advice(options.root):
            listener(Notice(message=advice))
        if decision.beforehand is not None:
            listener(Notice(message=str(decision.beforehand)))
        store.claim(run.id)
        try:
            store.reopen_run(run.id)
            journal = Journal(store=store, run=run, done=done, listener=listener)
            journal.again = {one.workload for one in records if options.only} & set(missing)
            site = Site(study=study, journal=journal, missing=missing, root=options.root)
            interrupted = _measure(site, phases, decision.log)
            if left:
                store.reopen_run(run.id)
        finally:
            store.release(run.id)
    run = store.run(run.id)
    listener(RunEnded(run=run, interrupted=interrupted))
    return run


def _missing(
    study: Study, run: Run, records: list[Record], options: Options
) -> tuple[list[Workload], list[Workload]]:
    """What is to be measured now, and what the run still lacks after that.

    Raises:
        InputError: cells are to be measured again that the run does not have, or that belong to
            pairs.
    """
    missing = missing_workloads(study, records, retry_failed=options.retry_failed)
    if not options.only:
        return missing, []
    if study.procedure.pair:
        raise InputError("--only does not go with a paired run: its sides are measured together")
    cells = [*study.workloads(), *(record.workload for record in records)]
    wanted = named(options.only, list(dict.fromkeys(cells)))
    unfinished = run.finished_at is None
    return wanted, [one for one in missing if unfinished and one not in wanted]


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
    from inferometer.backends import backend
    from inferometer.runner.formats import check_model, check_options

    sweep = study.sweep
    known: list[str] = []
    for name in dict.fromkeys(sweep.backends):
        known += backend(name).precisions
    for precision in dict.fromkeys(sweep.precisions):
        if precision not in known:
            raise InputError(
                f"no chosen backend has the precision '{shown(precision)}'; "
                f"known: {', '.join(dict.fromkeys(known))}"
            )
    check_options(sweep)
    for model in dict.fromkeys(sweep.models):
        check_model(model, sweep.backends)
    if study.procedure.data is not None:
        from inferometer.datasets import check_reference

        check_reference(study.procedure.data)
    elif study.procedure.metric is not None:
        raise InputError("--metric goes with --data: it measures accuracy on labelled data")
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
                f"run {run.id} is of another study or had other flags ({shown(run.study)}); "
                "give the same ones, or start a new run without --resume"
            )
        return run
    alike = store.runs_like(study.signature)
    if options.only and not alike:
        raise InputError("--only measures cells of a run again, and this study has none yet")
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
    from inferometer.runner.environments import software

    device = {**identify(root), BEFORE: asdict(conditions(root))}
    return store.create_run(
        study,
        planned=len(study.workloads()),
        device=device,
        software=software(study.sweep.backends),
        origin="measured" if is_live(root) else "replayed",
    )


def _measure(site: Site, phases: Sequence[Phase], log: str | None) -> bool:
    """Measure; whether it was interrupted. The run is finished where nothing was left."""
    journal = site.journal
    try:
        execute(phases, site)
    except KeyboardInterrupt:
        return True
    journal.store.finish_run(journal.run.id, time.time())
    if log is not None:
        _join(journal, log)
    return False


def _join(journal: Journal, log: str) -> None:
    """Join the log that a meter wrote meanwhile.

    Raises:
        MeterError: it cannot be; the run is complete all the same.
    """
    run_id = journal.run.id
    try:
        attach(journal.store, run_id, read_log(log))
    except MeterError as error:
        raise MeterError(
            f"{error}. The run is kept; join a log later: "
            f"inferometer energy attach {run_id} --power-log FILE"
        ) from error
