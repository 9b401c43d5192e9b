"""Everything that a live model holds, to be put back after others have called it. Calls nothing."""

from __future__ import annotations

from inferometer.models.snapshot.whole import Snapshot

__all__ = ["Snapshot"]
