"""What holds for every input, whatever it is."""

from __future__ import annotations

import hashlib
import os
import re
import stat
import unicodedata
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.fuzz.case import Case, Outcome

STATUSES = (0, 1, 2, 130)
LONGEST_REFUSAL = 4000
MARKER = "marker-of-code-that-ran"
EXCEPTION = re.compile(
    r"\b(?:Attribute|Index|Key|Name|UnboundLocal|Assertion|Recursion|ZeroDivision|NotImplemented"
    r"|StopIteration|Memory)Error\b"
)
"""What a file can hardly be the cause of; a ValueError of a library may well say what is wrong."""
PYTHON_WARNING = re.compile(r"\.py:\d+: \w*Warning")
OURS = re.compile(r"fault of inferometer|Traceback \(most recent call last\)")
INVISIBLE = frozenset(
    "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u2028\u2029"
)
BESIDE = ("-wal", "-shm")
_TEMPORARY = re.compile(r"\.tmp$|inferometer\.tmp|^tmp")


def problems(case: Case, outcome: Outcome) -> Iterator[str]:
    """What is wrong with an outcome, in sentences."""
    if outcome.stopped:
        return
    if outcome.raised:
        yield f"an exception left the command: {place_of(outcome.raised)}"
        return
    if outcome.status not in STATUSES:
        yield f"exit status {outcome.status}"
    out = outcome.out.decode(case.encoding, "surrogateescape")
    err = outcome.err.decode(case.encoding, "surrogateescape")
    if OURS.search(err):
        yield f"a fault of ours: {_cut(err)}"
    if PYTHON_WARNING.search(err):
        yield f"a warning of Python: {_cut(err)}"
    if case.ours_only and outcome.status == 2 and EXCEPTION.search(err):
        yield f"an exception's name in a message: {_cut(err)}"
    if outcome.status == 2:
        yield from _refusal(err)
    for name, text in (("output", "" if case.exact else out), ("error", err)):
        raw = raw_characters(text)
        if raw:
            yield f"raw characters on the standard {name}: {', '.join(raw)}"


def _refusal(err: str) -> Iterator[str]:
    errors = [line for line in err.split("\n") if line.startswith("Error: ")]
    if len(errors) != 1:
        yield f"{len(errors)} sentences instead of one: {_cut(err)}"
    if errors and len(errors[0]) < len("Error: ") + 10:
        yield f"hardly a sentence: {_cut(err)}"
    for line in errors[:1]:
        # A list of what is wrong with a file names it in each line, but where a long list is cut;
        # else a name has broken the line.
        file = line.removeprefix("Error: ").partition(":")[0]
        further = err.partition(f"{line}\n")[2].splitlines()
        if not all(more.startswith(f"{file}:") or " … " in more for more in further):
            yield f"a sentence of several lines: {_cut(err)}"
    if len(err) > LONGEST_REFUSAL:
        yield f"a refusal of {len(err)} characters: {_cut(err)}"


def raw_characters(text: str) -> list[str]:
    """Characters of a text that move a cursor or turn the direction of reading, escaped."""
    if text.isprintable():
        return []
    found = {
        char
        for char in set(text)
        if char not in "\n\t" and (char in INVISIBLE or unicodedata.category(char) in ("Cc", "Cs"))
    }
    return [ascii(char) for char in sorted(found)]


def state(folder: Path) -> dict[str, str]:
    """What lies in a folder: each path with a digest of its content, or with what it is."""
    found: dict[str, str] = {}
    for where, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = os.path.join(where, name)  # noqa: PTH118 - any name, at speed
            found[os.path.relpath(path, folder)] = _digest(path)
    return found


def _digest(path: str) -> str:
    mode = os.lstat(path).st_mode
    if stat.S_ISREG(mode):
        with open(path, "rb") as file:  # noqa: PTH123
            return hashlib.blake2b(file.read(), digest_size=8).hexdigest()
    return os.readlink(path) if stat.S_ISLNK(mode) else str(stat.S_IFMT(mode))  # noqa: PTH115


def left_behind(
    case: Case, outcome: Outcome, before: Mapping[str, str], after: Mapping[str, str]
) -> Iterator[str]:
    """What a command left that it should not have, or changed, or removed."""
    if MARKER in after:
        yield "code of the input ran"
    for path in sorted(before.keys() | after.keys()):
        if before.get(path) == after.get(path) or path == MARKER:
            continue
        may = path.split("/", 1)[0] in case.may_write
        what = "made" if path not in before else "changed" if path in after else "removed"
        if path.endswith(BESIDE) and what == "removed":
            continue  # closing a database puts its log into it
        if _TEMPORARY.search(path.rsplit("/", 1)[-1]) and what == "made":
            yield f"left behind: {_cut(path)}"
        elif not may:
            yield f"{what} though it may not be: {_cut(path)}"
        elif outcome.status == 2 and what != "made" and not outcome.stopped:
            yield f"{what} though the command was refused: {_cut(path)}"


def _cut(text: str, longest: int = 300) -> str:
    shown = ascii(text)[1:-1]
    return shown if len(shown) <= longest else f"{shown[: longest // 2]}…{shown[-longest // 2 :]}"


def place_of(trace: str) -> str:
    """The exception of a traceback, and the last place of ours on the way to it."""
    lines = trace.strip().split("\n")
    places = [line.strip() for line in lines if "/inferometer/" in line and "cli/main" not in line]
    place = re.sub(r'File ".*?/(inferometer/[^"]*)", line (\d+), in (\S+)', r"\1:\2 \3",
                   places[-1]) if places else "elsewhere"  # fmt: skip
    return f"{_cut(lines[-1], 200)} at {place}"
