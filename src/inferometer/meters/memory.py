"""Peak resident memory of this process, from the kernel's own high-water mark."""

from __future__ import annotations

import ctypes
import sys
from pathlib import Path

from inferometer.core.record import Value


class PeakMemory:
    """VmHWM of `/proc/self/status`, reset at `begin` through `/proc/self/clear_refs`.

    Reports null where the kernel cannot reset the mark: the mark would then be that of another
    workload.
    """

    def __init__(self, proc: Path = Path("/proc/self")) -> None:
        self.status = proc / "status"
        self.clear_refs = proc / "clear_refs"
        self.reset = False

    def begin(self) -> None:
        """Give free memory back to the system and reset the mark."""
        give_back()
        try:
            self.clear_refs.write_text("5")  # 5 resets the peak: proc(5)
            self.reset = True
        except OSError:
            self.reset = False

    def end(self) -> dict[str, Value]:
        """`peak_memory_bytes`, and which counter it is; empty where it cannot be observed."""
        peak = self._mark()
        if not self.reset or peak is None:
            return {}
        return {"peak_memory_bytes": peak, "memory_counter": "VmHWM"}

    def _mark(self) -> int | None:
        try:
            lines = self.status.read_text().splitlines()
        except OSError:
            return None
        marks = [int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")]
        return marks[0] if marks else None


def give_back() -> None:
    """Return freed memory to the system, where the C library is glibc."""
    if sys.platform != "linux":
        return
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
