"""What a column is called → the field that it may be, with its unit.

A name is a quantity, perhaps a statistic ("mean", "p99"), and perhaps a unit, in brackets or at the
end: `Latency (ms)`, `p99_latency_us`, `infer_samples_per_sec`, `Inference Time (ms/img)`. Case,
blanks and signs do not count. `--map` uses the same names on its left, and every field of the
exported record goes by its own name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal

from inferometer.core.record import FIELDS
from inferometer.store.tables import vocabulary
from inferometer.store.tables.units import SAMPLES_AND_CALLS, Kind, Per, Unit, plain, unit_of


@dataclass(frozen=True, kw_only=True)
class Meaning:
    """What a column may be.

    Attributes:
        field: the field of the record.
        kind: what its figures are figures of; `other` where they need no unit.
        unit: as the name tells it; None where it tells none.
        rank: how surely the name says it; of two columns for one field the higher is taken.
        per: whether a figure is of a sample or of a call, where the name says so.
        exact: whether the name is the field's own, whose unit is that of the field.
        metric: name of the metric, where the field is `accuracy`.
    """

    field: str
    kind: Kind = "other"
    unit: Unit | None = None
    rank: int = 2
    per: Per = ""
    exact: bool = False
    metric: str = ""

    @property
    def needs_unit(self) -> bool:
        """Whether nothing can be made of its figures until their unit is known."""
        return self.kind in ("time", "energy", "power", "bytes") and self.unit is None


_PERCENTILES = {"50": "median", "10": "p10", "90": "p90", "95": "p95", "99": "p99"}
_FILLERS = frozenset({"the", "of", "in", "a", "model", "net", "network", "value", "measured"})
_AVERAGED = frozenset(
    {"throughput_per_s", "energy_per_inference_j", "power_mean_w", "accuracy", "power_idle_w"}
)
"""Fields that hold a mean, so that a name may say so."""


def _by_key() -> dict[str, list[Meaning]]:
    found: dict[str, list[Meaning]] = {}
    for field, kind, rank, per, names in vocabulary.QUANTITIES:
        for name in names.split():
            meaning = Meaning(field=field, kind=kind, rank=rank, per=per)
            found.setdefault(_squeezed(name), []).append(meaning)
    for field, names in vocabulary.IDENTITIES:
        for name in names.split():
            found.setdefault(_squeezed(name), []).append(Meaning(field=field, rank=3))
    for metric, rank, names in vocabulary.ACCURACIES:
        for name in names.split():
            meaning = Meaning(field="accuracy", kind="share", rank=rank, metric=metric)
            found.setdefault(_squeezed(name), []).append(meaning)
    return found


def _squeezed(name: str) -> str:
    """A name without underscores, which some leave out."""
    return name.replace("_", "")


_BY_KEY = _by_key()
_OWN_KINDS: tuple[tuple[str, Kind], ...] = (
    ("_per_s", "rate"), ("_bytes", "bytes"), ("_s", "time"), ("_j", "energy"), ("_w", "power"),
)  # fmt: skip
_SURE: tuple[Kind, ...] = ("time", "energy", "power", "rate")
"""Kinds of units that one knows wherever they stand; `b` or `m` may be part of a name."""
_ALONE: dict[Kind, str] = {"time": "latency", "rate": "throughput", "energy": "energy"}
"""What a name that is a unit and nothing else means: `ms/img`, `images/sec`, `J/img`."""
_PLAIN_FIELDS = frozenset({"device", "study", "source", "weights", "options", "dataset"})
"""Fields of one word that have the same meaning in everybody's tables."""
_OF_EXPORTS = frozenset({"run_id", "failure_message", "cause_codes"})
_WORDS_OF_TIME = frozenset({"ms", "us", "ns", "msec", "usec", "milliseconds", "microseconds"})


def meanings(name: str, *, ours: bool = False) -> list[Meaning]:
    """What a column of this name may be, the surest first; empty where nobody knows.

    Args:
        name: as it stands in the file.
        ours: whether the table is an export of ours, where every field goes by its own name; in
            others, `status`, `notes` or `source` may be anything.
    """
    own = plain(name)
    if (
        own in FIELDS
        and (ours or "_" in own)
        and own not in _OF_EXPORTS - ({own} if ours else set())
    ):
        return [_own(own)]
    found = [meaning for meaning in _read(name) if meaning.field in FIELDS]
    if not found and own in _PLAIN_FIELDS:
        return [_own(own)]
    return sorted(found, key=lambda meaning: -meaning.rank)


def _own(field: str) -> Meaning:
    kind: Kind = next((kind for end, kind in _OWN_KINDS if field.endswith(end)), "other")
    unit = Unit(kind=kind, factor=Decimal(1), text=field.rpartition("_")[2])
    told = unit if kind in ("time", "energy", "power", "bytes") else None
    return Meaning(field=field, kind=kind, unit=told, rank=9, exact=True)


def _read(name: str) -> Iterator[Meaning]:
    """Meanings of a name that is none of a field."""
    bare, unit, remarks = _without_brackets(name)
    words = [word for word in plain(bare).split("_") if word]
    for tried, lower in ((words + remarks, 0), (words, 1)):
        found = list(_of_words(tried, unit))
        yield from (replace(one, rank=one.rank - lower) for one in found)
        if found or not remarks or not _harmless(remarks):
            return


def _without_brackets(name: str) -> tuple[str, Unit | None, list[str]]:
    """The name without what stands in brackets, its unit there, and the words there."""
    unit: Unit | None = None
    remarks: list[str] = []
    for inside in re.findall(r"[(\[{]([^()\[\]{}]*)[)\]}]", name):
        for part in re.split(r"[,;]", inside):
            found, rest = _unit_at_end(part)
            unit = unit or found
            remarks += [word for word in plain(rest).split("_") if word]
    bare = re.sub(r"[(\[{][^()\[\]{}]*[)\]}]", " ", name)
    for mark in ",/":
        head, parted, tail = bare.rpartition(mark)
        told = unit_of(tail) if parted and unit is None and unit_of(bare) is None else None
        counts = plain(head).rpartition("_")[2] in SAMPLES_AND_CALLS  # `Throughput img/s`
        if told is not None and told.kind in _SURE and (mark == "," or not counts):
            return head, told, remarks
    return bare.replace("/", " per "), unit, remarks


def _unit_at_end(part: str) -> tuple[Unit | None, str]:
    """The unit of what stands in brackets, `ms` or `CPU ms`, and the rest."""
    found = unit_of(part)
    if found is not None:
        return found, ""
    rest, _, last = part.strip().rpartition(" ")
    found = unit_of(last) if last else None
    return (found, rest) if found is not None and found.kind in _SURE else (None, part)


def _harmless(remarks: list[str]) -> bool:
    """Whether what stands in brackets may be passed over: it is no batch size, nor another unit."""
    counted = {"token", "tokens", "tok", "char", "chars", "words"}
    return not any(word in counted or (word.isdigit() and word != "1") for word in remarks)


def _of_words(words: list[str], unit: Unit | None) -> Iterator[Meaning]:
    """Meanings of a name's words, the last of which may be its unit."""
    if unit is not None:
        yield from _of_key(words, unit)
        return
    for length in (4, 3, 2, 1):
        found = unit_of(" ".join(words[-length:])) if len(words) >= length else None
        if found is not None and (found.kind != "count" or length > 1 or len(words[-1]) > 1):
            yield from _of_key(_counted(words, length), found)
    for place, word in enumerate(words[:-1]):
        if word in _WORDS_OF_TIME:  # `latency_ms_mean`
            yield from _of_key(words[:place] + words[place + 1 :], unit_of(word))
    yield from _of_key(words, None)


def _counted(words: list[str], length: int) -> list[str]:
    """The words before a unit; those of `gmacs` or `fps`, which say what is counted, stay."""
    rest = words[:-length]
    if length == 1:
        counted = re.fullmatch(r"[kmgbt]?(params?|macs?|flops?|madds)", words[-1])
        return [*rest, counted[1]] if counted else rest
    return rest


def _of_key(words: list[str], unit: Unit | None) -> Iterator[Meaning]:
    statistic, rest = _statistic(words)
    kept = [word for word in rest if word not in _FILLERS]
    keys = {"_".join(rest), "_".join(kept), "_".join(words)}
    if not rest:
        alone = _ALONE.get(unit.kind, "") if unit is not None else ""
        keys = {"latency" if statistic and unit is None else alone}
    for key in keys:
        for meaning in _BY_KEY.get(_squeezed(key), ()):
            if (
                unit is None
                and meaning.kind == "rate"
                and _squeezed(key) not in vocabulary.RATES_WITHOUT_UNIT
            ):
                continue
            weak = unit is None and meaning.kind == "time" and _squeezed(key) in vocabulary.WEAK
            sure = replace(meaning, rank=1) if weak else meaning
            yield from _fitting(sure, statistic if key != "_".join(words) else "", unit)


def _statistic(words: list[str]) -> tuple[str, list[str]]:
    """The statistic among words, and the others."""
    text = " ".join(words)
    found = re.search(r"\b(\d{2})(?:th)? (?:00 )?(?:percentile|pct|perc)\b", text)
    if found is not None and found[1] in _PERCENTILES:
        rest = (text[: found.start()] + text[found.end() :]).split()
        return _PERCENTILES[found[1]], rest
    if "std" in words and any(word in ("mean", "avg", "average") for word in words):
        words = [word for word in words if word != "std"]  # `mean ± std` in one cell
    for place, word in enumerate(words):
        if word in vocabulary.STATISTICS:
            return vocabulary.STATISTICS[word], words[:place] + words[place + 1 :]
    return "", words


def _fitting(meaning: Meaning, statistic: str, unit: Unit | None) -> Iterator[Meaning]:
    """A meaning with its statistic and unit, where these go together."""
    kind, field = meaning.kind, meaning.field
    if field == vocabulary.LATENCIES:
        field = f"latency_{statistic or 'mean'}_s"
    elif statistic and not _may_have(field, statistic):
        return
    if unit is None:
        yield replace(meaning, field=field)
    elif kind == "bytes" and unit.kind == "count":  # `Mem (M)`
        yield replace(meaning, field=field, unit=replace(unit, kind="bytes"))
    elif kind == "count" and unit.text.strip().casefold() == "b":  # billions, not bytes
        yield replace(
            meaning, field=field, unit=replace(unit, kind="count", factor=Decimal(10) ** 9)
        )
    elif kind == "share" and unit.kind in ("share", "other"):
        yield replace(meaning, field=field, unit=unit)
    elif kind == unit.kind and kind != "other":
        yield replace(meaning, field=field, unit=unit, per=unit.per or meaning.per)
    elif unit.kind == "pixels" and field == "input_size":
        yield replace(meaning, field=field)


def _may_have(field: str, statistic: str) -> bool:
    """Whether a statistic of a quantity is what its field holds."""
    if field in ("peak_memory_bytes", "device_memory_bytes"):
        return statistic == "max"
    return statistic in ("mean", "median") and field in _AVERAGED


def time_in(name: str) -> Unit | None:
    """The unit of time that a name tells, whatever else it says; None where it tells none."""
    bare, unit, _ = _without_brackets(name)
    words = [word for word in plain(bare).split("_") if word]
    found = unit or next((unit_of(word) for word in words if word in _WORDS_OF_TIME), None)
    return found if found is not None and found.kind == "time" else None
