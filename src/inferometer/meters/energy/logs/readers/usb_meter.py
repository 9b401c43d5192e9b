"""USB meters: RDTech TC66C and UM25C, FNIRSI FNB48 and FNB58, AVHzY CT-2 and CT-3 (Shizuku).

Their programs and the scripts of others write a table with volts, amps and what only a USB meter
knows: the data lines (D+, D-, `dp_V`, `dn_V`) or the CC lines. Seen: `timestamp sample_in_packet
voltage_V current_A dp_V dn_V temp_C_ema energy_Ws capacity_As` (baryluk/fnirsi-usb-power-data-
logger, also with commas), `Voltage(V),Current(A),D+(V),D-(V)`, `VBUS(V),IBUS(A),CC1(V),CC2(V)`.
Times within a packet of FNIRSI go back a little, and are sorted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from inferometer.meters.energy.logs.channel import Contents, LogOptions
from inferometer.meters.energy.logs.columns import columns_of, pairs_of, powers_of
from inferometer.meters.energy.logs.table import HEADER_LINES, find_table
from inferometer.meters.energy.logs.tabular import Profile, read_tabular

_LINES = re.compile(r"(d[+-]|data[+-]|dp|dn|cc1|cc2|usb_voltage_d[pn])(?![a-z])", re.IGNORECASE)
_MODEL = re.compile(r"\b(TC66C?|UM(24|25|34)C?|FNB(38|48|58)S?|FNIRSI|AVHzY|Shizuku|CT-[23])\b")


class UsbMeter:
    """What the program of a USB meter writes."""

    name = "usb-meter"

    def recognises(self, head: Sequence[str]) -> bool:
        """By a data line among its names, or by its model above them."""
        table = find_table(head, _fits)
        if table is None:
            return False
        lines = any(_LINES.match(cell.strip()) for cell in table.header)
        return lines or any(map(_MODEL.search, head[:HEADER_LINES]))

    def read(self, lines: Iterable[str], options: LogOptions) -> Contents:
        """The power through the meter."""
        return read_tabular(lines, options, Profile(scope="board_input"))


def _fits(cells: list[str]) -> bool:
    columns = columns_of(cells)
    return len(cells) > 2 and bool(pairs_of(columns) or powers_of(columns))  # noqa: PLR2004
