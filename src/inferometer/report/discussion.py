"""What follows from the figures alone, and what does not, in sentences."""

from __future__ import annotations

from collections.abc import Sequence

from inferometer.analysis import facts
from inferometer.analysis.grid import Column, Grid
from inferometer.core import units
from inferometer.core.record import Record
from inferometer.report.sources import RunRecords, all_records
from inferometer.report.verdicts import unseen
from inferometer.report.wording import joined, plural, sentence, shape_list

DIFFERENT = (
    " The parameter count was not varied by itself: the models differ in their operations too."
)
COUNTED = (
    'A parameter tensor that several layers share is counted once; "counted at each use" counts it '
    "again wherever it is used."
)
MOST_NAMED = 8
"""Sentences of one kind; the rest is counted."""


def batch_size(grid: Grid) -> list[str]:
    """Does latency rise with the batch size?"""
    return _along(grid, "batch", "the batch size")


def input_size(grid: Grid) -> list[str]:
    """Does latency rise with the input size?"""
    found = _along(grid, "size", "the input size")
    if any(step.grows == 2 for step in facts.steps(grid, "size")):  # noqa: PLR2004 - twice
        found.append("Twice the side of an image is four times its pixels.")
    return found


def parameter_count(grid: Grid) -> list[str]:
    """Does latency follow the number of parameters?"""
    compared = len(facts.pairs(grid))
    if not compared:
        return ["There are no two models to compare: too few latencies or parameter counts."]
    against = facts.contradictions(grid)
    lines = [line for columns in facts.contexts(grid) for line in _orders(grid, columns)]
    lines += [contradiction(grid, one) for one in against[:MOST_NAMED]]
    if len(against) > MOST_NAMED:
        lines.append(f"So it is with {plural(len(against) - MOST_NAMED, 'further pair')}.")
    share = f"{len(against)} of {plural(compared, 'pair')} of variants"
    if not against:
        lines.append(
            f"In none of {plural(compared, 'pair')} of variants is the one with fewer parameters "
            "slower. The data do not contradict that latency rises with the parameter count."
        )
    else:
        lines.append(
            f"In {share} the one with fewer parameters is slower at one shape or more: the "
            "parameter count alone does not say which model is slower."
        )
    return lines


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
    if all(record.latency is None or record.latency.low is None for record in records):
        found.append("There are no intervals: which differences are noise cannot be said.")
    measured = [record for record in records if record.status == "ok"]
    return found + [sentence(caveat) for caveat in unseen(measured)]


def energy_reason(records: Sequence[Record]) -> str:
    """Why there is no energy, as the records say."""
    reasons = (record.figures.get("energy_reason") for record in records)
    found = dict.fromkeys(sentence(str(reason)) for reason in reasons if reason)
    return " ".join(found) or "The records hold no energy."


def sharing(grid: Grid) -> str:
    """Which models share parameters."""
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
        return f"{COUNTED} Both counts agree for every model: none of them shares parameters."
    return f"{COUNTED} {joined(sharers)} {'shares' if len(sharers) == 1 else 'share'} parameters."


def _along(grid: Grid, axis: facts.Axis, what: str) -> list[str]:
    steps = facts.steps(grid, axis)
    if not steps:
        return [f"No variant was measured at two values of {what} with all else equal."]
    back = [step for step in facts.reversals(grid) if step.axis == axis]
    rising = sum(step.ratio > 1 for step in steps)
    less = sum(1 < step.ratio < step.grows for step in steps)
    lines = [
        f"From the smallest to the largest value of {what}, latency per call rises in {rising} of "
        f"{len(steps)} series"
        + (f", in {less} of them by less than {what} itself." if axis == "batch" else ".")
    ]
    if not back:
        lines.append(f"Nowhere does a larger value of {what} take less time than its neighbour.")
    else:
        named = [_reversal(grid, step) for step in back[:MOST_NAMED]]
        more = f" and {len(back) - MOST_NAMED} more" if len(back) > MOST_NAMED else ""
        lines.append(
            f"The other way round, more work took less time in {plural(len(back), 'place')}: "
            f"{'; '.join(named)}{more}. Such a figure deserves a second measurement."
        )
    return lines


def _reversal(grid: Grid, step: facts.Step) -> str:
    start, end = (
        units.latency(facts.latencies(grid, step.column, [shape])[shape])
        for shape in (step.start, step.end)
    )
    return f"{step.column.label} {step.start.label} {start}, but {step.end.label} {end}"


def _orders(grid: Grid, columns: Sequence[Column]) -> list[str]:
    """The order by parameters and the order by latency, of variants under the same settings."""
    known = [column for column in columns if grid.count(column) is not None]
    shape = facts.common_shape(grid, known)
    if shape is None or len(known) < 2:  # noqa: PLR2004 - an order needs two
        return []
    ranked = [one.column for one in facts.ranking(grid, shape, known)]
    by_parameters = sorted(ranked, key=lambda column: grid.count(column) or 0)
    fewest, fastest = (", ".join(c.label for c in order) for order in (by_parameters, ranked))
    agree = "The orders agree." if ranked == by_parameters else "The orders differ."
    parameters = f"From fewest to most parameters: {fewest}"
    return [f"{parameters}. At {shape.label}, from fastest to slowest: {fastest}. {agree}"]


def contradiction(grid: Grid, one: facts.Pair) -> str:
    """A pair whose order by latency is not its order by parameters."""
    fewer, more = (units.count(grid.count(column)) for column in (one.fewer, one.more))
    if len(one.slower_in) == one.compared > 1:
        where = f"all {one.compared} shapes"
    else:
        of = plural(one.compared, "shape")
        where = f"{len(one.slower_in)} of {of} ({shape_list(one.slower_in, 4)})"
    pair = f"{one.fewer.label} has fewer parameters than {one.more.label}"
    return f"{pair}, {fewer} against {more}, yet is slower at {where}."
