"""Records → findings: hypotheses tested, anomalies named, scaling fitted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from inferometer.analysis.anomalies import find_anomalies
from inferometer.analysis.findings import Findings
from inferometer.analysis.grid import Grid
from inferometer.analysis.hypotheses import examine
from inferometer.analysis.scaling import scaling
from inferometer.core.hypothesis import THE_LABS
from inferometer.core.roofline import Roofline, rooflines_of
from inferometer.core.run import Run


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
    return Findings(
        hypotheses=tuple(examine(grid, hypotheses, rooflines)),
        anomalies=tuple(find_anomalies(grid)),
        scaling=tuple(scaling(grid)),
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


def expected(runs: Sequence[Run]) -> list[str]:
    """The hypotheses of the studies behind some runs, each once; the lab's where there are none."""
    texts = [text for run in runs for text in run.document.get("hypotheses") or ()]
    return list(dict.fromkeys(map(str, texts))) or list(THE_LABS)
