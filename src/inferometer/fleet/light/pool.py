"""The parent's hold on worker processes: ask, wait no longer than allowed, watch their memory."""

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from typing import IO, Any, Dict, List, Optional

from inferometer.fleet.light.device import memory
from inferometer.fleet.light.files import fields, read_text, to_int
from inferometer.fleet.light.harness import status_bytes

LOOK_EVERY_S = 0.1
USABLE = 0.95
RESIDENT_SHARE = 0.25
PATIENCE = 5
THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
AS_MODULE = (
    "import importlib.util as u, sys; s = u.spec_from_file_location('agent', sys.argv[1]); "
    "m = u.module_from_spec(s); s.loader.exec_module(m); sys.exit(m.worker_main())"
)
"""Of a module the compiled code is kept; compiling it anew takes a small board a second."""
VARIANT = ("model", "backend", "precision", "device", "threads")

Workload = Dict[str, Any]


class Failed(Exception):
    """A request failed: stage, kind and message, as in a record."""

    def __init__(self, stage: str, kind: str, message: str) -> None:
        Exception.__init__(self, message)
        self.failure = {"stage": stage, "kind": kind, "message": message}


def variant_of(workload: Workload) -> str:
    """What workloads of one process have in common."""
    parts: List[Any] = [workload[name] for name in VARIANT]
    return json.dumps(parts + [workload.get("options", {})], sort_keys=True)


def human_bytes(count: int) -> str:
    """For people: `1.5 GiB`."""
    size, unit = float(count), "B"
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024 or unit == "GiB":
            break
        size /= 1024
    return f"{size:.3g} {unit}"


class Process:
    """A worker process of one variant."""

    def __init__(self, command: List[str], threads: int, words: IO[bytes]) -> None:
        environment = dict(os.environ)
        environment.update(dict.fromkeys(THREAD_VARIABLES, str(threads)))
        environment["PYTHONUNBUFFERED"] = "1"
        self._words = words
        self._oom_kills = oom_kills()
        self.started_at = time.monotonic()
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=words,
            start_new_session=True,
            env=environment,
        )
        self._rest = b""

    @property
    def alive(self) -> bool:
        """Whether it can still answer."""
        return self._process.poll() is None

    def resident_bytes(self) -> int:
        """Resident memory now; 0 where it has gone."""
        return status_bytes(str(self._process.pid), "VmRSS") or 0

    def ask(self, request: Any, stage: str, until: Any, limit_bytes: int) -> Dict[str, Any]:
        """Send a request and wait for its answer.

        Args:
            request: what is asked.
            stage: of the failure, where there is one.
            until: reading of `time.monotonic`, and the kind and the sentence of being late.
            limit_bytes: memory that the worker may hold.
        """
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()
            line = self._line(stage, until, limit_bytes)
        except (OSError, EOFError):
            raise self._death(stage)
        answer: Dict[str, Any] = json.loads(line.decode())
        if "failure" in answer:
            raise Failed(stage, answer["failure"]["kind"], answer["failure"]["message"])
        return answer

    def _line(self, stage: str, until: Any, limit_bytes: int) -> bytes:
        assert self._process.stdout is not None
        descriptor = self._process.stdout.fileno()
        while b"\n" not in self._rest:
            ready = select.select([descriptor], [], [], LOOK_EVERY_S)[0]
            if ready:
                part = os.read(descriptor, 1 << 16)
                if not part:
                    raise EOFError
                self._rest += part
                continue
            held = self.resident_bytes()
            if held > limit_bytes:
                self.kill()
                over = f"stopped at {human_bytes(held)} resident; the limit is "
                raise Failed(stage, "out_of_memory", over + human_bytes(limit_bytes))
            if time.monotonic() > until[0]:
                self.kill()
                raise Failed(stage, until[1], until[2])
        line, _, self._rest = self._rest.partition(b"\n")
        return line

    def _death(self, stage: str) -> Failed:
        try:
            status = self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            status = 0
        self.kill()
        words = self._last_words()
        if status == -signal.SIGKILL and oom_kills() != self._oom_kills:
            how = "killed by the kernel, which had run out of memory"
            return Failed(stage, "out_of_memory", how)
        if "MemoryError" in words or "bad_alloc" in words or "out of memory" in words.lower():
            return Failed(stage, "out_of_memory", words)
        how = f"died of signal {-status}" if status < 0 else f"left with status {status}"
        tail = f"; its last words: {words}" if words else ""
        return Failed(stage, "crash", f"the worker {how}{tail}")

    def _last_words(self) -> str:
        self._words.seek(0, os.SEEK_END)
        self._words.seek(max(0, self._words.tell() - 4096))
        lines = self._words.read().decode("utf-8", "replace").strip().splitlines()
        return lines[-1][:300] if lines else ""

    def kill(self) -> None:
        """End the worker and whatever it started."""
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except OSError:
            pass
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                try:
                    stream.close()
                except OSError:
                    pass


def oom_kills() -> Optional[int]:
    """Processes that the out-of-memory killer has killed; None where it is not observable."""
    lines = (read_text("/", "proc/vmstat") or "").replace(" ", ":")
    return to_int(fields(lines).get("oom_kill"))


class Pool:
    """One process for each variant, as many as memory allows."""

    def __init__(self, agent: str, job: Dict[str, Any], offset_s: float, end: float) -> None:
        self.job = job
        self.end = end
        self.processes: Dict[str, int] = {}
        self.facts: Dict[str, Dict[str, Any]] = {}
        self._command = [sys.executable, "-c", AS_MODULE, os.path.abspath(agent)]
        self._offset_s = offset_s
        self._procedure = job["study"]["procedure"]
        self._alive: Dict[str, Process] = {}
        self._available = memory("/")["available"] or 1 << 40

    def limit_bytes(self, variant: str) -> int:
        """What a worker may hold: what the study says, or what is there beside the others."""
        said = self._procedure.get("memory_limit_bytes")
        others = [one.resident_bytes() for key, one in self._alive.items() if key != variant]
        return int(said) if said else int(USABLE * self._available) - sum(others)

    def has_room(self) -> bool:
        """Whether there is room for one more worker beside those that are idle."""
        held = sum(one.resident_bytes() for one in self._alive.values())
        return held <= RESIDENT_SHARE * self._available

    def load(self, workload: Workload) -> None:
        """Make sure that a worker of the workload's variant lives."""
        variant = variant_of(workload)
        if variant in self._alive and self._alive[variant].alive:
            return
        self.drop(variant)
        one = Process(self._command, workload["threads"], tempfile.TemporaryFile())
        self._alive[variant] = one
        self.processes[variant] = self.processes.get(variant, 0) + 1
        request = {
            "do": "load",
            "workload": workload,
            "seed": self._procedure["seed"],
            "offset_s": self._offset_s,
            "started_at": one.started_at,
            "files": {file["path"]: file for file in self.job.get("files", [])},
            "folders": self.job["folders"],
            "memory_limit_bytes": self.limit_bytes(variant),
        }
        try:
            answer = self._ask(workload, request, "load", 0.0)
        except Failed:
            self.drop(variant)
            raise
        self.facts.setdefault(variant, answer["figures"])

    def warm_up(self, workload: Workload, call_s: float = 0.0) -> Any:
        """First call and warm-up; loads the variant where it is not."""
        self.load(workload)
        return self._ask(workload, {"do": "warm"}, "warmup", 2 * call_s)

    def measure(self, workload: Workload, plan: Dict[str, Any], expected_s: float) -> Any:
        """One round of a workload that is warm."""
        return self._ask(workload, {"do": "round", "plan": plan}, "measure", expected_s)["round"]

    def is_alive(self, workload: Workload) -> bool:
        """Whether the worker of its variant lives."""
        variant = variant_of(workload)
        return variant in self._alive and self._alive[variant].alive

    def drop(self, variant: str) -> None:
        """End the worker of a variant."""
        one = self._alive.pop(variant, None)
        if one is not None:
            one.kill()

    def close(self) -> None:
        """End all workers."""
        for variant in list(self._alive):
            self.drop(variant)

    def _ask(self, workload: Workload, request: Any, stage: str, expected_s: float) -> Any:
        variant, now = variant_of(workload), time.monotonic()
        patience_s = max(self._procedure["timeout_s"], PATIENCE * expected_s)
        late = (now + patience_s, "timeout", f"no answer within {patience_s:.0f} s (--timeout)")
        if now + patience_s >= self.end:
            late = (self.end, "budget", "stopped when the time of the run ended (--budget)")
        shape = {name: workload[name] for name in ("batch_size", "input_size")}
        try:
            return self._alive[variant].ask(
                dict(shape, **request), stage, late, self.limit_bytes(variant)
            )
        except Failed as failed:
            if failed.failure["kind"] == "out_of_memory":
                self.drop(variant)
            raise
