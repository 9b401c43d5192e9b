"""Whether a power can be true for what it is the power of, and which slip it looks like."""

from __future__ import annotations

from inferometer.core.energy import Scope
from inferometer.core.shown import shown
from inferometer.meters.energy.logs.channel import Channel, LogOptions, LogProblemError

MOST_W: dict[Scope, float] = {
    "wall": 50_000.0,
    "board_input": 1_000.0,
    "module_input": 300.0,
    "rails_sum": 300.0,
    "package": 2_000.0,
    "package+dram": 3_000.0,
    "psys": 3_000.0,
    "gpu": 3_000.0,
    "soc": 500.0,
    "battery": 500.0,
}
"""No device has a higher mean: a rack of servers at the wall, two sockets in a `package`."""
UNNAMED_W = 20_000.0
"""The same for a log that does not tell what it covers."""
MOST_A = 200.0
"""No meter of a board has a higher mean current."""
DOUBTFUL_W = 2_000.0
"""A power of unknown scope above it is doubtful: a server has it, and a board in milliwatts."""
LEAST_W = 1e-6
"""Nothing that computes has a lower mean."""
SMALL_W = 1e-3
"""Below it the figures are doubtful."""
_FACTOR, _MOST = 0.3, 1.2
"""Watts may be so many times volts times amps: by the power factor, and by rounding."""
TIMES = "\N{MULTIPLICATION SIGN}"
"""Between volts and amps, in the name of a power that is their product."""


def check(channel: Channel, mean_w: float, scope: Scope | None, options: LogOptions) -> list[str]:
    """What is doubtful about a mean power, in sentences.

    Raises:
        LogProblemError: nothing has such a power, and the user did not say the unit.
    """
    most_w = UNNAMED_W if scope is None else MOST_W[scope]
    name = shown(repr(channel.name))
    if TIMES in channel.name and not options.unit and channel.amps > MOST_A and scope != "wall":
        raise LogProblemError(
            f"{name} has a mean of {channel.amps:.4g} A, more than any supply of a board: "
            f"{_slip(channel)}"
        )
    if mean_w > most_w:
        what = "anything" if scope is None else f"a {scope}"
        return _stated_or_refused(
            f"{name} has a mean of {_watts(mean_w)}, more than {what} draws: {_slip(channel)}",
            options,
        )
    if 0 < mean_w < LEAST_W:
        return _stated_or_refused(
            f"{name} has a mean of {mean_w:.3g} W, less than anything that computes draws: its "
            "figures look as if they were in a larger unit, or scaled twice; say which "
            "with unit=W or the like",
            options,
        )
    if scope is None and mean_w > DOUBTFUL_W and not options.unit:
        return [f"{name} has a mean of {_watts(mean_w)}: a server's, or {_slip(channel)}."]
    if 0 < mean_w < SMALL_W:
        return [f"{name} has a mean of {mean_w:.3g} W, very little: check its unit."]
    return [f"All powers of {name} are 0: the meter may have read none."] if mean_w == 0 else []


def _stated_or_refused(sentence: str, options: LogOptions) -> list[str]:
    if options.unit:
        return [f"{sentence}. Kept, as the unit was given."]
    raise LogProblemError(sentence)


def _slip(channel: Channel) -> str:
    if TIMES in channel.name:
        return (
            "milli- or microvolts and -amps that are called volts and amps look like this; write "
            "their units into the names of the columns, as in current_mA, or say unit=mW for "
            "volts times milliamps, and unit=W where it is right"
        )
    called = "are called watts" if channel.unit == "W" else "have no unit"
    return f"milliwatts that {called} look like this; say unit=mW, or unit=W where it is right"


def _watts(value: float) -> str:
    for least, unit in ((1e6, "MW"), (1e3, "kW")):
        if value >= least:
            return f"{value / least:.3g} {unit}"
    return f"{value:.3g} W"


def against_the_product(
    mean_w: float, product_w: float, name: str, options: LogOptions
) -> list[str]:
    """Whether a power agrees with volts times amps of the same log, in sentences.

    Raises:
        LogProblemError: it is a thousand times more or less, and the user did not say the unit.
    """
    if mean_w <= 0 or product_w <= 0:
        return []
    ratio = mean_w / product_w
    for factor, unit in ((1e3, "mW"), (1e6, "uW"), (1e-3, "kW")):
        if _FACTOR * factor <= ratio <= _MOST * factor:
            return _stated_or_refused(
                f"{shown(repr(name))} is {factor:g} times its volts times amps, as if it were in "
                f"{unit}: say unit={unit}, or unit=W where it is right",
                options,
            )
    return []
