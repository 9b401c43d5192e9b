"""What the data say to what was expected of them. Knows how to test, not how to measure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from inferometer.analysis.findings import Tested
from inferometer.analysis.grid import Grid
from inferometer.analysis.hypotheses.ratio import ratio
from inferometer.analysis.hypotheses.trends import linear, trend
from inferometer.core.roof import Roof
from inferometer.study.hypotheses import parse_hypothesis

__all__ = ["examine"]


def examine(
    grid: Grid, texts: Sequence[str], roofs: Mapping[str, Sequence[Roof]] | None = None
) -> list[Tested]:
    """Test hypotheses on a table.

    Args:
        grid: the table.
        texts: the hypotheses, a line each.
        roofs: roofs of the device by the run's id; they make explanations better.

    Raises:
        ValueError: a hypothesis cannot be read.
    """
    found = []
    for text in texts:
        hypothesis = parse_hypothesis(text)
        if hypothesis.kind == "trend":
            found.append(trend(grid, hypothesis, roofs or {}))
        elif hypothesis.kind == "linear":
            found.append(linear(grid, hypothesis))
        else:
            found.append(ratio(grid, hypothesis, roofs or {}))
    return found
