"""What a report is made of: runs with their records, and the study and sentences behind them."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from inferometer.core.record import Record
from inferometer.core.run import Run
from inferometer.core.sweep import Block, Study


@dataclass(frozen=True, kw_only=True)
class RunRecords:
    """A run and what came of it."""

    run: Run
    records: tuple[Record, ...] = field(repr=False)

    @property
    def study(self) -> Study | None:
        """The study that was measured; None for an imported run."""
        if self.run.origin == "imported" or "sweep" not in self.run.document:
            return None
        return Study.from_json(self.run.document)


def all_records(runs: Sequence[RunRecords]) -> list[Record]:
    """The records of all runs, one run after the other."""
    return [record for one in runs for record in one.records]


def repeat_command(study: Study) -> str:
    """The command that measures a study again."""
    from inferometer.study import builtin_studies

    budget_s = study.procedure.budget_s
    for known in builtin_studies():
        same_sweep = replace(known.sweep, threads=study.sweep.threads) == study.sweep
        if same_sweep and replace(known.procedure, budget_s=budget_s) == study.procedure:
            threads = f" --threads {study.sweep.threads}" if study.sweep.threads else ""
            budget = f" --budget {budget_s:g}s" if budget_s != known.procedure.budget_s else ""
            return f"inferometer run {shlex.quote(known.name)}{threads}{budget}"
    return "inferometer run study.yaml"


def study_file(study: Study) -> str:
    """The study as a study file, each value in the JSON that YAML includes: no text needs care."""
    sweep, procedure = study.sweep, study.procedure
    data: dict[str, Any] = {
        "name": study.name,
        "models": list(sweep.models),
        "backends": list(sweep.backends),
        "precisions": list(sweep.precisions),
        "device": sweep.device,
        "threads": sweep.threads,
        "shapes": [_block(block) for block in sweep.blocks],
        "hypotheses": list(study.hypotheses),
        "procedure": {
            "target": procedure.target,
            "confidence": procedure.confidence,
            "processes": procedure.processes,
            "min_calls": procedure.min_calls,
            "max_calls": procedure.max_calls,
            "min_rounds": procedure.min_rounds,
            "span": procedure.span_s,
            "round": procedure.round_s,
            "max_time": procedure.max_time_s,
            "timeout": procedure.timeout_s,
            "memory_limit": procedure.memory_limit_bytes,
            "skip_larger": procedure.skip_larger,
            "budget": procedure.budget_s,
            "seed": procedure.seed,
            "pair": procedure.pair,
            "sustain": procedure.sustain_s,
            "find_cliff": procedure.find_cliff,
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
