"""Latency against time under continuous load: the derating, and whether the ranking holds.

Drawing it is in `derating`, which needs matplotlib.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

from inferometer.core import units
from inferometer.core.record import Record, Round
from inferometer.report.document.wording import joined

LINES = 10
HEAD = f"{'from':>10}{'median':>12}{'temperature':>13}{'clock':>10}"


@dataclass(frozen=True, kw_only=True)
class Window:
    """A stretch of a sustained workload.

    Attributes:
        at_s: its begin, seconds after that of the workload.
        latency_s: median seconds per call.
        temperature_c: the highest in it, degrees Celsius; None where it was not observable.
        frequency_hz: median clock; None where it was not observable.
    """

    at_s: float
    latency_s: float
    temperature_c: float | None
    frequency_hz: float | None


@dataclass(frozen=True, kw_only=True)
class Curve:
    """A sustained workload over time.

    Attributes:
        label: of the workload.
        first_s: median seconds per call at the beginning, which the record names.
        windows: in the order of time, at least one.
    """

    label: str
    first_s: float
    windows: tuple[Window, ...] = field(repr=False)


def sustained_lines(records: Sequence[Record]) -> list[str]:
    """What continuous load did to each workload; nothing where none was sustained."""
    lines = [line for record in records if (line := _change(record)) is not None]
    ranking = _ranking(records)
    return [*lines, ranking] if ranking else lines


def window_lines(record: Record) -> list[str]:
    """Latency, temperature and clock of a sustained workload in up to ten equal parts of its time.

    Args:
        record: with its rounds.

    Returns:
        A head and a row for each part, in columns; nothing where it was not sustained.
    """
    parts = _windows(record, LINES)
    return [HEAD, *map(_row, parts)] if parts else []


def curves(records: Sequence[Record]) -> list[Curve]:
    """Every sustained workload over time, window by window.

    Args:
        records: with their rounds; those without any give no curve.
    """
    found = []
    for record in records:
        windows, first_s = _windows(record), record.number("sustained_first_s")
        if windows and first_s:
            label = record.workload.label
            found.append(Curve(label=label, first_s=first_s, windows=tuple(windows)))
    return found


def _windows(record: Record, most: int | None = None) -> list[Window]:
    """The windows of a record, joined to at most so many."""
    rounds = [done for done in record.rounds if done.phase == "measure" and done.settled_s]
    if record.number("sustained_span_s") is None or not rounds:
        return []
    begin = rounds[0].started_at
    size = -(-len(rounds) // (most or len(rounds)))
    parts = [rounds[at : at + size] for at in range(0, len(rounds), size)]
    return [_window(part, part[0].started_at - begin) for part in parts]


def _window(part: Sequence[Round], at_s: float) -> Window:
    degrees = [t for done in part if (t := done.signals.get("temperature_c")) is not None]
    clocks = [f for done in part if (f := done.signals.get("frequency_min_hz")) is not None]
    return Window(
        at_s=at_s,
        latency_s=median(value for done in part for value in done.settled_s),
        temperature_c=max(degrees, default=None),
        frequency_hz=median(clocks) if clocks else None,
    )


def _row(window: Window) -> str:
    degrees, clock = window.temperature_c, window.frequency_hz
    return (
        f"{units.duration(window.at_s):>10}{units.seconds(window.latency_s):>12}"
        f"{units.ABSENT if degrees is None else f'{degrees:.0f} °C':>13}"
        f"{units.ABSENT if clock is None else f'{clock / 1e9:.2f} GHz':>10}"
    )


def _change(record: Record) -> str | None:
    first, last = record.number("sustained_first_s"), record.number("sustained_last_s")
    span = record.number("sustained_span_s")
    if first is None or last is None or span is None:
        return None
    return (
        f"{record.workload.label}: {units.seconds(first)} at the beginning, {units.seconds(last)} "
        f"at the end of {units.duration(span)} ({(last / first - 1) * 100:+.1f} %)"
    )


def _ranking(records: Sequence[Record]) -> str | None:
    """Whether the order of the workloads at the beginning is that at the end."""
    both = [record for record in records if record.number("sustained_last_s") is not None]
    if len(both) < 2:  # noqa: PLR2004 - an order needs two
        return None
    first, last = (
        [record.workload.label for record in sorted(both, key=lambda r: r.number(name) or 0.0)]
        for name in ("sustained_first_s", "sustained_last_s")
    )
    if first == last:
        return f"The ranking, the fastest first, is the same at both ends: {joined(first)}."
    return (
        f"The ranking changed: the fastest first, {joined(first)} at the beginning, {joined(last)} "
        "at the end."
    )
