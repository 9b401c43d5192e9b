"""Memory of this process: what it holds now, and the most that it held while something ran."""

from __future__ import annotations

import ctypes
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

SELF = Path("/proc/self")
SAMPLE_EVERY_S = 0.002

RESET = "VmHWM"
ROSE = "{}, not reset: it rose"
SAMPLED = "samples of resident memory every {:g} ms: a lower bound"
SMALLEST_RISE_BYTES = 1 << 20
"""Kernels keep the resident memory of each processor apart and add it up late."""


@dataclass(frozen=True, kw_only=True)
class Held:
    """Resident memory at one moment, bytes.

    Attributes:
        resident: all of it; pages of shared libraries too, whoever else uses them.
        file: of it, pages of files: program code, mapped weights. 0 where the kernel does not tell
            them apart (before Linux 4.5, and other systems).
    """

    resident: int
    file: int

    @property
    def own(self) -> int:
        """Bytes of no file: the heap, mostly."""
        return self.resident - self.file


@dataclass(frozen=True, kw_only=True)
class Peak:
    """The most that was held in a stretch of work.

    Attributes:
        before: what was held when it began, after free memory was given back.
        after: what was held when it ended.
        resident: the most resident memory meanwhile, bytes.
        counter: where that figure comes from, for people.
    """

    before: Held
    after: Held
    resident: int
    counter: str

    @property
    def rise(self) -> int:
        """How far the peak was above the beginning, bytes, pages of files left out.

        Those that came in meanwhile are code and mapped weights, used for the first time; they come
        once, and stay. Some of them may have come after the peak: then it is that much too low.
        """
        files = max(self.after.file - self.before.file, 0)
        return max(self.resident - self.before.resident - files, 0)


def held(proc: Path = SELF) -> Held | None:
    """Resident memory now; None where it is not observable.

    Where there is no such folder (other systems than Linux) the system is asked in its own way.
    """
    status = _status(proc)
    if "VmRSS" in status:
        return Held(resident=status["VmRSS"], file=status.get("RssFile", 0))
    if (proc / "status").exists():
        return None
    import psutil

    return Held(resident=psutil.Process().memory_info().rss, file=0)


class PeakMemory:
    """Watches the peak from `begin` to `end`.

    The kernel's high-water mark tells it, where it can be reset (Linux, `/proc/self/clear_refs`) or
    where it rose meanwhile. Elsewhere a thread takes samples, and the answer is a lower bound.
    """

    def __init__(self, proc: Path = SELF) -> None:
        self.proc = proc
        self.reset = False
        self.before: Held | None = None
        self._mark_before: int | None = None
        self._samples: _Samples | None = None

    def begin(self) -> None:
        """Give free memory back to the system, reset the mark, and see what is held."""
        give_back()
        self.reset = False
        with suppress(OSError):
            (self.proc / "clear_refs").write_text("5")  # 5 resets the peak: proc(5)
            self.reset = True
        self.before = held(self.proc)
        self._mark_before = self._mark()
        self.reset = self.reset and self._mark_before is not None
        if not self.reset and self.before is not None:
            self._samples = _Samples(self.proc)
            self._samples.start()

    def end(self) -> Peak | None:
        """The peak since `begin`; None where it is not observable."""
        mark, after = self._mark(), held(self.proc)
        sampled, self._samples = self._samples, None
        seen = sampled.stop() if sampled else 0
        if self.before is None or after is None:
            return None
        seen = max(seen, self.before.resident, after.resident)
        if mark is not None and self.reset:
            return self._peak(after, max(mark, seen), RESET)
        if mark is not None and mark > (self._mark_before or 0) + SMALLEST_RISE_BYTES:
            return self._peak(after, max(mark, seen), ROSE.format(_mark_name()))
        return self._peak(after, seen, SAMPLED.format(SAMPLE_EVERY_S * 1e3))

    def _peak(self, after: Held, resident: int, counter: str) -> Peak:
        assert self.before is not None
        return Peak(before=self.before, after=after, resident=resident, counter=counter)

    def _mark(self) -> int | None:
        """The kernel's high-water mark, bytes."""
        if sys.platform == "darwin":
            import resource

            return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # there in bytes
        return _status(self.proc).get("VmHWM")


class _Samples(threading.Thread):
    """Reads resident memory again and again."""

    def __init__(self, proc: Path) -> None:
        super().__init__(daemon=True)
        self.proc = proc
        self.most = 0
        self._ended = threading.Event()

    def run(self) -> None:
        """Take samples until told to stop."""
        while not self._ended.wait(SAMPLE_EVERY_S):
            now = held(self.proc)
            self.most = max(self.most, now.resident if now else 0)

    def stop(self) -> int:
        """End it; gives the most that was seen, bytes."""
        self._ended.set()
        self.join()
        return self.most


def give_back() -> None:
    """Return freed memory to the system, where the C library is glibc."""
    if sys.platform != "linux":
        return
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def _mark_name() -> str:
    return "ru_maxrss" if sys.platform == "darwin" else RESET


def _status(proc: Path) -> dict[str, int]:
    """Bytes by the names of `/proc/self/status`."""
    try:
        lines = (proc / "status").read_text().splitlines()
    except OSError:
        return {}
    pairs = (line.split(":", 1) for line in lines if line.endswith(" kB"))
    return {name: int(value.split()[0]) * 1024 for name, value in pairs}
