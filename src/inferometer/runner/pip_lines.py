"""What pip prints, as steps of an installation."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

_COLLECTED = re.compile(
    r"(?:Collecting|Requirement already satisfied:) ([\w.-]+)|Processing (?:\S*/)?([\w.]+)-\d"
)
_LOADED = re.compile(r"Downloading (?:\S*/)?([\w.]+)-\S+ (\([\d.]+ [kMG]?B\))")
_ERROR = re.compile(r"error: ", re.IGNORECASE)
_BY_THE_WAY = ("[notice]", "WARNING:")
_UNREACHABLE = "WARNING: Retrying"


@dataclass(frozen=True, kw_only=True)
class Step:
    """How far an installation is.

    Attributes:
        stage: what is being done, in words.
        package: with which package.
        done: packages that were found.
        total: all of them; 0 where nobody knows yet.
    """

    stage: str
    package: str = ""
    done: int = 0
    total: int = 0


class PipLines:
    """Reads the lines of pip.

    Args:
        total: packages that the lock file names; pip may find that more are needed.
        on_step: is told each step.
    """

    def __init__(self, total: int, on_step: Callable[[Step], None]) -> None:
        self._total = total
        self._on_step = on_step
        self._found: set[str] = set()
        self._lines: list[str] = []

    def take(self, line: str) -> None:
        """Read a line."""
        self._lines.append(line)
        if seen := _COLLECTED.match(line):
            name = seen[1] or seen[2]
            self._found.add(re.sub(r"[-_.]+", "-", name).lower())
            self._tell("collecting", name)
        elif seen := _LOADED.match(line):
            self._tell("collecting", f"{seen[1]} {seen[2]}")
        elif line.startswith("Installing collected packages:"):
            self._tell(f"installing {line.count(',') + 1} packages")

    def _tell(self, stage: str, package: str = "") -> None:
        done = len(self._found)
        total = max(self._total, done)
        self._on_step(Step(stage=stage, package=package, done=done, total=total))

    def last_useful(self) -> str:
        """The line that says best why it failed; empty where there is none."""
        errors = [line for line in self._lines if _ERROR.match(line)]
        others = [line for line in self._lines if line and not line.startswith(_BY_THE_WAY)]
        reason = _ERROR.sub("", (errors or others or [""])[-1])
        if any(line.startswith(_UNREACHABLE) for line in self._lines):
            return f"{reason} (the package index did not answer)"
        return reason
