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
import tempfile
import time
import zlib
from typing import Any, Dict, Iterator, List, Optional

from inferometer.fleet.light.device import Tables, identify, python_text
from inferometer.fleet.light.lease import Held, Holder, lease_holder, take_lease
from inferometer.fleet.light.measuring import measure, settled_job, software
from inferometer.fleet.light.networks import sha256_of
from inferometer.fleet.light.power import find_sources
from inferometer.fleet.light.results import Trouble, bundle_of
from inferometer.fleet.light.runtimes import LITERT

PROTOCOL = 1
MOST_LINE = 4 << 20
CHUNK = 192 << 10
MOST_WORKLOADS = 10000
MOST_FILES = 1000
KEPT_S = 30 * 86400.0
VERBS = ("check", "have", "put", "start", "status", "jobs", "collect", "cancel")
MOST_JOBS = 1000
ENDED = "it was ended before everything was measured; starting it again goes on with it"


class Refusal(Exception):
    """A request that cannot be served, with its code."""

    def __init__(self, code: str, message: str) -> None:
        Exception.__init__(self, message)
        self.code = code


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


def spool_folder() -> str:
    """Where this user's jobs are."""
    cache = os.environ.get("INFEROMETER_CACHE")
    if not cache:
        above = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
        cache = os.path.join(above, "inferometer")
    return os.path.join(cache, "fleet")


class Board:
    """What a coordinator asks of this board."""

    def __init__(self, agent: str, tables: Tables, made: Dict[str, Any]) -> None:
        self._agent = os.path.abspath(agent)
        self._tables = tables
        self._made = made
        self._spool = spool_folder()

    def answer(self, verb: str, request: Dict[str, Any]) -> Iterator[Dict[str, Any]]:
        """The lines of an answer."""
        if verb == "check":
            yield {"check": self._facts()}
        elif verb == "have":
            yield {"have": [one for one in _digests(request) if os.path.isfile(self._blob(one))]}
        elif verb == "put":
            yield {"put": {"sha256": self._keep_blob(request)}}
        elif verb == "start":
            yield {"start": self._start(request)}
        elif verb == "jobs":
            yield {"jobs": self._known_jobs()}
        elif verb == "collect":
            for line in self._collect(_job_id(request)):
                yield line
        elif verb == "cancel":
            yield {"cancel": self._cancel(_job_id(request))}
        else:
            yield {"status": self._status(_job_id(request))}

    def _facts(self) -> Dict[str, Any]:
        place = self._spool
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

    # Files

    def _blob(self, digest: str) -> str:
        return os.path.join(self._spool, "blobs", digest)

    def _keep_blob(self, request: Dict[str, Any]) -> str:
        """Keep a file, whole or not at all."""
        digest, size = str(request.get("sha256")), request.get("bytes")
        if not _is_digest(digest) or not isinstance(size, int) or size < 0:
            raise Refusal("bad_request", "put takes a digest and a size")
        self._make(os.path.dirname(self._blob(digest)))
        handle, name = tempfile.mkstemp(prefix=".putting-", dir=os.path.dirname(self._blob(digest)))
        try:
            with os.fdopen(handle, "wb") as file:
                found = _copied(file, size)
            if found != digest:
                raise Refusal("bad_request", "a file arrived other than it was sent; send it again")
            os.rename(name, self._blob(digest))
        finally:
            if os.path.exists(name):
                os.unlink(name)
        return digest

    def _lay_out(self, job: Dict[str, Any], folder: str) -> None:
        for file in job.get("files", []):
            path, digest = str(file["path"]), str(file["sha256"])
            parts = path.split("/")
            if os.path.isabs(path) or ".." in parts or not path:
                raise Refusal("bad_request", "the path of a file leads out of the job's folder")
            blob, place = self._blob(digest), os.path.join(folder, "files", *parts)
            if not _is_digest(digest) or not os.path.isfile(blob) or sha256_of(blob) != digest:
                raise Refusal("missing_file", f"the file {path} is not on this board; send it")
            self._make(os.path.dirname(place))
            os.utime(blob, None)
            if os.path.exists(place):
                os.unlink(place)
            try:
                os.link(blob, place)
            except OSError:
                shutil.copyfile(blob, place)

    # Jobs

    def _folder(self, job_id: str) -> str:
        return os.path.join(self._spool, "jobs", job_id)

    def _start(self, request: Dict[str, Any]) -> Dict[str, Any]:
        """Begin a job, or go on with one; nothing changes where it runs or is done."""
        job = _checked_job(request.get("job"))
        job_id, folder = job["id"], self._folder(job["id"])
        before = _read_json(os.path.join(folder, "job.json"))
        if before is not None and before["job"] != job:
            raise Refusal("conflict", f"a job {job_id} is on this board, and is another")
        status = self._status(job_id)
        if before is not None and status["state"] in ("waiting", "running", "done"):
            return status
        holder = request.get("holder") or {}
        who = {name: str(holder.get(name, ""))[:100] for name in ("user", "host")}
        lease = take_lease(dict(who, job=job_id))
        try:
            self._sweep(job_id)
            self._make(os.path.join(folder, "files"))
            _replace_json(os.path.join(folder, "job.json"), {"job": job, "holder": who})
            self._lay_out(job, folder)
            self._note(job_id, state="waiting", planned=len(job["workloads"]), message="")
            self._begin(job_id, lease)
        finally:
            os.close(lease)
        return self._status(job_id)

    def _begin(self, job_id: str, lease: int) -> None:
        log = os.open(os.path.join(self._folder(job_id), "log"), os.O_CREAT | os.O_RDWR, 0o600)
        os.lseek(log, 0, os.SEEK_END)
        try:
            subprocess.Popen(
                [sys.executable, self._agent, "work", job_id, str(lease)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=(lease,),
                start_new_session=True,
                cwd=os.path.join(self._folder(job_id), "files"),
            )
        finally:
            os.close(log)

    def _status(self, job_id: str) -> Dict[str, Any]:
        state = _read_json(os.path.join(self._folder(job_id), "state.json"))
        found = {"job": job_id, "state": "gone", "done": 0, "failed": 0, "planned": 0}
        found["message"] = "the board has no such job"
        if state is None:
            return found
        for name in ("state", "done", "failed", "planned", "message"):
            found[name] = state.get(name, found[name])
        if found["state"] in ("waiting", "running"):
            holder = lease_holder()
            if holder is None or holder["job"] != job_id:
                again = _read_json(os.path.join(self._folder(job_id), "state.json")) or state
                if again.get("state") not in ("waiting", "running"):
                    return self._status(job_id)  # it ended between the two looks
                found["state"] = "gone"
                found["message"] = "its process died; starting it again goes on with it"
        return found

    def _known_jobs(self) -> List[Dict[str, Any]]:
        """The jobs that are here, the latest first."""
        above, found = os.path.join(self._spool, "jobs"), []
        for name in os.listdir(above) if os.path.isdir(above) else []:
            path = os.path.join(above, name, "job.json")
            asked = _read_json(path)
            if re.match("[0-9a-f]{8}$", name) and asked is not None:
                found.append((os.path.getmtime(path), name, asked["job"], asked["holder"]))
        found.sort(key=lambda one: one[:2], reverse=True)
        return [
            {
                "status": self._status(name),
                "group": str(job.get("group") or ""),
                "device_name": str(job.get("device_name", "")),
                "study": str(job["study"].get("name", "")),
                "holder": dict(holder, job=name),
                "started_at": at,
            }
            for at, name, job, holder in found[:MOST_JOBS]
        ]

    def _cancel(self, job_id: str) -> Dict[str, Any]:
        status = self._status(job_id)
        state = _read_json(os.path.join(self._folder(job_id), "state.json")) or {}
        if status["state"] in ("waiting", "running") and isinstance(state.get("pid"), int):
            os.kill(state["pid"], signal.SIGTERM)
            end = time.monotonic() + 20
            while self._status(job_id)["state"] == "running" and time.monotonic() < end:
                time.sleep(0.05)
        return self._status(job_id)

    def _collect(self, job_id: str) -> Iterator[Dict[str, Any]]:
        """What is there so far, as a bundle, compressed."""
        path = os.path.join(self._folder(job_id), "bundle.jsonl")
        if not os.path.isfile(os.path.join(self._folder(job_id), "job.json")):
            raise Refusal("unknown_job", f"this board has no job {job_id}")
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
        folder = self._folder(job_id)
        job = (_read_json(os.path.join(folder, "job.json")) or {})["job"]
        self._note(job_id, state="running", pid=os.getpid())
        path = os.path.join(folder, "bundle.jsonl")
        job = settled_job(job, [os.path.join(folder, "files")])

        def tell(line: str) -> None:
            sys.stdout.write(line + "\n")
            sys.stdout.flush()
            found = re.match(r"\[(\d+)/(\d+)\]", line)
            if found:
                done = int(found.group(1))
                self._note(job_id, done=done, failed=_failed_in(path))

        try:
            results = measure(
                self._agent, job, path, tables=self._tables, made=self._made, tell=tell
            )
            failed = sum(status == "failed" for status in results.records.values())
            done = len(results.records)
            self._note(job_id, state="done", message="", done=done, failed=failed)
        except KeyboardInterrupt:
            self._note(job_id, state="failed", message=ENDED)
        except Exception as error:  # noqa: BLE001 - told by the board
            text = str(error) if isinstance(error, Trouble) else f"{type(error).__name__}: {error}"
            self._note(job_id, state="failed", message=text[:500])
        return 0

    def _note(self, job_id: str, **values: Any) -> None:
        path = os.path.join(self._folder(job_id), "state.json")
        try:
            _replace_json(path, dict(_read_json(path) or {}, at=time.time(), **values))
        except OSError:
            if values.get("state") == "waiting":
                raise

    def _sweep(self, keep: str) -> None:
        """Remove jobs and files that nobody has used for long."""
        oldest = time.time() - KEPT_S
        jobs = os.path.join(self._spool, "jobs")
        for name in os.listdir(jobs) if os.path.isdir(jobs) else []:
            state = os.path.join(jobs, name, "state.json")
            if name != keep and os.path.isfile(state) and os.path.getmtime(state) < oldest:
                shutil.rmtree(os.path.join(jobs, name), ignore_errors=True)
        blobs = os.path.join(self._spool, "blobs")
        for name in os.listdir(blobs) if os.path.isdir(blobs) else []:
            path = os.path.join(blobs, name)
            if os.path.isfile(path) and os.path.getmtime(path) < oldest:
                os.unlink(path)

    def _make(self, folder: str) -> None:
        os.makedirs(folder, mode=0o700, exist_ok=True)


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
    return [str(one) for one in asked if _is_digest(str(one))]


def _is_digest(text: str) -> bool:
    return re.match("[0-9a-f]{64}$", text) is not None


def _copied(file: Any, size: int) -> str:
    """Write what is sent; gives the digest of its content."""
    sha256, left = hashlib.sha256(), size
    while True:
        line = _line()
        if line.get("end"):
            return sha256.hexdigest() if not left else ""
        try:
            piece = base64.b64decode(str(line.get("data", "")), validate=True)
        except ValueError:
            raise Refusal("bad_request", "a line of data is not base64")
        left -= len(piece)
        if left < 0:
            raise Refusal("bad_request", "the file is longer than was said")
        sha256.update(piece)
        file.write(piece)


def _read_json(path: str) -> Optional[Dict[str, Any]]:
    try:
        with open(path, "rb") as stream:
            found = json.loads(stream.read(64 << 20).decode())
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def _replace_json(path: str, data: Dict[str, Any]) -> None:
    beside = f"{path}.{os.getpid()}"
    with open(beside, "w") as stream:
        json.dump(data, stream)
        stream.flush()
        os.fsync(stream.fileno())
    os.rename(beside, path)


def holder_here(run_id: str) -> Holder:
    """Who measures, where somebody started the agent by hand."""
    user = os.environ.get("USER") or os.environ.get("LOGNAME") or str(os.getuid())
    return {"user": user, "host": os.uname()[1], "job": run_id}
