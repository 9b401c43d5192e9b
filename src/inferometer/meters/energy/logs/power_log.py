"""Power over time as a meter logged it. Does not know how it was written down, nor what ran.

Its clock is its own: `stats.alignment` fits how far it is from ours.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from inferometer.core.energy import EnergyMethod, Scope, SourceInfo
from inferometer.meters.energy.logs.channel import Clock, Floats

KIND = "csv"


@dataclass(frozen=True, kw_only=True, eq=False)
class PowerLog:
    """Power over time as a meter logged it.

    Attributes:
        times_s: ascending, on the clock of the log, seconds.
        watts: power at each of them; between two it is taken as a straight line.
        period_s: median distance of two times.
        path: the file.
        clock: whether the times are absolute, absolute in an assumed zone, or from a start.
        scope: what the meter covers, as the user states or the format tells.
        method: whether the meter measures, or a vendor models.
        gain: largest relative error of the meter, as the user states; None where unknown.
        notes: what was assumed or left out, a sentence each.
    """

    times_s: Floats
    watts: Floats
    period_s: float
    path: str
    clock: Clock = "unix"
    scope: Scope = "wall"
    method: EnergyMethod = "measured"
    gain: float | None = None
    notes: tuple[str, ...] = field(default=())

    @cached_property
    def info(self) -> SourceInfo:
        """What is known of the meter; it is taken to average over its period, as most do.

        Its resolution is the smallest distance of two powers that differ: it is no finer.
        """
        steps = np.diff(np.unique(self.watts))
        return SourceInfo(
            name=f"{KIND}:{Path(self.path).name}",
            kind=KIND,
            scope=self.scope,
            method=self.method,
            quantity="power",
            period_s=self.period_s,
            window_s=self.period_s,
            resolution=float(steps.min()) if steps.size else 0.0,
            gain=self.gain,
            where=self.path,
        )
