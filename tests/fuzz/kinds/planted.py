"""Commands that do harm, planted into the command line, to see that each harm is found."""

from __future__ import annotations

import os
import random
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path

import click
from tests.fuzz.case import Case, Kind
from tests.fuzz.checks import MARKER

from inferometer.cli.main import COMMANDS
from inferometer.core.errors import InputError


def _raise() -> None:
    raise KeyError("planted")


def _hang() -> None:
    while True:
        pass


def _wait() -> None:
    time.sleep(1000)


def _die() -> None:
    os.abort()


def _eat() -> None:
    bytearray(b"x") * (1100 << 20)


def _write_outside() -> None:
    Path("../outside").write_text("x")


def _make() -> None:
    Path("unasked").write_text("x")


def _change() -> None:
    Path("there").write_text("y")


def _leave() -> None:
    Path(".1.inferometer.tmp").write_text("x")


def _run_code() -> None:
    exec(f"open({MARKER!r}, 'w')")


def _start() -> None:
    os.system("true")


def _connect() -> None:
    socket.create_connection(("127.0.0.1", 9))


def _escape() -> None:
    os.write(1, b"\x1b[31m")  # past whatever makes text harmless on its way


def _turn() -> None:
    os.write(2, "\u202e".encode())


def _two_sentences() -> None:
    click.echo("Error: something is not as it should be", err=True)
    raise InputError("something else is not either")


def _broken_sentence() -> None:
    raise InputError("a name with a line end, odd\nname, is no file")


def _status() -> None:
    sys.exit(7)


def _warn() -> None:
    import warnings

    warnings.warn("planted", RuntimeWarning, stacklevel=1)


def _quiet() -> None:
    sys.exit(2)


HARMS: dict[str, tuple[Callable[[], None], str]] = {
    "raise": (_raise, "KeyError"),
    "hang": (_hang, "computed for more than"),
    "wait": (_wait, "waited for more than"),
    "die": (_die, "the process died"),
    "eat": (_eat, "GiB"),
    "write-outside": (_write_outside, "outside of its folder"),
    "make": (_make, "made though it may not be"),
    "change": (_change, "changed though it may not be"),
    "leave": (_leave, "left behind"),
    "run-code": (_run_code, "code of the input ran"),
    "start": (_start, "tried to start a program"),
    "connect": (_connect, "tried to use the network"),
    "escape": (_escape, "raw characters on the standard output"),
    "turn": (_turn, "raw characters on the standard error"),
    "two-sentences": (_two_sentences, "2 sentences instead of one"),
    "broken-sentence": (_broken_sentence, "a sentence of several lines"),
    "status": (_status, "exit status 7"),
    "warn": (_warn, "a warning of Python"),
    "quiet": (_quiet, "0 sentences instead of one"),
}
"""Harm → what does it, and words of the fault that names it."""


def _kind(name: str, harm: Callable[[], None]) -> Kind:
    def make(_: random.Random, folder: Path) -> Case:
        (folder / "there").write_text("x")
        return Case(args=[f"planted-{name}"])

    def ready() -> None:
        globals()[f"command_{name}"] = click.command()(harm)
        COMMANDS[f"planted-{name}"] = (f"{__name__}:command_{name}", "Do harm.")

    return Kind(
        name=f"planted-{name}",
        make=make,
        ready=ready,
        most_s=0.5 if harm in (_hang, _wait) else 5.0,
    )


KINDS = tuple(_kind(name, harm) for name, (harm, _) in HARMS.items())
