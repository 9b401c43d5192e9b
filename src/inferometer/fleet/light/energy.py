"""Windows of work and of idling in which power is read: the plan of `runner.phases.energy`."""

import math
from typing import Any, Dict, Optional

MARGIN_S = 1.2
SWITCH_S = 0.1
LONG_CALL_S = 20 * SWITCH_S
BLOCK_S = 0.1
IDLE_EVERY = 10
ENERGY_MOST_VALUES = 1000
MIN_WINDOWS = 5
SHARE = 0.45
"""Of the budget, where there is a sensor."""


class WindowPlan:
    """Lengths of windows that are long enough for a sensor, and for what the user asks for."""

    def __init__(self, info: Dict[str, Any], asked_s: Optional[float]) -> None:
        counts, period_s = info["quantity"] == "energy", info["period_s"]
        tau_s = period_s if counts else max(period_s, 0.05)
        window_s = info.get("window_s", 0.0)
        lag_s = window_s + period_s
        steady_s = max((40 if counts else 10) * tau_s, 3 * window_s)
        needed_s = max(1.0, lag_s + steady_s)
        piece_s = max(4 * tau_s, window_s)
        asked_s = asked_s or 0.0
        self.window_s = max(asked_s, needed_s)
        self.idle_s = max(asked_s, 10.0, needed_s, lag_s + 5 * piece_s)
        self.warm_up_s = max(10.0, 3 * window_s)
        self.gap_s = tau_s

    @property
    def rest_s(self) -> float:
        """Idle seconds that hold an idle window."""
        return float(self.idle_s + 2 * MARGIN_S)

    def round_s(self, call_s: float) -> float:
        """Seconds of a window of work, with what is before and after it."""
        ends_s = 0.0 if call_s >= LONG_CALL_S else 2 * SWITCH_S + 3 * call_s + BLOCK_S / 2
        return float(self.gap_s / 2 + self.window_s + ends_s + call_s)

    def total_s(self, call_s: float) -> float:
        """Seconds of one workload: its windows and its part of idling."""
        return MIN_WINDOWS * self.round_s(call_s) + self.rest_s / 2


def round_of_energy(call_s: float, seconds: float) -> Dict[str, Any]:
    """A round of work whose window lasts at least so long, by the clock."""
    call_s = max(call_s, 1e-9)
    per_value = max(1, math.ceil(seconds / (ENERGY_MOST_VALUES * call_s)))
    ends_s = 0.0 if call_s >= LONG_CALL_S else 2 * SWITCH_S + 2 * per_value * call_s
    values = max(1, round(BLOCK_S / (per_value * call_s)))
    plan: Dict[str, Any] = {"values": values, "calls_per_value": per_value, "settle": 0}
    plan["seconds"] = seconds + ends_s
    return plan


def after_lead(done: Dict[str, Any], call_s: float) -> Dict[str, Any]:
    """A round of work with what was before its window marked as warm-up."""
    margin_s = 0.0 if call_s >= LONG_CALL_S else SWITCH_S
    return dict(done, settle=sum(start < margin_s for start in done["starts_s"][:-1]))
