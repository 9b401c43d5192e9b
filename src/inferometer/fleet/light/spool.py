"""The folder of jobs, and the files that they need by their digests: as `fleet.board.spool`."""

import hashlib
import json
import os
import re
import shutil
import tempfile
import time
from typing import Any, Dict, Iterable, List, Optional, Tuple

from inferometer.fleet.light.networks import sha256_of

KEPT_S = 30 * 86400.0


class Refusal(Exception):
    """A request that cannot be served, with its code."""

    def __init__(self, code: str, message: str) -> None:
        Exception.__init__(self, message)
        self.code = code


def spool_folder() -> str:
    """Where this user's jobs are."""
    cache = os.environ.get("INFEROMETER_CACHE")
    if not cache:
        above = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
        cache = os.path.join(above, "inferometer")
    return os.path.join(cache, "fleet")


def is_digest(text: str) -> bool:
    """Whether a text is a SHA-256."""
    return re.match("[0-9a-f]{64}$", text) is not None


class Spool:
    """Jobs and files of one user of this board."""

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def job_folder(self, job_id: str) -> str:
        """The folder of a job, whether or not it is there."""
        return os.path.join(self.folder, "jobs", job_id)

    def bundle(self, job_id: str) -> str:
        """The file of a job's results."""
        return os.path.join(self.job_folder(job_id), "bundle.jsonl")

    def has(self, digest: str) -> bool:
        """Whether a file is here."""
        return is_digest(digest) and os.path.isfile(self._blob(digest))

    def put(self, digest: str, size: int, content: Iterable[bytes]) -> None:
        """Keep a file, whole or not at all."""
        above = os.path.dirname(self._blob(digest))
        self._make(above)
        handle, name = tempfile.mkstemp(prefix=".putting-", dir=above)
        try:
            with os.fdopen(handle, "wb") as file:
                found = _copied(content, file, size)
            if found != digest:
                raise Refusal("bad_request", "a file arrived other than it was sent; send it again")
            os.rename(name, self._blob(digest))
        finally:
            if os.path.exists(name):
                os.unlink(name)

    def add(self, job: Dict[str, Any], holder: Dict[str, str]) -> None:
        """Keep what is asked of a job, with its files in the folder that it runs in."""
        folder = self.job_folder(job["id"])
        self._make(os.path.join(folder, "files"))
        _replace_json(os.path.join(folder, "job.json"), {"job": job, "holder": holder})
        for file in job.get("files", []):
            self._lay(str(file["path"]), str(file["sha256"]), os.path.join(folder, "files"))

    def asked(self, job_id: str) -> Optional[Dict[str, Any]]:
        """What was asked: `job` and `holder`; None where there is no such job."""
        return _read_json(os.path.join(self.job_folder(job_id), "job.json"))

    def state(self, job_id: str) -> Optional[Dict[str, Any]]:
        """What was last noted of a job; None where nothing was."""
        return _read_json(os.path.join(self.job_folder(job_id), "state.json"))

    def note(self, job_id: str, **values: Any) -> None:
        """Note how far a job is; on a full disk it goes on without, once it has begun."""
        path = os.path.join(self.job_folder(job_id), "state.json")
        try:
            _replace_json(path, dict(self.state(job_id) or {}, at=time.time(), **values))
        except OSError:
            if values.get("state") == "waiting":
                raise

    def ids(self) -> List[Tuple[float, str]]:
        """Jobs with the time at which each was asked, the latest first."""
        found = []
        for name in _names_in(os.path.join(self.folder, "jobs")):
            path = os.path.join(self.job_folder(name), "job.json")
            if re.match("[0-9a-f]{8}$", name) and os.path.isfile(path):
                found.append((os.path.getmtime(path), name))
        return sorted(found, reverse=True)

    def sweep(self, keep: str) -> None:
        """Remove jobs and files that nobody has used for long."""
        oldest = time.time() - KEPT_S
        for name in _names_in(os.path.join(self.folder, "jobs")):
            state = os.path.join(self.job_folder(name), "state.json")
            if name != keep and os.path.isfile(state) and os.path.getmtime(state) < oldest:
                shutil.rmtree(self.job_folder(name), ignore_errors=True)
        for name in _names_in(os.path.join(self.folder, "blobs")):
            path = self._blob(name)
            if os.path.isfile(path) and os.path.getmtime(path) < oldest:
                os.unlink(path)

    def _blob(self, digest: str) -> str:
        return os.path.join(self.folder, "blobs", digest)

    def _lay(self, path: str, digest: str, folder: str) -> None:
        parts = path.split("/")
        if os.path.isabs(path) or ".." in parts or not path:
            raise Refusal("bad_request", "the path of a file leads out of the job's folder")
        blob, place = self._blob(digest), os.path.join(folder, *parts)
        if not self.has(digest) or sha256_of(blob) != digest:
            raise Refusal("missing_file", f"the file {path} is not on this board; send it")
        self._make(os.path.dirname(place))
        os.utime(blob, None)
        if os.path.exists(place):
            os.unlink(place)
        try:
            os.link(blob, place)
        except OSError:
            shutil.copyfile(blob, place)

    def _make(self, folder: str) -> None:
        os.makedirs(folder, mode=0o700, exist_ok=True)


def _names_in(folder: str) -> List[str]:
    return os.listdir(folder) if os.path.isdir(folder) else []


def _copied(content: Iterable[bytes], file: Any, size: int) -> str:
    """Write what is sent; gives the digest of its content, and none where it is too short."""
    sha256, left = hashlib.sha256(), size
    for piece in content:
        left -= len(piece)
        if left < 0:
            raise Refusal("bad_request", "the file is longer than was said")
        sha256.update(piece)
        file.write(piece)
    return sha256.hexdigest() if not left else ""


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
