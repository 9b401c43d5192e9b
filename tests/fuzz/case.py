"""What one input is, what came of it, and what makes inputs of a kind."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Verdict = Literal["accepted", "refused", "stopped"]
"""`stopped`: it would have begun to measure; the harness ends it where a worker would start."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a command did with its arguments.

    Attributes:
        status: exit status; None where it did not end by itself.
        out: standard output.
        err: standard error.
        raised: traceback of an exception that left the command; empty where none did.
        stopped: whether it was ended where it would have measured.
    """

    status: int | None
    out: bytes = b""
    err: bytes = b""
    raised: str = ""
    stopped: bool = False

    @property
    def verdict(self) -> Verdict:
        """What became of the input."""
        if self.stopped:
            return "stopped"
        return "refused" if self.status == 2 else "accepted"


Execute = Callable[[Sequence[str]], Outcome]
Check = Callable[[Outcome, Execute], Iterable[str]]


@dataclass(frozen=True, kw_only=True)
class Case:
    """One input: a command line, run in a folder that holds its files.

    Attributes:
        args: after `inferometer`.
        may_write: names in the folder that the command may make or change; all others stay.
        exact: whether standard output is data that must not be escaped, such as an export.
        stdout: where standard output goes instead of a buffer.
        encoding: of standard output and standard error.
        then: further commands and checks; gives what is wrong, in sentences.
        ours_only: whether the name of a Python exception in a message is a fault.
    """

    args: Sequence[str]
    may_write: frozenset[str] = frozenset()
    exact: bool = False
    stdout: str | None = None
    encoding: str = "utf-8"
    then: Check | None = None
    ours_only: bool = False


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of input.

    Attributes:
        name: on the command line of the campaign.
        make: writes the files of an input into an empty folder, and gives the input.
        ready: imports what the inputs need, and makes what they start from, once.
        worker_here: whether workers are this process, so that model files are loaded in it.
        parquet_here: whether the process that reads Parquet files is a copy of this one.
        most_s: longest that an input may compute, or wait, seconds.
        share: of the inputs of a campaign over all kinds; heavy kinds have less.
    """

    name: str
    make: Callable[[random.Random, Path], Case]
    ready: Callable[[], None] = lambda: None
    worker_here: bool = False
    parquet_here: bool = False
    most_s: float = 5.0
    share: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Result:
    """What came of one input.

    Attributes:
        seed: its number.
        verdict: what became of it.
        faults: what must not have happened, in sentences; empty where all is well.
        seconds: of the processor.
        wall_s: by the clock.
        grown_bytes: most memory beyond what the process held before.
        args: the command line.
    """

    seed: int
    verdict: str
    faults: tuple[str, ...] = ()
    seconds: float = 0.0
    wall_s: float = 0.0
    grown_bytes: int = 0
    args: tuple[str, ...] = ()
