"""Which channel of a log is the power: the one that is named, the sum asked for, the total."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from inferometer.core.energy import Scope
from inferometer.core.shown import shown
from inferometer.meters.energy.logs.channel import Channel, Contents, LogProblemError
from inferometer.meters.energy.logs.columns import Column, named_parts, one_named
from inferometer.meters.energy.logs.series import series_of

_FEW = 12


def chosen(contents: Contents, power: str) -> tuple[Channel | None, list[str]]:
    """The power, and what is to be said about it; None where it cannot be told.

    Raises:
        LogProblemError: the user names what is not there, or adds a part to its whole.
    """
    channels = contents.channels
    if not power:
        named = next((one for one in channels if one.name == contents.total), None)
        return named or (channels[0] if len(channels) == 1 else None), []
    parts = [_named(channels, part) for part in named_parts(power, [one.name for one in channels])]
    if not parts:
        raise LogProblemError(f"{shown(repr(power))} names no power")
    if len(parts) == 1:
        return parts[0], []
    return _sum(parts)


def _named(channels: Sequence[Channel], name: str) -> Channel:
    columns = [Column(place=place, name=one.name) for place, one in enumerate(channels)]
    found = one_named(columns, name)
    if found is None:
        names = ", ".join(shown(repr(one.name), 60) for one in channels[:_FEW])
        raise LogProblemError(f"it has no power {shown(repr(name))}; it has {names}")
    return channels[found.place]


def _sum(parts: Sequence[Channel]) -> tuple[Channel, list[str]]:
    """Powers added up, at the times of the first; the others are taken between their readings."""
    names = [part.name for part in parts]
    for part in parts:
        if names.count(part.name) > 1:
            raise LogProblemError(f"{shown(repr(part.name))} would be added to itself")
        if part.part_of in names:
            raise LogProblemError(
                f"{shown(repr(part.name))} is a part of {shown(repr(part.part_of))}, and would be "
                "counted twice"
            )
    series = [series_of(part) for part in parts]
    points = [one.points() for one in series]
    start, end = (
        max(float(times[0]) for times, _ in points),
        min(float(times[-1]) for times, _ in points),
    )
    near = max(one.period_s for one in series)
    times = points[0][0]
    times = times[(times >= start - near) & (times <= end + near)]
    if not times.size:
        raise LogProblemError("the powers to add up have no time in common")
    watts = np.sum([np.interp(times, at, power) for at, power in points], axis=0)
    scope = _scope(parts)
    whole = replace(
        parts[0],
        name=" + ".join(names),
        times_s=times,
        watts=watts,
        scope=scope,
        spans_s=None,
        holds=False,
        part_of="",
    )
    notes = [note for one in series for note in one.notes]
    told = f"{' + '.join(map(shown, names))} were added up."
    if scope is None:
        told += " Say with --scope what they cover together."
    return whole, [*dict.fromkeys(notes), told]


def _scope(parts: Sequence[Channel]) -> Scope | None:
    """What powers cover together: the same where all do, and memory makes a package more."""
    scopes = {part.scope for part in parts}
    if scopes == {"package", "package+dram"}:
        return "package+dram"
    return parts[0].scope if len(scopes) == 1 else None
