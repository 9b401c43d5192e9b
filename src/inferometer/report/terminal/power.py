"""Power while it is drawn: watts now, their mean, and a line of the last minute for each source."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from inferometer.core import units
from inferometer.core.energy import SourceInfo
from inferometer.meters.energy.watch import Watched
from inferometer.report.document.marks import plain

_BARS = "▁▂▃▄▅▆▇█"
SPARKLINE_LENGTH = 40
LOST = "lost"


def sparkline(values: Sequence[float], length: int = SPARKLINE_LENGTH) -> str:
    """The last values as bars between the least and the most of them; flat where all are equal."""
    shown = values[-length:]
    if not shown:
        return ""
    low, high = min(shown), max(shown)
    if high <= low:
        return _BARS[0] * len(shown)
    steps = len(_BARS) - 1
    return "".join(_BARS[round((value - low) / (high - low) * steps)] for value in shown)


def described(info: SourceInfo) -> str:
    """A source in one line: name, scope, method."""
    method = {"measured": "measured", "vendor_model": "the vendor's model"}.get(
        info.method, "an estimate, not measured"
    )
    return f"{info.name}  {info.scope.replace('_', ' ')}, {method}"


def table(sources: Sequence[Watched]) -> Table:
    """All sources as they stand."""
    grid = Table.grid(padding=(0, 2))
    for source in sources:
        now = (
            Text(LOST, style="red")
            if source.lost
            else Text(units.watts(source.last_w), style="bold")
        )
        mean = f"mean {units.watts(source.mean_w)}"
        grid.add_row(Text(plain(source.info.name)), now, mean, sparkline(source.watts))
    return grid


def line(sources: Sequence[Watched], elapsed_s: float) -> str:
    """All sources in one plain line."""
    parts = [f"{one.info.name} {LOST if one.lost else units.watts(one.last_w)}" for one in sources]
    return f"{elapsed_s:7.1f} s  {'  '.join(parts)}"


def summary(sources: Sequence[Watched]) -> list[str]:
    """Mean, extremes and energy of each source; sources that contain each other are not added."""
    lines = []
    for one in sources:
        if one.mean_w is not None:
            span = f"{units.watts(min(one.watts))} to {units.watts(max(one.watts))}"
            lines.append(
                f"{one.info.name}  mean {units.watts(one.mean_w)} ({span}), "
                f"{units.joules(one.joules)} in {units.number(one.seconds)} s"
            )
        if one.lost:
            lines.append(f"{one.info.name}  {LOST}: {one.lost}")
        elif one.mean_w is None:
            lines.append(f"{one.info.name}  too short for a figure")
    return lines
