"""Whether a contender is worse than its base, by a margin that the user has stated."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from scipy.special import ndtri

Code = Literal["not_worse", "worse", "worse_than_margin", "undecided"]

MOST_TIMES = 100
"""Beyond a hundred times the samples, a number is no advice."""


@dataclass(frozen=True, kw_only=True)
class NonInferiority:
    """What an interval of the difference says.

    Attributes:
        code: `not_worse`: surely by less than the margin, better perhaps; `worse_than_margin`:
            surely by more than it; `worse`: surely, by less than the margin or by more;
            `undecided`: none of these.
        margin: loss that the user puts up with, in the metric's unit.
        loss_low: least loss that the interval allows, in the metric's unit; below 0 it is a gain.
            None without an interval.
        loss_high: greatest loss, likewise.
    """

    code: Code
    margin: float
    loss_low: float | None
    loss_high: float | None


def noninferiority(
    low: float | None, high: float | None, margin: float, *, higher_is_better: bool = True
) -> NonInferiority:
    """Verdict from the interval of a difference, contender minus base.

    The interval that is shown, two-sided at 95 %, decides, so that the verdict can be read off it:
    "not worse" then errs in at most 2.5 % where the loss is the margin or more (as ICH E9, 1998,
    section 3.3.2 asks), which leaves room below 5 % for an interval that is only nearly exact. As
    all verdicts come from one interval, no correction for several tests is due.

    Args:
        low: lower end, in the metric's unit; None where it is not known.
        high: upper end, likewise.
        margin: greatest loss to put up with, in the metric's unit, at least 0. With 0, "not worse"
            means better.
        higher_is_better: direction of the metric.

    Raises:
        ValueError: the margin is below 0.
    """
    if margin < 0 or math.isnan(margin):
        raise ValueError(f"the margin is {margin}: a loss to put up with is 0 or more")
    if low is None or high is None or math.isnan(low) or math.isnan(high):
        return NonInferiority(code="undecided", margin=margin, loss_low=None, loss_high=None)
    loss_low, loss_high = (-high, -low) if higher_is_better else (low, high)
    code: Code = "undecided"
    if loss_high < margin:
        code = "not_worse"
    elif loss_low > margin:
        code = "worse_than_margin"
    elif loss_low > 0:
        code = "worse"
    return NonInferiority(code=code, margin=margin, loss_low=loss_low, loss_high=loss_high)


def further_samples(
    value: float,
    standard: float | None,
    units: int,
    margin: float,
    *,
    higher_is_better: bool = True,
    confidence: float = 0.95,
    power: float = 0.8,
) -> int | None:
    """About how many more samples would decide, if the true difference is the one seen.

    n σ²: ((z + z_power)/distance)² of the units' variance, where distance is that of the estimate
    from the margin ("not worse") or from 0 ("worse"), whichever decides sooner (Julious, Statistics
    in Medicine 23, 2004, section 5). The spread is that seen; for shares, the discordance.

    Args:
        value: difference, contender minus base.
        standard: its standard error; None where it is not known.
        units: samples, or units of several, that it rests on.
        margin: greatest loss to put up with, in the metric's unit.
        higher_is_better: direction of the metric.
        confidence: of the interval that decides.
        power: chance that so many will do.

    Returns:
        Further units, at least 1; None for more than a hundred times those at hand, as where the
        difference is near the margin and the margin near 0, and where the spread is not known.
    """
    loss = -value if higher_is_better else value
    distance = max(margin - loss, loss)
    if standard is None or math.isnan(value) or distance <= 0:
        return None
    z = float(ndtri(0.5 + confidence / 2)) + float(ndtri(power))
    times = (z * standard / distance) ** 2
    return max(1, math.ceil(units * (times - 1))) if times <= MOST_TIMES else None
