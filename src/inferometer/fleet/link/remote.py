"""A device as the coordinator drives it: the verbs of the protocol over a line, answers checked."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

from inferometer.core.errors import FleetError
from inferometer.core.filenames import reason_of
from inferometer.core.shown import shown
from inferometer.fleet import protocol
from inferometer.fleet.link.conversation import Conversation
from inferometer.fleet.link.loader import Agent
from inferometer.fleet.link.ssh import command, explain, last_line
from inferometer.fleet.protocol import CHUNK, Limits, decode, encode
from inferometer.fleet.schema import MOST_MESSAGE, checked
from inferometer.fleet.types import (
    PROTOCOL,
    AnswerError,
    Board,
    Device,
    Facts,
    Job,
    JobFile,
    JobStatus,
    KnownJob,
    LineError,
    RefusedError,
)
from inferometer.host.lease import Holder, LeaseHeldError, holder_from_json, this_person

MODULE = "inferometer.fleet.board"
SHOWN_LINE = 80
USUAL = Limits()


class Talk(Protocol):
    """A command that runs on a board; see `Conversation`."""

    @property
    def status(self) -> int | None:
        """Exit status, once the answer is over."""
        ...

    @property
    def errors(self) -> bytes:
        """The beginning of its standard error."""
        ...

    def lines(self) -> Iterator[bytes]:
        """The lines of the answer."""
        ...


class Line(Protocol):
    """How a command is run on a board."""

    def __call__(
        self, device: Device, remote: list[str], request: Iterable[bytes], limits: Limits
    ) -> Talk:
        """Begin to run a command there."""
        ...


def over_ssh(
    device: Device, remote: list[str], request: Iterable[bytes], limits: Limits
) -> Conversation:
    """Run a command on a board over SSH."""
    return Conversation(command(device, remote), request, limits, name=shown(device.name))


class RemoteBoard:
    """A device of a file of devices; see `types.Board`.

    Args:
        device: the entry in the file of devices.
        line: how commands get there.
        holder: who measures; the person at this machine by default.
        agent: the light agent, where the device takes one; made when it is first needed.
    """

    def __init__(
        self,
        device: Device,
        *,
        line: Line = over_ssh,
        holder: Holder | None = None,
        agent: Agent | None = None,
    ) -> None:
        self.device = device
        self._line = line
        self._holder = holder or this_person()
        self._agent = agent

    def check(self) -> Facts:
        """What the board is and has."""
        before = time.time()
        found = self._one("check", {})
        after = time.time()
        holder = found.get("holder")
        return Facts(
            kind=found["kind"],
            version=found["version"],
            python=found["python"],
            device=found["device"],
            software=found["software"],
            backends=tuple(found.get("backends", ())),
            power=tuple(found.get("power", ())),
            clock_offset_s=max(found["time"] - after, 0.0) + min(found["time"] - before, 0.0),
            free_bytes=found["free_bytes"],
            is_writable=found["writable"],
            holder=None if holder is None else holder_from_json(holder),
        )

    def start(self, job: Job) -> None:
        """Send the files that the board lacks, and start a job."""
        self._send(job.files)
        holder = {"user": self._holder.user, "host": self._holder.host}
        request = {"job": protocol.job_to_json(job), "holder": holder}
        try:
            self._one("start", request)
        except RefusedError as error:
            if error.code != "missing_file":
                raise
            self._send(job.files)  # one was damaged there, and has been thrown away
            self._one("start", request)

    def status(self, job: str) -> JobStatus:
        """How far a job is."""
        return self._status_of(self._one("status", {"job": job}), job)

    def cancel(self, job: str) -> None:
        """End a job; what it has measured is kept."""
        self._status_of(self._one("cancel", {"job": job}), job)

    def jobs(self) -> tuple[KnownJob, ...]:
        """The jobs that the board has, the latest first."""
        return tuple(
            KnownJob(
                status=protocol.status_from_json(one["status"]),
                holder=holder_from_json(one["holder"]),
                **{name: one[name] for name in ("group", "device_name", "study", "started_at")},
            )
            for one in self._one("jobs", {})
        )

    def asked(self, job: str) -> Job:
        """The job as it was asked."""
        found = self._one("asked", {"job": job})
        with self._believing_nothing():
            try:
                made = protocol.job_from_json(found)
            except (KeyError, TypeError, AttributeError) as error:
                raise ValueError("it holds no study") from error
            if made.id != job:
                raise ValueError("it is of another job")
        return made

    def collect(self, job: str) -> bytes:
        """What the job has measured so far, as a bundle."""
        answer = self._ask("collect", {"job": job}, limits=Limits.for_data(protocol.MOST_BUNDLE))
        with self._believing_nothing():
            said = checked(next(answer, {}), "collect")
            content = bytearray()
            for piece in protocol.data_of(map(_data_line, answer)):
                content += piece
                if len(content) > said["bytes"]:
                    break
            if said["job"] != job:
                raise ValueError("it is of another job")
            is_whole = len(content) == said["bytes"]
            if not is_whole or hashlib.sha256(content).hexdigest() != said["sha256"]:
                raise ValueError("its content is not what its checksum says")
        return bytes(content)

    def _send(self, files: Iterable[JobFile]) -> None:
        """Send those files that the board does not have."""
        wanted = {one.sha256: one for one in files}
        if not wanted:
            return
        there = set(self._one("have", {"files": list(wanted)}))
        for digest, file in wanted.items():
            if digest not in there:
                request = {"sha256": digest, "bytes": file.size_bytes}
                limits = Limits(seconds=Limits.for_data(file.size_bytes).seconds)
                lines = protocol.data_lines(_pieces(file.source))
                self._one("put", request, lines, limits=limits)

    def _status_of(self, found: dict[str, Any], job: str) -> JobStatus:
        if found["job"] != job:
            raise self._lie("it is of another job")
        return protocol.status_from_json(found)

    def _one(
        self,
        verb: str,
        request: dict[str, Any],
        lines: Iterable[bytes] = (),
        *,
        limits: Limits = USUAL,
    ) -> Any:  # noqa: ANN401 - as the schema of the verb says
        """The answer of one line."""
        answer = list(islice(self._ask(verb, request, lines, limits=limits), 2))
        with self._believing_nothing():
            if len(answer) != 1:
                raise ValueError("it has more than one line")
            return checked(answer[0], verb)

    def _ask(
        self,
        verb: str,
        request: dict[str, Any],
        lines: Iterable[bytes] = (),
        *,
        limits: Limits = USUAL,
    ) -> Iterator[dict[str, Any]]:
        """The lines of an answer. The light agent is sent first where it is not there."""
        head = encode({"fleet": PROTOCOL, **request})
        try:
            yield from self._talk(self._remote(verb), _chained(head, lines), limits)
        except RefusedError as error:
            if error.code != "no_agent" or self._agent is None:
                raise
            self._install(self._agent)
            yield from self._talk(self._remote(verb), _chained(head, lines), limits)

    def _remote(self, verb: str) -> list[str]:
        """What is run on the board."""
        if not self.device.agent:
            return [self.device.python, "-m", MODULE, verb]
        self._agent = self._agent or Agent()
        return self._agent.command(self.device.python, verb)

    def _install(self, agent: Agent) -> None:
        limits = Limits(seconds=Limits.for_data(len(agent.content)).seconds)
        remote = agent.command(self.device.python, "install")
        answer = list(islice(self._talk(remote, (agent.content,), limits), 2))
        with self._believing_nothing():
            checked(answer[0] if answer else {}, "put")

    def _talk(
        self, remote: list[str], request: Iterable[bytes], limits: Limits
    ) -> Iterator[dict[str, Any]]:
        """Run a command on the board; the lines of its answer.

        Raises:
            LineError: there is none.
            AnswerError: it is none.
            LeaseHeldError, RefusedError: it is an error.
        """
        conversation = self._line(self.device, remote, request, limits)
        answered = False
        for line in conversation.lines():
            answered = True
            yield self._read(line)
        if not answered:
            raise explain(self.device, conversation.status or 0, conversation.errors)
        if conversation.status:
            raise LineError(
                f"{shown(self.device.name)}: its answer was cut short: "
                f"{last_line(conversation.errors.decode(errors='replace')) or 'the line is gone'}"
            )

    def _read(self, line: bytes) -> dict[str, Any]:
        try:
            found = decode(line)
        except ValueError:
            text = shown(line.decode(errors="replace"), SHOWN_LINE)
            raise self._lie(
                f"it is no JSON: {text!r}. Does the start-up file of its shell (~/.bashrc) print "
                "something?"
            ) from None
        if "error" in found:
            with self._believing_nothing():
                raise self._refusal(checked(found, "error"))
        return found

    def _refusal(self, said: dict[str, Any]) -> FleetError:
        message = f"{shown(self.device.name)}: {shown(said['message'], MOST_MESSAGE)}"
        if said["code"] == "held":
            holder = holder_from_json(said.get("holder", {}))
            return LeaseHeldError(message, holder=holder)
        return RefusedError(message, code=said["code"])

    def _lie(self, what: str) -> AnswerError:
        return AnswerError(f"{shown(self.device.name)}: its answer was refused: {what}")

    @contextmanager
    def _believing_nothing(self) -> Iterator[None]:
        """What is wrong with an answer, as an error that names the board."""
        try:
            yield
        except ValueError as error:
            raise self._lie(str(error)) from None


def board(device: Device) -> Board:
    """A device, driven over SSH."""
    return RemoteBoard(device)


def _chained(head: bytes, lines: Iterable[bytes]) -> Iterator[bytes]:
    yield head
    yield from lines


def _data_line(line: dict[str, Any]) -> dict[str, Any]:
    for kind in ("end", "data"):
        if kind in line:
            checked(line, kind)
    return line


def _pieces(path: Path) -> Iterator[bytes]:
    """A file in pieces.

    Raises:
        FleetError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            while piece := file.read(CHUNK):
                yield piece
    except OSError as error:
        raise FleetError(f"{shown(path)}: it cannot be sent: {reason_of(error)}") from error
