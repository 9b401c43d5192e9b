"""The tables of a report, as plain texts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import cast

from inferometer.analysis import facts
from inferometer.analysis.findings import Scaling
from inferometer.analysis.grid import Column, Grid
from inferometer.analysis.series import throughput
from inferometer.core import units
from inferometer.core.record import Record
from inferometer.core.roofline import ROOFLINES
from inferometer.core.run import PARTS, Run
from inferometer.core.workload import size_label
from inferometer.models.catalogue import CATALOGUE, Entry
from inferometer.report.document import marks
from inferometer.report.document.energy import delay_product_js, per_watt_hour
from inferometer.report.document.fields import byte_count, count, number, seconds, text
from inferometer.report.document.markup import Table, table
from inferometer.report.document.wording import message

COUNTS = ("parameters", "parameters_with_duplicates", "trainable_parameters")
SIZES = ("parameter_bytes", "buffer_bytes")
PERCENTILES = ("latency_p90_s", "latency_p95_s", "latency_p99_s")


def models(grid: Grid) -> Table:
    """Each model by its exact name, where it came from, and why it was chosen."""
    rows = []
    for column in per_model(grid):
        entry = catalogue_entry(grid, column)
        rows.append(
            [
                column.name,
                column.variant.model if column.variant.model != column.name else "",
                _source(grid, column, entry),
                grid.text(column, "weights"),
                entry.task if entry else "",
                entry.why if entry else "",
                entry.paper if entry else "",
            ]
        )
    heads = ["model", "reference", "source", "weights", "task", "why it was chosen", "published in"]
    return table(heads, rows, left=len(heads))


def parameters(grid: Grid) -> Table:
    """Parameters, shared ones counted once and at each use, and their bytes.

    Counts that are those of the first column in every row are left out: `discussion` says so.
    """
    rows = [
        [
            column.name,
            *(units.count(grid.count(column, name)) for name in COUNTS),
            *(units.byte_count(grid.count(column, name)) for name in SIZES),
            units.count(entry.parameters) if (entry := catalogue_entry(grid, column)) else "",
        ]
        for column in per_model(grid)
    ]
    heads = [
        "model",
        "parameters",
        "counted at each use",
        "trainable",
        "size of parameters",
        "size of buffers",
        "published count",
    ]
    again = [place for place in (2, 3, 6) if all(row[place] == row[1] for row in rows)]
    return table(heads, rows).without(*(heads[place] for place in again))


def latency(grid: Grid, input_size: int | None, spread: marks.Spread) -> Table:
    """Median latency: a row for each batch size, a column for each variant."""
    shapes = grid.rows(input_size)
    columns = [c for c in grid.columns if any(grid.cell(shape, c) for shape in shapes)]
    rows = [
        [
            str(shape.batch_size),
            *(marks.cell(grid.cell(shape, column), spread).text for column in columns),
        ]
        for shape in shapes
    ]
    return table(["batch", *(column.label for column in columns)], rows, left=0)


def batches(grid: Grid, scaling: Sequence[Scaling]) -> Table:
    """How latency moves from the smallest to the largest batch size, and the best one.

    Args:
        grid: the table.
        scaling: lines through the batch sizes.
    """
    lines = {one.subject: one for one in scaling if one.axis == "batch_size"}
    best = {
        (one.column, one.shape.input_size): one
        for one in facts.best_batches(grid)
        if one.compared > 1
    }
    rows = [
        [
            step.column.label,
            size_label(step.start.input_size),
            f"{step.start.batch_size} to {step.end.batch_size}",
            units.ratio(step.ratio),
            *_line(lines.get(f"{step.column.label} at {size_label(step.start.input_size)}")),
            *_best(best.get((step.column, step.start.input_size))),
        ]
        for step in facts.steps(grid, "batch")
    ]
    heads = ["variant", "input size", "batch size", "latency grows by", "each call", "each sample"]
    return table([*heads, "best batch", "samples/s there", "over the smallest"], rows)


def _line(found: Scaling | None) -> list[str]:
    """What a call takes, and what each sample of it, by a line through the batch sizes."""
    if found is None or found.fixed_s is None or found.per_input_s is None:
        return [units.ABSENT] * 2
    return [units.seconds(found.fixed_s.value), units.seconds(found.per_input_s.value)]


def _best(found: facts.Best | None) -> list[str]:
    if found is None:
        return [units.ABSENT] * 3
    batch, rate = str(found.shape.batch_size), units.number(found.throughput.y)
    return [batch, rate, units.ratio(found.gain)]


def size_steps(grid: Grid) -> Table:
    """How latency moves from the smallest to the largest input size, over all batch sizes."""
    groups: dict[tuple[Column, int | None, int | None], list[facts.Step]] = {}
    for step in facts.steps(grid, "size"):
        key = (step.column, step.start.input_size, step.end.input_size)
        groups.setdefault(key, []).append(step)
    rows = [
        [
            column.label,
            _span([str(step.start.batch_size) for step in steps]),
            f"{size_label(start)} to {size_label(end)}",
            units.round_number(steps[0].grows) + units.TIMES,
            _span([units.ratio(ratio) for ratio in sorted(step.ratio for step in steps)]),
        ]
        for (column, start, end), steps in groups.items()
    ]
    return table(["variant", "batch sizes", "input size", "grows by", "latency grows by"], rows)


def figures(grid: Grid) -> Table:
    """Every figure of latency: deviation, percentiles, extremes, and how often it was measured."""
    fields: dict[str, Callable[[Record], str]] = {
        "median": lambda r: (
            "" if r.number("latency_median_s") is None else units.latency(r.latency)
        ),
        "mean": seconds("latency_mean_s"),
        "std": seconds("latency_std_s"),
        **{name.split("_")[1]: seconds(name) for name in PERCENTILES},
        "min": seconds("latency_min_s"),
        "max": seconds("latency_max_s"),
        "calls": count("latency_calls"),
        "rounds": count("latency_rounds"),
        "processes": count("latency_processes"),
        "target met": _yes_no("latency_target_met"),
        "verdict": text("verdict"),
    }
    return _appendix(grid, fields)


def other_figures(grid: Grid) -> Table:
    """Throughput, memory and the cost of a start."""
    fields: dict[str, Callable[[Record], str]] = {
        "samples/s": lambda r: units.number(point.y) if (point := throughput(r)) else units.ABSENT,
        "peak memory": byte_count("peak_memory_bytes"),
        "first call": seconds("first_call_s"),
        "load": seconds("load_s"),
        "warm-up calls": count("warmup_calls"),
        "calls per value": count("latency_calls_per_value"),
        "accuracy": number("accuracy"),
    }
    return _appendix(grid, fields)


def energy(grid: Grid) -> Table:
    """Energy per sample, of the records that have it."""
    fields: dict[str, Callable[[Record], str]] = {
        "energy per sample": lambda record: _energy(record, ""),
        "above idle": lambda record: _energy(record, "net_"),
        "mean power, W": number("power_mean_w"),
        "idle power, W": number("power_idle_w"),
        "samples per watt-hour": lambda record: units.number(per_watt_hour(record)),
        "energy-delay product, J s": lambda record: units.number(delay_product_js(record)),
        "source": text("energy_source"),
        "scope": text("energy_scope"),
        "method": text("energy_method"),
    }
    return _appendix(grid, fields, wanted=_has_energy)


def _has_energy(record: Record) -> bool:
    names = ("energy_per_inference_j", "power_mean_w")
    return any(record.number(name) is not None for name in names)


def _energy(record: Record, part: str) -> str:
    value = record.number(f"energy_{part}per_inference_j")
    return (
        units.ABSENT
        if value is None
        else units.energy(value, record.number(f"energy_{part}uncertainty_j"))
    )


def device(run: Run) -> Table:
    """Everything known about the device; its rooflines have a table of their own."""
    known = [(key, value) for key, value in run.device.items() if key != ROOFLINES]
    rows = [[_words(key), _shown(key, v)] for key, v in known if v is not None and v != []]
    return table(["", "device"], rows, left=2)


def software(run: Run) -> Table:
    """Versions of what the run used."""
    return table(
        ["software", "version"], [[key, str(v)] for key, v in run.software.items()], left=2
    )


def failures(grid: Grid) -> Table:
    """What has no figures, with what was said about it."""
    rows = [
        [
            group.column.label,
            ", ".join(shape.label for shape in group.shapes),
            marks.MARKS[group.kind],
            "skipped" if group.skipped else "failed",
            message(group),
        ]
        for group in grid.failures()
    ]
    heads = ["variant", "input size/batch", "what", "outcome", "message"]
    return table(heads, rows, left=len(heads))


def catalogue_entry(grid: Grid, column: Column) -> Entry | None:
    """The catalogue's entry of a model that was built from it."""
    if grid.text(column, "source") != "catalogue":
        return None
    return CATALOGUE.get(column.variant.model)


def per_model(grid: Grid) -> list[Column]:
    """A column for each model: of several, the first that knows its parameters and its source."""
    known: dict[str, Column] = {}
    for column in sorted(
        grid.columns, key=lambda one: (grid.count(one) is None, not grid.text(one, "source"))
    ):
        known.setdefault(column.variant.model, column)
    order = list(dict.fromkeys(column.variant.model for column in grid.columns))
    return [known[model] for model in order]


def _source(grid: Grid, column: Column, entry: Entry | None) -> str:
    source = grid.text(column, "source")
    return f"{source}, built by {entry.built_by}" if entry else source


def _appendix(
    grid: Grid,
    fields: Mapping[str, Callable[[Record], str]],
    wanted: Callable[[Record], bool] = lambda _: True,
) -> Table:
    rows = [
        [column.label, size_label(shape.input_size), str(shape.batch_size)]
        + [show(record) for show in fields.values()]
        for column in grid.columns
        for shape in grid.shapes
        if (record := grid.cell(shape, column)) is not None and record.status == "ok"
        if wanted(record)
    ]
    return table(["variant", "size", "batch", *fields], rows)


def _span(texts: Sequence[str]) -> str:
    """From the first to the last."""
    return texts[0] if texts[0] == texts[-1] else f"{texts[0]} to {texts[-1]}"


def _yes_no(name: str) -> Callable[[Record], str]:
    words = {True: "yes", False: "no", None: ""}
    return lambda record: words[cast("bool | None", record.figures.get(name))]


def _shown(key: str, value: object) -> str:
    """A value of the device's description, whatever it is."""
    if value is None or value == []:
        return "not known"
    if key == PARTS and isinstance(value, list):
        names = [str(one.get("device")) for one in value if isinstance(one, Mapping)]
        return ", ".join(f"{name} ({count})" for name, count in Counter(names).items())
    if isinstance(value, bool):
        return "yes" if value else "no"
    if key.endswith("_bytes") and isinstance(value, int | float):
        return units.byte_count(value)
    if isinstance(value, Mapping):
        known = [(str(k), v) for k, v in value.items() if v is not None]
        return ", ".join(f"{_words(key)}: {_shown(key, v)}" for key, v in known)
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _words(key: str) -> str:
    """A key for people: `cores physical`."""
    return key.removesuffix("_bytes").replace("_", " ")
