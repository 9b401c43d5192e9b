"""Starts a run, or finds the one to resume, and measures what it lacks."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from inferometer.core.errors import InputError, MeterError
from inferometer.core.record import Record
from inferometer.core.references import did_you_mean
from inferometer.core.run import Run
from inferometer.core.shown import shown
from inferometer.core.sweep import Study
from inferometer.core.workload import Workload
from inferometer.host.conditions import conditions
from inferometer.host.files import LIVE, is_live
from inferometer.meters.energy.logs.reading import read_log
from inferometer.runner.data import look_at_data, told
from inferometer.runner.events import Listener, Notice, RunEnded, RunStarted
from inferometer.runner.journal import Journal
from inferometer.runner.only import named
from inferometer.runner.phases.energy.attach import attach
from inferometer.runner.phases.energy.choice import EnergyDecision, EnergyOptions, decide
from inferometer.runner.phases.phase import Phase, Site
from inferometer.runner.phases.plan import execute, phases_of
from inferometer.runner.sharing import alone_here
from inferometer.store import Store
from inferometer.store.address import store_flag

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
        part: the workloads that are measured, where not all of the study's are: others have them.
        energy: whether and with what energy is measured.
        root: where the signals of the device are read: `/`, or a recorded device tree.
    """

    resume: str | None = None
    retry_failed: bool = False
    only: tuple[str, ...] = ()
    part: tuple[Workload, ...] = ()
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
            does not exist or belongs to another study, or a job of a fleet measures on this device.
            Nothing was measured.
        StoreError: the store cannot be written; what was written before is kept.
    """
    study = settled(study)
    check(study)
    data = look_at_data(study.procedure)
    if data is not None:
        listener(Notice(message=told(data)))
    with alone_here(listener, options.resume):
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
        for said in decision.beforehand:
            listener(Notice(message=str(said)))
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
    if options.part:
        part = set(options.part)
        missing = [one for one in missing if one in part]
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
    from inferometer.runner.formats import check_device, check_model, check_options

    sweep = study.sweep
    known: list[str] = []
    for name in dict.fromkeys(sweep.backends):
        known += backend(name).precisions
    for precision in dict.fromkeys(sweep.precisions):
        if precision not in known:
            raise InputError(
                f"no chosen backend has the precision '{shown(precision)}'"
                f"{did_you_mean(precision, known)}; "
                f"known: {', '.join(dict.fromkeys(known))}"
            )
    if study.procedure.control and sweep.device != "cpu":
        raise InputError(
            f"--control is work of the processor, and says nothing of {shown(sweep.device)}: leave "
            "it out, measure a second model beside, and name that in `history --control MODEL`"
        )
    check_device(sweep)
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
        return new_run(study, store, options.root)
    if options.resume != RESUME_ANY:
        run = store.run(options.resume)
        if run.signature != study.signature:
            raise InputError(
                f"run {run.id} is of another study or had other flags ({shown(run.study)}); "
                "give the same ones, or start a new run without --resume"
            )
        if run.is_carried:
            raise InputError(
                f"run {run.id} came as a bundle: it was measured elsewhere, and goes on only there"
            )
        return run
    alike = store.runs_like(study.signature)
    if options.only and not alike:
        raise InputError("--only measures cells of a run again, and this study has none yet")
    unfinished = [run for run in alike if run.finished_at is None]
    return next(iter(unfinished + alike), None) or new_run(study, store, options.root)


def _advice(root: Path) -> list[str]:
    """What a look at the device suggests before the run begins, a line each."""
    from inferometer.host.advice import advise
    from inferometer.host.identity import identify
    from inferometer.host.memory import memory

    found = advise(identify(root), memory(root), conditions(root))
    return [advice.replace("\n", " ") for advice in found]


def new_run(
    study: Study, store: Store, root: Path, *, run_id: str = "", planned: int | None = None
) -> Run:
    """A run of a study on this device, of which nothing is measured yet.

    Args:
        study: what is measured, its threads filled in.
        store: where the run is kept.
        root: where the device is read.
        run_id: its id, where somebody has chosen it.
        planned: workloads, where not all of the study's are measured.
    """
    from inferometer.host.identity import identify
    from inferometer.runner.environments import software

    device = {**identify(root), BEFORE: asdict(conditions(root))}
    return store.create_run(
        study,
        planned=len(study.workloads()) if planned is None else planned,
        device=device,
        software=software(study.sweep.backends),
        origin="measured" if is_live(root) else "replayed",
        run_id=run_id,
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
        for note in attach(journal.store, run_id, read_log(log)).notes:
            journal.listener(Notice(message=note))
    except MeterError as error:
        raise MeterError(
            f"{error}. The run is kept; join a log later: "
            f"inferometer energy attach {run_id} --power-log FILE{store_flag(journal.store.place)}"
        ) from error
