"""Records → findings: hypotheses tested, anomalies named, scaling fitted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from inferometer.analysis.anomalies import find_anomalies
from inferometer.analysis.findings import Findings
from inferometer.analysis.grid import Grid
from inferometer.analysis.hypotheses import examine
from inferometer.analysis.operators import time_shares
from inferometer.analysis.scaling import scaling
from inferometer.core.hypothesis import THE_LABS
from inferometer.core.roofline import Roofline, rooflines_of
from inferometer.core.run import Run
from inferometer.core.workload import CONTROL


def analyse(
    grid: Grid,
    *,
    hypotheses: Sequence[str] = THE_LABS,
    rooflines: Mapping[str, Sequence[Roofline]] | None = None,
) -> Findings:
    """Everything that an analysis finds in a table.

    Args:
        grid: records of one or several runs, with their rounds where these are to be looked at.
        hypotheses: what was expected, a line each.
        rooflines: of the device, by the run's id; they make explanations better.
    """
    grid = _without_control(grid)
    return Findings(
        hypotheses=tuple(examine(grid, hypotheses, rooflines)),
        anomalies=tuple(find_anomalies(grid)),
        scaling=tuple(scaling(grid)),
        operators=tuple(time_shares(grid)),
    )


def analyse_runs(grid: Grid, runs: Sequence[Run], hypotheses: Sequence[str] = ()) -> Findings:
    """Everything that an analysis finds in some runs.

    Args:
        grid: their records, with their rounds where these are to be looked at.
        runs: the runs of these records.
        hypotheses: what to test instead of what their studies expect.
    """
    texts = hypotheses or expected(runs)
    return analyse(grid, hypotheses=texts, rooflines=rooflines_of(runs))


def _without_control(grid: Grid) -> Grid:
    """The table without the control, which is no model to be explained."""
    columns = tuple(one for one in grid.columns if one.variant.model != CONTROL)
    cells = {place: record for place, record in grid.cells.items() if place[1] in columns}
    kept = {shape for shape, _ in cells}
    shapes = tuple(shape for shape in grid.shapes if shape in kept)
    return Grid(shapes=shapes, columns=columns, cells=cells)


def expected(runs: Sequence[Run]) -> list[str]:
    """The hypotheses of the studies behind some runs, each once; the lab's where there are none."""
    texts = [text for run in runs for text in run.document.get("hypotheses") or ()]
    return list(dict.fromkeys(map(str, texts))) or list(THE_LABS)
