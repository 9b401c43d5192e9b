"""Words that stand in a table where a figure would be, and what they say of the workload."""

from __future__ import annotations

import re
from functools import lru_cache

from inferometer.core.errors import is_out_of_memory
from inferometer.core.record import FailureKind

MISSING = frozenset(
    {
        *("", "-", "--", "---", "\N{EN DASH}", "\N{EM DASH}", "n/a", "n.a.", "n.a", "na", "#n/a"),
        *("nan", "none", "null", "nil", "<na>", "n/m", "tbd", "?", ".", "/", "...", "x", "n.m."),
        *("not available", "not measured", "not tested", "not reported", "untested", "missing"),
        *(
            "\N{MINUS SIGN}",
            "\N{HORIZONTAL ELLIPSIS}",
            "#div/0!",
            "#value!",
            "nr",
            "n/r",
            "not run",
        ),
        "unknown",
    }
)
"""How people write that there is no figure; why there is none, they do not say."""

_WORDS: tuple[tuple[FailureKind, str], ...] = (
    (
        "out_of_memory",
        """
        oom, o.o.m., o.o.m, cuda oom, gpu oom, out of memory, out-of-memory, memory error, mem,
        memoryerror, does not fit, outofmemory, out_of_memory, oomkilled, oom killed, no memory,
        outofmemoryerror
        """,
    ),
    (
        "timeout",
        """
        timeout, time out, timed out, timed-out, time-out, t/o, hang, hung, dnf, did not finish,
        too slow
        """,
    ),
    (
        "crash",
        """
        crash, crashed, crashes, segfault, segmentation fault, sigsegv, core dumped, aborted, abort,
        killed, sigkill, sigabrt, sigill, illegal instruction
        """,
    ),
    (
        "unsupported",
        """
        unsupported, not supported, n/s, no support, not implemented, incompatible, not applicable,
        unsupported op, not possible
        """,
    ),
    ("non_finite_output", "diverged, overflow"),
    (
        "unknown",
        """
        failed, fail, fails, failure, error, err, err., exception, errored, broken, skipped, skip,
        no, false, conversion failed, export failed, build failed, invalid, \N{BALLOT X},
        \N{HEAVY BALLOT X}, \N{CROSS MARK}, \N{MULTIPLICATION SIGN}
        """,
    ),
)
_FAILED = {word.strip(): kind for kind, words in _WORDS for word in words.split(",")}
_DONE = frozenset(
    {
        *("ok", "okay", "success", "succeeded", "successful", "pass", "passed", "done", "true"),
        *(
            "complete",
            "completed",
            "finished",
            "valid",
            "good",
            "1",
            "0",
            "working",
            "works",
            "yes",
        ),
        *("\N{WHITE HEAVY CHECK MARK}", "\N{HEAVY CHECK MARK}", "\N{CHECK MARK}"),
    }
)
_LONGEST = 4000


def plain_word(cell: object) -> str:
    """A cell in lower case without emphasis; empty words for what is no text or number."""
    if not isinstance(cell, str):
        return (
            "" if cell is None else str(cell).casefold() if isinstance(cell, int | float) else "?!"
        )
    text = re.sub(r"\*\*|__|`|[\ufe0f]", "", cell[:_LONGEST].strip().casefold())
    return text.strip().strip("()[]<>!* ") or text


def is_missing(cell: object) -> bool:
    """Whether a cell says that there is no figure, and nothing more."""
    if isinstance(cell, str):
        return _is_missing(cell)
    return cell is None or plain_word(cell) in MISSING or str(cell).strip().casefold() in MISSING


@lru_cache(maxsize=65536)  # as in numbers.py
def _is_missing(cell: str) -> bool:
    return plain_word(cell) in MISSING or cell.strip().casefold() in MISSING


def failure_of(cell: object) -> FailureKind | None:
    """The kind of failure that a cell tells; None where it tells none."""
    return _failure_of(cell if isinstance(cell, str) else plain_word(cell))


@lru_cache(maxsize=65536)
def _failure_of(cell: str) -> FailureKind | None:
    word = plain_word(cell)
    if word in _FAILED:
        return _FAILED[word]
    if word[:1].isdigit():
        return None
    if is_out_of_memory(RuntimeError(word)) or word.startswith(("oom", "cuda out of")):
        return "out_of_memory"
    for said, kind in _FAILED.items():
        if " " in said and word.startswith(said):
            return kind
    first = re.split(r"[\s:(,]", word, maxsplit=1)[0]
    return _FAILED.get(first) if first not in ("no", "mem", "x") else None


def is_done(cell: object) -> bool:
    """Whether a cell says that all went well."""
    return plain_word(cell) in _DONE
