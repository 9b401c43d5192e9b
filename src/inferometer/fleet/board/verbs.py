"""The verbs of the protocol, as a full board answers them.

Each verb reads a request from standard input, answers on standard output, and ends. Only a job's
own process goes on. `docs/reference/fleet-protocol.md` says what the lines hold.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO, get_args

from inferometer.core.errors import FAULT, InputError, in_one_line
from inferometer.core.shown import shown
from inferometer.fleet import protocol
from inferometer.fleet.board.spool import Spool, spool_folder, writing
from inferometer.fleet.protocol import CHUNK, Limits, decode, encode, read_lines
from inferometer.fleet.types import (
    PROTOCOL,
    JobStatus,
    RefusedError,
    State,
)
from inferometer.host.lease import (
    Holder,
    LeaseHeldError,
    holder_from_json,
    holder_now,
    holder_to_json,
    take,
)

CANCEL_S = 20.0
"""How long a job that is cancelled may take to write down what it has."""
POLL_S = 0.05
LONGEST_LOG_LINE = 300

REQUEST = Limits(total_bytes=protocol.MOST_FILES_BYTES * 3 // 2)

Answer = Iterator[dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Request:
    """What a coordinator asks.

    Attributes:
        head: the first line.
        rest: the lines after it.
        spool: of this board.
    """

    head: dict[str, Any]
    rest: Iterable[dict[str, Any]]
    spool: Spool

    def text(self, name: str) -> str:
        """A text of the first line.

        Raises:
            RefusedError: it is not there.
        """
        value = self.head.get(name)
        if not isinstance(value, str):
            raise RefusedError(f"the request has no {name}", code="bad_request")
        return value


def check(request: Request) -> Answer:
    """What this board is and has."""
    from inferometer.fleet.board.facts import facts

    yield {"check": facts(request.spool.folder)}


def have(request: Request) -> Answer:
    """Which of the named files are here."""
    yield {"have": request.spool.held(_texts(request.head.get("files")))}


def put(request: Request) -> Answer:
    """Keep a file."""
    digest, size = request.text("sha256"), request.head.get("bytes")
    if not isinstance(size, int) or not 0 <= size <= protocol.MOST_FILES_BYTES:
        raise RefusedError("the size of a file is no number of bytes", code="bad_request")
    request.spool.put(digest, size, protocol.data_of(request.rest))
    yield {"put": {"sha256": digest}}


def start(request: Request) -> Answer:
    """Start a job, unless it runs or is done."""
    job, holder = request.head.get("job"), request.head.get("holder")
    if not isinstance(job, dict) or not isinstance(holder, dict):
        raise RefusedError("the request has no job, or no holder", code="bad_request")
    job_id, spool = str(job.get("id")), request.spool
    spool.check_same(job_id, job)
    if status_of(spool, job_id).state not in ("running", "waiting", "done"):
        try:
            _begin(spool, job, holder)
        except LeaseHeldError as error:
            if error.holder.job != job_id:  # else it was asked twice at once
                raise
    yield {"start": protocol.status_to_json(status_of(spool, job_id))}


def status(request: Request) -> Answer:
    """How far a job is."""
    yield {"status": protocol.status_to_json(status_of(request.spool, request.text("job")))}


def jobs(request: Request) -> Answer:
    """The jobs that are here."""
    spool = request.spool
    yield {"jobs": [one for job in spool.ids() if (one := _known(spool, job)) is not None]}


def asked(request: Request) -> Answer:
    """A job as it was asked."""
    yield {"asked": _asked(request)}


def collect(request: Request) -> Answer:
    """What a job has measured so far."""
    from inferometer.fleet.board.bundling import bundle_of_job

    job_id = request.text("job")
    _asked(request)
    content = bundle_of_job(request.spool, job_id)
    yield {"collect": {"job": job_id, "bytes": len(content), "sha256": sha256(content).hexdigest()}}
    pieces = (content[at : at + CHUNK] for at in range(0, len(content), CHUNK))
    yield from map(decode, protocol.data_lines(pieces))


def _asked(request: Request) -> dict[str, Any]:
    """The job that a request names, as it was asked.

    Raises:
        RefusedError: there is none.
    """
    job_id = request.text("job")
    found = (request.spool.asked(job_id) or {}).get("job")
    if not isinstance(found, dict):
        raise RefusedError(f"there is no job {job_id} on this board", code="unknown_job")
    return found


def cancel(request: Request) -> Answer:
    """End a job; what it has measured is kept."""
    job_id = request.text("job")
    begin, asked = time.monotonic(), False
    while is_measuring(job_id) and time.monotonic() < begin + 2 * CANCEL_S:
        pid = request.spool.state(job_id).get("pid")
        is_late = time.monotonic() > begin + CANCEL_S
        if isinstance(pid, int) and pid > 1 and (is_late or not asked):
            asked = True
            with suppress(OSError):
                # Politely the process alone, which ends its workers; else all of its session.
                os.killpg(pid, signal.SIGKILL) if is_late else os.kill(pid, signal.SIGTERM)
        time.sleep(POLL_S)
    yield {"cancel": protocol.status_to_json(status_of(request.spool, job_id))}


VERBS: dict[str, Callable[[Request], Answer]] = {
    "check": check,
    "have": have,
    "put": put,
    "start": start,
    "status": status,
    "jobs": jobs,
    "asked": asked,
    "collect": collect,
    "cancel": cancel,
}


def status_of(spool: Spool, job: str) -> JobStatus:
    """How far a job is, by what its process noted and whether that is alive."""
    is_alive = is_measuring(job)  # before its state, which it notes before it lets go
    state = spool.state(job)
    found = _state(state.get("state", "waiting" if is_alive else "gone"))
    message = str(state.get("message", ""))
    if found in ("waiting", "running") and not is_alive:
        found = "gone"
        message = (
            f"its process died; starting the job again goes on with it{_last_words(spool, job)}"
        )
    elif found == "gone":
        message = "it was never begun here"
    return JobStatus(
        job=job,
        state=found,
        done=int(state.get("done", 0)),
        failed=int(state.get("failed", 0)),
        planned=int(state.get("planned", 0)),
        message=message,
    )


def _state(noted: object) -> State:
    """What was noted as a state; `gone` where that is none."""
    return next((one for one in get_args(State) if one == noted), "gone")


def is_measuring(job: str) -> bool:
    """Whether a job's process is alive: it has the lease."""
    holder = holder_now()
    return holder is not None and holder.job == job


def _last_words(spool: Spool, job: str) -> str:
    """The last line that a job's process printed, which may be why it died."""
    with suppress(OSError), (spool.job_folder(job) / "log").open("rb") as log:
        log.seek(max(0, log.seek(0, os.SEEK_END) - 4096))
        lines = log.read().decode(errors="replace").split("\n")
        last = next((line for line in reversed(lines) if line.strip()), "")
        return f" (it said: {shown(last.strip(), LONGEST_LOG_LINE)})" if last else ""
    return ""


def _begin(spool: Spool, job: dict[str, Any], holder: dict[str, Any]) -> None:
    """Start the process of a job, which has the lease from here on.

    Raises:
        LeaseHeldError: somebody else measures here.
        RefusedError: a file is missing, or the spool cannot be written.
    """
    job_id = str(job["id"])
    who = Holder(user=str(holder.get("user")), host=str(holder.get("host")), job=job_id)
    folder = spool.job_folder(job_id)
    lease = take(who)
    try:
        spool.add(job_id, {"job": job, "holder": {**holder, "since": time.time()}})
        spool.lay_out(job_id, job.get("files", []))
        with writing(folder):
            spool.sweep(keep=job_id)
            spool.note(job_id, state="waiting", planned=len(job.get("workloads", [])), message="")
            with (folder / "log").open("wb") as log:
                _detach(job_id, lease, folder, log)
    finally:
        os.close(lease)


def _detach(job_id: str, lease: int, folder: Path, log: BinaryIO) -> None:
    """Start the process of a job: a session of its own, so that it goes on when the line drops."""
    command = [sys.executable, "-m", "inferometer.fleet.board.measuring", job_id, str(lease)]
    subprocess.Popen(
        command,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        start_new_session=True,
        pass_fds=(lease,),
    )


def _known(spool: Spool, job_id: str) -> dict[str, Any] | None:
    """A job in the list of jobs; None where it cannot be read."""
    asked = spool.asked(job_id)
    if asked is None:
        return None
    job, holder = asked.get("job"), asked.get("holder")
    if not isinstance(job, dict) or not isinstance(holder, dict):
        return None
    study = job.get("study")
    who = holder_from_json(holder)
    return {
        "status": protocol.status_to_json(status_of(spool, job_id)),
        "group": str(job.get("group", "")),
        "device_name": str(job.get("device_name", "")),
        "study": str(study.get("name", "")) if isinstance(study, dict) else "",
        "holder": holder_to_json(who),
        "started_at": who.since,
    }


def _texts(value: object) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else []


def answer(verb: str, stream: BinaryIO, spool: Spool) -> Answer:
    """The answer to a request, an error among them."""
    try:
        lines = map(decode, read_lines(stream, REQUEST))
        request = Request(head=next(lines, {}), rest=lines, spool=spool)
        yield from _verb(verb, request.head)(request)
    except LeaseHeldError as error:
        yield _error("held", str(error), holder=holder_to_json(error.holder))
    except RefusedError as error:
        yield _error(error.code, str(error))
    except InputError as error:
        yield _error("unsupported", str(error))
    except ValueError as error:
        yield _error("bad_request", f"the request cannot be read: {in_one_line(error)}")
    except Exception as error:  # noqa: BLE001 - the coordinator tells it
        yield _error("fault", f"{FAULT} on the board: {in_one_line(error)}")


def _verb(name: str, head: dict[str, Any]) -> Callable[[Request], Answer]:
    """What answers a verb.

    Raises:
        RefusedError: there is no such verb, or the request is of another protocol.
    """
    if head.get("fleet") != PROTOCOL:
        raise RefusedError(
            f"this board speaks protocol {PROTOCOL} of fleets; install the same version of "
            "inferometer on both sides",
            code="bad_request",
        )
    if name not in VERBS:
        raise RefusedError(f"there is no verb {shown(repr(name))}", code="bad_request")
    return VERBS[name]


def _error(code: str, message: str, **more: object) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, **more}}


def main(argv: list[str]) -> int:
    """Answer one request; status 1 where nobody is there any more to hear it."""
    verb = argv[0] if argv else ""
    out = sys.stdout.buffer
    try:
        for line in answer(verb, sys.stdin.buffer, Spool(spool_folder())):
            out.write(encode(line))
        out.flush()
    except BrokenPipeError:
        os.dup2(
            os.open(os.devnull, os.O_WRONLY), out.fileno()
        )  # else Python tells of it at its end
        return 1
    return 0
