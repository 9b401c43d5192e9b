"""What a board may answer: a JSON schema for each verb, with a bound on everything.

A board is not believed: an answer that does not fit is refused before anything is done with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from inferometer.core.shown import shown
from inferometer.fleet.protocol import MOST_BUNDLE, MOST_DATA_LINE, MOST_FILES, MOST_JOBS
from inferometer.fleet.types import PROTOCOL

Rules = dict[str, Any]

MOST_TEXT = 500
MOST_MESSAGE = 2000
MOST_NAMES = 200
MOST_WORKLOADS = 10_000
LATEST = 1e11
"""Seconds: a Unix time beyond it is none."""

_JOB: Rules = {"type": "string", "pattern": "^[0-9a-f]{8}$"}
_GROUP: Rules = {"type": "string", "pattern": "^([0-9a-f]{8})?$"}
_DIGEST: Rules = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
_NAME: Rules = {"type": "string", "maxLength": MOST_TEXT}
_TIME: Rules = {"type": "number", "minimum": 0, "maximum": LATEST}
_COUNT: Rules = {"type": "integer", "minimum": 0, "maximum": 2 * MOST_WORKLOADS}
_NAMES: Rules = {"type": "array", "maxItems": MOST_NAMES, "items": _NAME}
_NUMBER: Rules = {"type": "number", "minimum": -1e300, "maximum": 1e300}
_PLAIN: list[Rules] = [_NAME, _NUMBER, {"type": ["boolean", "null"]}]


def _object(required: Mapping[str, Rules], optional: Mapping[str, Rules] | None = None) -> Rules:
    """An object with these keys at least; others are left out of account."""
    return {
        "type": "object",
        "required": list(required),
        "properties": {**required, **(optional or {})},
        "maxProperties": 50,
    }


def _mapping(values: Rules) -> Rules:
    return {
        "type": "object",
        "maxProperties": MOST_NAMES,
        "propertyNames": {"maxLength": 100},
        "additionalProperties": values,
    }


_HOLDER = _object({"user": _NAME, "host": _NAME}, {"job": _NAME, "since": _TIME})
_STATUS = _object(
    {
        "job": _JOB,
        "state": {"enum": ["waiting", "running", "done", "failed", "gone"]},
        "done": _COUNT,
        "failed": _COUNT,
        "planned": _COUNT,
        "message": {"type": "string", "maxLength": MOST_MESSAGE},
    }
)
_DEVICE = _mapping({"anyOf": [*_PLAIN, _NAMES]})
_FACTS = _object(
    {
        "protocol": {"const": PROTOCOL},
        "kind": {"enum": ["full", "agent"]},
        "version": _NAME,
        "python": _NAME,
        "device": _DEVICE,
        "software": _mapping(_NAME),
        "time": _TIME,
        "free_bytes": {"type": "integer", "minimum": 0, "maximum": 1 << 62},
        "writable": {"type": "boolean"},
    },
    {"backends": _NAMES, "power": _NAMES, "holder": {"anyOf": [{"type": "null"}, _HOLDER]}},
)
_KNOWN_JOB = _object(
    {
        "status": _STATUS,
        "group": _GROUP,
        "device_name": _NAME,
        "study": _NAME,
        "holder": _HOLDER,
        "started_at": _TIME,
    }
)
_FILE = _object({"path": _NAME, "sha256": _DIGEST, "bytes": {"type": "integer", "minimum": 0}})
_ASKED = _object(
    {
        "id": _JOB,
        "group": _GROUP,
        "device_name": _NAME,
        "class": {"anyOf": [{"type": "null"}, _NAME]},
        "price": {"anyOf": [{"type": "null"}, _NUMBER]},
        "study": {"type": "object"},
        "workloads": {"type": "array", "maxItems": MOST_WORKLOADS, "items": {"type": "object"}},
        "files": {"type": "array", "maxItems": MOST_FILES, "items": _FILE},
        "energy": {"type": "boolean"},
        "meters": _NAMES,
        "allow_estimate": {"type": "boolean"},
    }
)
_ERROR = _object({"code": _NAME, "message": {"type": "string", "maxLength": MOST_MESSAGE}})
_SENT = _object(
    {
        "job": _JOB,
        "bytes": {"type": "integer", "minimum": 0, "maximum": MOST_BUNDLE},
        "sha256": _DIGEST,
    }
)
ANSWERS: Mapping[str, Rules] = {
    "check": _FACTS,
    "have": {"type": "array", "maxItems": MOST_FILES, "items": _DIGEST},
    "put": _object({"sha256": _DIGEST}),
    "start": _STATUS,
    "status": _STATUS,
    "jobs": {"type": "array", "maxItems": MOST_JOBS, "items": _KNOWN_JOB},
    "asked": _ASKED,
    "collect": _SENT,
    "cancel": _STATUS,
    "error": {**_ERROR, "properties": {**_ERROR["properties"], "holder": _HOLDER}},
    "data": {"type": "string", "maxLength": MOST_DATA_LINE},
    "end": {"const": True},
}
"""Key of an answer → what stands there."""


def checked(line: Mapping[str, Any], kind: str) -> Any:  # noqa: ANN401 - as its schema says
    """What an answer says, if it is one.

    Args:
        line: a line of an answer.
        kind: the key that it has to have.

    Raises:
        ValueError: it is none; says what is wrong with it.
    """
    if kind not in line:
        raise ValueError(f"it has no {kind}")
    try:
        _validator(kind).validate(line[kind])
    except ValidationError as error:
        place = ".".join(map(str, (kind, *error.absolute_path)))
        raise ValueError(f"{shown(place, 80)} is not what belongs there") from None
    except RecursionError:
        raise ValueError(f"{kind} is nested too deeply") from None
    return line[kind]


@cache
def _validator(kind: str) -> Draft202012Validator:
    return Draft202012Validator(ANSWERS[kind])
