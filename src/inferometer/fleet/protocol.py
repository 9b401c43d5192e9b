"""Lines of JSON between coordinator and board: how they are written, read and bounded.

Both sides of a full board use it; a line is an object, and what cannot be one is refused.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, Protocol

from inferometer.core.sweep import Study
from inferometer.core.workload import Workload
from inferometer.fleet.types import Job, JobFile, JobStatus

KIB = 1 << 10
MIB = 1 << 20

MOST_LINE = 4 * MIB
MOST_DATA_LINE = 320 * KIB
MOST_BUNDLE = 256 * MIB
MOST_FILES = 1000
MOST_FILES_BYTES = 8 << 30
MOST_JOBS = 1000

CHUNK = 192 * KIB
"""Content of one line of data."""

PATIENCE_S = 60.0
SLOWEST_BYTES_PER_S = 64 * KIB
"""A line that carries data more slowly than this is given up."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How much of an answer is read, and how long it is waited for.

    Attributes:
        line_bytes: of one line.
        total_bytes: of all lines.
        seconds: from the start of the command to its end.
    """

    line_bytes: int = MOST_LINE
    total_bytes: int = MOST_LINE
    seconds: float = PATIENCE_S

    @classmethod
    def for_data(cls, size_bytes: int) -> Limits:
        """Those of a conversation that carries so much content."""
        seconds = PATIENCE_S + size_bytes / SLOWEST_BYTES_PER_S
        return cls(
            line_bytes=MOST_DATA_LINE,
            total_bytes=size_bytes * 3 // 2 + MIB,
            seconds=seconds,
        )


class Readable(Protocol):
    """A stream of bytes that gives a line at a time."""

    def readline(self, size: int = -1, /) -> bytes:
        """A line with its end, or as many bytes of it as asked for."""
        ...


def encode(line: Mapping[str, Any]) -> bytes:
    """A line of JSON, in ASCII.

    Raises:
        ValueError: a number is not finite.
    """
    return json.dumps(line, separators=(",", ":"), allow_nan=False).encode() + b"\n"


def decode(line: bytes) -> dict[str, Any]:
    """The object of a line.

    Raises:
        ValueError: it is not one, or is nested too deeply, or has a number that is not finite.
    """
    try:
        found = json.loads(line.decode("utf-8"), parse_constant=_no_number)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if not isinstance(found, dict):
        raise ValueError("it is not an object")  # noqa: TRY004 - of text that was read
    return found


def read_lines(stream: Readable, limits: Limits) -> Iterator[bytes]:
    """The lines of a stream, of bounded length.

    Raises:
        ValueError: a line, or all of them, are longer.
    """
    total = 0
    while line := stream.readline(limits.line_bytes + 1):
        total += len(line)
        if len(line) > limits.line_bytes or total > limits.total_bytes:
            raise ValueError("it is too long")
        yield line


def data_lines(content: Iterable[bytes]) -> Iterator[bytes]:
    """Content as lines of data, with the line that ends it; pieces are of at most `CHUNK`."""
    for piece in content:
        yield encode({"data": base64.b64encode(piece).decode("ascii")})
    yield encode({"end": True})


def data_of(lines: Iterable[dict[str, Any]]) -> Iterator[bytes]:
    """Content of lines of data.

    Raises:
        ValueError: one is not such a line, or the line that ends them is missing.
    """
    for line in lines:
        if line.get("end") is True:
            return
        text = line.get("data")
        if not isinstance(text, str):
            raise ValueError("a line of data is missing")  # noqa: TRY004 - of text that was read
        try:
            yield base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError) as error:
            raise ValueError("a line of data is not base64") from error
    raise ValueError("it ends too early")


def job_to_json(job: Job) -> dict[str, Any]:
    """A job as it is sent."""
    return {
        "id": job.id,
        "group": job.group,
        "device_name": job.device_name,
        "class": job.kind,
        "price": job.price,
        "study": dict(job.study),
        "workloads": [workload.to_json() for workload in job.workloads],
        "files": [
            {"path": one.path, "sha256": one.sha256, "bytes": one.size_bytes} for one in job.files
        ],
        "energy": job.energy,
        "meters": list(job.meters),
        "allow_estimate": job.allow_estimate,
    }


def job_from_json(data: Mapping[str, Any]) -> Job:
    """A job as it was sent; its files are named from the folder that we are in.

    Raises:
        KeyError, TypeError, ValueError, AttributeError: it is none.
    """
    Study.from_json(data["study"])
    return Job(
        id=data["id"],
        group=data["group"],
        device_name=data["device_name"],
        kind=data["class"],
        price=data["price"],
        study=data["study"],
        workloads=tuple(job_workloads(data)),
        files=tuple(
            JobFile(
                path=one["path"],
                sha256=one["sha256"],
                size_bytes=one["bytes"],
                source=Path(one["path"]),
            )
            for one in data["files"]
        ),
        energy=data["energy"],
        meters=tuple(data["meters"]),
        allow_estimate=data["allow_estimate"],
    )


def job_workloads(data: Mapping[str, Any]) -> list[Workload]:
    """The workloads of a job that was sent.

    Raises:
        KeyError, TypeError, ValueError: they are none.
    """
    return [Workload.from_json(one) for one in data["workloads"]]


def status_to_json(status: JobStatus) -> dict[str, Any]:
    """A status as it is sent."""
    return {
        "job": status.job,
        "state": status.state,
        "done": status.done,
        "failed": status.failed,
        "planned": status.planned,
        "message": status.message,
    }


def status_from_json(data: Mapping[str, Any]) -> JobStatus:
    """A status that was checked against the schema."""
    names = ("job", "state", "done", "failed", "planned", "message")
    return JobStatus(**{name: data[name] for name in names})


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number of JSON")
