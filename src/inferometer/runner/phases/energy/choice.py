"""Decides, before anything is measured, what a run measures energy with, or why it does not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from inferometer.core.energy import SourceInfo
from inferometer.core.errors import MeterError
from inferometer.core.protocols import PowerSource
from inferometer.core.shown import shown
from inferometer.core.statement import Statement, text
from inferometer.core.sweep import Study
from inferometer.host.files import LIVE, is_live
from inferometer.meters.energy.sampler import reading_of
from inferometer.meters.energy.selection.detect import detect
from inferometer.meters.energy.selection.kinds import LOG, OFF
from inferometer.meters.energy.selection.named import kind_of
from inferometer.meters.energy.selection.survey import close
from inferometer.meters.energy.surroundings import Surroundings
from inferometer.runner.phases.energy.fitting import said_before_run, said_of_windows
from inferometer.runner.phases.energy.marks import Marks
from inferometer.runner.phases.energy.measurement import EnergyRequest
from inferometer.runner.phases.energy.windows import UNKNOWN_METER, plan_windows
from inferometer.stats.energy_windows import PUBLISHED_WINDOW_S


@dataclass(frozen=True, kw_only=True)
class EnergyOptions:
    """What the user says about meters.

    Attributes:
        wanted: False switches energy off.
        meters: a kind, a source, or an address; see `meters.energy.detect`.
        power_log: a log that a meter writes meanwhile, a path or `csv://FILE?power=NAME`; joined
            after the run.
        allow_estimate: whether an estimate may stand for a measurement.
        mark: where the windows are written down for a meter that logs by itself.
    """

    wanted: bool = True
    meters: tuple[str, ...] = ()
    power_log: str | Path | None = None
    allow_estimate: bool = False
    mark: Path | None = None

    @property
    def named(self) -> tuple[str, ...]:
        """Meters that are to be read during the run."""
        return tuple(name for one in self.meters if kind_of(name := one.strip()) not in (OFF, LOG))

    @property
    def asked(self) -> bool:
        """Whether the user asked for energy, whatever the study says."""
        return bool(self.meters) or self.power_log is not None or self.mark is not None


@dataclass(frozen=True, kw_only=True)
class EnergyDecision:
    """What is measured, or why nothing is.

    Attributes:
        request: None where no windows are made.
        reason: why there is no source, and the way out; None where there is one.
        log: a power log that is joined after the run.
        beforehand: how long windows are, where not as asked; how many workloads it can serve,
            where not all, or how long that takes.
    """

    request: EnergyRequest | None = None
    reason: Statement | None = None
    log: str | None = None
    beforehand: tuple[Statement, ...] = ()

    def close(self) -> None:
        """Let go of the sources and of the file of marks."""
        if self.request is None:
            return
        close(self.request.sources)
        if self.request.marks is not None:
            self.request.marks.close()


def decide(study: Study, options: EnergyOptions, root: Path = LIVE) -> EnergyDecision:
    """Find the sources and open them.

    Raises:
        InputError: a meter that the user named cannot be used, or the marks cannot be written.
    """
    reason = _why_not_at_all(study, options)
    if reason is not None:
        return EnergyDecision(reason=reason)
    window_s = study.procedure.energy_window_s or 0.0
    found = detect(
        Surroundings(root=root),
        chosen=options.meters,
        power_log=options.power_log,
        allow_estimate=options.allow_estimate,
        device=study.sweep.device,
        window_s=window_s,
    )
    if found.sources and not is_live(root):
        names = ", ".join(source.info.name for source in found.sources)
        close(found.sources)
        replayed = Statement("energy_replayed", {"sources": names})
        if options.named:
            raise MeterError(f"--meter {shown(options.named[0])} cannot be read: {replayed}")
        return EnergyDecision(reason=replayed)
    if not found.sources and found.log is None and options.mark is None:
        return EnergyDecision(reason=text(found.reason, "energy_no_source"))
    try:
        _check_readable(options.named, found.sources)
        marks = None if options.mark is None else Marks(options.mark)
    except BaseException:
        close(found.sources)
        raise
    publish = window_s >= PUBLISHED_WINDOW_S
    logged = marks is not None or found.log is not None
    logger = None if found.log is None else logger_of(found.log)
    request = EnergyRequest(
        sources=found.sources, marks=marks, logged=logged, logger=logger, publish=publish
    )
    return EnergyDecision(
        request=request, log=found.log, beforehand=tuple(_beforehand(study, request))
    )


def _check_readable(named: Sequence[str], sources: Sequence[PowerSource]) -> None:
    """Refuse a meter that the user named and that says nothing.

    Raises:
        MeterError: it cannot be read now.
    """
    for one in named:
        for source in sources:
            whole_kind = one == kind_of(one) or "://" in one
            if one == source.info.name or (whole_kind and source.info.kind == kind_of(one)):
                said = reading_of(source)
                if isinstance(said, str):
                    raise MeterError(f"--meter {shown(one)} cannot be read: {said}")


def logger_of(log: str) -> SourceInfo | None:
    """The meter that writes a log, as the log has it or the user states; None where neither does.

    Raises:
        MeterError: what the user states makes no sense.
    """
    from inferometer.meters.energy.logs.reading import (  # for numpy, which takes its time
        interval_of,
        read_log,
    )

    try:
        return read_log(log).info
    except MeterError:  # not there yet, or no more than its first line
        every_s = interval_of(log)
    if every_s is None:
        return None
    return replace(UNKNOWN_METER, name="the log", period_s=every_s, window_s=every_s)


def _beforehand(study: Study, request: EnergyRequest) -> Iterator[Statement]:
    procedure = study.procedure
    main = request.sources[0].info if request.sources else None
    plan = plan_windows(main, procedure, logged=request.logged, logger=request.logger)
    asked_s = procedure.energy_window_s or 0.0
    slowest = request.logger if request.logged else main
    windows = said_of_windows(plan, asked_s, slowest, logged=request.logged)
    source = main.name if main else "a meter that logs by itself"
    fits = said_before_run(plan, procedure, len(study.workloads()), source)
    yield from (one for one in (windows, fits) if one is not None)


def _why_not_at_all(study: Study, options: EnergyOptions) -> Statement | None:
    procedure = study.procedure
    special = "paired" if procedure.pair else "sustained" if procedure.sustain_s else ""
    no_rounds = Statement("energy_not_in_mode", {"mode": special})
    if special and options.asked:
        raise MeterError(
            f"{no_rounds}: leave out --meter, --power-log and --mark, or "
            f"{'--pair' if procedure.pair else '--sustain'}"
        )
    if not options.wanted:
        return Statement("energy_off")
    if special:
        return no_rounds
    if procedure.energy or options.asked:
        return None
    return Statement("energy_not_in_procedure")
