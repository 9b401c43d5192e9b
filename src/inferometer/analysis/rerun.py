"""The command that measures given cells of a run again."""

from __future__ import annotations

import shlex
from collections import defaultdict
from collections.abc import Iterable, Sequence

from inferometer.analysis.grid import Grid
from inferometer.core.record import Record
from inferometer.core.workload import size_label


def rerun_command(grid: Grid, records: Sequence[Record]) -> str:
    """The command for the cells of the first run among some records; empty for an imported one.

    Args:
        grid: the table that they are of: a model all of whose cells are meant is named alone.
        records: of the cells.
    """
    first = next(iter(records), None)
    if first is None or first["origin"] != "measured":
        return ""
    run_id = str(first.run.get("run_id"))
    shapes = _shapes(run_id, records)
    everything = _shapes(run_id, [one for one in grid.cells.values() if one.status == "ok"])
    only: list[str] = []
    for model, mine in shapes.items():
        whole = set(mine) >= set(everything[model]) and len(mine) > 1
        only += [model] if whole else [f"{model}:{shape}" for shape in mine]
    return f"inferometer run --resume {run_id} --only {shlex.quote(','.join(only))}"


def _shapes(run_id: str, records: Iterable[Record]) -> dict[str, list[str]]:
    """Shapes of a run's records by model, each once."""
    shapes: dict[str, list[str]] = defaultdict(list)
    for record in records:
        if record.run.get("run_id") == run_id:
            workload = record.workload
            shape = f"{size_label(workload.input_size)}/{workload.batch_size}"
            if shape not in shapes[workload.variant.model]:
                shapes[workload.variant.model].append(shape)
    return shapes
