"""Work of other processes, done where the harness can watch, or without the time to start one."""

from __future__ import annotations

import os
import subprocess
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from types import SimpleNamespace
from typing import Any

from inferometer.core.errors import InferometerError
from inferometer.core.record import Stage
from inferometer.core.workload import Variant
from inferometer.runner.workers import alone, limits
from inferometer.runner.workers.codec import encode
from inferometer.runner.workers.messages import CostFile, Failed, Load, Loaded, Request
from inferometer.runner.workers.parent import Answer, Deadline, answer_in
from inferometer.runner.workers.worker import Worker

unexpected: list[str] = []
"""Tracebacks of what was raised on the way to an answer and says nothing about the file."""


class _Worker(Worker):
    """A worker that remembers what its last answer was made of."""

    error: Exception | None = None

    def _failed(self, error: Exception) -> Failed:
        self.error = error
        return super()._failed(error)


class HereWorker:
    """Answers in this process what a worker process would."""

    def __init__(self, variant: Variant, **known: Any) -> None:
        self.variant, self.known = variant, known
        self.memory_limit_bytes = known["memory_limit_bytes"]
        self.worker = _Worker()

    def load(self, deadline: Deadline) -> Loaded:
        """Load the variant."""
        request = Load(
            variant=self.variant, device="cpu", threads=1, seed=self.known["seed"], root="/",
            started_at=0.0,
        )  # fmt: skip
        return self.ask(request, Loaded, stage="load", deadline=deadline)

    def ask(
        self, request: Request, wanted: type[Answer], *, stage: Stage, deadline: Deadline
    ) -> Answer:
        """Answer."""
        with _unheard():
            line = encode(self.worker.answer(request))
        if isinstance(request, CostFile) and not isinstance(
            self.worker.error, InferometerError | None
        ):
            unexpected.append("".join(traceback.format_exception(self.worker.error)))
        return answer_in(line, wanted, stage)

    def kill(self) -> None:
        """Let go of the model."""
        self.worker.harness = None


@contextmanager
def _unheard() -> Iterator[None]:
    """What a worker says goes to a file that is read when it dies."""
    kept = os.dup(2)
    sink = os.open(os.devnull, os.O_WRONLY)
    os.dup2(sink, 2)
    try:
        with open(os.devnull, "w") as words, redirect_stderr(words), redirect_stdout(words):  # noqa: PTH123
            yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(sink)


def work_here() -> None:
    """From now on workers are this process, which keeps its own bounds."""
    alone.WorkerProcess = HereWorker  # type: ignore[assignment, misc]
    limits.limit_data = lambda _: None


def read_parquet_here() -> None:
    """From now on the process that reads a Parquet file is a copy of this one."""
    from inferometer.store import parquet

    parquet.subprocess = SimpleNamespace(  # type: ignore[assignment]
        run=_run_copy,
        TimeoutExpired=subprocess.TimeoutExpired,
        CalledProcessError=subprocess.CalledProcessError,
    )


def _run_copy(
    command: Sequence[str],
    *,
    input: bytes,  # noqa: A002 - as the library calls it
    **_: object,
) -> subprocess.CompletedProcess[bytes]:
    given, said = (os.memfd_create(name) for name in ("given", "said"))
    os.write(given, input)
    os.lseek(given, 0, os.SEEK_SET)
    child = os.fork()
    if child == 0:
        _answer_in_copy(command[-1], given, said)
    _pid, status = os.waitpid(child, 0)
    out = os.pread(said, 1 << 28, 0)
    os.close(given)
    os.close(said)
    if status:
        raise subprocess.CalledProcessError(os.waitstatus_to_exitcode(status), list(command))
    return subprocess.CompletedProcess(list(command), 0, out, b"")


def _answer_in_copy(name: str, given: int, said: int) -> None:
    from inferometer.store import parquet

    status = 1
    try:
        os.dup2(given, 0)
        os.dup2(said, 1)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        sys.stdin = open(0, closefd=False)  # noqa: SIM115
        sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115
        sys.argv = ["-c", name]
        parquet.answer()
        sys.stdout.flush()
        status = 0
    finally:
        os._exit(status)
