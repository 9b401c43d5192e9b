"""Standard output and standard error, made safe: what is printed moves no cursor, and is guarded.

`guarded` puts a `Screen` in the place of each stream while a command runs. What anybody prints
passes through it: control characters of names from files are shown as escapes, characters that the
encoding lacks are replaced, and a stream that takes no more is an error in words.
"""

from __future__ import annotations

import io
import os
import re
import shutil
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO, cast

import click

from inferometer.core.errors import InputError
from inferometer.core.filenames import reason_of
from inferometer.core.shown import visible

_SIGNS = str.maketrans(
    {
        "\N{HORIZONTAL ELLIPSIS}": "...",
        "\N{PLUS-MINUS SIGN}": "+-",
        "\N{MIDDLE DOT}": "-",
        "\N{MULTIPLICATION SIGN}": "x",
        "\N{MICRO SIGN}": "u",
        "\N{BOX DRAWINGS LIGHT HORIZONTAL}": "-",
        "\N{MINUS SIGN}": "-",
        "\N{EN DASH}": "-",
    }
)
"""What stands in for the signs that we use ourselves."""

_COMMAND = re.compile(r"`[^`\n]*`|(?<=: )inferometer [^\n]*$")
"""What is copied from a message as it stands, and not broken."""
_BLANK = "\N{NULL}"

_CLOSED = io.TextIOWrapper(io.BytesIO())
_CLOSED.close()


class OutputError(InputError):
    """Standard output takes no more."""


class ReaderGoneError(Exception):
    """Nobody reads standard output any more, as after `| head -1`."""


class Screen:
    """A stream of text of which the terminal obeys nothing.

    It has no `buffer`, so that nothing goes past it. Rich, which gives a terminal commands of its
    own and looks for `rich_proxied_file`, writes to `obeyed`; what it prints is made safe before
    (`report.output`).

    Args:
        stream: the stream; None where it is closed.
        required: whether what it refuses is an error; else it falls silent.
    """

    errors = "replace"

    def __init__(self, stream: TextIO | None, *, required: bool) -> None:
        self._stream = stream
        self._required = required
        self._error: Exception | None = None
        self.rich_proxied_file = _Obeyed(self)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the stream has
        if name == "buffer":
            raise AttributeError(name)
        return getattr(self._stream, name)

    @property
    def encoding(self) -> str:
        """Name of the encoding."""
        return getattr(self._stream, "encoding", None) or "utf-8"

    def isatty(self) -> bool:
        """Whether it is a terminal."""
        return self._stream is not None and self._stream.isatty()

    def write(self, text: str) -> int:
        """Write text; nothing but the ends of lines acts on the terminal.

        Raises:
            OutputError: the stream takes no more.
            ReaderGoneError: nobody reads it.
        """
        safe = visible(text, keep="\n")
        # Messages are sentences; what goes to standard output is laid out already.
        self.put(safe if self._required or not self.isatty() else wrapped(safe, columns()))
        return len(text)

    def put(self, content: str | bytes) -> None:
        """Write text that may move the cursor, or bytes; raises what `write` does."""
        if content:
            self._tried(lambda stream: _put(stream, content))

    def flush(self) -> None:
        """Hand over what was written; raises what `write` does."""
        if self._stream is not None:
            self._tried(lambda stream: stream.flush())

    @property
    def failed(self) -> bool:
        """Whether anything could not be written that somebody may have wanted to read."""
        return self._stream is not None and isinstance(self._error, OutputError)

    def _tried(self, act: Callable[[TextIO], None]) -> None:
        # What has failed stays so: somebody on the way may have passed over the first error.
        if self._error is None:
            try:
                act(self._stream or _CLOSED)
            except (OSError, ValueError) as error:  # ValueError: it was closed
                self._error = _told(error)
                self._let_go()
        if self._required and self._error is not None:
            raise self._error

    def _let_go(self) -> None:
        """What is still in the buffer goes nowhere, or Python would try it again at its end."""
        with suppress(OSError, ValueError, AttributeError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stream.fileno())  # type: ignore[union-attr]
            os.close(nowhere)


def _put(stream: TextIO, content: str | bytes) -> None:
    if isinstance(content, str):
        stream.write(encodable(content, stream.encoding or "utf-8"))
        return
    stream.flush()
    stream.buffer.write(content)


def _told(error: OSError | ValueError) -> Exception:
    if isinstance(error, BrokenPipeError):
        return ReaderGoneError()
    reason = reason_of(error) if isinstance(error, OSError) else "it is closed"
    return OutputError(f"standard output cannot be written: {reason}")


class _Obeyed:
    """The same stream for a writer whose commands the terminal is to obey."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the stream has
        return getattr(self._screen, name)

    def write(self, text: str) -> int:
        self._screen.put(text)
        return len(text)


def show_doing(text: str) -> None:
    """Show what is done now on one line of the terminal, in place of what stood there."""
    screen, width = sys.stderr, columns() - 1
    if isinstance(screen, Screen) and screen.isatty():
        screen.put(f"\r{visible(text)[:width]:<{width}}\r")
        screen.flush()


def columns() -> int:
    """Characters of a line of the terminal."""
    return shutil.get_terminal_size().columns


def wrapped(text: str, width: int) -> str:
    """Text whose lines end between words, and not within a command that somebody may copy."""
    return "\n".join(_wrapped(line, width) for line in text.split("\n"))


def _wrapped(line: str, width: int) -> str:
    if len(line) <= width or line.startswith(" "):  # what is indented is laid out already
        return line
    whole = _COMMAND.sub(lambda found: found[0].replace(" ", _BLANK), line)
    rows = textwrap.wrap(whole, width, break_long_words=False, break_on_hyphens=False)
    return "\n".join(rows).replace(_BLANK, " ")


def encodable(text: str, encoding: str) -> str:
    """Text in which an encoding has every character; others are replaced."""
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return text.translate(_SIGNS).encode(encoding, "replace").decode(encoding)
    return text


@contextmanager
def guarded() -> Iterator[Screen]:
    """Put screens in the place of both streams; gives that of standard error."""
    _open_closed()
    streams = sys.stdout, sys.stderr
    out, err = Screen(streams[0], required=True), Screen(streams[1], required=False)
    sys.stdout = cast("TextIO", out)
    sys.stderr = cast("TextIO", err)
    try:
        yield err
    finally:
        for screen in (out, err):
            with suppress(OutputError, ReaderGoneError):  # told before
                screen.flush()
        sys.stdout, sys.stderr = streams


def _open_closed() -> None:
    """A file that is opened next must not become standard output, nor a worker's."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:  # noqa: PERF203 - of three
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free


def put_bytes(content: bytes, *, is_text: bool) -> None:
    """Write to standard output: exactly, but for text that goes to a terminal.

    Args:
        content: UTF-8 where it is text.
        is_text: whether it is.

    Raises:
        OutputError: it takes no more.
    """
    if is_text and sys.stdout.isatty():
        click.echo(content.decode(), nl=False)
    elif isinstance(sys.stdout, Screen):
        sys.stdout.put(content)
        sys.stdout.flush()
    else:
        click.echo(content, nl=False)
