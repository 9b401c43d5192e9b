"""Decides, before anything is measured, what a run measures energy with, or why it does not."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from inferometer.core.errors import MeterError
from inferometer.core.statement import Statement, text
from inferometer.core.sweep import Study
from inferometer.host.files import LIVE, is_live
from inferometer.meters.energy.selection.detect import detect
from inferometer.meters.energy.selection.survey import close
from inferometer.meters.energy.surroundings import Surroundings
from inferometer.runner.phases.energy.fitting import said_before_run
from inferometer.runner.phases.energy.marks import Marks
from inferometer.runner.phases.energy.measurement import EnergyRequest
from inferometer.runner.phases.energy.windows import plan_windows
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
        beforehand: how many workloads it can serve, where not all, or how long that takes.
    """

    request: EnergyRequest | None = None
    reason: Statement | None = None
    log: str | None = None
    beforehand: Statement | None = None

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
        return EnergyDecision(reason=Statement("energy_replayed", {"sources": names}))
    if not found.sources and found.log is None and options.mark is None:
        return EnergyDecision(reason=text(found.reason, "energy_no_source"))
    try:
        marks = None if options.mark is None else Marks(options.mark)
    except BaseException:
        close(found.sources)
        raise
    publish = window_s >= PUBLISHED_WINDOW_S
    logged = marks is not None or found.log is not None
    request = EnergyRequest(sources=found.sources, marks=marks, logged=logged, publish=publish)
    return EnergyDecision(
        request=request, log=found.log, beforehand=_beforehand(study, request, logged=logged)
    )


def _beforehand(study: Study, request: EnergyRequest, *, logged: bool) -> Statement | None:
    main = request.sources[0].info if request.sources else None
    plan = plan_windows(main, study.procedure, logged=logged)
    source = main.name if main else "a meter that logs by itself"
    return said_before_run(plan, study.procedure, len(study.workloads()), source)


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
