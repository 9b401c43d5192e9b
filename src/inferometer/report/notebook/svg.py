"""Small charts as inline SVG: points with their intervals, over an axis or in rows."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

COLOURS = ("#0072B2", "#D55E00", "#008A66", "#B5609A", "#8F7200", "#7A6BD1")
"""Told apart with any common colour blindness, and from both white and black by 3 to 1."""
DASHES = ("", "6 3", "2 3")
_WIDTH, _HEIGHT, _ROWS_WIDTH = 340.0, 230.0, 480.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 62.0, 12.0, 24.0, 40.0
_ROW = 22.0
_MOST_TICKS = 6
_LETTER = 6.3
"""Width of a letter at the size of the text."""


@dataclass(frozen=True, kw_only=True)
class Mark:
    """A point.

    Attributes:
        x: where on the horizontal axis.
        y: the figure; in a chart of rows, the number of its row.
        low: lower end of its interval; None where there is none.
        high: upper end of its interval.
        told: what is shown when it is pointed at.
    """

    x: float
    y: float
    low: float | None = None
    high: float | None = None
    told: str = ""


@dataclass(frozen=True, kw_only=True)
class Line:
    """Points of one colour; joined by a line where `joined` says so."""

    label: str
    marks: tuple[Mark, ...]
    joined: bool = True


@dataclass(frozen=True, kw_only=True)
class Axis:
    """An axis: what stands beside it, its ticks, and how they are told."""

    label: str
    ticks: tuple[float, ...]
    text: Callable[[float], str]
    is_log: bool = True


@dataclass(frozen=True, kw_only=True)
class Chart:
    """Lines over two axes.

    Attributes:
        title: what stands above it.
        x: the horizontal axis.
        y: the vertical axis.
        lines: each has its colour by its place.
        band: two figures between which the ground is shaded; None is no band.
    """

    title: str
    x: Axis
    y: Axis
    lines: tuple[Line, ...]
    band: tuple[float, float] | None = None


class _Scale:
    """From figures to places in the picture."""

    def __init__(self, axis: Axis, values: Sequence[float], start: float, end: float) -> None:
        self._is_log = axis.is_log
        self.start, self.end = start, end
        ends = [self._of(one) for one in (*values, *axis.ticks) if one > 0 or not axis.is_log]
        low, high = min(ends, default=0.0), max(ends, default=1.0)
        room = 0.04 * (high - low) or 0.5
        self.low, self.high = low - room, high + room

    def _of(self, value: float) -> float:
        return math.log10(value) if self._is_log else value

    def __call__(self, value: float) -> float:
        """The place of a figure; one beyond the axis is at its end."""
        found = self.low if self._is_log and value <= 0 else self._of(value)
        share = (found - self.low) / (self.high - self.low)
        return self.start + min(max(share, 0.0), 1.0) * (self.end - self.start)


def draw(chart: Chart) -> str:
    """Lines over two axes as SVG."""
    marks = [mark for line in chart.lines for mark in line.marks]
    x = _Scale(chart.x, [mark.x for mark in marks], _LEFT, _WIDTH - _RIGHT)
    y = _Scale(chart.y, [*_ends(marks), *(chart.band or ())], _HEIGHT - _BOTTOM, _TOP)
    parts = [
        _text(_WIDTH / 2, 14, chart.title, anchor="middle", weight="bold"),
        *_band(chart.band, y),
        *_x_axis(chart.x, x, _HEIGHT - _BOTTOM),
        *_y_axis(chart.y, y),
    ]
    for number, line in enumerate(chart.lines):
        parts += _line(line, number, x, y)
    told = f"{chart.title}: {chart.y.label} against {chart.x.label}"
    return _svg(parts, (_WIDTH, _HEIGHT), told)


def rows(title: str, axis: Axis, marks: Sequence[tuple[str, Mark]]) -> str:
    """Points below each other, each with its name and its interval along one axis, as SVG.

    Args:
        title: what it shows.
        axis: along which the figures (`Mark.x`, `low`, `high`) lie.
        marks: name and point of each row, from above.
    """
    left = 14 + _LETTER * max((len(name) for name, _ in marks), default=0)
    left = min(left, 0.5 * _ROWS_WIDTH)
    bottom = _TOP + _ROW * len(marks)
    ends = [end for _, one in marks for end in (one.x, one.low, one.high) if end is not None]
    x = _Scale(axis, ends, left, _ROWS_WIDTH - _RIGHT)
    parts = [
        _text(_ROWS_WIDTH / 2, 14, title, anchor="middle", weight="bold"),
        *_x_axis(axis, x, bottom),
    ]
    for number, (name, mark) in enumerate(marks):
        parts += _row(name, mark, x, _TOP + _ROW * (number + 0.5), left)
    return _svg(parts, (_ROWS_WIDTH, bottom + _BOTTOM), f"{title}: {axis.label}")


def legend(labels: Sequence[str]) -> str:
    """The lines of a chart by name, as HTML below it."""
    keys = [
        f'<span style="white-space:nowrap;margin-right:1em">'
        f'<svg width="24" height="10" aria-hidden="true">'
        f'<path d="M0 5H24" {_stroke(number)}/></svg> {escape(label)}</span>'
        for number, label in enumerate(labels)
    ]
    return f"<div>{' '.join(keys)}</div>"


def linear_ticks(low: float, high: float) -> tuple[float, ...]:
    """Round values within a range, evenly spaced."""
    if not high > low:
        return (low,)
    step = 10.0 ** math.floor(math.log10((high - low) / _MOST_TICKS))
    step *= next(k for k in (1, 2, 5, 10, 20) if (high - low) / (k * step) <= _MOST_TICKS)
    first = math.ceil(low / step)
    return tuple(step * n for n in range(first, math.floor(high / step) + 1))


def log_ticks(low: float, high: float) -> tuple[float, ...]:
    """Round values within a range, evenly spaced by their ratios; linear ones in a narrow range."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for digits in ((1, 2, 5), (1,)):
        found = [digit * 10.0**decade for decade in decades for digit in digits]
        inside = tuple(value for value in found if low <= value <= high)
        if len(inside) <= _MOST_TICKS:
            break
    return inside if len(inside) > 1 else linear_ticks(low, high)


def _ends(marks: Sequence[Mark]) -> list[float]:
    """The figures, and the ends of their intervals that are not absurdly far."""
    found = [mark.y for mark in marks]
    found += [max(one.low, one.y / 3) for one in marks if one.low is not None]
    return found + [min(one.high, one.y * 3) for one in marks if one.high is not None]


def _line(line: Line, number: int, x: _Scale, y: _Scale) -> list[str]:
    colour = COLOURS[number % len(COLOURS)]
    parts = []
    if line.joined and len(line.marks) > 1:
        way = "L".join(f"{x(mark.x):.1f} {y(mark.y):.1f}" for mark in line.marks)
        parts.append(f'<path d="M{way}" fill="none" {_stroke(number)}/>')
    for mark in line.marks:
        if mark.low is not None and mark.high is not None:
            way = f"M{x(mark.x):.1f} {y(mark.low):.1f}V{y(mark.high):.1f}"
            parts.append(f'<path d="{way}" stroke="{colour}" stroke-width="1.2"/>')
        parts.append(_point(x(mark.x), y(mark.y), colour, mark.told))
    return parts


def _row(name: str, mark: Mark, x: _Scale, at: float, left: float) -> list[str]:
    most = int((left - 8) / _LETTER)
    short = name if len(name) <= most else name[: most - 1] + "…"
    parts = [_text(left - 8, at + 4, short, anchor="end")]
    if mark.low is not None and mark.high is not None:
        way = f"M{x(mark.low):.1f} {at:.1f}H{x(mark.high):.1f}"
        parts.append(f'<path d="{way}" stroke="{COLOURS[0]}" stroke-width="2"/>')
    return [*parts, _point(x(mark.x), at, COLOURS[0], mark.told or name)]


def _point(x: float, y: float, colour: str, told: str) -> str:
    title = f"<title>{escape(told)}</title>" * bool(told)
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}">{title}</circle>'


def _band(band: tuple[float, float] | None, y: _Scale) -> list[str]:
    if band is None:
        return []
    top, bottom = y(band[1]), y(band[0])
    place = f'x="{_LEFT}" y="{top:.1f}" width="{_WIDTH - _LEFT - _RIGHT}"'
    height = f'height="{max(bottom - top, 1.0):.1f}"'
    return [f'<rect {place} {height} fill="currentColor" opacity="0.12"/>']


def _x_axis(axis: Axis, x: _Scale, bottom: float) -> list[str]:
    parts = [_text((x.start + x.end) / 2, bottom + 34, axis.label, anchor="middle")]
    for tick in axis.ticks:
        parts.append(_grid(f"M{x(tick):.1f} {_TOP}V{bottom}"))
        parts.append(_text(x(tick), bottom + 16, axis.text(tick), anchor="middle"))
    return parts


def _y_axis(axis: Axis, y: _Scale) -> list[str]:
    parts = []
    for tick in axis.ticks:
        parts.append(_grid(f"M{_LEFT} {y(tick):.1f}H{_WIDTH - _RIGHT}"))
        parts.append(_text(_LEFT - 6, y(tick) + 4, axis.text(tick), anchor="end"))
    return parts


def _grid(way: str) -> str:
    return f'<path d="{way}" stroke="currentColor" opacity="0.18"/>'


def _text(x: float, y: float, text: str, *, anchor: str, weight: str = "normal") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-weight="{weight}" '
        f'fill="currentColor">{escape(text)}</text>'
    )


def _stroke(number: int) -> str:
    """Colour and dash of a line by its place."""
    dash = DASHES[number // len(COLOURS) % len(DASHES)]
    dashed = f' stroke-dasharray="{dash}"' * bool(dash)
    return f'stroke="{COLOURS[number % len(COLOURS)]}" stroke-width="1.6"{dashed}'


def _svg(parts: Sequence[str], size: tuple[float, float], told: str) -> str:
    width, height = size
    return (
        f'<svg role="img" aria-label="{escape(told)}" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" style="max-width:100%" font-size="11" '
        f'font-family="sans-serif">{"".join(parts)}</svg>'
    )
