"""The folder in which a board keeps jobs, and the files that they need by their digests."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import Any

from inferometer.core.filenames import reason_of
from inferometer.core.shown import shown
from inferometer.fleet.protocol import MOST_JOBS, MOST_LINE
from inferometer.fleet.types import JOB_ID, RefusedError
from inferometer.host.cachefolder import cache_folder

DIGEST = re.compile(r"[0-9a-f]{64}")
KEPT_S = 30 * 86400.0
"""Jobs that ended longer ago are removed, and files that none has used for as long."""

MOST_STATE_BYTES = 64 << 10
FULL = {errno.ENOSPC, errno.EDQUOT}


def spool_folder() -> Path:
    """Where this user's jobs are."""
    return cache_folder() / "fleet"


class Spool:
    """Jobs and files of one user of a board.

    Args:
        folder: holds them; made when it is first written to.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.blobs = folder / "blobs"

    def job_folder(self, job: str) -> Path:
        """The folder of a job, whether or not it is there.

        Raises:
            RefusedError: that is no id of a job.
        """
        if not JOB_ID.fullmatch(job):
            raise RefusedError(f"{shown(repr(job))} is no id of a job", code="bad_request")
        return self.folder / "jobs" / job

    def held(self, digests: Iterable[str]) -> list[str]:
        """Those digests whose files are here; each counts as used now."""
        found = []
        for digest in digests:
            with suppress(OSError):
                if DIGEST.fullmatch(digest):
                    os.utime(self.blobs / digest)
                    found.append(digest)
        return found

    def put(self, digest: str, size_bytes: int, content: Iterable[bytes]) -> None:
        """Keep a file, whole or not at all.

        Raises:
            RefusedError: the content is not what the digest says, or cannot be written.
        """
        if not DIGEST.fullmatch(digest):
            raise RefusedError(f"{shown(repr(digest))} is no digest", code="bad_request")
        with writing(self.blobs):
            self._make(self.blobs)
            handle, name = tempfile.mkstemp(prefix=".putting-", dir=self.blobs)
            try:
                with os.fdopen(handle, "wb") as file:
                    found = _copy(content, file.write, size_bytes)
                if found != digest:
                    raise RefusedError(
                        "a file arrived other than it was sent; send it again", code="bad_request"
                    )
                Path(name).chmod(0o400)
                Path(name).rename(self.blobs / digest)
            finally:
                with suppress(OSError):
                    Path(name).unlink()

    def check_same(self, job: str, asked: Mapping[str, Any]) -> None:
        """See that a job is the one that is here, if there is one.

        Raises:
            RefusedError: another job of that id is here.
        """
        before = self.asked(job)
        if before is not None and before.get("job") != asked:
            raise RefusedError(
                f"a job {job} is on this board, and is another; start it under a new id",
                code="conflict",
            )

    def add(self, job: str, asked: Mapping[str, Any]) -> None:
        """Keep what is asked of a job, `job` and `holder`, the first time.

        Raises:
            RefusedError: it cannot be written.
        """
        folder = self.job_folder(job)
        if self.asked(job) is None:
            with writing(folder):
                self._make(folder)
                replace_file(folder / "job.json", asked)

    def asked(self, job: str) -> dict[str, Any] | None:
        """What was asked: `job` and `holder`; None where there is no such job."""
        return read_object(self.job_folder(job) / "job.json", MOST_LINE)

    def state(self, job: str) -> dict[str, Any]:
        """What was last noted of a job; empty where nothing was."""
        return read_object(self.job_folder(job) / "state.json", MOST_STATE_BYTES) or {}

    def note(self, job: str, **values: object) -> None:
        """Note how far a job is; a value stays until another is noted.

        Raises:
            OSError: it cannot be written.
        """
        state = {**self.state(job), **values, "at": time.time()}
        replace_file(self.job_folder(job) / "state.json", state)

    def lay_out(self, job: str, files: Sequence[Mapping[str, Any]]) -> Path:
        """Put a job's files into the folder that it runs in.

        Raises:
            RefusedError: one is not here, is damaged, or would lie outside of the folder.
        """
        folder = self.job_folder(job) / "files"
        with writing(folder):
            self._make(folder)
            for file in files:
                place = folder / inside(str(file["path"]))
                self._make(place.parent)
                self._lay(str(file["sha256"]), place)
        return folder

    def _lay(self, digest: str, place: Path) -> None:
        blob = self.blobs / digest
        if not DIGEST.fullmatch(digest) or digest_of(blob) != digest:
            with suppress(OSError):
                if DIGEST.fullmatch(digest):
                    blob.unlink()
            raise RefusedError(
                f"the file {shown(place.name)} is not on this board, or is damaged; send it again",
                code="missing_file",
            )
        if place.exists():
            place.unlink()
        try:
            os.link(blob, place)
        except OSError:
            shutil.copyfile(blob, place)

    def ids(self) -> list[str]:
        """Jobs, the latest first."""
        found: list[tuple[float, str]] = []
        with suppress(OSError):
            for entry in os.scandir(self.folder / "jobs"):
                with suppress(OSError):
                    if JOB_ID.fullmatch(entry.name):
                        found.append((os.stat(f"{entry.path}/job.json").st_mtime, entry.name))  # noqa: PTH116 - of many
        return [job for _, job in sorted(found, reverse=True)[:MOST_JOBS]]

    def sweep(self, *, keep: str, now: float | None = None) -> None:
        """Remove what has not been used for long.

        Args:
            keep: a job that stays, whatever its age.
            now: Unix time.
        """
        oldest = (time.time() if now is None else now) - KEPT_S
        for job in self.ids():
            folder = self.job_folder(job)
            newest = max(_changed(folder / name) for name in ("job.json", "state.json"))
            if job != keep and newest < oldest:
                shutil.rmtree(folder, ignore_errors=True)
        with suppress(OSError):
            for blob in list(self.blobs.iterdir()):
                if _changed(blob) < oldest:
                    blob.unlink()

    def _make(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o700)


def inside(path: str) -> PurePosixPath:
    """A relative path that stays below the folder that it is put in.

    Raises:
        RefusedError: it does not.
    """
    found = PurePosixPath(path)
    odd = not found.parts or found.is_absolute() or ".." in found.parts or "\0" in path
    if odd:
        raise RefusedError(
            f"{shown(repr(path))} is no place in the folder of a job", code="bad_request"
        )
    return found


@contextmanager
def writing(place: Path) -> Iterator[None]:
    """What the system says of a spool that cannot be written, in the protocol's codes.

    Raises:
        RefusedError: why.
    """
    try:
        yield
    except OSError as error:
        code = "no_space" if error.errno in FULL else "read_only"
        raise RefusedError(
            f"the board cannot keep {shown(place)}: {reason_of(error)}; make room there, or let "
            "INFEROMETER_CACHE name another folder",
            code=code,
        ) from error


def replace_file(path: Path, data: Mapping[str, Any]) -> None:
    """Write a file of JSON as a whole, in place of an earlier one.

    Raises:
        OSError: it cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_text(json.dumps(data), encoding="utf-8")
        temporary.replace(path)
    finally:
        with suppress(OSError):
            temporary.unlink()


def read_object(path: Path, at_most: int) -> dict[str, Any] | None:
    """The object in a file of JSON; None where there is none."""
    with suppress(OSError, ValueError, RecursionError):
        with path.open("rb") as file:
            found = json.loads(file.read(at_most * 2))
        return found if isinstance(found, dict) else None
    return None


def digest_of(path: Path) -> str:
    """SHA-256 of a file; empty where it cannot be read."""
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    except OSError:
        return ""
    return digest.hexdigest()


def _copy(content: Iterable[bytes], write: Any, size_bytes: int) -> str:  # noqa: ANN401 - a method
    """Write content, and give its digest.

    Raises:
        RefusedError: it is not of that size.
    """
    digest, written = hashlib.sha256(), 0
    for piece in content:
        written += len(piece)
        if written > size_bytes:
            break
        digest.update(piece)
        write(piece)
    if written != size_bytes:
        raise RefusedError("a file has another size than was said", code="bad_request")
    return digest.hexdigest()


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
