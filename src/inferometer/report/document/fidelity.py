"""Fidelity in sentences and as a table: how near outputs are to those of the reference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from inferometer.analysis.grid import Grid
from inferometer.core import units
from inferometer.core.record import Record, Value
from inferometer.core.workload import size_label
from inferometer.report.document.fields import done
from inferometer.report.document.markup import Table, table
from inferometer.report.document.wording import few, plural
from inferometer.stats.proportion import wilson

Figures = Mapping[str, Value]

HEADS = ("verdict", "relative error", "cosine", "SNR", "top-1 agreement")


def cells(figures: Figures) -> list[str]:
    """Verdict and figures, as `HEADS` says."""
    cosine, snr = (_number(figures, f"fidelity_{name}") for name in ("cosine", "snr_db"))
    return [
        str(figures.get("fidelity_verdict") or units.ABSENT),
        error_text(figures),
        units.ABSENT if cosine is None else f"{cosine:.6f}",
        units.ABSENT if snr is None else f"{snr:.1f} dB",
        agreement_text(figures),
    ]


def error_text(figures: Figures) -> str:
    """The relative error with two digits: `0.0041`, `3.2e-07`."""
    error = _number(figures, "fidelity_relative_error")
    return units.ABSENT if error is None else f"{error:.2g}"


def agreement_text(figures: Figures) -> str:
    """Samples with the same class, and the interval of their share: `31 of 32 [0.84, 0.99]`."""
    share, samples = (
        _number(figures, f"fidelity_{name}") for name in ("top1_agreement", "samples")
    )
    if share is None or not samples:
        return units.ABSENT
    low, high = wilson(round(share * samples), samples)
    return f"{share * samples:.0f} of {samples:.0f} [{low:.2f}, {high:.2f}]"


def fidelity_lines(records: Sequence[Record]) -> list[str]:
    """How many variants are the same as their reference, then the others one by one, with why."""
    found = {_name(one): one for one in records if one.figures.get("fidelity_verdict")}
    same = [one for one in found.values() if one.figures["fidelity_verdict"] == "same"]
    others = [name for name, one in found.items() if one not in same]
    lines = [_same(same)] if same else []
    lines += [_other(name, found[name]) for name in others if not _reason(found[name])]
    return lines + why(records)


def why(records: Sequence[Record]) -> list[str]:
    """Why verdicts are unknown or missing, or different whatever the errors; each reason once."""
    reasons: dict[str, dict[str, None]] = {}
    for record in records:
        if _reason(record) and record.status == "ok":
            reasons.setdefault(_reason(record), {})[_name(record)] = None
    return [f"{few(list(names))}: {reason}" for reason, names in reasons.items()]


def fidelity_table(grid: Grid) -> Table:
    """Fidelity of each variant at each input size, with the samples and the reference."""
    rows: dict[tuple[str, ...], None] = {}
    for column in grid.columns:
        for _, shape, record in done(grid, column):
            if record.figures.get("fidelity_verdict"):
                rows[(column.label, size_label(shape.input_size), *_row(record.figures))] = None
    heads = ["variant", "size", "reference", *HEADS, "largest difference", "samples"]
    return table(heads, [list(row) for row in rows], left=4)


def _row(figures: Figures) -> list[str]:
    largest, samples = (_number(figures, f"fidelity_{name}") for name in ("max_abs", "samples"))
    return [
        str(figures.get("fidelity_reference")),
        *cells(figures),
        units.ABSENT if largest is None else f"{largest:.2g}",
        units.count(None if samples is None else int(samples)),
    ]


def _same(same: Sequence[Record]) -> str:
    worst = max(same, key=lambda one: _number(one.figures, "fidelity_relative_error") or 0.0)
    references = dict.fromkeys(str(one.figures["fidelity_reference"]) for one in same)
    many = "" if len(same) == 1 else f"{plural(len(same), 'variant')}; the worst is "
    return f"the same as {few(list(references))}: {many}{_name(worst)}, {_figures(worst)}"


def _other(name: str, record: Record) -> str:
    figures = record.figures
    against = figures["fidelity_reference"]
    return f"{name}: {figures['fidelity_verdict']} ({against}): {_figures(record)}"


def _figures(record: Record) -> str:
    figures = record.figures
    agreement = agreement_text(figures)
    top = "" if agreement == units.ABSENT else f", top-1 {agreement}"
    cosine = _number(figures, "fidelity_cosine")
    turned = "" if cosine is None else f", cosine {cosine:.4f}"
    return f"relative error {error_text(figures)}{turned}{top}"


def _name(record: Record) -> str:
    shape, variant = record.workload.shape, record.workload.variant
    size = "" if shape.input_size is None else f" {shape.input_size}"
    options = f" {variant.options_text}" if variant.options else ""
    return f"{variant.model} {variant.backend} {variant.precision}{options}{size}"


def _reason(record: Record) -> str:
    return str(record.figures.get("fidelity_reason") or "")


def _number(figures: Figures, name: str) -> float | None:
    value = figures.get(name)
    return value if isinstance(value, int | float) else None
