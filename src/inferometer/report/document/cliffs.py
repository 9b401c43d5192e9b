"""Where throughput collapses or memory runs out, in a sentence for each line of a run."""

from __future__ import annotations

from collections.abc import Sequence

from inferometer.analysis.cliffs import Line, cliffs
from inferometer.analysis.grid import Grid
from inferometer.core import units
from inferometer.core.lines import call_limit_s
from inferometer.core.procedure import Procedure
from inferometer.core.run import Run
from inferometer.stats.cliffs import PLATEAU, Cliff, Search

HAPPENS = {
    "out_of_memory": "memory runs out",
    "timeout": "calls do not end in time",
    "crash": "the worker dies",
}


def cliff_sentences(grid: Grid, runs: Sequence[Run]) -> list[str]:
    """A sentence for each line of the runs that looked for cliffs."""
    return [_sentence(line) for run in runs for line in cliffs(grid, run)]


def _sentence(line: Line) -> str:
    found = line.search
    parts = [part for part in (_best(line), _failure(found.failure, line.procedure)) if part]
    if not parts:
        return f"{line.label}: nothing worked, and not for lack of memory or time"
    if found.next:
        parts.append("the search is not finished (--resume goes on with it)")
    elif found.collapse is None and found.failure is None:
        parts.append(_none(found, line.procedure))
    return f"{line.label}: {'; '.join(parts)}"


def _best(line: Line) -> str:
    """Where throughput is highest, and how it falls after that."""
    found = line.search
    if found.best is None or found.plateau is None:
        return ""
    text = f"throughput is highest at batch {found.best:,} ({units.number(found.best_rate)}/s)"
    if found.plateau < found.best:
        text += f", and within {units.percent(PLATEAU)} of that from {found.plateau:,} on"
    if line.unproven is not None:
        lower = units.percent(line.unproven)
        return f"{text}, and is {lower} lower in the end, which noise or neighbours may explain"
    return text + _fall(found.collapse, line.doubt)


def _fall(collapse: Cliff | None, doubt: str) -> str:
    if collapse is None:
        return ""
    between = f"between {collapse.good:,} and {collapse.bad:,}"
    doubted = f" (the figure at {collapse.bad:,} is {doubt})" if doubt else ""
    if collapse.is_sudden:
        return f", falls by {units.percent(collapse.drop)} {between}{doubted}"
    below = units.percent(collapse.below_best)
    return f", declines beyond, and is {below} lower at {collapse.bad:,}{doubted}"


def _failure(failure: Cliff | None, procedure: Procedure) -> str:
    if failure is None:
        return ""
    happens = HAPPENS.get(failure.kind, f"it fails ({failure.kind.replace('_', ' ')})")
    limit = _limit(failure.kind, procedure)
    if failure.good == 0:
        return f"{happens} at batch {failure.bad:,} already{limit}"
    return f"{happens} between {failure.good:,} and {failure.bad:,}{limit}"


def _limit(kind: str, procedure: Procedure) -> str:
    if kind == "timeout":
        return f" (limit {units.duration(procedure.timeout_s)})"
    if kind != "out_of_memory":
        return ""
    limit = procedure.memory_limit_bytes
    what = "what the machine has without swapping" if limit is None else units.byte_count(limit)
    return f" (limit {what})"


def _none(found: Search, procedure: Procedure) -> str:
    text = f"no cliff up to {found.reached:,}"
    if found.end == "slow":
        text += (
            f", beyond which a call would take more than {units.seconds(call_limit_s(procedure))}"
        )
    return text
