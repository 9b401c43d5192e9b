"""Which cells of a run a pattern names: `resnet18`, `resnet18:224/8`, `:448/16`."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence

from inferometer.core.errors import InputError
from inferometer.core.references import did_you_mean
from inferometer.core.shown import shown
from inferometer.core.workload import Workload

SHOWN = 12
"""Cells that a message names; the rest is counted."""

_PATTERN = re.compile(r"(?P<model>.*?)(:(?P<size>own|[0-9]+)/(?P<batch>[0-9]+))?", re.DOTALL)


def named(patterns: Sequence[str], workloads: Sequence[Workload]) -> list[Workload]:
    """The workloads that one of the patterns names, in their own order.

    A pattern is a model, a shape (`:SIZE/BATCH`), or both. A model is its reference, the last part
    of that, or a label such as `resnet18 bf16`; a whole label names its one cell.

    Args:
        patterns: at least one.
        workloads: what the run has.

    Raises:
        InputError: a pattern names none; the message says which there are.
    """
    cells = _cells(workloads)
    found: set[Workload] = set()
    for pattern in patterns:
        mine = cells.get(("label", pattern), []) + cells.get(_read(pattern), [])
        if not mine:
            hint = _near(pattern, workloads)
            raise InputError(
                f"--only {shown(pattern)}: the run has no such workload{hint}; it has "
                f"{_listed(workloads)}"
            )
        found.update(mine)
    return [workload for workload in workloads if workload in found]


def _near(pattern: str, workloads: Sequence[Workload]) -> str:
    """A suggestion where no model is called like that of the pattern."""
    models = {one.variant.model for one in workloads}
    model = pattern.partition(":")[0]
    return "" if not model or model in models else did_you_mean(model, models)


def _cells(workloads: Sequence[Workload]) -> dict[tuple[str, str], list[Workload]]:
    """Workloads by whatever a pattern may call them: (model, shape), either of them empty."""
    found: dict[tuple[str, str], list[Workload]] = defaultdict(list)
    for workload in workloads:
        found["label", workload.label].append(workload)
        for model in {"", *_model_names(workload)}:
            for shape in ("", _shape(workload)):
                found[model, shape].append(workload)
    return found


def _read(pattern: str) -> tuple[str, str]:
    """Model and shape of a pattern, empty where it says none."""
    parts = _PATTERN.fullmatch(pattern)
    assert parts is not None  # anything is a model
    return parts["model"], "" if parts["size"] is None else f"{parts['size']}/{parts['batch']}"


def _model_names(workload: Workload) -> tuple[str, ...]:
    """What its model may be called."""
    model = workload.variant.model
    target, mark, options = model.partition("?")
    tail = re.split(r"[:/]", target)[-1]
    shape = _shape(workload).replace("own", "own size")
    return model, tail, tail + mark + options, workload.label.removesuffix(f" {shape}")


def _shape(workload: Workload) -> str:
    size = "own" if workload.input_size is None else str(workload.input_size)
    return f"{size}/{workload.batch_size}"


def _listed(workloads: Sequence[Workload]) -> str:
    cells = list(dict.fromkeys(f"{one.variant.model}:{_shape(one)}" for one in workloads))
    more = f" and {len(cells) - SHOWN} more" if len(cells) > SHOWN else ""
    return ", ".join(cells[:SHOWN]) + more
