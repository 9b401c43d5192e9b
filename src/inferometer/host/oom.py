"""The kernel's own count of processes that it killed for memory."""

from __future__ import annotations

import re
from pathlib import Path

from inferometer.host.files import LIVE, read_text, to_int


def oom_kills(root: Path = LIVE) -> int | None:
    """Processes killed so far by the out-of-memory killer (`oom_kill` of /proc/vmstat).

    Returns:
        The count, or None where it cannot be observed.
    """
    found = re.search(r"^oom_kill (\S+)$", read_text(root, "proc/vmstat") or "", re.MULTILINE)
    return to_int(found.group(1)) if found else None
