"""Parts of sentences that the tests of hypotheses share."""

from __future__ import annotations

from collections.abc import Sequence

from inferometer.analysis.explain import is_doubted
from inferometer.analysis.findings import Tested
from inferometer.analysis.grid import Grid
from inferometer.analysis.hypotheses.pairs import Cell, Pair
from inferometer.analysis.sides import PROCESS_ALLOWANCE
from inferometer.core import units
from inferometer.core.hypothesis import FIGURES, Hypothesis
from inferometer.core.record import Record

FEW_MODELS = 8
SAME = 1.005


def figure_text(figure: str, cell: Cell) -> str:
    """A figure of a cell with its unit."""
    if figure.startswith("latency"):
        return units.seconds(cell.value)
    if figure.startswith("energy"):
        return units.joules(cell.value)
    if figure == "memory":
        return units.byte_count(cell.value)
    return f"{units.number(cell.value)}/s"


def ratios(values: Sequence[float]) -> str:
    """How far apart, as a factor or a range of factors; each is told as one above 1."""
    above = sorted(max(value, 1 / value) for value in values)
    if above[-1] / above[0] < SAME:
        return f"by {units.ratio(above[0])}"
    return f"by {units.ratio(above[0])} to {units.ratio(above[-1])}"


def plain(factor: str) -> str:
    """A factor as people write it."""
    return factor.replace("_", " ")


def of_all(part: int, total: int, what: str) -> str:
    """`3 of 4 comparisons`."""
    plural = what if total == 1 or what.endswith("s") else f"{what}s"
    return f"{part} of {total} {plural}"


def untestable(text: str, why: str) -> Tested:
    """The answer where there is nothing to test a hypothesis on."""
    return Tested(text=text, outcome="untestable", sentence=f"Untestable: {why}.")


def nothing_to_compare(hypothesis: Hypothesis) -> Tested:
    """The answer where no two figures differ in the factor alone."""
    return untestable(
        hypothesis.text,
        f"no two figures of {hypothesis.figure} ({FIGURES[hypothesis.figure]}) differ in "
        f"{plain(hypothesis.factor)} and in nothing else",
    )


def limits(grid: Grid, pairs: Sequence[Pair], *, across_models: bool) -> tuple[str, ...]:
    """What the data behind comparisons cannot show."""
    cells = [cell for pair in pairs for cell in (pair.start, pair.end)]
    return (
        *_of_comparisons(pairs, _records(grid, cells)),
        *limits_of(grid, cells, across_models=across_models),
    )


def limits_of(grid: Grid, cells: Sequence[Cell], *, across_models: bool) -> list[str]:
    """What figures cannot show however they are looked at."""
    used, found = _records(grid, cells), []
    doubtful = sum(map(is_doubted, used))
    if doubtful:
        found.append(
            f"{of_all(doubtful, len(used), 'figure')} were measured under conditions that make "
            "them doubtful (see their verdicts)."
        )
    names = {cell.column.variant.model for cell in cells}
    if across_models and len(names) < FEW_MODELS:
        found.append(
            f"{len(names)} models differ in more than this: an association over so few is no "
            "proof of a cause."
        )
    return found


def _of_comparisons(pairs: Sequence[Pair], used: Sequence[Record]) -> list[str]:
    found = []
    blind = [pair.hazy for pair in pairs if pair.by_sign]
    if 0.0 in blind:
        found.append(
            "Figures without deviations or intervals were compared by their sign alone: which "
            "differences are noise cannot be known."
        )
    if any(blind):
        found.append(
            "Figures of too few calls for an interval were compared by their sign alone, and only "
            f"where they differ by more than {units.percent(PROCESS_ALLOWANCE)}."
        )
    alone = sum((record.number("latency_processes") or 1) == 1 for record in used)
    if alone and len(blind) < len(pairs):
        found.append(
            f"{of_all(alone, len(used), 'figure')} came from one process, as far as is known: "
            f"{units.percent(PROCESS_ALLOWANCE)} was allowed for what fresh ones differ by."
        )
    return found


def _records(grid: Grid, cells: Sequence[Cell]) -> list[Record]:
    """The records of some cells, each once."""
    found = (grid.cell(cell.shape, cell.column) for cell in cells)
    return list({id(record): record for record in found if record is not None}.values())
