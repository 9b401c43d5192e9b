"""What a worker lets the system do to it, so that its death never takes anything else along."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

RESERVED_BYTES = 768 << 20
"""Thread stacks and arenas that a runtime reserves and never touches count as data for the kernel,
not as memory; the parent's watch on resident memory is the exact limit."""

PR_SET_PDEATHSIG = 1


def die_with_parent(parent: int) -> None:
    """Ask the kernel to kill this process when its parent dies, even by kill -9 (Linux: prctl(2)).

    Elsewhere the worker notices the closed line instead.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died before the request
            os._exit(1)


def be_first_to_be_killed() -> None:
    """Tell the kernel's out-of-memory killer to take this process before any other."""
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")


def limit_data(limit_bytes: int) -> None:
    """Let allocations beyond the limit fail, so that out of memory is an exception, not a death.

    RLIMIT_DATA counts private writable memory, anonymous mappings included (Linux 4.7 and later:
    getrlimit(2)); where it does not, the parent's watch remains.
    """
    if sys.platform == "linux":
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        soft = limit_bytes + RESERVED_BYTES
        if hard != resource.RLIM_INFINITY:
            soft = min(soft, hard)
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def no_core_dump() -> None:
    """A crash of a worker is a result; a core file of gigabytes is not wanted."""
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, hard))
