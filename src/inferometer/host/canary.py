"""Two small fixed jobs whose duration shows what the device can give right now.

Other programs on the same host of a virtual machine, a lowered clock and a full memory bus show in
no counter of the operating system, but they do slow a job down whose work never changes.
"""

from __future__ import annotations

import threading
from hashlib import sha256
from time import perf_counter

LOOP_STEPS = 12_000
"""Steps of the loop: about half a millisecond."""

BLOCK = bytes(512 * 1024)
"""What is hashed: it fits into a second-level cache or nearly so, and takes about 0.3 ms."""

REPEATS = 2
"""Of so many tries the fastest counts: one late wake-up is not a busy device."""


class Canary:
    """Measures the reference jobs.

    Args:
        threads: how many threads hash at once, as many as the workload has; a busy neighbour on any
            of the cores then shows.
    """

    def __init__(self, threads: int) -> None:
        self._others = threads - 1
        self._start = threading.Barrier(threads) if threads > 1 else None
        self._done = threading.Barrier(threads) if threads > 1 else None
        for _ in range(self._others):
            threading.Thread(target=self._help, daemon=True).start()

    def measure(self) -> dict[str, float]:
        """Seconds of the two jobs, the fastest of a few tries."""
        return {
            "canary_loop_s": min(_timed_loop() for _ in range(REPEATS)),
            "canary_compute_s": min(self._timed_hash() for _ in range(REPEATS)),
        }

    def _timed_hash(self) -> float:
        """Seconds until all threads have hashed the block; hashing lets other threads run."""
        if self._start is None or self._done is None:
            begin = perf_counter()
            sha256(BLOCK)
            return perf_counter() - begin
        self._start.wait()
        begin = perf_counter()
        sha256(BLOCK)
        self._done.wait()
        return perf_counter() - begin

    def _help(self) -> None:
        assert self._start is not None
        assert self._done is not None
        while True:
            self._start.wait()
            sha256(BLOCK)
            self._done.wait()


def _timed_loop() -> float:
    begin = perf_counter()
    total = 0
    for step in range(LOOP_STEPS):
        total += step
    return perf_counter() - begin
