"""Workloads whose cost is known beforehand, to test the instrument itself.

They keep an account of their own calls, in a file that both processes map, so that what the
instrument says can be held against what happened. Knows nothing of the instrument.
"""

from __future__ import annotations

import mmap
import time
from array import array
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

MAX_CALLS = 60_000
"""Calls that an account holds; later ones are counted, not written down."""

WORD_BYTES = 8
HEADER_WORDS = 2
CALL_WORDS = 3
BARE_CALLS = 500
PAUSE_S = 0.05  # touching memory costs a processor; it need not be done all the time
BARE_S = 0.3

NETWORK_WIDTHS = (64, 32, 16)
NETWORK_PARAMETERS = sum((a + 1) * b for a, b in pairwise(NETWORK_WIDTHS))
NETWORK_MACS = sum(a * b for a, b in pairwise(NETWORK_WIDTHS))


@dataclass(frozen=True, kw_only=True)
class Call:
    """One call as the model saw it.

    Attributes:
        at_s: Unix time at which it began, seconds.
        start_ns: performance counter when it began.
        end_ns: performance counter when its work was done; 0 for the last call, whose end no later
            call wrote down.
    """

    at_s: float
    start_ns: int
    end_ns: int

    @property
    def elapsed_s(self) -> float | None:
        """What the call took by its own clock, seconds; None for the last one."""
        return (self.end_ns - self.start_ns) / 1e9 if self.end_ns else None


@dataclass(frozen=True, kw_only=True)
class Account:
    """What a model wrote down.

    Attributes:
        count: calls that were made.
        bare_gap_s: median time from the end of a call to the start of the next in a bare loop,
            seconds.
        calls: the first `MAX_CALLS` of them, in order.
    """

    count: int
    bare_gap_s: float
    calls: tuple[Call, ...]


def spin(seconds: float, account: str) -> Callable[[], None]:
    """A call that reads the clock until a deadline has passed.

    The previous call is written down while the clock already runs: nothing is left to do after the
    deadline but to return.

    Args:
        seconds: how long a call lasts.
        account: file for the account; it is made anew.
    """
    words = _mapped(Path(account))
    duration_ns = round(seconds * 1e9)
    clock, wall = time.perf_counter_ns, time.time_ns
    previous = [0, 0, 0]

    def call() -> None:
        start = clock()
        deadline = start + duration_ns
        count = words[0]
        place = HEADER_WORDS + CALL_WORDS * count
        if count < MAX_CALLS:
            words[place] = wall()
            words[place + 1] = start
            words[place + 2] = 0
        if 0 < count <= MAX_CALLS:
            words[place - 1] = previous[0]
        words[0] = count + 1
        now = clock()
        while now < deadline:
            now = clock()
        previous[0] = now

    words[1] = _bare_gap_ns(call, words, max(20, min(BARE_CALLS, round(BARE_S / seconds))))
    words[0] = 0
    return call


def memory(mib: int) -> Callable[[], None]:
    """A call that takes so many MiB, writes to every page of them, and gives them back."""

    def call() -> None:
        time.sleep(PAUSE_S)
        taken = bytearray(b"x") * (mib << 20)
        del taken

    return call


def network() -> nn.Module:
    """A stack of two linear layers, whose parameters and operations are a matter of arithmetic."""
    from torch import nn

    first, second, third = NETWORK_WIDTHS
    return nn.Sequential(nn.Linear(first, second), nn.Linear(second, third))


def read_account(path: Path) -> Account:
    """Read what `spin` wrote down.

    Raises:
        OSError: there is no account.
    """
    words = array("q", path.read_bytes())
    count = words[0]
    places = [HEADER_WORDS + CALL_WORDS * index for index in range(min(count, MAX_CALLS))]
    return Account(
        count=count,
        bare_gap_s=words[1] / 1e9,
        calls=tuple(
            Call(at_s=words[place] / 1e9, start_ns=words[place + 1], end_ns=words[place + 2])
            for place in places
        ),
    )


def _mapped(path: Path) -> memoryview:
    """The account as 64-bit words; every page is touched, so that a call meets no page fault."""
    size = WORD_BYTES * (HEADER_WORDS + CALL_WORDS * MAX_CALLS)
    path.write_bytes(bytes(size))
    with path.open("r+b") as file:
        mapped = mmap.mmap(file.fileno(), size)
    mapped[:] = bytes(size)
    return memoryview(mapped).cast("q")


def _bare_gap_ns(call: Callable[[], None], words: memoryview, calls: int) -> int:
    """Median gap between two calls of a loop that does nothing else, nanoseconds."""
    for _ in range(calls):
        call()
    starts = [words[HEADER_WORDS + CALL_WORDS * index + 1] for index in range(1, calls)]
    ends = [words[HEADER_WORDS + CALL_WORDS * index + 2] for index in range(calls - 1)]
    return round(median(start - end for start, end in zip(starts, ends, strict=True)))
