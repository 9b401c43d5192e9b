"""The energy of candidates, measured as `inferometer run` measures it: windows take their time."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from inferometer.core.errors import InputError
from inferometer.core.procedure import Procedure, values_of_preset
from inferometer.core.sweep import Study
from inferometer.core.workload import Workload
from inferometer.runner.phases.energy.choice import EnergyOptions, decide
from inferometer.runner.run import Options, run_study
from inferometer.runner.tuning.found import TuneRequest
from inferometer.runner.tuning.race import Contrast
from inferometer.store import open_store


class Joules(NamedTuple):
    """Energy of a sample.

    Attributes:
        value: joules.
        half: half-width of its interval of 95 %; infinite where that is not known.
    """

    value: float
    half: float


def check_source(request: TuneRequest) -> None:
    """Refuse a search for energy where nothing measures it.

    Raises:
        InputError: there is no source.
    """
    decision = decide(_study(request, request.threads[0], 0.0), EnergyOptions())
    decision.close()
    if decision.request is None:
        raise InputError(f"--goal energy needs a power source: {decision.reason}")


def energies_of(request: TuneRequest, *, budget_s: float) -> dict[Workload, Joules]:
    """Energy of a sample of each candidate that has one, in a run for each number of threads.

    Args:
        request: what is searched for.
        budget_s: for all of them.
    """
    found: dict[Workload, Joules] = {}
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(Path(folder) / "tune.db")
        try:
            for threads in request.threads:
                study = _study(request, threads, budget_s / len(request.threads))
                run = run_study(study, store, options=Options(energy=EnergyOptions()))
                for record in store.records(run.id):
                    value = record.number("energy_per_inference_j")
                    if value:
                        half = record.number("energy_uncertainty_j")
                        found[record.workload] = Joules(value, math.inf if half is None else half)
        finally:
            store.close()
    return found


def joules_against(best: Workload, energies: Mapping[Workload, Joules]) -> dict[Workload, Contrast]:
    """Energies over the best one's; errors of both are taken to be independent."""
    least = energies[best]
    found = {}
    for one, joules in energies.items():
        ratio = joules.value / least.value
        half = math.hypot(joules.half / joules.value, least.half / least.value)
        found[one] = Contrast(
            ratio=ratio, low=ratio * math.exp(-half), high=ratio * math.exp(min(half, 700.0))
        )
    return {**found, best: Contrast(ratio=1.0, low=1.0, high=1.0)}


def _study(request: TuneRequest, threads: int, budget_s: float) -> Study:
    procedure = Procedure(
        **{
            **values_of_preset("quick"),
            "energy": True,
            "seed": request.seed,
            "budget_s": budget_s or None,
            "memory_limit_bytes": request.memory_limit_bytes,
            "timeout_s": request.timeout_s,
        }
    )
    return Study(name="tune", sweep=replace(request.sweep, threads=threads), procedure=procedure)
