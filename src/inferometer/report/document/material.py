"""What every form of a report is made from: runs, their table, and what an analysis found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from inferometer.analysis.analyse import analyse_runs
from inferometer.analysis.findings import Findings
from inferometer.analysis.grid import Grid, build
from inferometer.core.errors import InputError
from inferometer.core.record import Record
from inferometer.report.document.sources import RunRecords, all_records


@dataclass(frozen=True, kw_only=True)
class Material:
    """Runs, and what is made of them once for all forms of a report.

    Attributes:
        runs: at least one, each with at least one record; with raw observations, where these are
            to be shown.
        grid: the table of all their records.
        findings: what an analysis found in it; None where there was none.
        prices: of devices, by their names.
    """

    runs: tuple[RunRecords, ...]
    grid: Grid = field(repr=False)
    findings: Findings | None = field(default=None, repr=False)
    prices: Mapping[str, float] = field(default_factory=dict)

    @property
    def records(self) -> list[Record]:
        """The records of all runs, one run after the other."""
        return all_records(self.runs)


def gather(runs: Sequence[RunRecords], prices: Mapping[str, float] | None = None) -> Material:
    """Analyse runs for a report.

    Args:
        runs: at least one.
        prices: of devices, by their names.

    Raises:
        InputError: there is nothing to report.
    """
    for one in runs:
        if not one.records:
            raise InputError(f"run {one.run.id} has no records yet, so there is nothing to report")
    grid = build(all_records(runs))
    findings = analyse_runs(grid, [one.run for one in runs])
    return Material(runs=tuple(runs), grid=grid, findings=findings, prices=prices or {})
