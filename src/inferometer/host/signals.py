"""What the device shows around one round: a canary before it, and how far counters moved in it.

A signal that cannot be read is absent; nothing here ever takes "not observable" for "fine".
"""

from __future__ import annotations

from pathlib import Path

from inferometer.host.canary import Canary
from inferometer.host.counters import Counters, moved
from inferometer.host.files import LIVE
from inferometer.host.gpu import Events
from inferometer.host.levels import Levels, widest


class Watch:
    """Watches the device round by round. Nothing here raises.

    Args:
        root: where `proc/` and `sys/` are read. What the system tells this process about itself by
            a call, and the canary, are always those of the machine itself.
        threads: threads of the workload; the canary uses as many.
        gpu: reads why the clock of the workload's GPU is held back; None where it has none.
    """

    def __init__(self, root: Path = LIVE, *, threads: int = 1, gpu: Events | None = None) -> None:
        self._canary = Canary(threads)
        self._counters = Counters(root)
        self._levels = Levels(root, gpu)
        self._canaries: dict[str, float] = {}
        self._level: dict[str, float] = {}
        self._before: dict[str, float] = {}

    def begin(self) -> None:
        """Run the canary, then read everything: just before a round."""
        self._canaries = self._canary.measure()
        self._level = self._levels.read()
        self._before = self._counters.read()

    def end(self) -> dict[str, float]:
        """The signals of the round that ends now, by name."""
        counted = moved(self._before, self._counters.read())
        return {**self._canaries, **counted, **widest(self._level, self._levels.read())}
