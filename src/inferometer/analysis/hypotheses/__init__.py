"""What the data say to what was expected of them. Knows how to test, not how to measure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from inferometer.analysis.findings import Tested
from inferometer.analysis.grid import Grid
from inferometer.analysis.hypotheses.ratio import ratio
from inferometer.analysis.hypotheses.trends import linear, trend
from inferometer.analysis.hypotheses.words import untestable
from inferometer.core.roofline import Roofline
from inferometer.study.hypotheses import parse_hypothesis

__all__ = ["examine"]


def examine(
    grid: Grid, texts: Sequence[str], rooflines: Mapping[str, Sequence[Roofline]] | None = None
) -> list[Tested]:
    """Test hypotheses on a table.

    Args:
        grid: the table.
        texts: the hypotheses, a line each; one that cannot be read, as in a run of another version,
            is untestable.
        rooflines: of the device, by the run's id; they make explanations better.
    """
    return [_examine(grid, text, rooflines or {}) for text in texts]


def _examine(grid: Grid, text: str, rooflines: Mapping[str, Sequence[Roofline]]) -> Tested:
    try:
        hypothesis = parse_hypothesis(text)
    except ValueError as error:
        return untestable(text, str(error))
    if hypothesis.kind == "trend":
        return trend(grid, hypothesis, rooflines)
    if hypothesis.kind == "linear":
        return linear(grid, hypothesis)
    return ratio(grid, hypothesis, rooflines)
