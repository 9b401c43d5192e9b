"""Any table with times and a power, or volts and amps: what no other reader recognises."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from inferometer.meters.energy.logs.channel import Contents, LogOptions
from inferometer.meters.energy.logs.tabular import read_tabular


class CsvAny:
    """Any CSV; the last in the list."""

    name = "csv"

    def recognises(self, head: Sequence[str]) -> bool:
        """Everything."""
        del head
        return True

    def read(self, lines: Iterable[str], options: LogOptions) -> Contents:
        """A channel for each column of powers, or the product of volts and amps."""
        return read_tabular(lines, options)
