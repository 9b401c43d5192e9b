"""Lines of a bundle ↔ runs, records, rounds and passes.

What is read goes through the same checks as what a database holds (`store.rows`,
`store.evaluations`): a line that this program would not have written is refused.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, get_args

from inferometer.core.dataset import Evaluation
from inferometer.core.energy import EnergyMethod, Quantity, Scope, SourceInfo
from inferometer.core.record import FIELDS, Record, Round
from inferometer.core.run import CARRIED, Run
from inferometer.store import rows, values
from inferometer.store.bundle.parts import PowerReadings
from inferometer.store.evaluations import evaluation_row, to_evaluation

FORMAT = 1
"""Number of the format that this version writes, and the highest that it knows."""
HEADER, END = "inferometer_bundle", "end"
BLOBS = ("rows", "lengths", "units", "contents", "real_s", "synthetic_s")
_RUN = ("id", "study", "signature", "document", "device", "software", "origin", "planned")
RUN_KEYS = (*_RUN, "created_at", "finished_at")
_ROUND = ("number", "process", "phase", "started_at", "calls_per_value", "settle")
ROUND_KEYS = ("workload", *_ROUND, "starts_s", "values_s", "pair", "signals")
_RUN_JSON = ("document", "device", "software")
_KEY_DIGITS = 16
_LONGEST_BLOB = 1 << 26
"""Characters of base64; a line has no more."""


def run_line(run: Run) -> dict[str, Any]:
    """The run of the first line."""
    row = rows.run_row(run)
    return {**row, "device": {k: v for k, v in row["device"].items() if k != CARRIED}}


def to_run(data: Mapping[str, Any]) -> Run:
    """Read the run of a first line.

    Raises:
        ValueError: it is none.
    """
    row: dict[str, Any] = {name: _part(data, name) for name in _RUN}
    row |= {name: _text_of(row[name]) for name in _RUN_JSON}
    times = {"created_at": _part(data, "created_at"), "finished_at": data.get("finished_at")}
    return rows.to_run({**row, **times})


def round_line(key: str, done: Round) -> dict[str, Any]:
    """A round."""
    row = rows.round_row(done)
    listed = {"starts_s": list(done.starts_s), "values_s": list(done.values_s)}
    return {"workload": key, **row, **listed}


def to_round(data: Mapping[str, Any]) -> tuple[str, Round]:
    """Read a round, and the key of its workload.

    Raises:
        ValueError: it is none.
    """
    row: dict[str, Any] = {name: _part(data, name) for name in _ROUND}
    signals = data.get("signals")
    row |= {
        "pair": data.get("pair"),
        "signals": None if signals is None else _text_of(signals),
        "starts_s": _packed(data, "starts_s"),
        "values_s": _packed(data, "values_s"),
    }
    done = rows.to_round(row)
    if list(done.starts_s) != sorted(done.starts_s):
        raise ValueError("starts_s: they descend")
    return _key(data), done


def record_line(record: Record) -> dict[str, Any]:
    """A record, without its rounds; its figures in the order of the exported fields."""
    row, figures = rows.outcome_row(record), rows.figures_of(record)
    failure = {name: row[f"failure_{name}"] for name in ("stage", "kind", "message")}
    return {
        "workload": record.workload.to_json(),
        "status": row["status"],
        "failure": None if record.failure is None else failure,
        "figures": {name: figures[name] for name in FIELDS if name in figures},
    }


def to_record(data: Mapping[str, Any], run: Run) -> tuple[Record, list[str]]:
    """Read a record, and the names of its figures that are not known here.

    Raises:
        ValueError: it is none.
    """
    workload = _named("workload", values.mapping, _part(data, "workload"))
    failure = data.get("failure")
    failed = {} if failure is None else _named("failure", values.mapping, failure)
    figures = _named("figures", values.mapping, data.get("figures", {}))
    options = workload.get("options")
    row = {
        **{name: _part(workload, name) for name in ("model", "backend", "precision", "device")},
        **{name: workload.get(name) for name in ("threads", "input_size")},
        "batch_size": _part(workload, "batch_size"),
        "options": None if options is None else _text_of(options),
        "status": _part(data, "status"),
        **{f"failure_{name}": failed.get(name) for name in ("stage", "kind", "message")},
        "figures": _text_of(figures),
    }
    row["workload"] = rows.to_workload(row).key
    return rows.to_record(row, run, ()), sorted(figures.keys() - FIELDS.keys())


def evaluation_line(one: Evaluation) -> dict[str, Any]:
    """A pass over labelled data."""
    row = evaluation_row(one)
    return row | {name: base64.b64encode(row[name]).decode() for name in BLOBS}


def to_evaluation_of(data: Mapping[str, Any]) -> Evaluation:
    """Read a pass.

    Raises:
        ValueError: it is none.
    """
    row: dict[str, Any] = {name: _named(name, _decoded, _part(data, name)) for name in BLOBS}
    return to_evaluation({**row, "workload": _key(data), "data": _text_of(_part(data, "data"))})


def readings_line(one: PowerReadings) -> dict[str, Any]:
    """What a power sensor said."""
    return {
        "source": {field.name: getattr(one.info, field.name) for field in fields(SourceInfo)},
        "at_s": list(one.at_s),
        "values": list(one.values),
        "lost": one.lost,
    }


def to_readings(data: Mapping[str, Any]) -> PowerReadings:
    """Read what a power sensor said.

    Raises:
        ValueError: it is none.
    """
    source = _named("source", values.mapping, _part(data, "source"))
    at_s = tuple(_named("at_s", _numbers, _part(data, "at_s")))
    found = tuple(_named("values", _numbers, _part(data, "values")))
    if len(at_s) != len(found):
        raise ValueError("at_s: not as many as values")
    if list(at_s) != sorted(at_s):
        raise ValueError("at_s: they descend")
    lost = data.get("lost")
    info = _named("source", _source, source)
    return PowerReadings(
        info=info, at_s=at_s, values=found, lost=None if lost is None else values.text(lost)
    )


def _source(data: Mapping[str, Any]) -> SourceInfo:
    choices = {"scope": Scope, "method": EnergyMethod, "quantity": Quantity}
    known: dict[str, Any] = {name: values.name(_part(data, name)) for name in ("name", "kind")}
    known |= {
        name: values.one_of(_part(data, name), get_args(kind)) for name, kind in choices.items()
    }
    known["period_s"] = values.number(_part(data, "period_s"), values.LEAST)
    for name in ("window_s", "resolution", "gain", "offset_w", "poll_s"):
        if data.get(name) is not None:
            known[name] = values.number(data[name], 0)
    return SourceInfo(**known, where=values.text(data.get("where", "")))


def _part(data: Mapping[str, Any], name: str) -> Any:  # noqa: ANN401 - whatever stands there
    if name not in data:
        raise ValueError(f"{name}: it is not there")
    return data[name]


def _named(name: str, check: Callable[[Any], Any], value: object) -> Any:  # noqa: ANN401 - as checked
    try:
        return check(value)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error


def _key(data: Mapping[str, Any]) -> str:
    key = _named("workload", values.text, _part(data, "workload"))
    if len(key) != _KEY_DIGITS or not set(key) <= set("0123456789abcdef"):
        raise ValueError("workload: not the key of one, 16 hexadecimal digits")
    return str(key)


def _text_of(value: object) -> str:
    """A value as a cell of a database has it."""
    return json.dumps(value)


def _numbers(value: object) -> list[float]:
    """A list of numbers, whose range `values.json_object` has checked."""
    listed = values.listed(value)
    if not set(map(type, listed)) <= {int, float}:
        raise ValueError("something else than numbers in it")
    return listed


def _packed(data: Mapping[str, Any], name: str) -> bytes:
    """A list of numbers as a cell of a database has it."""
    return rows.pack(_named(name, _numbers, _part(data, name)))


def _decoded(value: object) -> bytes:
    try:
        return base64.b64decode(values.text(value, longest=_LONGEST_BLOB), validate=True)
    except binascii.Error as error:
        raise ValueError("not base64") from error
