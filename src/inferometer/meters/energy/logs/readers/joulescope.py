"""Joulescope: CSV of its window and of its scripts, in SI units.

`#time (s),current (A),voltage (V)` as the user interface exports, also without names; and
`time,current,voltage,power,charge,energy[,current_min,current_max]` of `downsample_logging.py`,
twice a second (jetperch/pyjoulescope_ui and pyjoulescope_examples). Its own files, JLS, are binary
and are refused with the way out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from inferometer.meters.energy.logs.channel import Contents, LogOptions
from inferometer.meters.energy.logs.table import names_of
from inferometer.meters.energy.logs.tabular import Profile, read_tabular

_EXPORTED = {"time(s)", "current(a)", "voltage(v)"}
_LOGGED = {"time", "current", "voltage", "power", "charge", "energy"}


class Joulescope:
    """What a Joulescope's programs write as CSV."""

    name = "joulescope"

    def recognises(self, head: Sequence[str]) -> bool:
        """By its names."""
        names = {name.replace(" ", "") for name in names_of(head)}
        exported = any("#" in line for line in head[:3]) and names >= _EXPORTED
        return exported or names >= _LOGGED

    def read(self, lines: Iterable[str], options: LogOptions) -> Contents:
        """Volts times amps, or the power where it is there."""
        return read_tabular(lines, options, Profile(scope="board_input"))
