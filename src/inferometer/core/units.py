"""Figures for people: the only place with prefixes and rounding.

Without a spread a figure has three significant digits. With one, the figure ends where its spread
does: after two digits of the spread where its first three are 100 to 354, after one where they are
355 to 949 (the rule of the Particle Data Group, Review of Particle Physics, introduction), but not
after more than five digits of the figure; the spread is then rounded up. Where the two halves of an
interval are unlike, or longer than the figure, both of its ends are shown.
"""

from __future__ import annotations

import math

from inferometer.core.metric import Estimate

ABSENT = "\N{EN DASH}"
"""Stands where there is no figure."""

TIMES = "\N{MULTIPLICATION SIGN}"

SIGNIFICANT = 3
MOST_SIGNIFICANT = 5
LOPSIDED = 0.25
"""Halves of an interval that differ by more than this share of their mean are shown each."""
UNBOUNDED = 1000.0
"""An interval that reaches so many times its figure is told to have no end."""
FAR = 10.0
"""An end that is so many times the figure, or as small a part of it, has digits of its own."""

_SECONDS = ((1e-6, "µs"), (1e-3, "ms"), (1.0, "s"))
_JOULES = ((1e-6, "µJ"), (1e-3, "mJ"), (1.0, "J"))
_WATTS = ((1e-3, "mW"), (1.0, "W"))
_BYTES = ((1.0, "B"), (2.0**10, "KiB"), (2.0**20, "MiB"), (2.0**30, "GiB"))
_DECIMAL = ((1.0, ""), (1e3, "k"), (1e6, "M"), (1e9, "G"), (1e12, "T"))
_COUNTS = ((1.0, ""), (1e3, " k"), (1e6, " M"), (1e9, " G"))


def number(value: float | None) -> str:
    """Three significant digits, thousands separated: `0.0123`, `38.2`, `6,976`."""
    if value is None or not math.isfinite(value):
        return ABSENT
    return f"{value:,.{_decimals(value, SIGNIFICANT)}f}"


def seconds(value: float | None) -> str:
    """A latency: `38.2 ms`. Never minutes, so that latencies can be compared at sight."""
    return _prefixed(value, _SECONDS)


def latency(estimate: Estimate | None) -> str:
    """A latency with its interval where it has one: `38.2 ± 0.9 ms`, `14.9 [14.2, 19.0] ms`."""
    if estimate is None:
        return ABSENT
    value, low, high = estimate.value, estimate.low, estimate.high
    if low is None or high is None:
        return seconds(value)
    if is_unbounded(value, high):
        return f"{seconds(value)} [unbounded]"
    if is_lopsided(value, low, high):
        return _with_ends(value, low, high, _SECONDS)
    return plus_minus(value, (high - low) / 2)


def is_unbounded(value: float, high: float) -> bool:
    """Whether the upper end of an interval is so far off that it says nothing."""
    return 0 < value * UNBOUNDED < high < math.inf


def is_lopsided(value: float, low: float, high: float) -> bool:
    """Whether half of an interval says something else than its ends, or exceeds its figure."""
    half = (high - low) / 2
    return abs((high - value) - (value - low)) > LOPSIDED * half or half > abs(value)


def plus_minus(value: float, spread: float | None) -> str:
    """Seconds with a spread in the same unit: `1.512 ± 0.012 s`."""
    return _with_spread(value, spread, _SECONDS)


def energy(value: float, spread: float | None) -> str:
    """Joules with a spread in the same unit: `28.1 ± 5.7 mJ`."""
    return _with_spread(value, spread, _JOULES)


def plain(value: float, low: float | None, high: float | None) -> str:
    """A figure without a unit with its interval: `0.931 ± 0.011`, `0.98 [0.93, 0.99]`."""
    one = ((1.0, ""),)
    if low is None or high is None:
        return number(value)
    if is_lopsided(value, low, high):
        return _with_ends(value, low, high, one).rstrip()
    return _with_spread(value, (high - low) / 2, one).rstrip()


def _with_spread(value: float, spread: float | None, units: tuple[tuple[float, str], ...]) -> str:
    if spread is None or not (math.isfinite(value) and math.isfinite(spread)):
        return _prefixed(value, units)
    scale, unit = _scale(value, units)
    shown, spread = value / scale, abs(spread / scale)
    decimals = _spread_decimals(spread) if spread else _decimals(shown, SIGNIFICANT)
    if decimals > _decimals(shown, MOST_SIGNIFICANT):
        decimals = _decimals(shown, MOST_SIGNIFICANT)
        spread = math.ceil(spread * 10**decimals) / 10**decimals
    return f"{shown:,.{decimals}f} ± {spread:,.{decimals}f} {unit}"


def _with_ends(value: float, low: float, high: float, units: tuple[tuple[float, str], ...]) -> str:
    """A figure with both ends of its interval, to the digits that its shorter half deserves."""
    if not all(map(math.isfinite, (value, low, high))):
        return _prefixed(value, units)
    scale, unit = _scale(value, units)
    shown, *ends = value / scale, low / scale, high / scale
    shorter = min(abs(end - shown) for end in ends)
    deserved = min(_spread_decimals(shorter), _decimals(shown, MOST_SIGNIFICANT)) if shorter else 0
    decimals = max(deserved, _decimals(shown, SIGNIFICANT))
    told = [
        f"{end:,.{decimals}f}" if abs(shown) / FAR <= abs(end) <= abs(shown) * FAR else number(end)
        for end in ends
    ]
    return f"{shown:,.{decimals}f} [{', '.join(told)}] {unit}"


def duration(value: float) -> str:
    """A span on the clock, to the second: `45 s`, `3 min 20 s`, `1 h 5 min`."""
    whole = max(0, round(value))
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def byte_count(value: float | None) -> str:
    """Bytes with a binary prefix: `29.6 MiB`."""
    if value is not None and value < 2**10:
        return f"{value:.0f} B"
    return _prefixed(value, _BYTES)


def joules(value: float | None) -> str:
    """Energy: `1.42 J`."""
    return _prefixed(value, _JOULES)


def watts(value: float | None) -> str:
    """Power: `14.2 W`."""
    return _prefixed(value, _WATTS)


def count(value: int | None) -> str:
    """A count in full: `7,763,041`."""
    return ABSENT if value is None else f"{value:,}"


def quantity(value: float | None, unit: str) -> str:
    """Operations and their rates, with a decimal prefix: `1.81 GMACs`, `95.0 GFLOP/s`."""
    if value == 0:
        return f"0 {unit}"
    return _prefixed(value, tuple((scale, prefix + unit) for scale, prefix in _DECIMAL))


def ratio(value: float) -> str:
    """How many times as much: `2.31` and the multiplication sign."""
    return f"{number(value)}{TIMES}"


def percent(share: float | None) -> str:
    """A share of one: `4.2 %`; two significant digits."""
    if share is None or not math.isfinite(share):
        return ABSENT
    return f"{100 * share:,.{_decimals(100 * share, 2)}f}".removesuffix(".0") + " %"


def half_width(share: float | None) -> str:
    """Half of an interval as a share of its figure; beyond all of it a number says nothing."""
    return "over 100 %" if share is not None and share > 1 else percent(share)


def round_seconds(value: float) -> str:
    """A round latency on an axis: `200 ms`, `1 s`."""
    scale, unit = _scale(value, _SECONDS)
    return f"{round_number(value / scale)} {unit}"


def round_count(value: float) -> str:
    """A round count on an axis: `5 M`."""
    scale, unit = _scale(value, _COUNTS)
    return f"{round_number(value / scale)}{unit}"


def round_number(value: float) -> str:
    """A round number on an axis: `0.5`, `2,000`."""
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"  # noqa: PLR2004 - 1.5 has two digits


def _prefixed(value: float | None, units: tuple[tuple[float, str], ...], gap: str = " ") -> str:
    if value is None or not math.isfinite(value):
        return ABSENT
    scale, unit = _scale(value, units)
    return f"{number(value / scale)}{gap}{unit}"


def _scale(value: float, units: tuple[tuple[float, str], ...]) -> tuple[float, str]:
    """The largest unit of which the value, once rounded, is at least one; for 0 the last."""
    fitting = [unit for unit in units if float(f"{abs(value) / unit[0]:.{SIGNIFICANT}g}") >= 1]
    if fitting:
        return fitting[-1]
    return units[0] if value else units[-1]


def _decimals(value: float, significant: int) -> int:
    """Decimals that leave so many significant digits, after rounding; never negative."""
    if not value:
        return 0
    rounded = float(f"{value:.{significant - 1}e}")
    return max(0, significant - 1 - math.floor(math.log10(abs(rounded))))


def _spread_decimals(spread: float) -> int:
    """Decimals that the spread deserves (Particle Data Group, Review of Particle Physics, 5.3)."""
    leading, exponent = f"{spread:.2e}".split("e")
    digits = 2 if float(leading) < 3.545 or float(leading) >= 9.495 else 1  # noqa: PLR2004 - their rule
    place = int(exponent) + (float(leading) >= 9.495)  # noqa: PLR2004
    return max(0, digits - 1 - place)
