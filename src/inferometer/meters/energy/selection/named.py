"""Meters that the user names: `rapl`, `rapl:psys`, `shelly://HOST`. Never another one instead."""

from __future__ import annotations

from collections.abc import Sequence

from inferometer.core.errors import MeterError
from inferometer.core.protocols import PowerSource
from inferometer.core.shown import shown
from inferometer.meters.energy.selection import kinds
from inferometer.meters.energy.selection.survey import Survey, close
from inferometer.meters.energy.surroundings import Surroundings


def connected(
    chosen: Sequence[str], surroundings: Surroundings, *, allow_estimate: bool = False
) -> tuple[PowerSource, ...]:
    """The meters that the user named, and nothing else.

    Raises:
        MeterError: one is not known, or cannot be used.
    """
    named = list(dict.fromkeys(one.strip() for one in chosen))
    for one in named:
        if kind_of(one) in (kinds.LOG, kinds.OFF):
            raise MeterError(f"--meter {shown(one)} is nothing that can be read now")
        check(one, allow_estimate=allow_estimate)
    opened: list[PowerSource] = []
    try:
        users = connect(named, surroundings, opened)
        for one in named:
            if one not in users:
                finding = kinds.find(kind_of(one), surroundings)
                opened += finding.sources
                found = Survey(sources=finding.sources, absences=finding.absences)
                users[one] = pick(one, found)
    except BaseException:
        close(opened)
        raise
    kept = tuple(dict.fromkeys(source for one in named for source in users[one]))
    close(source for source in opened if source not in kept)
    return kept


def kind_of(named: str) -> str:
    """The kind of a meter as the user wrote it."""
    return named.partition(":")[0]


def check(named: str, *, allow_estimate: bool) -> None:
    """Refuse what cannot be a meter before anything is asked.

    Raises:
        MeterError: with what to write instead.
    """
    kind, slashes, target = named.partition("://")
    if kind == kinds.LOG or kind_of(named) == kinds.LOG:
        if not target:
            raise MeterError("csv is the log of a meter: write csv://FILE, or --power-log FILE")
        return
    offered = kinds.module(kind_of(named))
    if slashes and not isinstance(offered, kinds.ConnectsToSource):
        raise MeterError(f"the power meter {kind} has no address: write --meter {kind}")
    if not slashes and not isinstance(offered, kinds.FindsSources):
        what = "IDLE:BUSY" if kind == "estimate" else "HOST"
        raise MeterError(f"{shown(named)} needs more than a name: write {kind_of(named)}://{what}")
    if kind == "estimate" and not allow_estimate:
        raise MeterError(
            "an estimate is not a measurement: add --allow-estimate to have it, marked as one"
        )


def connect(
    named: Sequence[str], surroundings: Surroundings, opened: list[PowerSource]
) -> dict[str, Sequence[PowerSource]]:
    """Connect to what has an address; `opened` is filled as it goes, for closing."""
    users: dict[str, Sequence[PowerSource]] = {}
    for one in named:
        kind, slashes, target = one.partition("://")
        if slashes:
            source = kinds.connect(kind, target, surroundings)
            opened.append(source)
            users[one] = [source]
    return users


def pick(named: str, found: Survey) -> list[PowerSource]:
    """The sources of a kind, or of a name.

    Raises:
        MeterError: there is none: why, or which names there are.
    """
    kind = kind_of(named)
    ours = [source for source in found.sources if source.info.kind == kind]
    matching = [source for source in ours if named in (kind, source.info.name)]
    if matching:
        return matching
    if ours:
        names = ", ".join(source.info.name for source in ours)
        raise MeterError(
            f"no power source is called {shown(repr(named))}; of this kind there is {names}"
        )
    why = " ".join(one.message for one in found.absences if one.kind == kind)
    why = why or "nothing of this kind was found."
    raise MeterError(f"--meter {shown(named)} cannot be used: {why}")
