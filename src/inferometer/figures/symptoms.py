"""What the latencies themselves say against a figure: drift, spells, two levels, too wide."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from inferometer.core.procedure import Procedure
from inferometer.core.record import Round
from inferometer.core.sections import Latency
from inferometer.core.statement import Statement
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
    latency: Latency,
    *,
    steady: bool | None,
) -> list[Cause]:
    """What the latencies say; `steady` is None where nobody looked for a steady state."""
    usable = [done for done in rounds if done.settled_s]
    found: dict[str, list[Statement | None]] = {
        "drifting": [_unsteady(steady=steady), _drift(usable, procedure.target)],
        "unstable": [_spells(latency), _levels(usable)],
        "noisy": [_width(procedure, latency)],
    }
    return [
        Cause(verdict=verdict, statement=statement)
        for verdict, said in found.items()
        for statement in said
        if statement is not None
    ]


def _unsteady(*, steady: bool | None) -> Statement | None:
    if steady is not False:
        return None
    return Statement("unsteady")


def _drift(rounds: Sequence[Round], target: float) -> Statement | None:
    """A change over the span of a process that is more than the target and no chance."""
    medians = [done.median_s for done in rounds]
    if not medians or min(medians) <= 0:
        return None
    found = trend([done.started_at for done in rounds], medians, [done.process for done in rounds])
    if found is None or found.low is None or found.high is None or found.low <= 0 <= found.high:
        return None
    if abs(found.change) <= target:
        return None
    return Statement("drift", {"change": found.change})


def _spells(latency: Latency) -> Statement | None:
    tau = latency.latency_tau_calls
    if tau is None or tau <= TAU_CALLS:
        return None
    return Statement("spells", {"tau_calls": tau})


def _levels(rounds: Sequence[Round]) -> Statement | None:
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
    low_s, high_s = (part * centre for part in found)
    return Statement("two_levels", {"low_s": low_s, "high_s": high_s})


def _width(procedure: Procedure, latency: Latency) -> Statement | None:
    if latency.latency_target_met is not False:
        return None
    low, high = latency.latency_ci_low_s, latency.latency_ci_high_s
    middle = latency.latency_median_s
    if low is None or high is None or middle is None:
        return Statement("no_interval")
    reached = (high - low) / 2 / middle if middle else 0.0
    return Statement("wide_interval", {"reached": reached, "target": procedure.target})
