"""The verbs of a fleet: a request from standard input, an answer to standard output, the end.

As `docs/reference/fleet-protocol.md` says; nothing here listens, and nothing waits.
"""

import base64
import errno
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import zlib
from typing import Any, Dict, Iterator, List

from inferometer.fleet.light.device import Tables, identify, python_text
from inferometer.fleet.light.lease import Held, Holder, lease_holder, take_lease
from inferometer.fleet.light.measuring import measure, settled_job, software
from inferometer.fleet.light.power import find_sources
from inferometer.fleet.light.results import Trouble, bundle_of
from inferometer.fleet.light.runtimes import LITERT
from inferometer.fleet.light.spool import Refusal, Spool, is_digest, spool_folder

PROTOCOL = 1
MOST_LINE = 4 << 20
CHUNK = 192 << 10
MOST_WORKLOADS = 10000
MOST_FILES = 1000
VERBS = ("check", "have", "put", "start", "status", "jobs", "asked", "collect", "cancel")
MOST_JOBS = 1000
ENDED = "it was ended before everything was measured; starting it again goes on with it"


def serve(agent: str, verb: str, tables: Tables, made: Dict[str, Any]) -> int:
    """Answer one request."""
    try:
        lines = Board(agent, tables, made).answer(verb, _request())
        for line in lines:
            _put(line)
    except Held as held:
        _put({"error": {"code": "held", "message": str(held), "holder": held.holder}})
    except Refusal as refusal:
        _put({"error": {"code": refusal.code, "message": str(refusal)}})
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        closed = error.errno in (errno.EACCES, errno.EPERM, errno.EROFS)
        code = "no_space" if full else "read_only" if closed else "fault"
        said = f"{error.filename or spool_folder()}: {error.strerror}"
        _put({"error": {"code": code, "message": said}})
    except Exception as error:  # noqa: BLE001 - whatever it is, the coordinator is told
        said = f"{type(error).__name__}: {error}"
        _put({"error": {"code": "fault", "message": said[:500]}})
    return 0


def _put(line: Dict[str, Any]) -> None:
    text = json.dumps(line, separators=(",", ":"), allow_nan=False)
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _request() -> Dict[str, Any]:
    found = _line()
    if found.get("fleet") != PROTOCOL:
        raise Refusal("bad_request", f"this agent speaks protocol {PROTOCOL} of fleets")
    return found


def _line() -> Dict[str, Any]:
    line = sys.stdin.buffer.readline(MOST_LINE + 1)
    try:
        found = json.loads(line.decode("utf-8"))
    except (ValueError, RecursionError):
        found = None
    if len(line) > MOST_LINE or not isinstance(found, dict):
        raise Refusal("bad_request", "the request is no line of JSON")
    return found


class Board:
    """What a coordinator asks of this board."""

    def __init__(self, agent: str, tables: Tables, made: Dict[str, Any]) -> None:
        self._agent = os.path.abspath(agent)
        self._tables = tables
        self._made = made
        self._spool = Spool(spool_folder())

    def answer(self, verb: str, request: Dict[str, Any]) -> Iterator[Dict[str, Any]]:
        """The lines of an answer."""
        if verb == "check":
            yield {"check": self._facts()}
        elif verb == "have":
            yield {"have": [one for one in _digests(request) if self._spool.has(one)]}
        elif verb == "put":
            yield {"put": {"sha256": self._keep_blob(request)}}
        elif verb == "start":
            yield {"start": self._start(request)}
        elif verb == "jobs":
            yield {"jobs": self._known_jobs()}
        elif verb == "asked":
            yield {"asked": self._asked(_job_id(request))}
        elif verb == "collect":
            for line in self._collect(_job_id(request)):
                yield line
        elif verb == "cancel":
            yield {"cancel": self._cancel(_job_id(request))}
        else:
            yield {"status": self._status(_job_id(request))}

    def _facts(self) -> Dict[str, Any]:
        place = self._spool.folder
        while not os.path.isdir(place):
            place = os.path.dirname(place)
        return {
            "protocol": PROTOCOL,
            "kind": "agent",
            "version": self._made["version"],
            "python": python_text(),
            "device": identify("/", self._tables),
            "software": software(),
            "backends": _backends(),
            "power": [source.info["name"] for source in find_sources("/")],
            "time": time.time(),
            "free_bytes": shutil.disk_usage(place).free,
            "writable": os.access(place, os.W_OK),
            "holder": lease_holder(),
        }

    def _keep_blob(self, request: Dict[str, Any]) -> str:
        digest, size = str(request.get("sha256")), request.get("bytes")
        if not is_digest(digest) or not isinstance(size, int) or size < 0:
            raise Refusal("bad_request", "put takes a digest and a size")
        self._spool.put(digest, size, _pieces())
        return digest

    # Jobs

    def _start(self, request: Dict[str, Any]) -> Dict[str, Any]:
        """Begin a job, or go on with one; nothing changes where it runs or is done."""
        job = _checked_job(request.get("job"))
        job_id = job["id"]
        before = self._spool.asked(job_id)
        if before is not None and before["job"] != job:
            raise Refusal("conflict", f"a job {job_id} is on this board, and is another")
        status = self._status(job_id)
        if before is not None and status["state"] in ("waiting", "running", "done"):
            return status
        holder = request.get("holder") or {}
        who = {name: str(holder.get(name, ""))[:100] for name in ("user", "host")}
        lease = take_lease(dict(who, job=job_id))
        try:
            self._spool.sweep(job_id)
            self._spool.add(job, who)
            self._spool.note(job_id, state="waiting", planned=len(job["workloads"]), message="")
            self._begin(job_id, lease)
        finally:
            os.close(lease)
        return self._status(job_id)

    def _begin(self, job_id: str, lease: int) -> None:
        folder = self._spool.job_folder(job_id)
        log = os.open(os.path.join(folder, "log"), os.O_CREAT | os.O_RDWR, 0o600)
        os.lseek(log, 0, os.SEEK_END)
        try:
            subprocess.Popen(
                [sys.executable, self._agent, "work", job_id, str(lease)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=(lease,),
                start_new_session=True,
                cwd=os.path.join(folder, "files"),
            )
        finally:
            os.close(log)

    def _status(self, job_id: str) -> Dict[str, Any]:
        state = self._spool.state(job_id)
        found = {"job": job_id, "state": "gone", "done": 0, "failed": 0, "planned": 0}
        found["message"] = "the board has no such job"
        if state is None:
            return found
        for name in ("state", "done", "failed", "planned", "message"):
            found[name] = state.get(name, found[name])
        if found["state"] in ("waiting", "running"):
            holder = lease_holder()
            if holder is None or holder["job"] != job_id:
                again = self._spool.state(job_id) or state
                if again.get("state") not in ("waiting", "running"):
                    return self._status(job_id)  # it ended between the two looks
                found["state"] = "gone"
                found["message"] = "its process died; starting it again goes on with it"
        return found

    def _known_jobs(self) -> List[Dict[str, Any]]:
        """The jobs that are here, the latest first."""
        asked = [(at, name, self._spool.asked(name)) for at, name in self._spool.ids()[:MOST_JOBS]]
        return [
            {
                "status": self._status(name),
                "group": str(one["job"].get("group") or ""),
                "device_name": str(one["job"].get("device_name", "")),
                "study": str(one["job"]["study"].get("name", "")),
                "holder": dict(one["holder"], job=name),
                "started_at": at,
            }
            for at, name, one in asked
            if one is not None
        ]

    def _asked(self, job_id: str) -> Dict[str, Any]:
        found = self._spool.asked(job_id)
        if found is None:
            raise Refusal("unknown_job", f"this board has no job {job_id}")
        return dict(found["job"])

    def _cancel(self, job_id: str) -> Dict[str, Any]:
        status = self._status(job_id)
        state = self._spool.state(job_id) or {}
        if status["state"] in ("waiting", "running") and isinstance(state.get("pid"), int):
            os.kill(state["pid"], signal.SIGTERM)
            end = time.monotonic() + 20
            while self._status(job_id)["state"] == "running" and time.monotonic() < end:
                time.sleep(0.05)
        return self._status(job_id)

    def _collect(self, job_id: str) -> Iterator[Dict[str, Any]]:
        """What is there so far, as a bundle, compressed."""
        path = self._spool.bundle(job_id)
        self._asked(job_id)
        if not os.path.isfile(path) or not os.path.getsize(path):
            raise Refusal("nothing_yet", f"job {job_id} has measured nothing yet")
        squeeze = zlib.compressobj(1, zlib.DEFLATED, 31)
        content = squeeze.compress(bundle_of(path)[0]) + squeeze.flush()
        sha256 = hashlib.sha256(content).hexdigest()
        yield {"collect": {"job": job_id, "bytes": len(content), "sha256": sha256}}
        for place in range(0, len(content), CHUNK):
            piece = base64.b64encode(content[place : place + CHUNK]).decode()
            yield {"data": piece}
        yield {"end": True}

    def work(self, job_id: str, lease: int) -> int:
        """The process of a job, which has the lease from whoever started it."""
        os.set_inheritable(lease, False)
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        job = (self._spool.asked(job_id) or {})["job"]
        self._spool.note(job_id, state="running", pid=os.getpid())
        path = self._spool.bundle(job_id)
        job = settled_job(job, [os.path.join(self._spool.job_folder(job_id), "files")])

        def tell(line: str) -> None:
            sys.stdout.write(line + "\n")
            sys.stdout.flush()
            found = re.match(r"\[(\d+)/(\d+)\]", line)
            if found:
                done = int(found.group(1))
                self._spool.note(job_id, done=done, failed=_failed_in(path))

        try:
            results = measure(
                self._agent, job, path, tables=self._tables, made=self._made, tell=tell
            )
            failed = sum(status == "failed" for status in results.records.values())
            done = len(results.records)
            self._spool.note(job_id, state="done", message="", done=done, failed=failed)
        except KeyboardInterrupt:
            self._spool.note(job_id, state="failed", message=ENDED)
        except Exception as error:  # noqa: BLE001 - told by the board
            text = str(error) if isinstance(error, Trouble) else f"{type(error).__name__}: {error}"
            self._spool.note(job_id, state="failed", message=text[:500])
        return 0


def _failed_in(path: str) -> int:
    """How many records of a file say failed; each is a line of its own."""
    with open(path, "rb") as stream:
        return sum(b'"status":"failed"' in line for line in stream if line.startswith(b'{"record"'))


def _backends() -> List[str]:
    import importlib.util

    def there(name: str) -> bool:
        try:
            return importlib.util.find_spec(name) is not None
        except (ImportError, ValueError):
            return False

    found = ["torch", "torchscript"] if there("torch") else []
    found += ["onnxruntime"] if there("onnxruntime") else []
    found += ["litert"] if any(map(there, LITERT)) else []
    return found + ["python"]


def _checked_job(job: Any) -> Dict[str, Any]:
    """A job that can be begun."""
    if not isinstance(job, dict) or not re.match("[0-9a-f]{8}$", str(job.get("id"))):
        raise Refusal("bad_request", "start takes a job with an id of eight hexadecimal digits")
    workloads, files = job.get("workloads"), job.get("files", [])
    if (
        not isinstance(workloads, list)
        or not isinstance(files, list)
        or not 0 < len(workloads) <= MOST_WORKLOADS
        or len(files) > MOST_FILES
    ):
        raise Refusal("bad_request", "the job has no workloads, or too many")
    study = job.get("study")
    if not isinstance(study, dict) or not {"name", "sweep", "procedure"} <= set(study):
        raise Refusal("bad_request", "the job holds no study")
    ways = ("pair", "sustain_s", "find_cliff", "data")
    asked = [name for name in ways if study["procedure"].get(name)]
    if asked:
        raise Refusal("unsupported", f"the light agent does not measure {' or '.join(asked)}")
    if job.get("meters"):
        raise Refusal("unsupported", "the light agent reads the board's own sensors alone")
    return job


def _job_id(request: Dict[str, Any]) -> str:
    found = str(request.get("job"))
    if not re.match("[0-9a-f]{8}$", found):
        raise Refusal("bad_request", "that is no id of a job")
    return found


def _digests(request: Dict[str, Any]) -> List[str]:
    asked = request.get("files")
    if not isinstance(asked, list) or len(asked) > MOST_FILES:
        raise Refusal("bad_request", "have takes a list of digests")
    return [str(one) for one in asked if is_digest(str(one))]


def _pieces() -> Iterator[bytes]:
    """The content of a file, as it is sent."""
    while True:
        line = _line()
        if line.get("end"):
            return
        try:
            yield base64.b64decode(str(line.get("data", "")), validate=True)
        except ValueError:
            raise Refusal("bad_request", "a line of data is not base64")


def holder_here(run_id: str) -> Holder:
    """Who measures, where somebody started the agent by hand."""
    user = os.environ.get("USER") or os.environ.get("LOGNAME") or str(os.getuid())
    return {"user": user, "host": os.uname()[1], "job": run_id}
