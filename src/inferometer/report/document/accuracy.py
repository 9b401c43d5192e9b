"""Accuracy in sentences and as a table: its interval, the data, and what calls take there."""

from __future__ import annotations

from collections.abc import Sequence

from inferometer.analysis.grid import Grid
from inferometer.core import units
from inferometer.core.record import Record
from inferometer.report.document.fields import Fields, count, done, rows, seconds, text
from inferometer.report.document.markup import Table, table
from inferometer.report.document.wording import few, plural

STAGES = ("load", "preprocess", "postprocess")


def accuracy_text(record: Record) -> str:
    """`0.972 [0.955, 0.983]`; empty without an accuracy."""
    value = record.number("accuracy")
    if value is None:
        return ""
    low, high = record.number("accuracy_ci_low"), record.number("accuracy_ci_high")
    ends = "" if low is None or high is None else f" [{low:.3f}, {high:.3f}]"
    return f"{value:.3f}{ends}"


def accuracy_lines(records: Sequence[Record]) -> list[str]:
    """A line for each model and input size that was judged, then why others were not."""
    judged = dict.fromkeys(_line(one) for one in records if one.number("accuracy") is not None)
    return [*judged, *why_not(records)]


def why_not(records: Sequence[Record]) -> list[str]:
    """Why measured records have no accuracy, each reason once; nothing where none was asked for."""
    reasons: dict[str, list[str]] = {}
    for record in (one for one in records if one.status == "ok"):
        if record.number("accuracy") is None and record.figures.get("accuracy_reason"):
            reason = str(record.figures["accuracy_reason"])
            reasons.setdefault(reason, []).append(record.workload.label)
    return [f"{few(labels)}: {reason}" for reason, labels in reasons.items()]


def _line(record: Record) -> str:
    shape = record.workload.shape
    size = "" if shape.input_size is None else f" {shape.input_size}"
    figures = record.figures
    return (
        f"{record.workload.variant.model}{size}, {record.workload.variant.precision}: "
        f"{figures.get('accuracy_metric') or 'accuracy'} {accuracy_text(record)}{_over(record)}"
    )


def _over(record: Record) -> str:
    """Over how much of which data, as far as that is known."""
    samples, dataset = record.number("accuracy_examples"), record.figures.get("dataset")
    over = f" over {plural(int(samples), 'sample')}" if samples else ""
    return (
        f"{over} of {dataset}"
        if dataset and over
        else over or (f" on {dataset}" if dataset else "")
    )


def accuracy_table(grid: Grid) -> Table:
    """Accuracy of each workload that was judged itself, and the time of its calls with the data."""
    fields: Fields = {
        "data": text("dataset"),
        "metric": text("accuracy_metric"),
        "accuracy [95 %]": accuracy_text,
        "samples": count("accuracy_examples"),
        "call with the data": seconds("data_latency_s"),
        "over synthetic": over_synthetic,
        **{f"{stage} a sample": seconds(f"data_{stage}_s") for stage in STAGES},
    }
    places = [
        place
        for column in grid.columns
        for place in done(grid, column)
        if place[2].number("data_latency_s") is not None
        or (place[2].number("accuracy_batch_size") == place[2].workload.batch_size)
    ]
    found = rows(places, fields)
    return table(found.heads, found.rows, left=4)


def over_synthetic(record: Record) -> str:
    """How much longer calls take with the data than with synthetic inputs: `1.02 [0.99, 1.05]`."""
    ratio = record.number("data_over_synthetic")
    if ratio is None:
        return units.ABSENT
    low, high = (record.number(f"data_over_synthetic_ci_{end}") for end in ("low", "high"))
    return f"{ratio:.3f}" + ("" if low is None or high is None else f" [{low:.3f}, {high:.3f}]")


def synthetic_lines(records: Sequence[Record]) -> list[str]:
    """Whether real data takes another time than synthetic inputs, and why it might."""
    apart = [
        record
        for record in records
        if (low := record.number("data_over_synthetic_ci_low")) is not None
        and (high := record.number("data_over_synthetic_ci_high")) is not None
        and (low > 1 or high < 1)
    ]
    known = [r for r in records if r.number("data_over_synthetic_ci_low") is not None]
    if not known:
        return []
    total = plural(len(known), "workload")
    if not apart:
        low = min(r.number("data_over_synthetic_ci_low") or 0.0 for r in known)
        high = max(r.number("data_over_synthetic_ci_high") or 0.0 for r in known)
        return [
            (
                f"In none of {total} do calls with the data surely take another time than with "
                f"synthetic inputs; all intervals of the ratio are within {low:.3g} to {high:.3g}."
            )
        ]
    named = few([f"{one.workload.label} {over_synthetic(one)}" for one in apart])
    why = (
        "Values can do that (zeros, denormal numbers, padding), and branches of the model that "
        "depend on what it sees."
    )
    took = "took another time with the data than with synthetic inputs beside them"
    return [f"Calls {took} in {len(apart)} of {total}: {named}. {why}"]
