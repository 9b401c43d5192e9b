"""What the figures leave open, in sentences."""

from __future__ import annotations

from collections.abc import Sequence

from inferometer.analysis.grid import Grid
from inferometer.core.record import Record
from inferometer.report.document.markup import Table
from inferometer.report.document.sources import RunRecords, all_records
from inferometer.report.document.verdicts import unseen
from inferometer.report.document.wording import joined, plural, sentence

DIFFERENT = (
    " The parameter count was not varied by itself: the models differ in their operations too."
)
COUNTED = "A parameter tensor that several layers share is counted once"
MOST = 0.5
"""What could not be observed of fewer workloads limits no conclusion."""
NOT_ORDERED = "There are no models to compare: too few latencies, or nothing to explain them by."


def not_varied(what: str, steps: Table) -> list[str]:
    """What stands in the place of the steps along an axis where there are none."""
    told = f"No variant was measured at two values of the {what} with all else equal."
    return [] if steps else [told]


def limits(grid: Grid, runs: Sequence[RunRecords]) -> list[str]:
    """What the data cannot say."""
    records = all_records(runs)
    models = len({column.variant.model for column in grid.columns})
    devices = len({one.run.device_name for one in runs})
    scope = f"The figures are of {plural(models, 'model')} on {plural(devices, 'device')}"
    found = [f"{scope}; others may behave otherwise.{DIFFERENT * (models > 1)}"]
    if any(str(record.figures.get("weights", "")).startswith("random") for record in records):
        found.append(
            "Weights are random where the table of models says so: latency is that of the "
            "architecture, and nothing is said about accuracy."
        )
    if len(runs) > 1:
        found.append(
            "The runs were not made at the same time: differences between them hold what changed "
            "between the runs too."
        )
    found += _without_intervals(records)
    measured = [record for record in records if record.status == "ok"]
    return found + [sentence(caveat) for caveat in unseen(measured, MOST)]


def _without_intervals(records: Sequence[Record]) -> list[str]:
    """How many latencies have no interval; nothing where all have one."""
    known = [latency for record in records if (latency := record.latency) is not None]
    without = sum(one.low is None or one.high is None for one in known)
    if without == len(known):
        return ["There are no intervals: which differences are noise cannot be said."]
    told = f"{without} of {plural(len(known), 'latency', 'latencies')} have no interval"
    return [f"{told}: which of their differences are noise cannot be said."] * bool(without)


def energy_reason(records: Sequence[Record]) -> str:
    """Why there is no energy, as the records say."""
    reasons = (record.figures.get("energy_reason") for record in records)
    found = dict.fromkeys(sentence(str(reason)) for reason in reasons if reason)
    return " ".join(found) or "The records hold no energy."


def sharing(grid: Grid) -> str:
    """Models that share parameters."""
    known = [
        (column, once, each)
        for column in grid.columns
        if (once := grid.count(column)) is not None
        and (each := grid.count(column, "parameters_with_duplicates")) is not None
    ]
    sharers = list(dict.fromkeys(column.name for column, once, each in known if each > once))
    if not known:
        return "How shared parameters were counted is not known here."
    if not sharers:
        return f"{COUNTED}; no model here shares any.{_trainable(grid)}"
    share = "shares" if len(sharers) == 1 else "share"
    return f"{COUNTED}; {joined(sharers)} {share} parameters.{_trainable(grid)}"


def _trainable(grid: Grid) -> str:
    """Where all parameters are trainable: the table has no column for it then."""
    known = [(grid.count(one), grid.count(one, "trainable_parameters")) for one in grid.columns]
    return " All are trainable." * all(a is not None and a == b for a, b in known)
