"""Which of the columns that nobody understood tell rows apart.

A column whose cells differ between rows of the same workload is an axis of the sweep: it becomes
an option of the variant, so that the rows are workloads of their own. Left out are columns that
count rows, tell the time or comment, and such as hold measurements: rows that differ in these alone
are repetitions.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from inferometer.core.workload import Options
from inferometer.store.tables.numbers import amount, undecorated
from inferometer.store.tables.rows import Row
from inferometer.store.tables.units import plain
from inferometer.store.tables.words import is_missing

IDENTITY = (
    *("run_id", "study", "device_name", "model", "backend", "precision"),
    *("device", "threads", "input_size"),
)
_COUNTS = frozenset(
    [
        "run",
        "runs",
        "rep",
        "reps",
        "repeat",
        "repeats",
        "repetition",
        "repetitions",
        "trial",
        "trials",
        "iter",
        "iteration",
        "iterations",
        "idx",
        "index",
        "id",
        "no",
        "num",
        "n",
        "row",
        "seed",
        "step",
        "epoch",
        "sample",
        "sample_id",
        "call",
        "call_id",
        "attempt",
        "round",
        "pass",
        "count",
        "time",
        "timestamp",
        "date",
        "datetime",
        "started",
        "started_at",
        "created",
        "created_at",
        "start",
        "end",
        "when",
        "clock",
        "comment",
        "comments",
        "note",
        "notes",
        "remark",
        "remarks",
        "description",
        "url",
        "link",
        "source",
        "reference",
        "cause",
        "causes",
        "hash",
        "commit",
        "sha",
        "column_1",
        "run_id",
        "run_no",
        "run_number",
        "unnamed_0",
        "uuid",
        "job",
        "job_id",
        "log",
        "logfile",
    ]
)
_MEASURES = re.compile(
    r"(^|_)(temp|temperature|celsius|util|utilization|usage|load|clock|freq|frequency|mhz|ghz|percent|"
    r"score|loss|error|err|f1|auc|recall|precision_score|time|latency|lat|ms|us|sec|seconds|memory|mem|"
    r"mb|mib|gb|kb|bytes|power|watts?|mw|energy|mj|joules?|wh|voltage|current|volts?|amps?|fps|qps|"
    r"throughput|speedup|accuracy|acc|top\d|map|iou|dice|std|stdev|mean|min|max|median|p\d\d|params|"
    r"macs|flops|gmacs|gflops|activations|macts|size_mb|cost|price|rank|tokens|tps|voltage|bleu|psnr|"
    r"ssim|wer|cer|total|sum|avg|elapsed|duration)(_|$)"
)
_MOST_VALUE = 200


def find_axes(rows: Sequence[Row], unknown: Sequence[str], given: Sequence[str]) -> list[str]:
    """The columns that become options of the variants.

    Args:
        rows: the rows.
        unknown: names of the columns that nobody understood.
        given: those that the user names.
    """
    groups: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for row in rows:
        batch = row.values.get("batch_size") or 1
        groups[(batch, *(row.values.get(name) for name in IDENTITY), row.options)].append(row)
    several = [group for group in groups.values() if len(group) > 1]
    found = list(given)
    if several:
        found += [name for name in unknown if name not in given and _is_axis(name, several, rows)]
    return found


def options_of(row: Row, axes: Sequence[str]) -> Options:
    """The options of a row's variant: its own, and its cells of the axes."""
    cells = {option_name(axis): _shown(row.others.get(axis)) for axis in axes}
    return tuple(sorted({**dict(row.options), **{k: v for k, v in cells.items() if v}}.items()))


@lru_cache(maxsize=1024)  # each row asks
def option_name(column: str) -> str:
    """A column's name as that of an option."""
    return plain(column)[:60] or "column"


def _shown(cell: object) -> str:
    """A cell as the value of an option, which never looks like two of them."""
    return "" if cell is None or is_missing(cell) else _shown_text(str(cell))


@lru_cache(maxsize=65536)
def _shown_text(cell: str) -> str:
    text = " ".join(undecorated(cell).split())[:_MOST_VALUE]
    found = amount(text)
    if found is not None and found.unit is None and found.value == found.value.to_integral_value():
        text = str(int(found.value)) if abs(found.value) < 10**15 else text
    return text.replace("=", ":") if " " in text else text


def _is_axis(name: str, several: Sequence[Sequence[Row]], rows: Sequence[Row]) -> bool:
    if plain(name) in _COUNTS or _MEASURES.search(plain(name)) or not option_name(name):
        return False
    if not any(len({_key(row.others, name) for row in group}) > 1 for group in several):
        return False
    cells = [row.others.get(name) for row in rows if not is_missing(row.others.get(name))]
    if any(isinstance(cell, list | dict) for cell in cells):
        return False
    found = [amount(cell) for cell in cells]
    if any(one is None for one in found):
        return True
    whole = all(one is not None and one.value == one.value.to_integral_value() for one in found)
    distinct = len({_key(row.others, name) for row in rows})
    return (whole and not _numbers_rows(several, name)) or distinct * 2 <= len(cells)


def _numbers_rows(several: Sequence[Sequence[Row]], name: str) -> bool:
    """Whether a column of whole numbers counts the rows of each group, and says nothing of them."""
    ranges = [[_key(row.others, name) for row in group] for group in several]
    counted = [
        [str(start + place) for place in range(len(one))] for one in ranges for start in (0, 1)
    ]
    return all(one in counted for one in ranges) and len(rows_longest(several)) > 2  # noqa: PLR2004


def rows_longest(groups: Sequence[Sequence[Row]]) -> Sequence[Row]:
    """The longest of some groups."""
    return max(groups, key=len)


def _key(others: Mapping[str, Any], name: str) -> str:
    return _shown(others.get(name))
