"""What a report is made of: runs with their records, and the study and sentences behind them."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from inferometer.core.record import Record
from inferometer.core.run import Run
from inferometer.core.sweep import Block, Study, study_of

MINUTE = 60


@dataclass(frozen=True, kw_only=True)
class RunRecords:
    """A run and what came of it."""

    run: Run
    records: tuple[Record, ...] = field(repr=False)

    @property
    def study(self) -> Study | None:
        """The study that was measured; None for an imported run."""
        return study_of(self.run)


def all_records(runs: Sequence[RunRecords]) -> list[Record]:
    """The records of all runs, one run after the other."""
    return [record for one in runs for record in one.records]


def study_name(one: RunRecords, runs: Sequence[RunRecords]) -> str:
    """Name of the file beside a report that holds the study of one of its runs."""
    return "study.yaml" if len(runs) == 1 else f"study-{one.run.id}.yaml"


def repeat_command(study: Study, file: str = "study.yaml") -> str:
    """The command that measures a study again: a built-in one by its name, others by a file's."""
    from inferometer.study import builtin_studies

    threads, budget_s = study.sweep.threads, study.procedure.budget_s
    for known in builtin_studies():
        theirs = known.procedure.budget_s
        alike = replace(
            known,
            name=study.name,
            description=study.description,
            sweep=replace(known.sweep, threads=threads),
            procedure=replace(
                known.procedure,
                budget_s=budget_s,
                operator_times=study.procedure.operator_times,  # beside the latencies
            ),
        )
        if alike == study and (budget_s is not None or theirs is None):
            flags = f" --threads {threads}" * bool(threads)
            flags += f" --budget {_budget(budget_s)}" if budget_s != theirs else ""
            return f"inferometer run {shlex.quote(known.name)}{flags}"
    return f"inferometer run {file}"


def _budget(seconds: float | None) -> str:
    """As it would be typed: `13m`, `90s`."""
    whole = seconds or 0.0
    return f"{whole:.10g}s" if whole % MINUTE else f"{whole / MINUTE:.10g}m"


def study_file(study: Study) -> str:
    """The study as a study file, each value in the JSON that YAML includes: no text needs care."""
    sweep = study.sweep
    data: dict[str, Any] = {
        "name": study.name,
        "description": study.description or None,
        "models": list(sweep.models),
        "backends": list(sweep.backends),
        "precisions": list(sweep.precisions),
        **({"options": list(sweep.options)} if sweep.options else {}),
        "device": sweep.device,
        "threads": sweep.threads,
        "shapes": [_block(block) for block in sweep.blocks],
        "hypotheses": list(study.hypotheses),
        "procedure": {
            name.removesuffix("_s").removesuffix("_bytes"): value  # a file has units in its values
            for name, value in asdict(study.procedure).items()
        },
    }
    return "".join(
        f"{key}: {json.dumps(value, ensure_ascii=False)}\n" for key, value in _known(data).items()
    )


def _block(block: Block) -> dict[str, Any]:
    sizes = ["own" if size is None else size for size in block.sizes]
    return {"size": sizes, "batch": list(block.batches)}


def _known(data: dict[str, Any]) -> dict[str, Any]:
    """Without what is None, at any depth."""
    return {
        key: _known(value) if isinstance(value, dict) else value
        for key, value in data.items()
        if value is not None
    }
