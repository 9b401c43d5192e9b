"""The nouns of a fleet: a device, what it says of itself, a job, how far it is; and their errors.

`docs/reference/fleet-protocol.md` says how a coordinator and a board talk about them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from inferometer.core.errors import FleetError
from inferometer.core.workload import Workload
from inferometer.host.lease import Holder

PROTOCOL = 1
"""Number of the protocol between coordinator and board."""

JOB_ID = re.compile(r"[0-9a-f]{8}")
"""The id of a job is that of the run that it makes."""

State = Literal["waiting", "running", "done", "failed", "gone"]
"""Of a job: `waiting` until its process has begun; `failed` where it ended without a finished run;
`gone` where its process died without a word, or the board knows no such job."""


@dataclass(frozen=True, kw_only=True)
class Device:
    """One entry of a file of devices.

    Attributes:
        name: `device_name` of its records.
        host: name or address.
        user: who logs in; empty for what OpenSSH's own configuration says.
        port: None for what that says.
        python: the Python on the board; of a full board it has inferometer.
        agent: whether the light agent is sent, which needs nothing but a Python.
        kind: the `class` in the file: devices of one class are equal.
        price: of the device, in a currency of the user's choice.
        meter: power meter of the device, as in `run --meter`.
        ssh_options: arguments of `ssh -o`, such as `ServerAliveInterval=10`.
    """

    name: str
    host: str
    user: str = ""
    port: int | None = None
    python: str = "python3"
    agent: bool = False
    kind: str | None = None
    price: float | None = None
    meter: str | None = None
    ssh_options: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What a board says of itself.

    Attributes:
        kind: `full` where inferometer is installed, `agent` for the light agent.
        version: of either.
        python: version of Python.
        device: as `host.identity` has it.
        software: versions of packages by name.
        backends: names of runtimes that could run there.
        power: names of power sources.
        clock_offset_s: how far the board's clock is ahead of the coordinator's at the least,
            seconds; below 0 where it is behind, 0 where they may agree.
        free_bytes: room for jobs.
        is_writable: whether jobs can be kept there.
        holder: who measures there now; None where nobody does.
    """

    kind: Literal["full", "agent"]
    version: str
    python: str
    device: Mapping[str, Any] = field(repr=False)
    software: Mapping[str, str] = field(repr=False)
    backends: tuple[str, ...] = ()
    power: tuple[str, ...] = ()
    clock_offset_s: float = 0.0
    free_bytes: int = 0
    is_writable: bool = True
    holder: Holder | None = None


@dataclass(frozen=True, kw_only=True)
class JobFile:
    """A file that a job needs, such as a model's.

    Attributes:
        path: relative, below the folder that the job runs in, where the study's references find it.
        sha256: of its content.
        size_bytes: of its content.
        source: where it is at the coordinator.
    """

    path: str
    sha256: str
    size_bytes: int
    source: Path


@dataclass(frozen=True, kw_only=True)
class Job:
    """Workloads of a study for one device: the run that they become has the job's id.

    Attributes:
        id: eight hexadecimal digits, chosen by the coordinator.
        device_name: name of the device in its file; it becomes that of the records.
        study: the whole study as JSON (`Study.to_json`), also where only a part is measured.
        workloads: what is measured, in the study's order; their threads may be None, which the
            board fills in.
        files: what is sent beforehand.
        group: id of the run that the job is a part of; empty where it is one by itself.
        kind: class of the device, which is noted in the run.
        price: of the device, likewise.
        energy: whether power sources are looked for.
        meters: power meters, as in `run --meter`.
        allow_estimate: as in `run --allow-estimate`.
    """

    id: str
    device_name: str
    study: Mapping[str, Any] = field(repr=False)
    workloads: tuple[Workload, ...] = field(repr=False)
    files: tuple[JobFile, ...] = ()
    group: str = ""
    kind: str | None = None
    price: float | None = None
    energy: bool = True
    meters: tuple[str, ...] = ()
    allow_estimate: bool = False


@dataclass(frozen=True, kw_only=True)
class JobStatus:
    """How far a job is.

    Attributes:
        job: its id.
        state: see `State`.
        done: workloads with a record.
        failed: those of them that failed.
        planned: workloads of the job.
        message: why it failed or is gone, or what it does.
    """

    job: str
    state: State
    done: int = 0
    failed: int = 0
    planned: int = 0
    message: str = ""

    @property
    def is_over(self) -> bool:
        """Whether nothing more comes of it unless it is started again."""
        return self.state in ("done", "failed", "gone")


@dataclass(frozen=True, kw_only=True)
class KnownJob:
    """A job that a board has in its spool.

    Attributes:
        status: how far it is.
        group: id of the run that it is a part of; empty where it is one by itself.
        device_name: what the coordinator called the device.
        study: name of its study.
        holder: who started it.
        started_at: Unix time by the board's clock, seconds.
    """

    status: JobStatus
    group: str
    device_name: str
    study: str
    holder: Holder
    started_at: float


class Board(Protocol):
    """A device as the coordinator drives it. Each method is one short conversation.

    Raises, each of them: LineError where the board cannot be reached or does not answer in time,
    which may be tried again; AnswerError where it answers what no board should, which may not;
    RefusedError where it says that it cannot do what was asked.
    """

    device: Device

    def check(self) -> Facts:
        """What the board is and has."""
        ...

    def start(self, job: Job) -> None:
        """Send the files that the board lacks, and start a job, which goes on by itself.

        Starting a job that runs or is done does nothing; one whose process died goes on.

        Raises:
            LeaseHeldError: somebody else measures there.
        """
        ...

    def status(self, job: str) -> JobStatus:
        """How far a job is."""
        ...

    def jobs(self) -> tuple[KnownJob, ...]:
        """The jobs that the board has, the latest first."""
        ...

    def asked(self, job: str) -> Job:
        """The job as it was asked; its files are named as they lie there."""
        ...

    def collect(self, job: str) -> bytes:
        """What the job has measured so far, as a bundle."""
        ...

    def cancel(self, job: str) -> None:
        """End a job; what it has measured is kept. Nothing happens to one that is over."""
        ...


class LineError(FleetError):
    """A board cannot be reached, or its answer stopped or took too long. May be tried again."""


class LoginError(LineError):
    """OpenSSH refuses: an unknown host key, or no key that the board takes. Trying won't help."""


class AnswerError(FleetError):
    """A board answered what no board should: too much, malformed, or of the wrong type."""


class RefusedError(FleetError):
    """A board says that it cannot do what was asked.

    Attributes:
        code: `bad_request`, `conflict`, `missing_file`, `no_agent`, `no_space`, `nothing_yet`,
            `read_only`, `unknown_job`, `unsupported` or `fault`.
    """

    def __init__(self, message: str, *, code: str) -> None:
        super().__init__(message)
        self.code = code
