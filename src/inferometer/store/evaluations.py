"""Rows of `evaluations` ↔ passes over datasets, checked to the last cell."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inferometer.core.dataset import MOST_SKIPPED, TASKS, Evaluation, Kept, Skipped
from inferometer.store import values

DIGEST_BYTES = 16
"""Of a sample: 32 hexadecimal digits."""


def evaluation_row(one: Evaluation) -> dict[str, Any]:
    """Columns of `evaluations`, less the run.

    Raises:
        ValueError: its parts do not belong together.
    """
    row = {
        "workload": one.workload,
        "data": {
            "dataset": one.dataset,
            "task": one.task,
            "classes": list(one.classes),
            "digest": one.digest,
            "metric": one.metric,
            "higher_is_better": one.higher_is_better,
            "samples": one.samples,
            "columns": one.kept.rows.shape[1],
            "stages": dict(one.stages),
            "skipped": [[each.name, each.why] for each in one.skipped[:MOST_SKIPPED]],
        },
        "rows": _bytes(one.kept.rows, "<f8"),
        "lengths": _bytes(one.kept.lengths, "<i8"),
        "units": _bytes(one.units, "<i8"),
        "contents": b"".join(map(bytes.fromhex, one.contents)),
        "real_s": _bytes(np.asarray(one.real_s), "<f8"),
        "synthetic_s": _bytes(np.asarray(one.synthetic_s), "<f8"),
    }
    to_evaluation({**row, "data": json.dumps(row["data"])})  # what is written can be read
    return row


def to_evaluation(row: Mapping[str, Any]) -> Evaluation:
    """Read a row of `evaluations`.

    Raises:
        ValueError: it does not hold one.
    """
    data = values.json_object(row["data"])
    task: Any = values.one_of(data.get("task"), TASKS)
    columns = values.whole(data.get("columns"), 1, 10_000)
    lengths = _array(row["lengths"], "<i8")
    rows = _array(row["rows"], "<f8")
    if (lengths < 0).any() or rows.size != int(lengths.sum()) * columns:
        raise ValueError("rows: not as many as lengths says")
    units, contents = _array(row["units"], "<i8"), _digests(row["contents"])
    if not len(units) == len(contents) == len(lengths):
        raise ValueError("units: not as many as there are samples")
    return Evaluation(
        workload=values.text(row["workload"]),
        dataset=values.text(data.get("dataset")),
        task=task,
        classes=tuple(values.text(name) for name in _list(data, "classes")),
        digest=values.text(data.get("digest")),
        metric=values.text(data.get("metric")),
        higher_is_better=data.get("higher_is_better") is not False,
        samples=values.whole(data.get("samples"), len(lengths)),
        kept=Kept(rows=rows.reshape(-1, columns), lengths=lengths),
        units=units,
        contents=contents,
        real_s=_seconds(row["real_s"]),
        synthetic_s=_seconds(row["synthetic_s"]),
        stages={
            name: values.number(value) for name, value in values.mapping(data.get("stages")).items()
        },
        skipped=tuple(_skipped(one) for one in _list(data, "skipped")),
    )


def _bytes(array: NDArray[Any], kind: str) -> bytes:
    return np.ascontiguousarray(array, dtype=kind).tobytes()


def _array(cell: object, kind: str) -> NDArray[Any]:
    if not isinstance(cell, bytes) or len(cell) % 8:
        raise ValueError("a blob that was cut")
    return np.frombuffer(cell, dtype=kind).astype(kind[1:])


def _seconds(cell: object) -> tuple[float, ...]:
    found = _array(cell, "<f8")
    if not np.isfinite(found).all() or (found < 0).any():
        raise ValueError("a blob with numbers that are no seconds")
    return tuple(found.tolist())


def _digests(cell: object) -> tuple[str, ...]:
    if not isinstance(cell, bytes) or len(cell) % DIGEST_BYTES:
        raise ValueError("contents: a blob that was cut")
    return tuple(cell[at : at + DIGEST_BYTES].hex() for at in range(0, len(cell), DIGEST_BYTES))


def _list(data: Mapping[str, Any], name: str) -> list[Any]:
    found = data.get(name)
    if not isinstance(found, list):
        raise ValueError(f"data: no list of {name}")  # noqa: TRY004 - one kind of error
    return found


def _skipped(one: Any) -> Skipped:  # noqa: ANN401 - whatever stands there
    if not isinstance(one, list) or len(one) != 2:  # noqa: PLR2004 - a name and why
        raise ValueError("data: skipped holds no names")
    return Skipped(name=values.text(one[0]), why=values.text(one[1]))
