"""The command that measures given cells of a run again."""

from __future__ import annotations

import shlex
from collections import defaultdict
from collections.abc import Sequence

from inferometer.analysis.grid import size_label
from inferometer.core.record import Record


def rerun_command(records: Sequence[Record]) -> str:
    """The command for the cells of the first run among the records; empty where it was imported.

    Args:
        records: of the cells.
    """
    first = next(iter(records), None)
    if first is None or first["origin"] != "measured":
        return ""
    run_id = str(first.run.get("run_id"))
    shapes: dict[str, list[str]] = defaultdict(list)
    for record in records:
        if record.run.get("run_id") == run_id:
            workload = record.workload
            shape = f"{size_label(workload.input_size)}/{workload.batch_size}"
            if shape not in shapes[workload.variant.model]:
                shapes[workload.variant.model].append(shape)
    only = [f"{model}:{shape}" for model, mine in shapes.items() for shape in mine]
    return f"inferometer run --resume {run_id} --only {shlex.quote(','.join(only))}"
