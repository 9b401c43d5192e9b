"""Text of a CSV file that a spreadsheet would take for a formula, and how it is kept from that.

Excel, LibreOffice and others run what stands in a cell that begins with `=`, `+`, `-` or `@`, and
some pass over blanks, tabs, quotes or line ends before it; the wide forms of these signs count too.
Such text gets an apostrophe before it, which spreadsheets take for "this is text". Text that begins
with apostrophes and would be taken for one without them gets one more, so that removing one gives
back exactly what was there.
"""

from __future__ import annotations

import re

APOSTROPHE = "'"
_FORMULA = re.compile(
    r"""[\s'"`\x00-\x20\x7f-\xa0\u200b-\u200f\u2060\ufeff]*"""
    r"""(?:[=+\-@\uff1d\uff0b\uff0d\uff20\ufe62\ufe63\ufe66\ufe6b\u2212]|(?<=[\t\r\n]))"""
)


def neutralised(text: str) -> str:
    """Text as it stands in a cell of a CSV file."""
    return APOSTROPHE + text if _FORMULA.match(text) else text


def restored(cell: str) -> str:
    """The text that a cell of a CSV file holds; what `neutralised` never gives stays as it is."""
    return cell[1:] if cell.startswith(APOSTROPHE) and _FORMULA.match(cell) else cell
