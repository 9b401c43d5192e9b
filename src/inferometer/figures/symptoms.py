"""What the latencies themselves say against a figure: drift, spells, two levels, too wide."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from inferometer.core.procedure import Procedure
from inferometer.core.record import Round, Value
from inferometer.core.units import seconds
from inferometer.figures.evidence import Cause
from inferometer.stats.modes import two_modes
from inferometer.stats.trend import trend

TAU_CALLS = 50.0
"""Longer than this, a round is one spell, and the interval rests on a few spells."""
MOST_VALUES = 2000
"""Enough to see two levels; more only takes time."""


def symptoms(
    rounds: Sequence[Round],
    procedure: Procedure,
    figures: Mapping[str, Value],
    *,
    steady: bool | None,
) -> list[Cause]:
    """What the latencies say; `steady` is None where nobody looked for a steady state."""
    usable = [done for done in rounds if done.settled_s]
    sentences = {
        "drifting": [_unsteady(steady=steady), _drift(usable, procedure.target)],
        "unstable": [_spells(figures), _levels(usable)],
        "noisy": [_width(procedure, figures)],
    }
    return [
        Cause(verdict=verdict, sentence=sentence)
        for verdict, found in sentences.items()
        for sentence in found
        if sentence
    ]


def _unsteady(*, steady: bool | None) -> str | None:
    if steady is not False:
        return None
    return "no steady state: the latency kept changing while it was timed"


def _drift(rounds: Sequence[Round], target: float) -> str | None:
    """A change over the span of a process that is more than the target and no chance."""
    medians = [float(np.median(done.settled_s)) for done in rounds]
    if not medians or min(medians) <= 0:
        return None
    found = trend([done.started_at for done in rounds], medians, [done.process for done in rounds])
    if found is None or found.low is None or found.high is None or found.low <= 0 <= found.high:
        return None
    if abs(found.change) <= target:
        return None
    return f"the latency moved by {found.change:+.1%} from beginning to end"


def _spells(figures: Mapping[str, Value]) -> str | None:
    tau = figures.get("latency_tau_calls")
    if not isinstance(tau, int | float) or tau <= TAU_CALLS:
        return None
    return f"calls resemble their neighbours over {tau:.0f} calls: there are slow and fast spells"


def _levels(rounds: Sequence[Round]) -> str | None:
    """Two levels within processes; that processes differ is in the interval already."""
    by_process: dict[int, list[float]] = defaultdict(list)
    for done in rounds:
        by_process[done.process] += done.settled_s
    centre = float(np.median([value for mine in by_process.values() for value in mine] or [0.0]))
    if centre <= 0 or any(min(mine) <= 0 for mine in by_process.values()):
        return None
    values = np.concatenate([np.array(m) / np.median(m) for m in by_process.values()])
    step = -(-values.size // MOST_VALUES)
    found = two_modes(values[::step].tolist())
    if found is None:
        return None
    low, high = (seconds(part * centre) for part in found)
    return f"calls take either about {low} or about {high}: two levels, and the median is of both"


def _width(procedure: Procedure, figures: Mapping[str, Value]) -> str | None:
    if figures.get("latency_target_met") is not False:
        return None
    low, high = figures.get("latency_ci_low_s"), figures.get("latency_ci_high_s")
    middle = figures.get("latency_median_s")
    if not (isinstance(low, float) and isinstance(high, float) and isinstance(middle, float)):
        return "there is too little to make an interval"
    reached = (high - low) / 2 / middle if middle else 0.0
    return f"the interval is ± {reached:.1%}, the target ± {procedure.target:.1%}"
