"""The study of a stored run, as far as it can be read back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from inferometer.core.errors import InputError
from inferometer.core.procedure import Procedure
from inferometer.core.sweep import Study
from inferometer.store import values

MOST_WORKLOADS = 1_000_000
"""No run has measured so many; listing more takes seconds and gigabytes."""


def check_study(document: Mapping[str, Any]) -> None:
    """Make sure that `Study.from_json` can read a document, and list its workloads.

    Raises:
        ValueError: it cannot; the message says why.
    """
    sweep = _part(document, "sweep", values.mapping)
    _part(document, "name", values.text)
    _part(document, "description", values.text)
    if "hypotheses" in document:
        _part(document, "hypotheses", values.texts)
    number = 1
    for axis in ("models", "backends", "precisions"):
        number *= len(_part(sweep, axis, values.texts))
    if "options" in sweep:
        _part(sweep, "options", values.texts)
    _part(sweep, "device", values.text)
    if sweep.get("threads") is not None:
        _part(sweep, "threads", _positive)
    if number * sum(map(_shapes, _part(sweep, "blocks", values.listed))) > MOST_WORKLOADS:
        raise ValueError(f"a study of more than {MOST_WORKLOADS:,} workloads")
    _check_procedure(_part(document, "procedure", values.mapping))
    try:
        Study.from_json(document).sweep.check()
    except (InputError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"no study of ours: {error}") from error


def _part(data: Mapping[str, Any], key: str, check: Any) -> Any:  # noqa: ANN401 - any part
    if key not in data:
        raise ValueError(f"it lacks {key}")
    try:
        return check(data[key])
    except ValueError as error:
        raise ValueError(f"{key}: {error}") from error


def _shapes(block: object) -> int:
    """How many shapes a block spans."""
    axes = values.mapping(block)
    sizes = [one for one in _part(axes, "sizes", values.listed) if one is not None]
    batches = _part(axes, "batches", values.listed)
    for one in (*sizes, *batches):
        _positive(one)
    return len(axes["sizes"]) * len(batches)


def _positive(value: object) -> int:
    return values.whole(value, 1)


def _check_procedure(data: Mapping[str, Any]) -> None:
    """Types alone: ranges are the procedure's own affair."""
    for field in fields(Procedure):
        value = data.get(field.name, field.default)
        kinds = str(field.type).split(" | ")
        if value is None and "None" in kinds:
            continue
        try:
            _check_kind(value, kinds[0])
        except ValueError as error:
            raise ValueError(f"procedure: {field.name}: {error}") from error


def _check_kind(value: object, kind: str) -> None:
    if kind == "bool":
        if not isinstance(value, bool):
            raise ValueError("neither true nor false")
    elif kind == "str":
        values.text(value)
    elif kind == "int":
        values.whole(value)
    else:
        values.number(value)
