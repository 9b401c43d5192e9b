"""How all our figures look and are saved, without matplotlib's global state.

The same figure gives the same bytes.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import matplotlib as mpl
from matplotlib.figure import Figure

from inferometer.report.document import marks
from inferometer.report.plots.choice import FORMATS

# Okabe and Ito's palette, told apart with any common colour blindness; its yellow is left
# out: it is too faint on white. As 7 and 11 have no common factor, 77 variants look different.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*", "<", ">", "p")
Dash = Literal["solid", "dashed", "dotted", "dashdot"]
DASHES: tuple[Dash, ...] = ("solid", "dashed", "dotted", "dashdot")
FAINT = "#dddddd"
DOTS_PER_INCH = 150

_SETTINGS: dict[Any, Any] = {  # matplotlib types the names differently from release to release
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "svg.fonttype": "none",
    "svg.hashsalt": "inferometer",
    "text.parse_math": False,  # a model's name may hold a dollar sign
}
_METADATA: dict[str, dict[str, str | None]] = {"png": {"Software": None}, "svg": {"Date": None}}


class Drawing(Figure):
    """A figure that a notebook shows, also where nobody imported pyplot."""

    def _repr_png_(self) -> bytes:
        return _saved(self, "png")


@contextmanager
def settings() -> Iterator[None]:
    """How our figures look, for as long as the context lasts."""
    with mpl.rc_context(_SETTINGS), warnings.catch_warnings():
        # A name in a script that the font lacks is shown as boxes in the PNG; the SVG has it.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        yield


def saved(figure: Figure, name: str) -> dict[str, bytes]:
    """A figure in each format, by file name.

    The places of its parts are found once: with a layout engine matplotlib would find them again
    for each format.
    """
    figure.set_dpi(DOTS_PER_INCH)
    lay_out(figure)
    figure.set_layout_engine(None)
    return {f"{name}.{suffix}": _saved(figure, suffix) for suffix in FORMATS}


def lay_out(figure: Figure) -> None:
    """Find the places of its parts, as drawing does before it draws."""
    engine = figure.get_layout_engine()
    if engine is not None:
        engine.execute(figure)


def _saved(figure: Figure, suffix: str) -> bytes:
    file = io.BytesIO()
    figure.savefig(file, format=suffix, dpi=DOTS_PER_INCH, metadata=_METADATA[suffix])
    return file.getvalue()


def legend_label(text: str, length: int) -> str:
    """A name of bearable length that matplotlib does not take for a hidden one."""
    name = marks.shorten(text, length)
    return "\N{ZERO WIDTH SPACE}" * name.startswith("_") + name
