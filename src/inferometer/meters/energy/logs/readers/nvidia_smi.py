"""`nvidia-smi --query-gpu=timestamp,power.draw --format=csv`, with and without names and units.

The form of the times and of the cells: NVIDIA's manual of nvidia-smi, and logs as scripts write
them (`-l 1`, `-lms 200`, `noheader`, `nounits`). Several GPUs have a row each, a few milliseconds
apart, and are never averaged.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from inferometer.meters.energy.logs.channel import (
    Channel,
    Contents,
    Floats,
    LogOptions,
    LogProblemError,
)
from inferometer.meters.energy.logs.collecting import peek
from inferometer.meters.energy.logs.columns import Column
from inferometer.meters.energy.logs.table import cells_of, names_of
from inferometer.meters.energy.logs.tabular import Profile, read_tabular

_ROW = re.compile(r"\s*\"?\d{4}/\d\d/\d\d \d\d:\d\d:\d\d\.\d{3}\"?\s*,")
_FIELDS = {"utilization.gpu", "pci.bus_id", "temperature.gpu", "memory.used", "gpu_uuid", "pstate"}
_KEYS = ("index", "gpu_uuid", "uuid", "pci.bus_id", "gpu_bus_id", "gpu_serial", "serial", "name")
_DRAWS = ("power.draw", "power.draw.instant", "power.draw.average")
"""The best first; the others beside it are means over another time."""
_NO_POWER = "it is a log of nvidia-smi that was not asked for power: add power.draw to --query-gpu"


class NvidiaSmi:
    """What `nvidia-smi --query-gpu` writes."""

    name = "nvidia-smi"

    def recognises(self, head: Sequence[str]) -> bool:
        """By the names of its fields, or by its times."""
        if not _fields(head).isdisjoint((*_DRAWS, *_FIELDS)):
            return True
        return any(map(_ROW.match, head[:2]))

    def read(self, lines: Iterable[str], options: LogOptions) -> Contents:
        """A channel for each GPU."""
        head, lines = peek(lines)
        keys = tuple(name for name in _KEYS if _tells_apart(head, name))
        label = "GPU{}" if keys[:1] == ("index",) else "{}"
        profile = Profile(scope="gpu", powers=_powers, keys=keys, label=label)
        if any(map(_ROW.match, head[:1])) and not options.power:
            options, note = _unnamed(head, options)
        else:
            note = ""
        try:
            found = read_tabular(lines, options, profile)
        except LogProblemError:
            if _fields(head).isdisjoint(_DRAWS) and not any(map(_ROW.match, head[:1])):
                raise LogProblemError(_NO_POWER) from None
            raise
        if not keys:
            found = _apart(found)
        return replace(found, notes=(*found.notes, note) if note else found.notes)


def _fields(head: Sequence[str]) -> set[str]:
    """The fields that were asked for, without their units."""
    return {name.partition("[")[0].strip() for name in names_of(head)}


def _powers(columns: Sequence[Column]) -> list[Column]:
    """The best of the fields of power, or cells in watts without names; limits are none."""
    for wanted in _DRAWS:
        found = [one for one in columns if one.name.partition("[")[0].strip().lower() == wanted]
        if found:
            return [replace(found[0], quantity="power")]
    return [one for one in columns if one.quantity == "power" and one.name.startswith("column ")]


def _tells_apart(head: Sequence[str], name: str) -> bool:
    """Whether a column has this name and more than one content."""
    for line, text in enumerate(head):
        names = [cell.strip().lower() for cell in cells_of(text, ",")]
        if name in names:
            place = names.index(name)
            rows = [cells_of(row, ",") for row in head[line + 1 :]]
            return len({row[place] for row in rows if len(row) > place}) > 1
    return False


def _unnamed(head: Sequence[str], options: LogOptions) -> tuple[LogOptions, str]:
    """The one figure of a log without names and units is the power."""
    cells = cells_of(head[0], ",")
    if any("W" in cell for cell in cells[1:]):
        return options, ""
    figures = [place for place, cell in enumerate(cells) if re.fullmatch(r"[\d.]+", cell.strip())]
    if len(figures) != 1:
        columns = ", ".join(f"column {place + 1}" for place in figures)
        raise LogProblemError(
            f"it is a log of nvidia-smi without names and units, with figures in {columns}: say "
            "which is the power, as with --column 'column 2' (power=column 2)"
        )
    name = f"column {figures[0] + 1}"
    return replace(options, power=name), "Its figures have no name and no unit: taken as watts."


def _apart(found: Contents) -> Contents:
    """GPUs that no column tells apart, by their place in each burst of rows."""
    if len(found.channels) != 1:
        return found
    (channel,) = found.channels
    count = _burst(channel.times_s)
    if count == 1:
        return found
    channels = tuple(_of_burst(channel, place, count) for place in range(count))
    note = (
        f"{count} rows come at a time: read as {count} GPUs in this order, as no column names them."
    )
    return Contents(channels=channels, notes=(*found.notes, note))


def _of_burst(channel: Channel, place: int, count: int) -> Channel:
    return replace(
        channel,
        name=f"GPU{place}",
        times_s=channel.times_s[place::count],
        watts=channel.watts[place::count],
    )


def _burst(times: Floats) -> int:
    """How many rows come at a time; 1 where they do not come in bursts of one size."""
    steps = np.diff(times)
    if steps.size < 2 or (steps < 0).any():  # noqa: PLR2004 - one within, one between bursts
        return 1
    starts = np.flatnonzero(steps > steps.max() / 2) + 1
    sizes = np.diff(np.concatenate([[0], starts, [times.size]]))
    size = int(sizes[0])
    within = np.delete(steps, starts - 1)
    same = (sizes[:-1] == size).all() and sizes[-1] <= size and sizes.size > 1
    quick = within.size and within.max() < steps.max() / 10
    return size if same and quick and size > 1 else 1
