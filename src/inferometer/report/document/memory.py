"""What models hold in memory, of what it consists and how well it was forecast, for a report."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from inferometer.analysis.grid import Grid
from inferometer.core import units
from inferometer.core.record import Record
from inferometer.report.document.fields import Fields, byte_count, ends
from inferometer.report.document.markup import Table
from inferometer.report.document.sources import RunRecords
from inferometer.report.document.wording import joined, plural

LAYERS = (
    "Peak: the most resident memory of the worker, less what this tool itself holds. Runtime: held "
    "before the model was loaded; weights: what loading added; activations: what calls added; the "
    "remainder is inputs, and code that first calls load."
)
BRACKETS = "forecasts before any shape of that model was measured, which are lower bounds"
NOT_MEASURED = "Peak memory was not measured."


def memory(grid: Grid) -> Table:
    """Peak memory and its layers, at the smallest and the largest shape of each variant."""
    fields: Fields = {
        "runtime": byte_count("memory_baseline_bytes"),
        "weights": byte_count("memory_weights_bytes"),
        "activations": byte_count("memory_activation_bytes"),
        "analytical": byte_count("activation_peak_bytes"),
        "peak": byte_count("peak_memory_bytes"),
        "forecast": byte_count("memory_forecast_bytes"),
        "its error": error_text,
        "on the accelerator": byte_count("device_memory_bytes"),
    }
    return ends(grid, fields)


def memory_notes(records: Sequence[Record]) -> list[str]:
    """What the layers are, and how good the forecasts were."""
    measured = [record for record in records if record.number("peak_memory_bytes") is not None]
    if not measured:
        return [NOT_MEASURED]
    layers = any(record.number("memory_baseline_bytes") is not None for record in measured)
    return [LAYERS] * layers + _errors(measured)


def memory_details(records: Sequence[Record], runs: Sequence[RunRecords]) -> list[str]:
    """Which counter told the peak, what was allowed, and which forecasts learnt nothing."""
    measured = [record for record in records if record.number("peak_memory_bytes") is not None]
    counters = dict.fromkeys(
        str(counter) for record in measured if (counter := record.figures.get("memory_counter"))
    )
    told = [f"Counter: {joined(list(counters))}."] if counters else []
    forecast = [record for record in measured if forecast_error(record) is not None]
    bounds = [f"In brackets: {BRACKETS}."] * any(map(is_lower_bound, forecast))
    return [*told, *(_limits(runs) if measured else []), *bounds]


def forecast_error(record: Record) -> float | None:
    """How far a forecast was above the peak, as a share of it; None where either is unknown."""
    forecast, peak = record.number("memory_forecast_bytes"), record.number("peak_memory_bytes")
    return None if forecast is None or not peak else forecast / peak - 1


def error_text(record: Record) -> str:
    """How far a forecast was off, with its sign; in brackets where it is only a lower bound."""
    error = forecast_error(record)
    if error is None:
        return ""
    return f"({signed(error)})" if is_lower_bound(record) else signed(error)


def is_lower_bound(record: Record) -> bool:
    """Whether the forecast had no smaller shape to learn from, as a note then says."""
    return any(note.code == "forecast_lower_bound" for note in record.notes)


def signed(share: float) -> str:
    """A share with its sign: `+4.2 %`."""
    sign = "\N{MINUS SIGN}" if share < 0 else "+"
    return sign + units.percent(abs(share))


def _limits(runs: Sequence[RunRecords]) -> list[str]:
    limits = [
        study.procedure.memory_limit_bytes for one in runs if (study := one.study) is not None
    ]
    told = dict.fromkeys(
        "what the machine could give without swapping" if limit is None else units.byte_count(limit)
        for limit in limits
    )
    return [f"A worker was allowed {joined(list(told))}."] if told else []


def _errors(records: Sequence[Record]) -> list[str]:
    """How far the forecasts, made before a workload ran, were from what it took."""
    learnt = [record for record in records if not is_lower_bound(record)]
    errors = [error for record in learnt if (error := forecast_error(record)) is not None]
    if not errors:
        return []
    middle = units.percent(median(abs(error) for error in errors))
    line = (
        "Before a workload ran, its peak was forecast from its analytical activations and from "
        f"smaller shapes: over {plural(len(errors), 'workload')} the forecast was off by "
        f"{signed(min(errors))} to {signed(max(errors))}, by a median of {middle} either way."
    )
    return [line]
