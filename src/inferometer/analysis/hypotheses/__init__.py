"""What the data say to what was expected of them. Knows how to test, not how to measure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from inferometer.analysis.findings import Tested
from inferometer.analysis.grid import Grid
from inferometer.analysis.hypotheses.ratio import ratio
from inferometer.analysis.hypotheses.trends import linear, trend
from inferometer.analysis.hypotheses.words import untestable
from inferometer.core.roof import Roof
from inferometer.study.hypotheses import parse_hypothesis

__all__ = ["examine"]


def examine(
    grid: Grid, texts: Sequence[str], roofs: Mapping[str, Sequence[Roof]] | None = None
) -> list[Tested]:
    """Test hypotheses on a table.

    Args:
        grid: the table.
        texts: the hypotheses, a line each; one that cannot be read, as in a run of another version,
            is untestable.
        roofs: roofs of the device by the run's id; they make explanations better.
    """
    return [_examine(grid, text, roofs or {}) for text in texts]


def _examine(grid: Grid, text: str, roofs: Mapping[str, Sequence[Roof]]) -> Tested:
    try:
        hypothesis = parse_hypothesis(text)
    except ValueError as error:
        return untestable(text, str(error))
    if hypothesis.kind == "trend":
        return trend(grid, hypothesis, roofs)
    if hypothesis.kind == "linear":
        return linear(grid, hypothesis)
    return ratio(grid, hypothesis, roofs)
