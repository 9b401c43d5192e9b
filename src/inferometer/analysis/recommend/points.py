"""Records → the workloads that a recommendation chooses among, with their figures by criterion."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, get_args

from inferometer.analysis.grid import Grid, build, measured
from inferometer.core.errors import InputError
from inferometer.core.lines import ONE_PROCESS
from inferometer.core.metric import Estimate
from inferometer.core.record import Record
from inferometer.core.workload import Shape

Name = Literal["latency", "accuracy", "throughput", "energy", "memory", "parameters"]
NAMES: tuple[Name, ...] = get_args(Name)
Precision = Literal["interval", "one process", "unknown", "exact"]
"""What is known of an error; `one process`: how much fresh processes differ was not observed."""

DEFAULT: tuple[Name, ...] = ("latency", "accuracy", "energy", "memory")
"""What is weighed where fewer than two criteria are named, as far as any workload has it."""
BY_BATCH: tuple[Name, ...] = ("throughput", "energy")
"""Criteria by which larger batches may win: where one is named, all batch sizes are weighed."""
ERRORS = ("wer", "cer")
"""Metrics of accuracy that count errors: less is better."""


@dataclass(frozen=True, kw_only=True)
class Criterion:
    """What workloads are weighed by.

    Attributes:
        name: as the command line knows it.
        words: for people.
        higher: whether more is better.
        assumed: half of the interval that is assumed where a figure has none, as a share of it.
    """

    name: Name
    words: str
    higher: bool = False
    assumed: float = 0.0


CRITERIA: Mapping[Name, Criterion] = {
    one.name: one
    for one in (
        Criterion(name="latency", words="latency per call", assumed=ONE_PROCESS),
        Criterion(name="throughput", words="throughput", higher=True, assumed=ONE_PROCESS),
        Criterion(name="energy", words="energy per sample", assumed=ONE_PROCESS),
        # Peaks of five processes differed by up to 9 % either way (docs/method/memory.md).
        Criterion(name="memory", words="peak memory", assumed=0.1),
        Criterion(name="accuracy", words="accuracy", higher=True, assumed=0.05),
        Criterion(name="parameters", words="parameters"),
    )
}


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A figure of a workload, in the unit of the record.

    Attributes:
        value: the estimate.
        low: lower end of its 95 % interval; None where there is none.
        high: its upper end.
        precision: what is known of its error.
    """

    value: float
    low: float | None = None
    high: float | None = None
    precision: Precision = "unknown"


@dataclass(frozen=True, kw_only=True)
class Point:
    """A workload with a figure for every criterion.

    Attributes:
        label: for people, unique among those that are weighed.
        record: its record.
        figures: by criterion.
    """

    label: str
    record: Record = field(repr=False)
    figures: Mapping[Name, Figure]


@dataclass(frozen=True, kw_only=True)
class Unknown:
    """A workload that cannot be weighed.

    Attributes:
        label: for people.
        record: its record.
        lacks: criteria without a figure.
        why: it has none, in a few words.
    """

    label: str
    record: Record = field(repr=False)
    lacks: tuple[Name, ...]
    why: str


@dataclass(frozen=True, kw_only=True)
class Candidates:
    """What is weighed.

    Attributes:
        points: workloads that have all figures.
        unknown: workloads of the same shapes that lack one.
        criteria: what they are weighed by, in the order of `NAMES`.
        shapes: shapes of the points and of the unknown.
        left_out: workloads at other shapes.
        metric: of accuracy, where that is a criterion.
        is_relative: whether intervals of latencies are those for comparisons within a joint fit.
        notes: what a reader should know of the figures.
    """

    points: tuple[Point, ...]
    unknown: tuple[Unknown, ...]
    criteria: tuple[Criterion, ...]
    shapes: tuple[Shape, ...]
    left_out: int = 0
    metric: str = ""
    is_relative: bool = False
    notes: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[Name, ...]:
        """Names of the criteria."""
        return tuple(one.name for one in self.criteria)


def candidates(
    records: Sequence[Record],
    named: Collection[Name] = (),
    *,
    batches: Collection[int] = (),
    sizes: Collection[int | None] = (),
    errors: Collection[str] = ERRORS,
) -> Candidates:
    """The workloads to choose among.

    Where no shapes are given, it is the one shape at which most workloads have all figures. All
    batch sizes count where throughput or energy is named, as these may gain by them, and all input
    sizes where accuracy is weighed, which says what a size is worth.

    Args:
        records: of one or several runs.
        named: criteria that were asked for.
        batches: batch sizes to weigh; empty for the choice above.
        sizes: input sizes to weigh; empty for the choice above.
        errors: metrics of accuracy of which less is better.

    Raises:
        InputError: there is nothing to choose among, or accuracies that were asked for are not of
            one dataset and metric.
    """
    records = [one for one in records if not one.workload.is_control]
    grid, notes = build(records), []
    names = _weighed(records, named)
    if "accuracy" in names and (several := _accuracies(records)):
        if "accuracy" in named:
            raise InputError(f"{several}; give runs of one, or leave accuracy out")
        names = tuple(name for name in names if name != "accuracy")
        notes.append(f"{several}: accuracy is left out")
    shapes = _shapes(grid, names, named, batches, sizes)
    places = {
        f"{column.label} {shape.label}": record
        for (shape, column), record in grid.cells.items()
        if shape in shapes
    }
    relative = _share_a_fit(places.values(), names)
    found = {label: _figures(record, names, relative=relative) for label, record in places.items()}
    points = [
        Point(label=label, record=places[label], figures=figures)
        for label, figures in found.items()
        if len(figures) == len(names)
    ]
    metric = str(points[0].record.figures.get("accuracy_metric") or "") if points else ""
    return Candidates(
        points=tuple(points),
        unknown=tuple(
            _unknown(label, places[label], [name for name in names if name not in figures])
            for label, figures in found.items()
            if len(figures) < len(names)
        ),
        criteria=tuple(
            replace(CRITERIA[name], higher=False)
            if name == "accuracy" and metric in errors
            else CRITERIA[name]
            for name in names
        ),
        shapes=tuple(shapes),
        left_out=len(grid.cells) - len(places),
        metric=metric if "accuracy" in names else "",
        is_relative=relative,
        notes=(*notes, *_unlike(points, names)),
    )


def _weighed(records: Sequence[Record], named: Collection[Name]) -> tuple[Name, ...]:
    """The criteria: those that were named, and the usual ones where these are fewer than two."""
    usual = [name for name in DEFAULT if any(_figure(one, name) for one in records)]
    wanted = {*named, *(usual if len(named) < 2 else ())}  # noqa: PLR2004 - one trades with nothing
    return tuple(name for name in NAMES if name in wanted)


def _accuracies(records: Iterable[Record]) -> str:
    """Of what accuracies are, where they are not of one dataset and metric; else empty."""
    found = Counter(
        tuple(
            str(one.figures.get(f) or "?") for f in ("dataset", "dataset_digest", "accuracy_metric")
        )
        for one in records
        if _figure(one, "accuracy")
    )
    if len(found) < 2:  # noqa: PLR2004 - one kind is what is wanted
        return ""
    told = ", ".join(f"{metric} on {dataset} ({n})" for (dataset, _, metric), n in found.items())
    return f"the accuracies cannot be compared, as they are of {len(found)} kinds: {told}"


def _shapes(
    grid: Grid,
    names: Sequence[Name],
    named: Collection[Name],
    batches: Collection[int],
    sizes: Collection[int | None],
) -> list[Shape]:
    """The shapes that are weighed.

    Raises:
        InputError: none is as asked.
    """
    fitting = [
        shape
        for shape in grid.shapes
        if (not batches or shape.batch_size in batches) and (not sizes or shape.input_size in sizes)
    ]
    if not fitting:
        raise InputError(f"no workload has such a shape; there are {_listed(grid.shapes)}")
    full = Counter(
        shape
        for (shape, _), record in grid.cells.items()
        if all(_figure(record, name) for name in names)
    )
    common = max(fitting, key=lambda shape: full[shape])  # of several, the smallest
    any_batch = batches or any(name in BY_BATCH for name in named)
    any_size = sizes or "accuracy" in names
    return [
        shape
        for shape in fitting
        if (any_batch or shape.batch_size == common.batch_size)
        and (any_size or shape.input_size == common.input_size)
    ]


def _listed(shapes: Sequence[Shape], most: int = 8) -> str:
    more = f" and {len(shapes) - most} more" if len(shapes) > most else ""
    return ", ".join(shape.label for shape in shapes[:most]) + more


def _share_a_fit(records: Iterable[Record], names: Sequence[Name]) -> bool:
    """Whether all latencies are of one joint fit, with intervals for comparisons in it."""
    found = [latency for one in records if (latency := measured(one)) is not None]
    whole = all(latency.relative_low is not None for latency in found)
    return (
        bool({"latency", "throughput"} & set(names))
        and whole
        and len({latency.fit for latency in found}) == 1
    )


def _figures(record: Record, names: Sequence[Name], *, relative: bool) -> dict[Name, Figure]:
    found = {name: _figure(record, name, relative=relative) for name in names}
    return {name: figure for name, figure in found.items() if figure is not None}


def _figure(record: Record, name: Name, *, relative: bool = False) -> Figure | None:
    """A figure by its criterion; None where the record has none."""
    if record.status != "ok":
        return None
    if name in ("latency", "throughput"):
        latency = measured(record)
        found = latency if name == "latency" or latency is None else record.throughput
        return None if found is None else _timed(record, found.compared() if relative else found)
    if name == "energy":
        return _energy(record)
    if name == "accuracy":
        low, high = (record.number(f"accuracy_ci_{end}") for end in ("low", "high"))
        return _with_interval(record.number("accuracy"), low, high)
    value = record.number("parameters" if name == "parameters" else "peak_memory_bytes")
    exact: Precision = "exact" if name == "parameters" else "unknown"
    return None if value is None else Figure(value=value, precision=exact)


def _timed(record: Record, found: Estimate) -> Figure:
    figure = _with_interval(found.value, found.low, found.high)
    assert figure is not None
    one = has_one_process(record) and figure.precision == "interval"
    return replace(figure, precision="one process") if one else figure


def has_one_process(record: Record) -> bool:
    """Whether it was not observed how much fresh processes of the workload differ."""
    return (record.number("latency_processes") or 1) <= 1


def _energy(record: Record) -> Figure | None:
    value = record.number("energy_per_inference_j")
    half = record.number("energy_uncertainty_j")
    if value is None or half is None:
        return _with_interval(value, None, None)
    return _with_interval(value, value - half, value + half)


def _with_interval(value: float | None, low: float | None, high: float | None) -> Figure | None:
    if value is None:
        return None
    known = low is not None and high is not None
    return Figure(value=value, low=low, high=high, precision="interval" if known else "unknown")


def _unknown(label: str, record: Record, lacks: Sequence[Name]) -> Unknown:
    """A workload that lacks figures, and why."""
    if record.failure is not None:
        why = f"{record.status}: {record.failure.message}"
    else:
        why = "; ".join(_reason(record, name) for name in lacks)
    return Unknown(label=label, record=record, lacks=tuple(lacks), why=why)


def _reason(record: Record, name: Name) -> str:
    said = record.figures.get(f"{name}_reason") if name in ("energy", "accuracy") else None
    return f"no {name}: {said}" if said else f"no {name} in the record"


_KINDS: Mapping[Name, tuple[str, ...]] = {
    "energy": ("energy_scope", "energy_method"),
    "memory": ("memory_counter",),
}
"""Fields in which figures must agree to be alike."""


def _unlike(points: Sequence[Point], names: Sequence[Name]) -> list[str]:
    """Figures of one criterion that were not measured in one way."""
    notes = []
    for name in (name for name in names if name in _KINDS):
        kinds = {
            ", ".join(str(point.record.figures.get(field) or "?") for field in _KINDS[name])
            for point in points
        }
        if len(kinds) > 1:
            told = "; ".join(sorted(kinds))
            notes.append(f"{CRITERIA[name].words} was not measured in one way: {told}")
    return notes
