"""One run as one file: what `export --bundle` writes, `import` reads, and boards send.

The format is in `docs/reference/bundle.md`. It does not know where a file came from, and believes
nothing of it.
"""

from __future__ import annotations

from inferometer.store.bundle.parts import Bundle, PowerReadings, bundle_of
from inferometer.store.bundle.reading import is_bundle, read_bundle, read_bundle_file
from inferometer.store.bundle.writing import bundle_bytes

__all__ = [
    "Bundle",
    "PowerReadings",
    "bundle_bytes",
    "bundle_of",
    "is_bundle",
    "read_bundle",
    "read_bundle_file",
]
