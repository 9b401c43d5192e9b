"""What a round holds, and when a process has given enough: the rules of `runner.scheduling`."""

import math
from typing import Any, Dict, List

POST_SWITCH_S = 0.02
MAX_POST_SWITCH = 20
MAX_VALUES = 1000
BATCHED_BELOW_S = 50e-6
BATCH_S = 100e-6
PLANNING = 0.97
TIMES = 2

Procedure = Dict[str, Any]


def plan_round(call_s: float, procedure: Procedure) -> Dict[str, Any]:
    """How many calls make a round of about `round_s` seconds."""
    call_s = max(call_s, 1e-9)
    per_value = 1 if call_s >= BATCHED_BELOW_S else math.ceil(BATCH_S / call_s)
    value_s = call_s * per_value
    most = max(1, procedure["max_calls"] // (procedure["min_rounds"] * per_value))
    values = max(1, min(round(procedure["round_s"] / value_s), most, MAX_VALUES))
    switch = min(math.ceil(POST_SWITCH_S / value_s), MAX_POST_SWITCH)
    settle = 0 if call_s > procedure["round_s"] else switch
    return {"values": values, "calls_per_value": per_value, "settle": settle}


def round_s(call_s: float, procedure: Procedure) -> float:
    """Estimated seconds of a round of calls that take `call_s`."""
    plan = plan_round(call_s, procedure)
    return float((plan["values"] + plan["settle"]) * plan["calls_per_value"] * call_s)


def median(values: List[float]) -> float:
    """The median; of no values an IndexError."""
    ordered = sorted(values)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def typical_s(warm: Dict[str, Any]) -> float:
    """Seconds of a call after the warm-up: the median of its second half."""
    values = warm["values_s"]
    return median(values[len(values) // 2 :])


def t_quantile(confidence: float, freedom: int) -> float:
    """Two-sided quantile of Student's t, by the expansion of Cornish and Fisher; 1 and 2 exact.

    At a confidence of 99.9 % and three degrees of freedom it is 12 % low, elsewhere nearer.

    Only for stopping: intervals are worked out at the import.
    """
    p = 0.5 + confidence / 2
    if freedom == 1:
        return math.tan(math.pi * (p - 0.5))
    if freedom == 2:
        return (2 * p - 1) * math.sqrt(2 / (4 * p * (1 - p)))
    z, n = _normal_quantile(p), float(freedom)
    terms = (
        (z**3 + z) / 4 / n,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96 / n**2,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384 / n**3,
    )
    return z + sum(terms)


def _normal_quantile(p: float) -> float:
    low, high = 0.0, 40.0
    for _ in range(60):
        z = (low + high) / 2
        low, high = (z, high) if math.erf(z / math.sqrt(2)) < 2 * p - 1 else (low, z)
    return low


def half_width(medians: List[float], confidence: float) -> float:
    """Relative half-width of Student's t interval on the logarithms; infinite for one value."""
    logs = [math.log(value) for value in medians if value > 0]
    n = len(logs)
    if n < 2:
        return float("inf")
    mean = sum(logs) / n
    spread = math.sqrt(sum((one - mean) ** 2 for one in logs) / (n - 1))
    return math.sinh(min(t_quantile(confidence, n - 1) * spread / math.sqrt(n), 50.0))


class Task:
    """A workload in the process that is alive now: what it has given, and what is wanted."""

    def __init__(self, workload: Dict[str, Any], call_s: float, procedure: Procedure) -> None:
        parts = int(procedure["processes"])
        self.workload = workload
        self.call_s = call_s
        self.medians: List[float] = []
        self.calls = 0
        self.timed_s = 0.0
        self._procedure = procedure
        self._least_calls = math.ceil(procedure["min_calls"] / parts)
        self._least_rounds = math.ceil(procedure["min_rounds"] / parts)
        self._least_span_s = procedure["span_s"] / parts
        self._most_calls = math.ceil(procedure["max_calls"] / parts)
        self._most_s = procedure["max_time_s"] / parts
        self._begun_at = 0.0
        self._ended_at = 0.0
        self._next = 0

    def add(self, done: Dict[str, Any]) -> None:
        """Take the observations of a round into account."""
        values = done["values_s"][done["settle"] :]
        self.medians.append(median(values))
        self.calls += len(values) * done["calls_per_value"]
        self.timed_s += sum(values) * done["calls_per_value"]
        self._begun_at = self._begun_at or done["started_at"]
        self._ended_at = done["started_at"] + done["starts_s"][-1]

    @property
    def has_share(self) -> bool:
        """Whether this process has given its least."""
        return bool(len(self.medians) >= self._least_rounds and self.calls >= self._least_calls)

    def enough(self) -> bool:
        """Whether this process has given enough; interim analyses are seldom, and spread out."""
        rounds = len(self.medians)
        if not self.has_share or self._ended_at - self._begun_at < self._least_span_s:
            return False
        if self.calls >= self._most_calls or self.timed_s >= self._most_s:
            return True
        if rounds < self._next:
            return False
        confidence = 1 - (1 - self._procedure["confidence"]) * (1 - PLANNING) / 0.05
        width = half_width(self.medians, confidence)
        target = self._procedure["target"]
        self._next = math.ceil(rounds * min(max((width / target) ** 2, 1.15), 4.0))
        return rounds >= 3 and bool(width <= target)
