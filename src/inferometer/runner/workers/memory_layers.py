"""Of what the memory of a worker consists: runtime, weights, activations, and the instrument."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from inferometer.core.record import Value
from inferometer.core.statement import Statement
from inferometer.meters.memory import Held, Peak, give_back, held

PACKAGE = "inferometer"

BARE = """
import sys
for name in sys.argv[1:]:
    try:
        __import__(name)
    except ImportError:
        pass
with open("/proc/self/status") as status:
    print(status.read())
"""
"""An interpreter that imports what a worker imported, but nothing of ours, and says what it holds.

A runtime imports nearly all of that by itself, so that it is not the instrument's."""

BARE_TIMEOUT_S = 20.0

ALIKE = 0.05
"""Peaks of processes that differ by no more of the smallest are not worth a note."""


class MemoryLayers:
    """What one process held before and after it loaded a model.

    Attributes:
        baseline: with the runtime imported, before the model; None where it was not seen.
        loaded: with the model loaded; None where it was not seen.
    """

    def __init__(self) -> None:
        self.baseline: Held | None = None
        self.loaded: Held | None = None

    def before_load(self) -> None:
        """To be called when the runtime is there and the model is not."""
        self.baseline = _settled()

    def after_load(self) -> None:
        """To be called when the model is there and nothing has run."""
        self.loaded = _settled()

    def facts(self) -> dict[str, Value]:
        """Fields of the variant: `memory_baseline_bytes`, `memory_weights_bytes`."""
        if self.baseline is None:
            return {}
        found: dict[str, Value] = {"memory_baseline_bytes": self.baseline.resident}
        if self.loaded is not None:
            rise = self.loaded.resident - self.baseline.resident
            found["memory_weights_bytes"] = max(rise, 0)
        return found

    def figures(self, idle: Held | None, peak: Peak | None) -> dict[str, Value]:
        """Fields of one workload.

        What other shapes left in the process before is taken off the peak: in a process of its own
        the workload would not hold it. Where the process did other things too, that cannot be told,
        and nothing is taken off.

        Args:
            idle: what was held before the workload's inputs were made.
            peak: while it ran.
        """
        if peak is None:
            return {}
        left, instrument = 0, None
        if idle is not None and self.loaded is not None:
            left = max(idle.own - self.loaded.own, 0)
            instrument = 0  # `without_instrument` adds our own code, the only thing of ours there
        return {
            "peak_memory_bytes": peak.resident - left,
            "memory_activation_bytes": peak.rise,
            "memory_instrument_bytes": instrument,
            "memory_counter": peak.counter,
        }


@dataclass(frozen=True, kw_only=True)
class Start:
    """A worker at its start, before it imports a runtime.

    Attributes:
        resident: what it holds, bytes; None where that is not observable.
        modules: what it has imported that is not ours.
    """

    resident: int | None
    modules: tuple[str, ...]


def at_start() -> Start:
    """How this process stands."""
    now = held()
    return Start(
        resident=None if now is None else now.resident,
        modules=tuple(name for name in sys.modules if _is_foreign(name)),
    )


def own_bytes(start: Start) -> int | None:
    """What the instrument's own code holds in a worker; None where it cannot be told.

    Asks a bare interpreter, which takes a tenth of a second, once in a process.
    """
    bare = None if start.resident is None else _bare_bytes(start.modules)
    if start.resident is None or bare is None:
        return None
    return max(start.resident - bare, 0)


def without_instrument(figures: Mapping[str, Value], own: int | None) -> dict[str, Value]:
    """Figures of a worker with the instrument's own code taken off; as they are where unknown."""
    found = dict(figures)
    for name, sign in (
        ("memory_baseline_bytes", -1),
        ("peak_memory_bytes", -1),
        ("memory_instrument_bytes", 1),
    ):
        value = found.get(name)
        if isinstance(value, int):
            found[name] = value + sign * (own or 0)
    if own is None and "memory_instrument_bytes" in found:
        found["memory_instrument_bytes"] = None
    return found


def peaks_apart(peaks: Sequence[int]) -> list[Statement]:
    """A note where the processes of a workload did not peak alike; none where they did.

    Args:
        peaks: of each process, bytes; the first is the record's.
    """
    if not peaks or max(peaks) <= (1 + ALIKE) * min(peaks):
        return []
    spread = {"lowest_bytes": min(peaks), "highest_bytes": max(peaks)}
    return [Statement("peaks_apart", {"processes": len(peaks), **spread})]


def _is_foreign(name: str) -> bool:
    return name != "__main__" and name.partition(".")[0] != PACKAGE


def _settled() -> Held | None:
    give_back()
    return held()


@cache
def _bare_bytes(modules: tuple[str, ...]) -> int | None:
    """Resident memory of an interpreter that imported only these modules."""
    command: list[str] = [sys.executable, "-c", BARE, *modules]
    environment = {**os.environ, "PYTHONSAFEPATH": "1"}
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=BARE_TIMEOUT_S,
            check=True,
            env=environment,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    lines = [line for line in done.stdout.splitlines() if line.startswith("VmRSS:")]
    return int(lines[0].split()[1]) * 1024 if lines else None
