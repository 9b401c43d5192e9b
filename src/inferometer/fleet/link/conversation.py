"""One command, what is written to it, and what it answers: bounded in size and in time."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import IO

from inferometer.fleet.protocol import KIB, Limits
from inferometer.fleet.types import AnswerError, LineError

MOST_ERRORS = 16 * KIB
"""Bytes of standard error that are kept: the first and no more."""

BLOCK = 64 * KIB
END_S = 5.0
"""How long a command may take to end once its output has."""


class Conversation:
    """A command that is asked one thing.

    Args:
        command: program and arguments; no shell of ours reads them.
        request: what is written to its standard input.
        limits: of its answer.
        name: of the board, for messages.
        environment: of the command; ours by default.
    """

    def __init__(
        self,
        command: Sequence[str],
        request: Iterable[bytes],
        limits: Limits,
        *,
        name: str,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.limits = limits
        self.name = name
        self.errors = b""
        self.status: int | None = None
        self._request = iter(request)
        self._unsent = b""
        self._end = time.monotonic() + limits.seconds
        try:
            self._process = subprocess.Popen(
                list(command),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,  # Ctrl-C is ours, and ends it in order
                env=None if environment is None else dict(environment),
            )
        except OSError as error:
            raise LineError(f"{name}: {command[0]} cannot be started: {error.strerror}") from error

    def lines(self) -> Iterator[bytes]:
        """The lines of the answer; `status` and `errors` are there after the last.

        Raises:
            LineError: it takes too long.
            AnswerError: it is too large.
        """
        try:
            yield from self._lines()
            self.status = self._process.wait(END_S)
            self._read_errors()
        except subprocess.TimeoutExpired:
            raise self._too_slow() from None
        finally:
            self._close()

    def _lines(self) -> Iterator[bytes]:
        total, rest = 0, b""
        for block in self._blocks():
            total += len(block)
            *whole, rest = (rest + block).split(b"\n")
            if total > self.limits.total_bytes or len(rest) > self.limits.line_bytes:
                raise AnswerError(
                    f"{self.name}: its answer is larger than any that belongs here; it was left "
                    "out. Is that the board that you mean?"
                )
            yield from whole
        if rest:
            yield rest

    def _blocks(self) -> Iterator[bytes]:
        """What comes on standard output, while everything else is served."""
        process = self._process
        assert process.stdin is not None
        with selectors.DefaultSelector() as selector:
            for source in (process.stdout, process.stderr):
                assert source is not None
                selector.register(source, selectors.EVENT_READ)
            selector.register(process.stdin, selectors.EVENT_WRITE)
            os.set_blocking(process.stdin.fileno(), False)
            while process.stdout in selector.get_map():
                left = self._end - time.monotonic()
                if left <= 0:
                    raise self._too_slow()
                for key, _ in selector.select(left):
                    yield from self._serve(key.fileobj, selector)

    def _serve(self, stream: object, selector: selectors.BaseSelector) -> Iterator[bytes]:
        process = self._process
        if process.stdin is not None and stream is process.stdin:
            if not self._write(process.stdin):
                selector.unregister(process.stdin)
            return
        source = process.stdout if stream is process.stdout else process.stderr
        assert source is not None
        block = os.read(source.fileno(), BLOCK)
        if not block:
            selector.unregister(source)
        elif source is process.stdout:
            yield block
        else:
            self.errors = (self.errors + block)[:MOST_ERRORS]

    def _write(self, stdin: IO[bytes]) -> bool:
        """Write a piece of the request; whether there may be more."""
        if not self._unsent:
            self._unsent = next(self._request, b"")
        try:
            if self._unsent:
                written = os.write(stdin.fileno(), self._unsent[:BLOCK])
                self._unsent = self._unsent[written:]
                return True
        except BlockingIOError:
            return True
        except BrokenPipeError:
            pass  # it has stopped listening: its answer says why
        with suppress(BrokenPipeError):
            stdin.close()
        return False

    def _read_errors(self) -> None:
        """What was said on standard error at last; a connection that is kept open has it open."""
        assert self._process.stderr is not None
        descriptor = self._process.stderr.fileno()
        os.set_blocking(descriptor, False)
        with suppress(BlockingIOError):
            while (block := os.read(descriptor, BLOCK)) and len(self.errors) < MOST_ERRORS:
                self.errors = (self.errors + block)[:MOST_ERRORS]

    def _close(self) -> None:
        """End the command, whatever it does."""
        process = self._process
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream is not None:
                with suppress(OSError):
                    stream.close()
        if process.poll() is None:
            with suppress(OSError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def _too_slow(self) -> LineError:
        return LineError(
            f"{self.name}: no whole answer within {self.limits.seconds:.0f} s; the board is too "
            "busy, or the line was cut"
        )
