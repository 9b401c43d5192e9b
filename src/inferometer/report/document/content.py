"""What every form of the report says, as plain texts and tables: escaping is for the form."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from inferometer import __version__
from inferometer.analysis.findings import Findings
from inferometer.analysis.grid import Grid
from inferometer.core.record import Record
from inferometer.report.document import (
    accuracy,
    discussion,
    explanation,
    fidelity,
    marks,
    memory,
    operations,
    operators,
    roofline,
    sources,
    start,
    tables,
    wording,
)
from inferometer.report.document.cliffs import cliff_sentences
from inferometer.report.document.devices import device_section
from inferometer.report.document.headline import headline
from inferometer.report.document.markup import Table
from inferometer.report.document.material import Material
from inferometer.report.document.method import methods
from inferometer.report.document.sources import RunRecords
from inferometer.report.document.sustained import sustained_lines
from inferometer.report.document.tradeoff import tradeoff
from inferometer.report.document.verdicts import cause_table, verdict_table
from inferometer.report.plots import choice as plots


def content(material: Material) -> dict[str, Any]:
    """The variables of the templates: strings, lists of strings, and tables."""
    runs, grid, records = material.runs, material.grid, material.records
    devices = wording.joined(list(dict.fromkeys(one.run.device_name for one in runs)))
    findings = material.findings or Findings()
    batches, size_steps = tables.batches(grid, findings.scaling), tables.size_steps(grid)
    return {
        "title": f"Inference latency on {devices}",
        "version": __version__,
        "runs": [_run_line(one) for one in runs],
        "headline": headline(material),
        "devices": device_section(runs, material.prices),
        "tradeoff": tradeoff(records),
        "models": tables.models(grid),
        "notes": wording.notes(grid),
        "parameters": tables.parameters(grid),
        "sharing": discussion.sharing(grid),
        "published": _published(grid),
        **_costs(grid, runs),
        "methods": methods(runs),
        "cells_show": wording.what_cells_show(records, _target(runs)),
        "legend": _legend(grid, records),
        "latencies": _latencies(grid, records),
        "verdicts": verdict_table(grid),
        "causes": cause_table(grid),
        "sustained": sustained_lines(records),
        "energy": tables.energy(grid),
        "energy_reason": discussion.energy_reason(records),
        "fidelity": fidelity.fidelity_table(grid),
        "fidelity_lines": fidelity.why(records),
        "accuracy": accuracy.accuracy_table(grid),
        "accuracy_lines": accuracy.why_not(records) + accuracy.synthetic_lines(records),
        "batch_size": discussion.not_varied("batch size", batches),
        "batches": batches,
        "cliffs": cliff_sentences(grid, [one.run for one in runs]),
        "input_size": discussion.not_varied("input size", size_steps),
        "size_steps": size_steps,
        "limits": discussion.limits(grid, runs),
        "setups": [_setup(one, sources.study_name(one, runs)) for one in runs],
        "failures": tables.failures(grid),
        "figures": tables.figures(grid),
        "other_figures": tables.other_figures(grid),
    }


def _costs(grid: Grid, runs: Sequence[RunRecords]) -> dict[str, Any]:
    """Costs, memory, starts, rooflines, the order of models; a list says why a table is empty."""
    rooflines, started = roofline.rooflines_by_run(runs), start.start(grid)
    profiled = operators.operator_table(grid)
    order, order_lines = explanation.order(grid), explanation.order_lines(grid, rooflines)
    return {
        "operations": operations.operations(grid),
        "operation_notes": operations.operation_notes(grid),
        "memory": memory.memory(grid),
        "memory_notes": memory.memory_notes(sources.all_records(runs)),
        "memory_details": memory.memory_details(sources.all_records(runs), runs),
        "start": started,
        "start_note": start.HOW if started else start.NOT_MEASURED,
        "attained": roofline.roofline_table(runs),
        "roofline_shares": roofline.share_table(grid),
        "roofline_note": roofline.roofline_note(runs),
        "parameter_count": [] if order or order_lines else [discussion.NOT_ORDERED],
        "order": order,
        "order_pairs": explanation.order_pairs(grid),
        "order_lines": order_lines,
        "operator_times": profiled,
        "operator_lines": operators.operator_lines(grid),
        "latency_parts": None if profiled else explanation.parts(grid),
        "batch_lines": explanation.batch_lines(grid, rooflines),
    }


def _run_line(one: RunRecords) -> str:
    run = one.run
    how = "imported" if run.origin == "imported" else "measured"
    when = wording.local_time(run.created_at)
    outcome = wording.outcome(run, one.records)
    return f"run {run.id} of study {run.study}, {how} {when} on {run.device_name}; {outcome}"


def _target(runs: Sequence[RunRecords]) -> float | None:
    """The target of all runs, where they have one in common."""
    targets = {wording.target_of(one.run) for one in runs}
    return targets.pop() if len(targets) == 1 else None


def _latencies(grid: Grid, records: Sequence[Record]) -> list[dict[str, str | Table]]:
    """A title and a table for each input size."""
    spread = marks.spread_of(records)
    return [
        {"title": plots.size_title(size).capitalize(), "table": tables.latency(grid, size, spread)}
        for size in grid.sizes
    ]


def _legend(grid: Grid, records: Sequence[Record]) -> list[str]:
    """What the marks mean that occur in the tables."""
    spread = marks.spread_of(records)
    cells = [
        marks.cell(grid.cell(shape, column), spread)
        for shape in grid.shapes
        for column in grid.columns
    ]
    legend = {cell.text: cell.legend for cell in cells if cell.legend}
    legend |= marks.meanings(cells, spread)
    return [f"{text}: {meaning}" for text, meaning in legend.items()]


def _published(grid: Grid) -> str:
    """Whether the counts are those of the catalogue; empty where it has none of the models."""
    entries = {
        column: entry
        for column in grid.columns
        if (entry := tables.catalogue_entry(grid, column)) and grid.count(column) is not None
    }
    differing = [c.name for c, entry in entries.items() if entry.parameters != grid.count(c)]
    if not entries:
        return ""
    if not differing:
        return "The published counts are the same."
    return f"The count differs from the published one for {wording.joined(differing)}."


def _setup(one: RunRecords, file: str) -> dict[str, str | bool | Table]:
    """Device, software and the way to repeat a run, whose study is in a file beside the report."""
    study = one.study
    command = sources.repeat_command(study, file) if study else ""
    return {
        "title": f"Run {one.run.id}",
        "device": tables.device(one.run),
        "software": tables.software(one.run),
        "command": command,
        "in_folder": file in command,
        "study_file": sources.study_file(study) if study else "",
        "seed": str(study.procedure.seed) if study else "",
    }
