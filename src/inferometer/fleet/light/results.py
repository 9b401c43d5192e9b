"""The file of results: JSON Lines that grow while a run goes on, and can be gone on with.

The format is that of `docs/reference/bundle.md`, without figures.
"""

import errno
import hashlib
import json
import os
import time
from typing import Any, Dict, List, Optional, Tuple

FLUSH_EVERY_S = 1.0
_PLACE = 24
"""Characters kept in the first line for the time at which the run will have finished."""


class Trouble(Exception):
    """What the user has to do something about; the message is a sentence."""


def digest(data: Any) -> str:
    """Sixteen hexadecimal digits of the SHA-256 of an object's canonical JSON."""
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def key_of(workload: Dict[str, Any]) -> str:
    """The key of a workload: `core.workload.Workload.key`."""
    flat = dict(workload)
    if not flat.get("options"):
        flat.pop("options", None)
    return digest(flat)


def signature_of(study: Dict[str, Any]) -> str:
    """The signature of a study: `core.sweep.Study.signature`."""
    left_out = ("description", "hypotheses")
    data = {name: value for name, value in study.items() if name not in left_out}
    procedure = dict(data["procedure"])
    for name in ("budget_s", "roofline", "operator_times"):
        procedure.pop(name, None)
    data["sweep"] = dict(data["sweep"])
    if not data["sweep"].get("options"):
        data["sweep"].pop("options", None)
    for name in ("find_cliff", "data", "metric", "control"):
        if not procedure.get(name):
            procedure.pop(name, None)
    data["procedure"] = procedure
    return digest(data)


def line_of(data: Any) -> bytes:
    """One line of the file."""
    return json.dumps(data, separators=(",", ":"), allow_nan=False).encode() + b"\n"


def first_line(header: Dict[str, Any], finished_at: Optional[float]) -> bytes:
    """The header, with a place of fixed length for the time of the end as its last value."""
    run = dict(header["run"])
    run.pop("finished_at", None)
    text = json.dumps(dict(header, run=run), separators=(",", ":"), allow_nan=False)
    assert text.endswith("}}")
    said = "null" if finished_at is None else f"{finished_at:.3f}"
    return f'{text[:-2]},"finished_at":{said.ljust(_PLACE)}}}}}\n'.encode()


class Results:
    """The file of one run.

    Attributes:
        header: its first line.
        rounds: of each workload, by key: process, phase, median, calls and end of each round.
        records: statuses of the workloads that are done, by key.
        next_number: of the next round.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.header: Dict[str, Any] = {}
        self.rounds: Dict[str, List[Dict[str, Any]]] = {}
        self.records: Dict[str, str] = {}
        self.next_number = 0
        self.last_at = 0.0
        self._lines = 0
        self._size = 0
        self._flushed = time.monotonic()
        self._descriptor = -1

    @property
    def finished(self) -> bool:
        """Whether nothing is left to measure."""
        return self.header.get("run", {}).get("finished_at") is not None

    def open(self) -> bool:
        """Open the file, read what is there, and cut a torn line and the end off.

        Returns:
            Whether a run is there; else `begin` has to be called.
        """
        try:
            self._descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise Trouble(self._refusal(error))
        with open(self.path, "rb") as stream:
            for line in stream:
                if not line.endswith(b"\n") or not self._take(line):
                    break
                self._size += len(line)
                self._lines += 1
        if not self.finished:
            os.ftruncate(self._descriptor, self._size)
        return self._lines > 0

    def _take(self, line: bytes) -> bool:
        """Read one line; whether the file goes on behind it."""
        try:
            data = json.loads(line.decode())
        except ValueError:
            if not self._lines:
                raise Trouble(f"{self.path} is there, and holds no results: give -o another name")
            return False
        if not self._lines:
            if not isinstance(data, dict) or not data.get("raw") or "run" not in data:
                raise Trouble(f"{self.path} is there, and holds no results: give -o another name")
            self.header = data
        elif "end" in data:
            return False
        elif "round" in data:
            self._seen(data["round"])
        elif "record" in data:
            self.records[key_of(data["record"]["workload"])] = data["record"]["status"]
        return True

    def _seen(self, done: Dict[str, Any]) -> None:
        values = done["values_s"][done["settle"] :]
        ordered = sorted(values) or [0.0]
        seen = {
            "process": done["process"],
            "phase": done["phase"],
            "median_s": ordered[len(ordered) // 2],
            "calls": len(values) * done["calls_per_value"],
        }
        self.rounds.setdefault(done["workload"], []).append(seen)
        self.next_number = max(self.next_number, done["number"] + 1)
        self.last_at = max(self.last_at, done["started_at"] + done["starts_s"][-1])

    def begin(self, header: Dict[str, Any]) -> None:
        """Write the first line of a new run."""
        self.header = header
        self._append(first_line(header, None))
        self.flush()

    def add_round(self, workload: Dict[str, Any], done: Dict[str, Any]) -> None:
        """Keep a round; it is on the disk within a second."""
        whole = dict(done, workload=key_of(workload), number=self.next_number, pair=None)
        whole["starts_s"] = [round(start, 7) for start in whole["starts_s"]]
        whole["values_s"] = [float("%.9g" % value) for value in whole["values_s"]]
        whole["started_at"] = round(whole["started_at"], 6)
        self._append(line_of({"round": whole}))
        self._seen(whole)
        if time.monotonic() - self._flushed >= FLUSH_EVERY_S:
            self.flush()

    def add_record(
        self,
        workload: Dict[str, Any],
        status: str,
        failure: Optional[Dict[str, str]],
        figures: Dict[str, Any],
    ) -> None:
        """Keep the outcome of a workload."""
        record = {"workload": workload, "status": status, "failure": failure, "figures": figures}
        self._append(line_of({"record": record}))
        self.records[key_of(workload)] = status
        self.flush()

    def add(self, data: Dict[str, Any]) -> None:
        """Keep another line."""
        self._append(line_of(data))
        self.flush()

    def flush(self) -> None:
        """Bring what was written to the disk."""
        self._flushed = time.monotonic()
        try:
            os.fsync(self._descriptor)
        except OSError as error:
            raise Trouble(self._refusal(error))

    def close(self, finished_at: Optional[float]) -> None:
        """Write the end: over all that is there, finished or not."""
        place = first_line(self.header, finished_at)
        if finished_at is not None:
            os.pwrite(self._descriptor, place, 0)
            self.header["run"]["finished_at"] = finished_at
        sha256 = hashlib.sha256()
        with open(self.path, "rb") as stream:
            for block in iter(lambda: stream.read(1 << 20), b""):
                sha256.update(block)
        self._append(line_of({"end": {"lines": self._lines, "sha256": sha256.hexdigest()}}))
        self.flush()

    def _append(self, line: bytes) -> None:
        written = 0
        try:
            while written < len(line):
                place = self._size + written
                written += os.pwrite(self._descriptor, line[written:], place)
        except OSError as error:
            self._cut()
            raise Trouble(self._refusal(error))
        self._size += len(line)
        self._lines += 1

    def _cut(self) -> None:
        """Take half a line off again."""
        try:
            os.ftruncate(self._descriptor, self._size)
        except OSError:
            pass

    def _refusal(self, error: OSError) -> str:
        """What to do about a file that cannot be written."""
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            kept = f"what was measured is kept in {self.path}" if self._lines else "nothing is lost"
            return (
                f"there is no room for {self.path} ({error.strerror}); {kept}: make room and "
                "start the agent again, it goes on"
            )
        return (
            f"{self.path} cannot be written ({error.strerror}): give -o a file in a folder that "
            "you may write to"
        )


def bundle_of(path: str) -> Tuple[bytes, int]:
    """The whole lines of a file that a run may be writing, with an end line; and their number."""
    with open(path, "rb") as stream:
        content = stream.read()
    content = content[: content.rfind(b"\n") + 1]
    last = content[content.rfind(b"\n", 0, len(content) - 1) + 1 :]
    lines = content.count(b"\n")
    if last.startswith(b'{"end":'):
        return content, lines
    end = {"end": {"lines": lines, "sha256": hashlib.sha256(content).hexdigest()}}
    return content + line_of(end), lines
