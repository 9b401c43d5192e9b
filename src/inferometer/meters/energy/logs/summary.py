"""What a log holds, by its channels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from inferometer.core.energy import EnergyMethod, Scope
from inferometer.core.shown import shown
from inferometer.meters.energy.logs.channel import Channel, Contents, LogProblemError
from inferometer.meters.energy.logs.series import series_of

_AMBIGUOUS = (
    "{listed} may all be the power: name one, as with --column '{first}' (or "
    "csv://FILE?power=NAME), or add up those that have no part in common: --column 'NAME+NAME'"
)


@dataclass(frozen=True, kw_only=True)
class ColumnSummary:
    """A channel of a log.

    Attributes:
        name: what the log calls it.
        unit: of the three figures.
        mean: weighted by time.
        min: the least reading.
        max: the greatest reading.
        written_in: the unit that the log has it in; empty where it names none.
        part_of: the channel that contains it; empty where none is known to.
    """

    name: str
    unit: str
    mean: float
    min: float
    max: float
    written_in: str
    part_of: str


@dataclass(frozen=True, kw_only=True)
class LogSummary:
    """What a log holds.

    Attributes:
        format: which reader read it.
        scope: what it covers; None where no power is chosen.
        method: whether it is measured; None where no power is chosen.
        readings: of the power that is chosen; 0 where none is.
        span_s: from the first to the last of them; None where none is chosen.
        mean_w: weighted by time; None where none is chosen.
        columns: what may be the power.
        notes: what was assumed, changed and left out, and what is doubtful.
    """

    format: str
    scope: Scope | None
    method: EnergyMethod | None
    readings: int
    span_s: float | None
    mean_w: float | None
    columns: tuple[ColumnSummary, ...]
    notes: tuple[str, ...]


def columns_in(contents: Contents) -> tuple[ColumnSummary, ...]:
    """The channels of a log with their figures; those without any are left out."""
    return tuple(found for channel in contents.channels if (found := _summary(channel)) is not None)


def _summary(channel: Channel) -> ColumnSummary | None:
    """Figures of a channel; None where it has none."""
    try:
        series = series_of(channel)
    except LogProblemError:
        return None
    return ColumnSummary(
        name=channel.name,
        unit="W",
        mean=series.mean_w,
        min=float(series.watts.min()),
        max=float(series.watts.max()),
        written_in=channel.unit,
        part_of=channel.part_of,
    )


def list_of(contents: Contents) -> str:
    """What may be the power, with figures, and how to name one."""
    columns = columns_in(contents)
    if not columns:
        return "no power in it has a figure in any row: the meter read none"
    return _AMBIGUOUS.format(
        listed=_listed(columns),
        first=shown(columns[0].name, 40),
    )


def _listed(columns: Sequence[ColumnSummary]) -> str:
    few = [
        f"{shown(repr(one.name), 60)} (mean {one.mean:.4g} W, {one.min:.4g} to {one.max:.4g} W)"
        for one in columns[:6]
    ]
    return ", ".join(few) + (f" and {len(columns) - 6} more" if len(columns) > 6 else "")  # noqa: PLR2004
