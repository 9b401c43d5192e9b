"""A bundle → the bytes of its file."""

from __future__ import annotations

import gzip
import hashlib
import json
import sys
from collections.abc import Iterator
from typing import Any

from inferometer.store.bundle.lines import (
    END,
    FORMAT,
    HEADER,
    evaluation_line,
    readings_line,
    record_line,
    round_line,
    run_line,
)
from inferometer.store.bundle.parts import Bundle


def bundle_bytes(bundle: Bundle, *, compressed: bool = False) -> bytes:
    """The file of a bundle.

    The same bundle gives the same bytes, compressed or not.

    Raises:
        ValueError: a figure is not a finite number.
    """
    digest, parts, count = hashlib.sha256(), [], 0
    for line in _lines(bundle):
        parts.append(_encoded(line))
        digest.update(parts[-1])
        count += 1
    parts.append(_encoded({END: {"lines": count, "sha256": digest.hexdigest()}}))
    content = b"".join(parts)
    return gzip.compress(content, compresslevel=6, mtime=0) if compressed else content


def _lines(bundle: Bundle) -> Iterator[dict[str, Any]]:
    tool = str(sys.modules["inferometer"].__version__)
    raw = {"raw": True} if bundle.raw else {}
    yield {HEADER: FORMAT, "needs": 1, "tool": tool, **raw, "run": run_line(bundle.run)}
    for key, rounds in bundle.rounds.items():
        for done in rounds:
            yield {"round": round_line(key, done)}
    for record in bundle.records:
        yield {"record": record_line(record)}
    for evaluation in bundle.evaluations.values():
        yield {"evaluation": evaluation_line(evaluation)}
    for readings in bundle.readings:
        yield {"readings": readings_line(readings)}


def _encoded(line: dict[str, Any]) -> bytes:
    """Escapes stand for what is not ASCII: a cut in the middle of a character cannot be."""
    return f"{json.dumps(line, separators=(',', ':'), allow_nan=False)}\n".encode()
