"""The kernel's own count of processes that it killed for memory."""

from __future__ import annotations

from pathlib import Path


def oom_kills(root: Path = Path("/")) -> int | None:
    """Processes killed so far by the out-of-memory killer (`oom_kill` of /proc/vmstat).

    Returns:
        The count, or None where it cannot be observed.
    """
    try:
        lines = (root / "proc/vmstat").read_text().splitlines()
    except OSError:
        return None
    counts = [line.split()[1] for line in lines if line.startswith("oom_kill ")]
    return int(counts[0]) if counts else None
