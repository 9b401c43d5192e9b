"""Columns of a table → fields of the exported record.

Names are compared without case, with blanks, brackets and signs as underscores: `Latency (ms)` is
`latency_ms`. Every field of the record goes by its own name. The others:

======================  ==========================================================================
field                   other names
======================  ==========================================================================
`model`                 network, model_name
`device_name`           device (where no other column is the device's name), board, hardware
`batch_size`            batch, bs, batchsize
`input_size`            size, resolution, image_size, imgsz
`backend`               runtime, framework
`precision`             dtype
`threads`               num_threads
`parameters`            params, num_parameters, parameter_count
`latency_mean_s`        latency, mean, latency_mean, mean_latency
`latency_std_s`         std, stdev, sd, latency_std, std_latency
`latency_*_s`           p90, p95, p99, min, max, median, also with `latency_` before
`energy_per_inference_j`  energy, energy_per_inference
`power_mean_w`          power, power_mean, mean_power
`peak_memory_bytes`     memory, peak_memory
`throughput_per_s`      throughput, fps, images_per_s
======================  ==========================================================================

A unit may follow: `_s _ms _us`, `_j _mj`, `_w _mw`, `_bytes _kib _mib _gib`, and `_kb _mb _gb`,
which are powers of ten. A name without a unit is in seconds, joules, watts or bytes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from inferometer.core.errors import ImportFileError
from inferometer.core.record import FIELDS
from inferometer.core.shown import shown

_SECONDS = {"": "1", "_s": "1", "_ms": "1e-3", "_us": "1e-6"}
_JOULES = {"": "1", "_j": "1", "_mj": "1e-3"}
_WATTS = {"": "1", "_w": "1", "_mw": "1e-3"}
_DECIMAL_BYTES = {"": "1", "_bytes": "1", "_kb": "1e3", "_mb": "1e6", "_gb": "1e9"}
_BYTES = _DECIMAL_BYTES | {"_kib": str(2**10), "_mib": str(2**20), "_gib": str(2**30)}
_PLAIN = {"": "1"}
_PARTS = ("std", "median", "p90", "p95", "p99", "min", "max")

_NAMES: tuple[tuple[str, str, Mapping[str, str]], ...] = (
    ("model", "network model_name", _PLAIN),
    ("device_name", "board hardware", _PLAIN),
    ("batch_size", "batch bs batchsize", _PLAIN),
    ("input_size", "size resolution image_size imgsz", _PLAIN),
    ("backend", "runtime framework", _PLAIN),
    ("precision", "dtype", _PLAIN),
    ("threads", "num_threads", _PLAIN),
    ("parameters", "params num_parameters parameter_count", _PLAIN),
    ("latency_mean_s", "latency mean latency_mean mean_latency", _SECONDS),
    *((f"latency_{part}_s", f"{part} latency_{part} {part}_latency", _SECONDS) for part in _PARTS),
    ("latency_std_s", "stdev sd", _SECONDS),
    ("energy_per_inference_j", "energy energy_per_inference", _JOULES),
    ("power_mean_w", "power power_mean mean_power", _WATTS),
    ("peak_memory_bytes", "memory peak_memory", _BYTES),
    ("throughput_per_s", "throughput fps images_per_s", _PLAIN),
)

_MOST_LISTED = 20
_LONGEST_NAME = 40

_NOT_FIGURES = frozenset({"threads", "batch_size", "input_size"})
FIGURES = frozenset(n for n, kind in FIELDS.items() if kind in (int, float)) - _NOT_FIGURES
"""Numbers that are measured or counted, as against those that say what was measured."""


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column that means something.

    Attributes:
        name: as it stands in the file.
        field: the field of the record.
        factor: from the column's unit to the field's.
    """

    name: str
    field: str
    factor: Decimal = Decimal(1)


@dataclass(frozen=True, kw_only=True)
class Columns:
    """What the columns of a table mean.

    Attributes:
        known: by field.
        ignored: names of columns that mean nothing here.
    """

    known: Mapping[str, Column]
    ignored: tuple[str, ...]


def match_columns(names: Sequence[str], file: str) -> Columns:
    """Find the field of each column.

    Args:
        names: of the columns, as they stand in the file.
        file: the file's name, for messages.

    Raises:
        ImportFileError: two columns are the same field, or `model` or every figure is missing.
    """
    meanings = _meanings()
    plain = {name: _plain(name) for name in names}
    if not any(
        getattr(meanings.get(name), "field", "") == "device_name" for name in plain.values()
    ):
        meanings["device"] = Column(name="device", field="device_name")
    known: dict[str, Column] = {}
    for name in names:
        meaning = meanings.get(plain[name])
        if meaning is None:
            continue
        if meaning.field in known:
            first = known[meaning.field].name
            raise ImportFileError(
                f"{shown(file)}: columns {shown(first)!r} and {shown(name)!r} are both "
                f"{meaning.field}; remove one"
            )
        known[meaning.field] = Column(name=name, field=meaning.field, factor=meaning.factor)
    _check_enough(known, names, file)
    return Columns(
        known=known, ignored=tuple(name for name in names if plain[name] not in meanings)
    )


def listed(names: Sequence[str]) -> str:
    """Names in a message, the first of them where there are many."""
    rest = len(names) - _MOST_LISTED
    first = ", ".join(shown(name, _LONGEST_NAME) for name in names[:_MOST_LISTED])
    return f"{first} and {rest:,} more" if rest > 0 else first


def _check_enough(known: Mapping[str, Column], names: Sequence[str], file: str) -> None:
    found = listed(names) or "none"
    if "model" not in known:
        raise ImportFileError(f"{shown(file)}: there is no column model; its columns: {found}")
    if FIGURES.isdisjoint(known):
        raise ImportFileError(
            f"{shown(file)}: there is no column with a figure, such as latency_s; "
            f"its columns: {found}"
        )


def _plain(name: str) -> str:
    """A column's name as it stands in the table of names."""
    text = name.strip().casefold().replace("\N{GREEK SMALL LETTER MU}", "u").replace("%", "percent")
    return re.sub(r"[\W_]+", "_", text).strip("_")


def _meanings() -> dict[str, Column]:
    table = {
        alias + suffix: Column(name=alias + suffix, field=field, factor=Decimal(factor))
        for field, aliases, units in _NAMES
        for alias in aliases.split()
        for suffix, factor in units.items()
    }
    return table | {field: Column(name=field, field=field) for field in FIELDS}
