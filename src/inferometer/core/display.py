"""How records, runs and comparisons show themselves in a notebook.

The report draws; the types that are shown lie below it and know no plot. So they ask by name, and
only when a notebook asks them (docs/decisions/031-notebook.md).
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import IO, Protocol

_HOME = "inferometer.report.notebook.show"


class Picture(Protocol):
    """A figure of matplotlib (`matplotlib.figure.Figure`), which a notebook shows."""

    def savefig(self, fname: str | Path | IO[bytes], /) -> None:
        """Write it to a file; its suffix says the format."""

    def _repr_png_(self) -> bytes:
        """What a notebook shows."""


class Display(Protocol):
    """What shows values of ours."""

    def html(self, value: object) -> str:
        """A value as HTML, with a chart where it has figures."""

    def picture(self, value: object) -> Picture:
        """A value as a figure of matplotlib.

        Raises:
            MissingExtraError: matplotlib is not installed.
            InputError: it has no figure that can be drawn.
        """

    def progress(self) -> Callable[[object], None] | None:
        """What is told the events of a run and shows them, in a notebook; None elsewhere."""


def display() -> Display:
    """What shows values of ours, loaded when it is first asked for."""
    found: Display = import_module(_HOME).DISPLAY
    return found
