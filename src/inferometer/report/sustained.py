"""Latency against time under continuous load: the derating, and whether the ranking holds."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from inferometer.core import units
from inferometer.core.record import Record, Round
from inferometer.report.wording import joined

LINES = 10


def sustained_lines(records: Sequence[Record]) -> list[str]:
    """What continuous load did to each workload; nothing where none was sustained."""
    lines = [line for record in records if (line := _change(record)) is not None]
    ranking = _ranking(records)
    return [*lines, ranking] if ranking else lines


def window_lines(record: Record) -> list[str]:
    """Latency, temperature and clock of a sustained workload in up to ten equal parts of its time.

    Args:
        record: with its rounds.
    """
    windows = [done for done in record.rounds if done.phase == "measure" and done.settled_s]
    if record.number("sustained_span_s") is None or not windows:
        return []
    begin = windows[0].started_at
    size = -(-len(windows) // LINES)
    parts = [windows[at : at + size] for at in range(0, len(windows), size)]
    return [_window(part, part[0].started_at - begin) for part in parts]


def _window(part: Sequence[Round], at_s: float) -> str:
    value = median(value for done in part for value in done.settled_s)
    cells = [f"{units.duration(at_s):>8}", f"{units.seconds(value):>10}"]
    degrees = [t for done in part if (t := done.signals.get("temperature_c")) is not None]
    clocks = [f for done in part if (f := done.signals.get("frequency_min_hz")) is not None]
    cells.append(f"{max(degrees):.0f} °C" if degrees else "temperature not observable")
    cells.append(f"{median(clocks) / 1e9:.2f} GHz" if clocks else "clock not observable")
    return "  ".join(cells)


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
        return f"The ranking at the beginning is that at the end: {joined(first)}."
    return f"The ranking changed: {joined(first)} at the beginning, {joined(last)} at the end."
