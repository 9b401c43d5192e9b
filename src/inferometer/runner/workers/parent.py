"""The parent's hold on one worker: spawn, ask, deadline, memory limit, and death → failure."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import psutil

from inferometer.core.record import Failure, FailureKind, Stage
from inferometer.core.units import byte_count
from inferometer.core.workload import Variant
from inferometer.host.files import LIVE
from inferometer.host.memory import oom_kills
from inferometer.runner.workers.codec import MisfitError, decode, encode
from inferometer.runner.workers.interpreter import worker_command, worker_variables
from inferometer.runner.workers.line import Closed, Line
from inferometer.runner.workers.messages import Failed, Load, Loaded, PreparedAt, Request

Answer = TypeVar("Answer")

LOOK_EVERY_S = 0.1
LAST_WORDS_CHARACTERS = 300
OUT_OF_MEMORY_WORDS = re.compile(r"(?i)bad_alloc|MemoryError|out of memory|cannot allocate")
THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


class WorkerFailed(Exception):  # noqa: N818 - a result, not an error
    """A request failed.

    Attributes:
        failure: how.
    """

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


@dataclass(frozen=True, kw_only=True)
class Deadline:
    """When to give up on an answer.

    Attributes:
        at: reading of `time.monotonic`, seconds.
        kind: `timeout` where the worker is too slow, `budget` where the run has no more time.
        message: what the record says then.
    """

    at: float
    kind: FailureKind
    message: str


class WorkerProcess:
    """A worker that serves one variant."""

    def __init__(
        self,
        variant: Variant,
        *,
        device: str,
        threads: int,
        seed: int,
        memory_limit_bytes: int,
        root: Path = LIVE,
        on_wait: Callable[[], None] = lambda: None,
        gradient_mode: str | None = None,
        prepared: Sequence[PreparedAt] = (),
    ) -> None:
        self.root = root
        self.prepared = tuple(prepared)
        self.gradient_mode = gradient_mode
        self.variant = variant
        self.device = device
        self.threads = threads
        self.seed = seed
        self.memory_limit_bytes = memory_limit_bytes
        self.on_wait = on_wait
        self._words = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the worker
        self._oom_kills = oom_kills()
        self._started_at = time.monotonic()
        self._line, self._process = self._spawn()
        self._watched = psutil.Process(self._process.pid)

    def load(self, deadline: Deadline) -> Loaded:
        """Load the variant.

        Raises:
            WorkerFailed: it could not be loaded; the worker may be dead.
        """
        request = Load(
            variant=self.variant,
            device=self.device,
            threads=self.threads,
            seed=self.seed,
            root=str(self.root),
            started_at=self._started_at,
            memory_limit_bytes=self.memory_limit_bytes,
            gradient_mode=self.gradient_mode,
            prepared=self.prepared,
        )
        return self.ask(request, Loaded, stage="load", deadline=deadline)

    def ask(
        self, request: Request, wanted: type[Answer], *, stage: Stage, deadline: Deadline
    ) -> Answer:
        """Send a request and sleep until the answer; a look at its memory ten times a second.

        Raises:
            WorkerFailed: the answer was a failure, or there was none. After a timeout, a death, too
                much memory or an answer that cannot be read, the worker is dead.
        """
        try:
            self._line.send(encode(request))
            while (line := self._line.receive(LOOK_EVERY_S)) is None:
                self._look(stage, deadline)
                self.on_wait()
        except Closed:
            raise WorkerFailed(self._death(stage)) from None
        try:
            return answer_in(line, wanted, stage)
        except MisfitError as error:
            self.kill()
            message = f"the worker's answer cannot be read: {error}"
            raise WorkerFailed(Failure(stage=stage, kind="crash", message=message)) from None

    @property
    def alive(self) -> bool:
        """Whether it can still answer."""
        return self._process.poll() is None

    def resident_bytes(self) -> int:
        """Resident memory now; 0 where the worker has gone."""
        try:
            rss: int = self._watched.memory_info().rss
        except psutil.Error:
            return 0
        return rss

    def kill(self) -> None:
        """End the worker and whatever it started; returns when it has gone."""
        self._line.close()
        with suppress(OSError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._words.close()

    def _spawn(self) -> tuple[Line, subprocess.Popen[bytes]]:
        ours, theirs = socket.socketpair()
        backend = self.variant.backend
        with theirs:
            process = subprocess.Popen(
                [*worker_command(backend), str(theirs.fileno()), str(os.getpid())],
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                stdout=self._words,
                stderr=self._words,
                start_new_session=True,
                env=worker_environment(self.threads, backend),
            )
        return Line(ours), process

    def _look(self, stage: Stage, deadline: Deadline) -> None:
        held, limit = self.resident_bytes(), self.memory_limit_bytes
        if held > limit:
            kind: FailureKind = "out_of_memory"
            message = f"stopped at {byte_count(held)} resident; the limit is {byte_count(limit)}"
        elif time.monotonic() > deadline.at:
            kind, message = deadline.kind, f"{deadline.message}; it held {byte_count(held)} then"
        else:
            return
        self.kill()
        raise WorkerFailed(Failure(stage=stage, kind=kind, message=message))

    def _death(self, stage: Stage) -> Failure:
        """What a worker died of, from its exit status and its last words."""
        try:
            status = self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:  # it closed the line and goes on: end it
            status = 0
        words = self._last_words()
        self.kill()
        if status == -signal.SIGKILL and oom_kills() != self._oom_kills:
            how = "killed by the kernel, which had run out of memory"
            return Failure(stage=stage, kind="out_of_memory", message=how)
        if OUT_OF_MEMORY_WORDS.search(words):
            return Failure(stage=stage, kind="out_of_memory", message=words)
        how = f"died of {_signal_name(-status)}" if status < 0 else f"left with status {status}"
        return Failure(stage=stage, kind="crash", message=_sentence(f"the worker {how}", words))

    def _last_words(self) -> str:
        self._words.seek(0, os.SEEK_END)
        self._words.seek(max(0, self._words.tell() - 4096))
        lines = self._words.read().decode(errors="replace").strip().splitlines()
        return lines[-1][:LAST_WORDS_CHARACTERS] if lines else ""


def answer_in(line: bytes, wanted: type[Answer], stage: Stage) -> Answer:
    """The answer in a line.

    Raises:
        WorkerFailed: it is a failure.
        MisfitError: it is not what is wanted.
    """
    answer = decode(line, wanted, Failed)
    if isinstance(answer, Failed):
        raise WorkerFailed(answer.at(stage))
    return answer


def worker_environment(threads: int, backend: str) -> dict[str, str]:
    """The parent's environment variables, with the thread pools of usual libraries pinned."""
    return {
        **worker_variables(backend),
        **dict.fromkeys(THREAD_VARIABLES, str(threads)),
        "PYTHONSAFEPATH": "1",  # a json.py in the current folder is not ours
        "PYTHONUNBUFFERED": "1",
    }


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _sentence(what: str, words: str) -> str:
    return f"{what}; its last words: {words}" if words else what
