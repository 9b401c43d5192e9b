"""What may stand in a cell of a database, whoever wrote it.

Everything that is read from a file goes through here: whatever passes can be sorted, added up,
divided and printed by the rest of the program without a second look. Each function raises
`ValueError`, whose message says what is wrong in the middle of a sentence.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import isfinite
from typing import Any, NoReturn, get_args

from inferometer.core.record import FIELDS, STATED, FailureKind, Stage, Status
from inferometer.core.statement import Statement

LARGEST = 2**63 - 1
"""Of whole numbers: what the columns of every export hold."""
MOST, LEAST = 1e30, 1e-30
"""What is measured lies within, in SI units; and ratios of what does are numbers yet."""
LATEST_S = 2.5e11
"""Unix time in the year 9892: a calendar has no more than four digits for the year."""
LONGEST_TEXT = 1 << 20
LONGEST_JSON = 1 << 24
_NUMBERS = (int, float)
DEEPEST = 32
"""Levels of a JSON value; ours have about six."""

_NAMED_ELSEWHERE = frozenset(
    {
        *("run_id", "study", "device_name", "origin", "workload", "model", "backend"),
        *("precision", "device", "batch_size", "input_size", "status"),
        *("failure_stage", "failure_kind", "failure_message"),
    }
)
"""Fields that have columns of their own: as figures they would hide these.

Threads may be a figure: those that the runtime was found to use, in place of those asked for.
"""

MAY_BE_NEGATIVE = frozenset(
    {
        *("energy_per_inference_j", "energy_net_per_inference_j", "energy_net_below_j"),
        *("power_mean_w", "power_idle_w", "latency_ci_low_s", "latency_mean_ci_low_s"),
        *("latency_timer_overhead_s", "accuracy", "memory_baseline_bytes"),
        *("memory_weights_bytes", "memory_activation_bytes", "memory_instrument_bytes"),
        *("dispatch_latency_s", "latency_tau_calls", "operator_times_added"),
    }
)
"""Differences, estimates, and what a sensor says around zero."""


def text(value: object, *, longest: int = LONGEST_TEXT) -> str:
    """Text that can be written to any file."""
    if not isinstance(value, str):
        raise ValueError(f"{_kind(value)} where text should be")  # noqa: TRY004 - one kind of error
    if len(value) > longest:
        raise ValueError("text that is far too long")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValueError("text that is not UTF-8") from None
    return value


def name(value: object) -> str:
    """Text that is not empty."""
    if not text(value):
        raise ValueError("empty")
    return str(value)


def one_of(value: object, choices: tuple[str, ...]) -> str:
    """One of some words."""
    if text(value) not in choices:
        raise ValueError(f"none of {', '.join(choices)}")
    return str(value)


def whole(value: object, low: int = -LARGEST, high: int = LARGEST) -> int:
    """A whole number within bounds."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"{_kind(value)} where a whole number should be")  # noqa: TRY004
    if not low <= value <= high:
        raise ValueError("a number that is too small" if value < low else "a number too large")
    return value


def number(value: object, low: float = -MOST, high: float = MOST) -> float:
    """A finite number within bounds."""
    if isinstance(value, bool) or not isinstance(value, _NUMBERS):
        raise ValueError(f"{_kind(value)} where a number should be")  # noqa: TRY004
    if not isinstance(value, int) and not isfinite(value):
        raise ValueError("a number that is not finite")
    if not low <= value <= high:
        raise ValueError("a number that is too small" if value < low else "a number too large")
    return value


def time(value: object) -> float:
    """A Unix time, seconds, that a calendar has."""
    return number(value, 0, LATEST_S)


def listed(value: object) -> list[Any]:
    """A list."""
    if not isinstance(value, list):
        raise ValueError(f"{_kind(value)} where a list should be")  # noqa: TRY004
    return value


def mapping(value: object) -> dict[str, Any]:
    """An object of JSON."""
    if not isinstance(value, dict):
        raise ValueError(f"{_kind(value)} where an object should be")  # noqa: TRY004
    return value


def texts(value: object) -> list[str]:
    """A list of texts."""
    return [text(one) for one in listed(value)]


def statement(value: object) -> None:
    """A sentence, or a code with values that can be put into words."""
    if not isinstance(value, dict):
        text(value)
        return
    if set(value) != {"code", "values"}:
        raise ValueError("an object that is no statement")
    for one in mapping(value["values"]).values():
        text(one) if isinstance(one, str) else number(one)
    try:
        text(str(Statement(name(value["code"]), value["values"])))
    except (KeyError, TypeError) as error:
        raise ValueError(f"the statement {value['code']} cannot be put into words") from error


def statements(value: object) -> None:
    """A list of these."""
    for one in listed(value):
        statement(one)


def json_object(value: object, *, longest: int = LONGEST_JSON) -> dict[str, Any]:
    """The object that a text holds as JSON, with finite numbers and not deep."""
    if not isinstance(value, str):
        raise ValueError(f"{_kind(value)} where JSON should be")  # noqa: TRY004
    if len(value) > longest:
        raise ValueError("JSON that is far too long")
    try:
        data = _DECODER.decode(value)
    except RecursionError:
        raise ValueError("JSON that is nested too deep") from None
    except json.JSONDecodeError:
        raise ValueError("not JSON") from None
    return mapping(_checked(data))


def known_figures(data: Mapping[str, Any]) -> dict[str, Any]:
    """The same, without fields that only a newer version has."""
    return figures({field: value for field, value in data.items() if field in FIELDS})


def figures(data: Mapping[str, Any]) -> dict[str, Any]:
    """Values of the exported fields, each of the type that it has there."""
    for field, value in data.items():
        if field not in FIELDS:
            raise ValueError(f"{field!r} is no field of a record")
        if field in _NAMED_ELSEWHERE:
            raise ValueError(f"{field} is no figure")
        try:
            _check_figure(field, value)
        except ValueError as error:
            raise ValueError(f"{field}: {error}") from error
    return dict(data)


def _check_figure(field: str, value: object) -> None:
    kind = FIELDS[field]
    low = -MOST if field in MAY_BE_NEGATIVE else 0
    if kind is list:
        (statements if field in STATED else texts)(value)
    elif value is None:
        return
    elif field in STATED:
        statement(value)
    elif kind is str:
        text(value)
    elif kind is bool:
        if not isinstance(value, bool):
            raise ValueError(f"{_kind(value)} where true or false should be")
    elif kind is int:
        whole(value, max(int(low), -LARGEST))
    elif 0 < abs(number(value, low)) < LEAST:
        raise ValueError("a number that is too close to zero")
    elif field == "latency_confidence" and not 0 <= number(value) < 1:
        raise ValueError("a number that is not between 0 and 1")


def _kind(value: object) -> str:
    """What a value is, for people."""
    if value is None:
        return "nothing"
    kinds = {bytes: "a blob", str: "text", bool: "true or false", list: "a list", dict: "an object"}
    return kinds.get(type(value), "a number")


def _whole(digits: str) -> int | float:
    """Whole numbers of thousands of digits take long to read; none of ours has more than 19."""
    if len(digits) > len(str(-LARGEST)):
        raise json.JSONDecodeError("a number that is too large", digits, 0)
    return int(digits)


def _no_constant(constant: str) -> NoReturn:
    raise json.JSONDecodeError(f"{constant} is no number of JSON", constant, 0)


_DECODER = json.JSONDecoder(parse_int=_whole, parse_constant=_no_constant)


def _checked(data: Any, depth: int = 0) -> Any:  # noqa: ANN401 - whatever stands in JSON
    """JSON with finite numbers, not deep; halves of surrogate pairs become question marks.

    Names of devices come from files of the system in any encoding, and were stored with such.
    """
    if data is None or isinstance(data, bool):
        return data
    if type(data) is float and -MOST <= data <= MOST:  # most of what there is, and not NaN
        return data
    if isinstance(data, str):
        return data if data.isascii() else data.encode("utf-8", "replace").decode("utf-8")
    if isinstance(data, _NUMBERS):
        return number(data)
    if depth > DEEPEST:
        raise ValueError("JSON that is nested too deep")
    if isinstance(data, dict):
        return {
            _checked(key): value if value is None else _checked(value, depth + 1)
            for key, value in data.items()
        }
    return [_checked(value, depth + 1) for value in data]


STATUSES: tuple[Status, ...] = get_args(Status)
STAGES: tuple[Stage, ...] = get_args(Stage)
KINDS: tuple[FailureKind, ...] = get_args(FailureKind)
