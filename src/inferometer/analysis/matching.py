"""Which records are compared with which: of two runs, or of one run along one axis."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace

from inferometer.analysis.grid import short_names
from inferometer.core.errors import InputError
from inferometer.core.record import Record
from inferometer.core.references import did_you_mean
from inferometer.core.shown import shown
from inferometer.core.workload import Workload

MEDIAN, MEAN = "latency_median_s", "latency_mean_s"

AXES: dict[str, str] = {
    "model": "model",
    "backend": "backend",
    "precision": "precision",
    "device": "device",
    "threads": "threads",
    "batch": "batch_size",
    "size": "input_size",
}
"""What workloads within a run can be compared by, and the field of the workload that it is."""

Key = Callable[[Workload], Hashable]


@dataclass(frozen=True, kw_only=True)
class Match:
    """Two records that differ in what is compared and in nothing else that matters.

    Attributes:
        workload: what they have in common, for people: `resnet18 224/1`.
        names: what the sides are called: values of the axis, or ids of runs.
        baseline: record of the one.
        contender: record of the other.
    """

    workload: str
    names: tuple[str, str]
    baseline: Record
    contender: Record

    @property
    def metric(self) -> str:
        """The median; the mean where a side, such as an imported table, has no median."""
        both = (self.baseline, self.contender)
        return MEAN if any(one.number(MEDIAN) is None for one in both) else MEDIAN


@dataclass(frozen=True, kw_only=True)
class Matching:
    """What can be compared.

    Attributes:
        matches: in the order of the baseline's records.
        missing: workloads without a figure on the contender's side, and why.
        notes: what a reader should know of how they were matched.
    """

    matches: tuple[Match, ...]
    missing: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def match_runs(baseline: Sequence[Record], contender: Sequence[Record]) -> Matching:
    """The workloads that two runs have in common.

    The same workload, or else the same but for the threads, or the device too, or, where each run
    has one variant, the same shape.

    Raises:
        InputError: they have none in common.
    """
    for key, note in _run_keys(baseline, contender):
        sides = [_unique(records, key) for records in (baseline, contender)]
        common = [k for k in sides[0] if k in sides[1]]
        if not common:
            continue
        pairs = [(sides[0][k], sides[1][k]) for k in common]
        alone = _alone(len(baseline) - len(common), len(contender) - len(common))
        return matched([_of_runs(a, b) for a, b in pairs], note, alone)
    names = [
        ", ".join(sorted({shown(_label(one)) for one in side})) for side in (baseline, contender)
    ]
    raise InputError(
        f"the two runs have no workload in common: {names[0] or 'none'} against "
        f"{names[1] or 'none'}; to compare within one run, use --by model (or backend, precision …)"
    )


def match_within(
    records: Sequence[Record], axis: str, *, baseline: str = "", contender: str = ""
) -> Matching:
    """Workloads of one run that differ in one axis alone.

    Args:
        records: of one run.
        axis: a key of `AXES`.
        baseline: value that the others are compared with, a model also by the short name that
            tables show; empty for the first.
        contender: the one that is compared with it; empty for every other.

    Raises:
        InputError: the run does not have such values, or has nothing that differs in them alone.
    """
    values = list(dict.fromkeys(_value(one, axis) for one in records))
    baseline, contender = (_meant(name, values, axis) for name in (baseline, contender))
    base = baseline or next(iter(values), "")
    others = [contender] if contender else [value for value in values if value != base]
    bases = {_but(one.workload, axis): one for one in records if _value(one, axis) == base}
    found = [
        Match(
            workload=_shared(one, axis),
            names=(base, value),
            baseline=bases[rest],
            contender=one,
        )
        for value in others
        for one in records
        if _value(one, axis) == value and (rest := _but(one.workload, axis)) in bases
    ]
    if not found:
        known = ", ".join(map(shown, values)) or "none"
        raise InputError(f"nothing in the run differs in its {axis} alone: it has {known}")
    return matched(found)


def match_records(baseline: Record, contender: Record) -> Matching:
    """Two records, whatever they are of.

    Raises:
        InputError: one has no latency.
    """
    for side, one in (("baseline", baseline), ("contender", contender)):
        if not _has_figure(one):
            raise InputError(f"the {side}, {shown(_label(one))}, has no latency to compare")
    models = (baseline.workload.variant.model, contender.workload.variant.model)
    match = replace(
        _of_runs(baseline, contender),
        names=models if models[0] != models[1] else ("baseline", "contender"),
    )
    return matched([match])


def _meant(name: str, values: Sequence[str], axis: str) -> str:
    """The value of an axis that a name means.

    Raises:
        InputError: there is none.
    """
    if not name or name in values:
        return name
    short = short_names(values) if axis == "model" else {value: value for value in values}
    found = next((value for value, known in short.items() if known == name), None)
    if found is None:
        known = ", ".join(map(shown, short.values()))
        hint = did_you_mean(name, short.values())
        raise InputError(f"the run has no {axis} {shown(repr(name))}{hint}; it has {known}")
    return found


def axis_of_pair(records: Sequence[Record]) -> str | None:
    """By which axis the two variants of a paired run differ; None where it was no paired run."""
    if not any(done.pair is not None for one in records for done in one.rounds):
        return None
    variants = list(dict.fromkeys(one.workload.variant for one in records))
    axes = [
        a for a in ("model", "backend", "precision") if len({getattr(v, a) for v in variants}) > 1
    ]
    return axes[0] if len(axes) == 1 else None


def _alone(baseline: int, contender: int) -> str:
    """How many workloads two runs do not have in common, or in ways that cannot be told apart."""
    if not baseline and not contender:
        return ""
    return (
        f"without a counterpart of their own in the other run, and left out: {baseline} of the "
        f"baseline's workloads, {contender} of the contender's"
    )


def matched(found: Sequence[Match], *notes: str) -> Matching:
    """Those with figures on both sides, and a sentence for each that lacks the contender's."""
    good = [match for match in found if _has_figure(match.baseline)]
    return Matching(
        matches=tuple(match for match in good if _has_figure(match.contender)),
        missing=tuple(_missing(match) for match in good if not _has_figure(match.contender)),
        notes=tuple(note for note in notes if note),
    )


def _missing(match: Match) -> str:
    failure = match.contender.failure
    reason = f"{failure.kind}: {failure.message}" if failure else "it has no latency"
    return f"{match.workload}: {match.names[1]}: {reason}"


def _has_figure(record: Record) -> bool:
    return record.status == "ok" and bool(record.number(MEAN) or record.number(MEDIAN))


def _run_keys(baseline: Sequence[Record], contender: Sequence[Record]) -> list[tuple[Key, str]]:
    """Ways to match, the strictest first, and what the looser ones pass over."""
    one_each = all(
        len({one.workload.variant for one in side}) == 1 for side in (baseline, contender)
    )
    keys: list[tuple[Key, str]] = [
        (lambda workload: workload, ""),
        (
            lambda w: replace(w, target=replace(w.target, threads=None)),
            "the runs differ in their threads",
        ),
        (
            lambda w: (w.variant, w.shape),
            "the runs differ in the device that the model ran on",
        ),
    ]
    if one_each:
        keys.append(
            (lambda w: (w.input_size, w.batch_size), "each run has one variant: matched by shape")
        )
    return keys


def _unique(records: Sequence[Record], key: Key) -> dict[Hashable, Record]:
    """Records by key; of several with the same key, none: which is meant nobody knows."""
    found: dict[Hashable, list[Record]] = {}
    for one in records:
        found.setdefault(key(one.workload), []).append(one)
    return {k: same[0] for k, same in found.items() if len(same) == 1}


def _of_runs(one: Record, other: Record) -> Match:
    same = one.workload.variant == other.workload.variant
    return Match(
        workload=_label(one) if same else _shared(one, "model"),
        names=(run_of(one), run_of(other)),
        baseline=one,
        contender=other,
    )


def _value(record: Record, axis: str) -> str:
    value = record.workload.to_json()[AXES[axis]]
    return "own" if value is None and axis == "size" else str(value)


def _but(workload: Workload, axis: str) -> Workload:
    """The workload without an axis."""
    return Workload.from_json(workload.to_json() | {AXES[axis]: None})


def _shared(record: Record, axis: str) -> str:
    """The part of a label that does not name the axis."""
    workload = record.workload
    if axis == "model":
        nameless = replace(workload, variant=replace(workload.variant, model=""))
        return nameless.label.strip()
    if axis in ("backend", "precision", "device"):
        usual = {"backend": "torch", "precision": "fp32", "device": "cpu"}[axis]
        changed = workload.to_json() | {axis: usual}
        return Workload.from_json(changed).label
    if axis == "batch":
        return workload.label.rpartition("/")[0]
    if axis == "size":
        return f"{workload.label.rpartition(' ')[0]} batch {workload.batch_size}"
    return workload.label


def _label(record: Record) -> str:
    return record.workload.label


def run_of(record: Record) -> str:
    """Id of the run that a record is of; empty where it is of none."""
    return str(record.run.get("run_id") or "")
