"""What a run consists of: phases, one after the other. A new metric is a new phase.

Nothing else in the runner changes for it: what of a run it lacks, what records say until it is
reached, and what share of the budget is kept for it are its own.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import replace

from inferometer.core.procedure import Procedure
from inferometer.core.record import Record, Value
from inferometer.core.statement import Statement
from inferometer.core.sweep import Study
from inferometer.core.workload import Variant
from inferometer.figures.joint import joined, lacks_joint
from inferometer.host.files import is_live
from inferometer.meters.energy.sampler import Sampler
from inferometer.runner.comparing import is_judged
from inferometer.runner.phases.accuracy import ACCURACY, AccuracyMeasurement
from inferometer.runner.phases.accuracy import SHARE as ACCURACY_SHARE
from inferometer.runner.phases.accuracy import lacking as not_judged
from inferometer.runner.phases.cliffs import find_cliffs, next_workloads
from inferometer.runner.phases.energy.choice import EnergyDecision
from inferometer.runner.phases.energy.measurement import ENERGY, SHARE, EnergyMeasurement, lacking
from inferometer.runner.phases.fidelity import FIDELITY, FidelityMeasurement
from inferometer.runner.phases.fidelity import SHARE as FIDELITY_SHARE
from inferometer.runner.phases.fidelity import lacking as not_compared
from inferometer.runner.phases.operators import (
    OPERATORS,
    OperatorMeasurement,
    may_profile,
    share_kept,
)
from inferometer.runner.phases.operators import lacking as not_profiled
from inferometer.runner.phases.phase import Phase, Quiet, Scope, Site
from inferometer.runner.phases.preparing import prepare_all
from inferometer.runner.phases.roofline import rooflines_of_run


class RooflinePhase(Quiet):
    """Probes what the device attains at best, where the run does not know it."""

    name = "roofline"
    scope: Scope = "run"
    fields: tuple[str, ...] = ("roof_", "operator_roof_", "memory_bound_")

    def execute(self, site: Site, procedure: Procedure) -> None:
        """Probe; a failure is a notice."""
        site.rooflines += rooflines_of_run(procedure, site.journal, site.missing, root=site.root)


class PreparationPhase(Quiet):
    """Prepares the variants whose backends make files of their own, before any is timed."""

    name = "prepare"
    scope: Scope = "workload"
    fields: tuple[str, ...] = ("prepare_", "artifact_")

    def execute(self, site: Site, procedure: Procedure) -> None:
        """Prepare; what fails fails again when it is loaded, and becomes its record then."""
        prepare_all(site.preparer, procedure, site.journal, site.missing)


class LatencyPhase(Quiet):
    """Counts operations, loads, warms up and times the workloads of the study, and judges."""

    name = "latency"
    scope: Scope = "workload"
    fields: tuple[str, ...] = (
        *("latency_", "throughput_", "warmup_", "first_call_", "load_", "cold_start_", "steady"),
        *("peak_memory_", "memory_", "macs", "flops", "parameter", "sustained_", "verdict"),
    )

    def execute(self, site: Site, procedure: Procedure) -> None:
        """Measure what is missing."""
        site.measure(procedure, site.missing)


class CliffPhase(Quiet):
    """Measures further batch sizes until it is known where throughput or memory ends."""

    name = "cliffs"
    scope: Scope = "workload"
    fields: tuple[str, ...] = LatencyPhase.fields

    def lacks(self, study: Study, records: Sequence[Record]) -> bool:
        """Whether a cliff is not found yet."""
        return bool(next_workloads(study, records))

    def execute(self, site: Site, procedure: Procedure) -> None:
        """Search, with workloads beyond the study."""
        study = replace(site.study, procedure=procedure)
        find_cliffs(study, site.journal, site.measure, begin=time.monotonic())


class JointPhase(Quiet):
    """Reads all rounds of the run together: what is common to all workloads is told apart."""

    name = "joint"
    scope: Scope = "run"
    fields: tuple[str, ...] = (
        *("latency_median_", "latency_ci_", "latency_target_", "latency_relative_"),
        *("latency_state_", "latency_undisturbed_", "usable_for"),
    )

    def lacks(self, study: Study, records: Sequence[Record]) -> bool:
        """Whether rounds that can be read together were not."""
        return lacks_joint(study, records)

    def execute(self, site: Site, procedure: Procedure) -> None:  # noqa: ARG002 - takes seconds
        """Fit, and write the records anew."""
        records = site.journal.store.records(site.journal.run.id, with_rounds=True)
        for before, after in zip(records, joined(site.journal.run, records), strict=True):
            if after is not before:
                site.journal.amend(replace(after, rounds=()))


class EnergyPhase(Quiet):
    """Measures energy in windows of work and idling, or says why not.

    Args:
        decision: what it is measured with.
    """

    name = ENERGY
    scope: Scope = "workload"
    fields: tuple[str, ...] = ("energy_", "power_")

    def __init__(self, decision: EnergyDecision) -> None:
        self.request = decision.request
        self.reason = decision.reason
        self.share = 0.0 if self.request is None else SHARE
        self.sampler = (
            None if self.request is None else Sampler(self.request.sources, self.request.clock)
        )

    def until_reached(self) -> Mapping[str, Value]:
        """The reason for having no joules."""
        if self.request is None:
            return {"energy_reason": self.reason}
        return {"energy_reason": Statement("energy_not_reached")}

    def is_awaited(self) -> bool:
        """Whether there is a source."""
        return self.request is not None

    def lacks(self, study: Study, records: Sequence[Record]) -> bool:  # noqa: ARG002
        """Whether there is a source, and records for which it was not asked."""
        return self.request is not None and bool(lacking(records))

    def meanwhile(self) -> AbstractContextManager[object]:
        """Reading of the sources: a counter may wrap within a minute."""
        return nullcontext() if self.sampler is None else self.sampler

    def execute(self, site: Site, procedure: Procedure) -> None:
        """Measure the records that lack it."""
        if self.request is None or self.sampler is None:
            return
        engine = EnergyMeasurement(
            procedure, site.journal, site.pool(procedure), self.request, self.sampler
        )
        engine.execute(lacking(site.records()))


class OperatorPhase(Quiet):
    """Tells where the time of a call goes, where the study wants it and a backend can.

    Args:
        procedure: says whether it is wanted.
        variants: of the study.
    """

    name = OPERATORS
    scope: Scope = "workload"
    fields: tuple[str, ...] = ("operator_times",)

    def __init__(self, procedure: Procedure, variants: Sequence[Variant]) -> None:
        self.applies = procedure.operator_times and any(map(may_profile, variants))
        self.share = share_kept(variants, procedure.budget_s) if self.applies else 0.0

    def until_reached(self) -> Mapping[str, Value]:
        """The reason for having none, where it is wanted."""
        reason = Statement("operators_not_reached")
        return {"operator_times_reason": reason} if self.applies else {}

    def is_awaited(self) -> bool:
        """Whether anything is profiled."""
        return self.applies

    def lacks(self, study: Study, records: Sequence[Record]) -> bool:  # noqa: ARG002
        """Whether there are records to which it did not come."""
        return self.applies and bool(not_profiled(records))

    def execute(self, site: Site, procedure: Procedure) -> None:
        """Profile the variants whose records lack it."""
        if self.applies and is_live(site.root):
            measurement = OperatorMeasurement(
                procedure=procedure, journal=site.journal, rooflines=site.rooflines
            )
            measurement.execute(site.records())


class FidelityPhase(Quiet):
    """Compares what variants give with their reference, where the study has any to compare.

    Args:
        data: reference of labelled data; None where there is none.
        variants: of the study.
    """

    name = FIDELITY
    scope: Scope = "workload"
    fields: tuple[str, ...] = ("fidelity_",)

    def __init__(self, data: str | None, variants: Iterable[Variant]) -> None:
        self.data = data
        self.applies = any(is_judged(one) for one in variants)
        self.share = FIDELITY_SHARE if self.applies else 0.0

    def until_reached(self) -> Mapping[str, Value]:
        """The reason for having none, where there are variants to compare."""
        return {"fidelity_reason": Statement("fidelity_not_reached")} if self.applies else {}

    def is_awaited(self) -> bool:
        """Whether there are variants to compare."""
        return self.applies

    def lacks(self, study: Study, records: Sequence[Record]) -> bool:  # noqa: ARG002
        """Whether there are records whose variants were not compared."""
        return self.applies and bool(not_compared(records))

    def execute(self, site: Site, procedure: Procedure) -> None:
        """Judge the records that lack it."""
        if self.applies:
            judge = FidelityMeasurement(self.data, site.journal, site.pool(procedure))
            judge.execute(not_compared(site.records()))


class AccuracyPhase(Quiet):
    """Judges workloads on labelled data, where the study names some.

    Args:
        data: its reference; None where there is none.
    """

    name = ACCURACY
    scope: Scope = "workload"
    fields: tuple[str, ...] = ("accuracy", "dataset", "data_")

    def __init__(self, data: str | None) -> None:
        self.data = data
        self.share = 0.0 if data is None else ACCURACY_SHARE

    def until_reached(self) -> Mapping[str, Value]:
        """The reason for having no accuracy, where one is asked for."""
        return {} if self.data is None else {"accuracy_reason": Statement("accuracy_not_reached")}

    def is_awaited(self) -> bool:
        """Whether there is data."""
        return self.data is not None

    def lacks(self, study: Study, records: Sequence[Record]) -> bool:  # noqa: ARG002
        """Whether there is data, and records that were not judged on it."""
        return self.data is not None and bool(not_judged(records))

    def execute(self, site: Site, procedure: Procedure) -> None:
        """Judge the records that lack it."""
        if self.data is None:
            return
        judge = AccuracyMeasurement(procedure, site.journal, site.pool(procedure))
        judge.execute(not_judged(site.records()))


def phases_of(
    procedure: Procedure, decision: EnergyDecision, variants: Iterable[Variant] = ()
) -> tuple[Phase, ...]:
    """The phases of a run, in their order.

    Args:
        procedure: of the run.
        decision: what its energy is measured with.
        variants: that it measures.
    """
    variants = tuple(variants)
    return (
        RooflinePhase(),
        PreparationPhase(),
        LatencyPhase(),
        CliffPhase(),
        JointPhase(),
        OperatorPhase(procedure, variants),
        FidelityPhase(procedure.data, variants),
        AccuracyPhase(procedure.data),
        EnergyPhase(decision),
    )


def execute(phases: Sequence[Phase], site: Site) -> None:
    """Go through the phases; each gets what the budget has left, less the shares of later ones.

    Raises:
        KeyboardInterrupt: the user ended it; what is done is kept.
    """
    begin = time.monotonic()
    site.until_reached = _until_reached(phases)
    with ExitStack() as stack:
        for phase in phases:
            stack.enter_context(phase.meanwhile())
        for number, phase in enumerate(phases):
            kept = sum(later.share for later in phases[number + 1 :])
            phase.execute(site, _within(site.study.procedure, 1 - kept, begin))


def _until_reached(phases: Sequence[Phase]) -> dict[str, Value]:
    """What all phases say; those that will come to the records are `pending`."""
    figures: dict[str, Value] = {}
    pending: list[str] = []
    for phase in phases:
        figures |= phase.until_reached()
        pending += [phase.name] if phase.is_awaited() else []
    return figures | {"pending": pending}


def _within(procedure: Procedure, share: float, begin: float) -> Procedure:
    """A procedure whose budget begins now, and ends where that share of the run's ends."""
    if procedure.budget_s is None:
        return procedure
    left_s = share * procedure.budget_s - (time.monotonic() - begin)
    return replace(procedure, budget_s=max(left_s, 1e-3))
