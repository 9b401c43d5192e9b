"""`nvidia-smi dmon`: a row of figures for each GPU, under names that begin with `# gpu`.

The forms with and without `-o T` and `-o TD`, with more and fewer columns by driver: logs of Slurm
jobs. `pmon` tells processes and no power; so do the table that nvidia-smi prints for people and
`nvidia-smi -q`, which are refused with the command that gives a log.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from inferometer.meters.energy.logs.channel import (
    Clock,
    Contents,
    LogOptions,
    LogProblemError,
)
from inferometer.meters.energy.logs.collecting import Collected
from inferometer.meters.energy.logs.numbers import number
from inferometer.meters.energy.logs.times import TimeReader

_COMMAND = "nvidia-smi --query-gpu=timestamp,index,power.draw --format=csv -lms 200"
_NO_POWER = "it is a log of nvidia-smi dmon without power: add p to -s, as in dmon -s pu -o TD"
_PMON = f"it is a log of nvidia-smi pmon, which tells processes and no power: use {_COMMAND}"
_FOR_PEOPLE = f"it is what nvidia-smi shows to people, not a log: use {_COMMAND}"


class NvidiaDmon:
    """What `nvidia-smi dmon` writes."""

    name = "nvidia-smi-dmon"

    def recognises(self, head: Sequence[str]) -> bool:
        """By its names, or by what else nvidia-smi writes."""
        return any(_names(line) for line in head) or _is_for_people(head)

    def read(self, lines: Iterable[str], options: LogOptions) -> Contents:
        """A channel for each GPU."""
        found = Collected(options)
        names: list[str] = []
        reader = TimeReader()
        for line, text in enumerate(lines, 1):
            if line == 1 and _is_for_people([text] * 2):
                raise LogProblemError(_FOR_PEOPLE)
            if text.lstrip().startswith("#"):
                names = _names(text) or names
                continue
            cells = text.replace(",", " ").split()
            if names and len(cells) >= len(names):
                _take(dict(zip(names, cells, strict=False)), reader, found, line)
        if not found.names:
            raise LogProblemError(_FOR_PEOPLE if not names else "it has no row with a power")
        channels = found.channels(scope="gpu")
        return Contents(channels=channels, total=channels[0].name if len(channels) == 1 else "")


def _names(line: str) -> list[str]:
    """The names of its columns, or nothing where a line does not hold them."""
    names = line.lstrip().lstrip("#").replace(",", " ").lower().split()
    if not line.lstrip().startswith("#") or "gpu" not in names[:3] or len(names) < 2:  # noqa: PLR2004
        return []
    return names


def _is_for_people(head: Sequence[str]) -> bool:
    text = "".join(head[:12])
    return "NVSMI LOG" in text or ("NVIDIA-SMI" in text and "Driver Version" in text)


def _take(row: dict[str, str], reader: TimeReader, found: Collected, line: int) -> None:
    if "pid" in row:
        raise LogProblemError(_PMON)
    if "pwr" not in row:
        raise LogProblemError(_NO_POWER)
    try:
        watts = number(row["pwr"])
        at = _time(row, reader)
    except ValueError:
        raise LogProblemError("it is not a row of figures", line) from None
    found.add(f"GPU{row['gpu'][:20]}", at, watts[0] if watts else math.nan, line=line)


def _time(row: dict[str, str], reader: TimeReader) -> tuple[float, Clock] | None:
    parts = [row[name] for name in ("date", "time") if name in row]
    return reader.read(" ".join(parts)) if parts else None
