"""Do work in a copy of this process, so that nothing that it does reaches this one.

The copy is forked: it holds what this process holds, at no cost in time or memory, and leaves
nothing behind. It works in a thread of its own: the pools of OpenMP belong to the thread that made
them, and those of this process do not live in a copy.
"""

from __future__ import annotations

import faulthandler
import os
import select
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn, TypeVar

from inferometer.core.errors import (
    InferometerError,
    WorkloadError,
    in_one_line,
    is_out_of_memory,
)
from inferometer.core.record import FailureKind
from inferometer.runner.workers.codec import MisfitError, decode, encode
from inferometer.runner.workers.limits import die_with_parent
from inferometer.runner.workers.messages import Failed

Answer = TypeVar("Answer")

PATIENCE_S = 120.0
"""Work that takes longer is given up; the copy may also wait for threads that it does not have."""

RECURSION = 1000
"""Python's own limit: the model's code may have set one that is enough for itself alone."""


def apart(
    work: Callable[[], Answer], wanted: type[Answer], *, patience_s: float = PATIENCE_S
) -> Answer:
    """What work gives that is done in a copy of this process.

    Args:
        work: gives a dataclass. It must not use an accelerator: a copy has none.
        wanted: what that is.
        patience_s: seconds after which the copy is ended.

    Raises:
        WorkloadError: the work raised it, or another exception (bad_model), or the copy died
            (crash), ran out of memory or took too long (timeout); (unsupported) this system
            cannot fork.
    """
    if not hasattr(os, "fork"):
        raise WorkloadError("unsupported", "this system cannot copy a process (fork)")
    reading, writing = os.pipe()
    parent = os.getpid()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # that other threads run: see above
        child = os.fork()
    if child == 0:
        _serve(work, writing, parent)
    os.close(writing)
    try:
        text = _read(reading, time.monotonic() + patience_s)
    except TimeoutError:
        raise WorkloadError("timeout", f"no answer within {patience_s:.0f} s") from None
    finally:
        os.close(reading)
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        status = os.waitpid(child, 0)[1]
    return _answer(text, wanted, status)


def _read(reading: int, end: float) -> bytes:
    """Everything that a pipe gives until it is closed.

    Raises:
        TimeoutError: it was not closed in time.
    """
    parts: list[bytes] = []
    while True:
        ready, _, _ = select.select([reading], [], [], max(end - time.monotonic(), 0.0))
        if not ready:
            raise TimeoutError
        part = os.read(reading, 1 << 16)
        if not part:
            return b"".join(parts)
        parts.append(part)


def _answer(text: bytes, wanted: type[Answer], status: int) -> Answer:
    if not text:  # it died before it had said anything
        raise WorkloadError("crash", f"the copy of the process {_ended(status)}")
    try:
        answer = decode(text, wanted, Failed)
    except MisfitError as error:  # or before it had said all
        said = f"the copy of the process {_ended(status)} and said what cannot be read: {error}"
        raise WorkloadError("crash", said) from None
    if isinstance(answer, Failed):
        raise WorkloadError(answer.kind, answer.message)
    return answer


def _ended(status: int) -> str:
    if os.WIFSIGNALED(status):
        return f"died of {signal.Signals(os.WTERMSIG(status)).name}"
    return f"left with status {os.WEXITSTATUS(status)}"


def _serve(work: Callable[[], object], writing: int, parent: int) -> NoReturn:
    """In the copy: do the work in a fresh thread, write what it gives, and leave at once."""
    try:
        die_with_parent(parent)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the original's to handle
        _say_nothing()
        sys.setrecursionlimit(max(sys.getrecursionlimit(), RECURSION))
        answers: list[bytes] = []
        thread = threading.Thread(target=lambda: answers.append(_done(work)))
        thread.start()
        thread.join()
        text = answers[0]
        while text:
            text = text[os.write(writing, text) :]
    finally:
        os._exit(0)


def _say_nothing() -> None:
    """What the copy prints was printed by the original already, or is about the copy."""
    faulthandler.disable()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for descriptor in (1, 2):
        os.dup2(nowhere, descriptor)
    sys.stdout = sys.stderr = os.fdopen(nowhere, "w")
    warnings.simplefilter("ignore")


def _done(work: Callable[[], object]) -> bytes:
    try:
        return encode(work())
    except BaseException as error:  # noqa: BLE001 - the original tells of it
        return encode(Failed(kind=_kind(error), message=_message(error)))


def _kind(error: BaseException) -> FailureKind:
    if isinstance(error, WorkloadError):
        return error.kind
    return "out_of_memory" if is_out_of_memory(error) else "bad_model"


def _message(error: BaseException) -> str:
    return str(error) if isinstance(error, InferometerError) else in_one_line(error)
