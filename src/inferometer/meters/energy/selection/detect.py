"""Which power sources a run uses, and why there is none where there is none.

A meter that the user names comes first, and what else covers the work is reported beside it. Scopes
that contain one another are never added up here or anywhere: each source stays a figure of its own.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from inferometer.core.energy import Absence, SourceInfo
from inferometer.core.errors import MeterError
from inferometer.core.protocols import PowerSource
from inferometer.core.shown import shown
from inferometer.host.processor import has_flag
from inferometer.meters.energy.selection import kinds
from inferometer.meters.energy.selection import named as named_meters
from inferometer.meters.energy.selection.survey import Survey, close, covers, on_cuda, survey
from inferometer.meters.energy.sources.boards import BRIEF_WAY_OUT, model
from inferometer.meters.energy.surroundings import Surroundings

LONGEST_REASON = 350
SLOW = ("battery", "powertop")
"""Kinds that tell something new every few seconds only."""
SLOW_WINDOW_S = 300.0
"""Shortest window in which a slow source tells anything: a hundred of its updates."""
SWITCHED_OFF = "Energy was switched off (--meter none)."


@dataclass(frozen=True, kw_only=True)
class Detected:
    """What a run uses.

    Attributes:
        sources: opened, the one that the record's figure comes from first; the caller closes them.
        absences: why kinds are missing, those that matter on this device first.
        reason: why there is no source, and the way out, in one sentence of at most 350 characters;
            empty where there is one.
        unused: what could be read, but only where the user names it.
        log: where the user's power log is, read after the run; None where there is none.
    """

    sources: tuple[PowerSource, ...] = ()
    absences: tuple[Absence, ...] = ()
    reason: str = ""
    unused: tuple[SourceInfo, ...] = ()
    log: str | None = None


def detect(
    surroundings: Surroundings,
    *,
    chosen: Sequence[str] = (),
    power_log: str | Path | None = None,
    allow_estimate: bool = False,
    device: str = "cpu",
    window_s: float = 0.0,
) -> Detected:
    """Decide what a run reads.

    Args:
        surroundings: where to look.
        chosen: meters that the user named: a kind (`rapl`), a source (`rapl:psys`), an address
            (`shelly://HOST`), `none`.
        power_log: a log that some meter writes meanwhile, a path or `csv://FILE?power=NAME`.
        allow_estimate: whether an estimate may stand for a measurement.
        device: what the work runs on: `cpu`, `cuda`, `cuda:1`, …
        window_s: how long a window of energy lasts, seconds; a battery needs five minutes.

    Raises:
        MeterError: a meter that the user named is not known, or cannot be used.
    """
    named = list(dict.fromkeys(one.strip() for one in chosen))
    if kinds.OFF in named:
        if len(named) > 1 or power_log is not None:
            raise MeterError("--meter none switches energy off: leave the other meters out")
        return Detected(reason=SWITCHED_OFF)
    logs = [one for one in named if named_meters.kind_of(one) == kinds.LOG]
    log = str(power_log) if power_log is not None else next(iter(logs), None)
    if len(logs) + (power_log is not None) > 1:
        raise MeterError("only one power log can be given")
    if log is not None:
        _check_log(log)
    named = [one for one in named if one not in logs]
    for one in [*named, *logs]:
        named_meters.check(one, allow_estimate=allow_estimate)
    opened: list[PowerSource] = []
    try:
        users = named_meters.connect(named, surroundings, opened)
        found = survey(surroundings, asked=map(named_meters.kind_of, named), device=device)
        opened += found.sources
        for one in named:
            users[one] = users.get(one) or named_meters.pick(one, found)
        return _decided(
            list(dict.fromkeys(source for one in named for source in users[one])),
            found,
            surroundings,
            device=device,
            window_s=window_s,
            log=log,
        )
    except BaseException:
        close(opened)
        raise


def why_none(
    absences: Sequence[Absence], surroundings: Surroundings, *, device: str = "cpu"
) -> str:
    """Why there is no source, and the way out, in at most 350 characters."""
    causes = [one for one in absences if one.relevant and one.kind != _beside_the_point(device)]
    if on_cuda(device):
        causes.sort(key=lambda absence: absence.kind != "nvml")
        causes += [one for one in absences if one.kind == "nvml"]
    if causes:
        return _short(causes[0].brief or causes[0].message)
    where = model(surroundings) or "device"
    looked = ", ".join(kinds.searched())
    return _short(f"No power sensor on this {where} (looked for {looked}): {BRIEF_WAY_OUT}")


def _decided(
    users: Sequence[PowerSource],
    found: Survey,
    surroundings: Surroundings,
    *,
    device: str,
    window_s: float,
    log: str | None,
) -> Detected:
    rest = [source for source in found.sources if source not in users]
    x86 = has_flag(surroundings.root, "fpu")
    beside = [one for one in rest if _unasked(one.info, x86=x86, window_s=window_s)]
    main = users or [source for source in beside if covers(source.info, device)]
    # What does not cover the work is worth a figure only beside one that does.
    used = list(dict.fromkeys([*(users or main[:1]), *beside])) if main or log else []
    unused = [source for source in found.sources if source not in used]
    close(unused)
    reason = "" if used else why_none(found.absences, surroundings, device=device)
    if log is not None and not used:
        reason = (
            f"No sensor was read during the run: the energy comes from the power log {shown(log)}."
        )
    offered = tuple(source.info for source in unused)
    return Detected(
        sources=tuple(used),
        absences=found.absences,
        reason=_with_offer(reason, offered, device) if log is None else _short(reason),
        unused=offered,
        log=log,
    )


def _check_log(log: str) -> None:
    """Refuse what cannot be a log now, and not when the run is over."""
    from inferometer.meters.energy.logs.reading import target_of  # for numpy, which takes its time

    target_of(log)


def _unasked(info: SourceInfo, *, x86: bool, window_s: float) -> bool:
    """Whether a source is used although nobody named it.

    A monitor that somebody connected to a PC may be wired to anything; to a small board it is
    wired in order to measure that board.
    """
    if info.kind in SLOW:
        return window_s >= SLOW_WINDOW_S
    return not (x86 and info.kind == "hwmon" and info.scope == "board_input")


def _with_offer(reason: str, unused: Sequence[SourceInfo], device: str) -> str:
    """The reason, and the name of a source that would do where it is asked for."""
    offer = next((info for info in unused if covers(info, device)), None)
    if not reason or offer is None:
        return reason
    slow = ", with windows of five minutes" if offer.kind in SLOW else ""
    named = f"{offer.name} (--meter {offer.kind}){slow}"
    longer = (f"{reason} What can be read is {named}.", f"{reason} Or: {named}.", reason)
    return next(text for text in longer if len(text) <= LONGEST_REASON)


def _beside_the_point(device: str) -> str:
    """The kind that would not cover the work if it were there."""
    return "rapl" if on_cuda(device) else "nvml"


def _short(text: str) -> str:
    return textwrap.shorten(text, LONGEST_REASON, placeholder=" …")
