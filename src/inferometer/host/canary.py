"""Two small fixed jobs whose duration shows what the device can give right now.

Other programs on the same host of a virtual machine, a lowered clock and a full memory bus show in
no counter of the operating system, but they do slow a job down whose work never changes.
"""

from __future__ import annotations

import threading
from hashlib import blake2b
from time import perf_counter

LOOP_STEPS = 6_000
"""Steps of the loop: 0.2 to 0.4 ms."""

BLOCK = bytes(192 * 1024)
"""What is hashed: 0.2 to 0.4 ms. BLAKE2 uses vector units, as inference does, and felt neighbours
by a factor of 1.6; SHA-256, which has a unit of its own in the processor, by 1.05."""

REPEATS = 2
"""Of so many tries the fastest counts: one interrupt is not a busy device."""


class Canary:
    """Measures the reference jobs.

    Args:
        threads: how many threads hash at once, as many as the workload has; a busy neighbour on any
            of the cores then shows.
    """

    def __init__(self, threads: int) -> None:
        self._start = threading.Barrier(threads)
        self._done = threading.Barrier(threads)
        self._hashed_s = [0.0] * threads
        for number in range(1, threads):
            threading.Thread(target=self._help, args=(number,), daemon=True).start()

    def measure(self) -> dict[str, float]:
        """Seconds of the two jobs, the fastest of a few tries."""
        return {
            "canary_loop_s": min(_timed_loop() for _ in range(REPEATS)),
            "canary_compute_s": min(self._hash_at_once() for _ in range(REPEATS)),
        }

    def _hash_at_once(self) -> float:
        """Seconds of the slowest thread.

        Each takes its own time: until a sleeping processor wakes up takes longer than the job, and
        a busy one would look faster.
        """
        self._hash(0)
        return max(self._hashed_s)

    def _hash(self, number: int) -> None:
        self._start.wait()
        begin = perf_counter()
        blake2b(BLOCK)  # lets other threads run meanwhile
        self._hashed_s[number] = perf_counter() - begin
        self._done.wait()

    def _help(self, number: int) -> None:
        while True:
            self._hash(number)


def _timed_loop() -> float:
    begin = perf_counter()
    total = 0
    for step in range(LOOP_STEPS):
        total += step
    return perf_counter() - begin
