"""How a study is measured: how often, how precisely, within which limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from inferometer.core.ranges import PROCEDURE


@dataclass(frozen=True, kw_only=True)
class Procedure:
    """The rules of measuring. Inert: it only holds its values, and checks that they make sense.

    Runs are kept that other versions measured; what users may ask for today is said by `checked`.

    Attributes:
        target: relative half-width of the interval of the median at which a workload is done
            (0.05 is 5 %).
        confidence: nominal coverage of that interval.
        processes: fresh processes that measure each workload, one after the other; further ones
            follow, up to twice as many, where the target asks for them.
        min_calls: timed calls at the least, over all processes, never under 10.
        max_calls: timed calls at the most, over these processes.
        min_rounds: rounds at the least, over all processes.
        span_s: wall-clock seconds over which the rounds spread at the least, over all processes.
        round_s: about how long one round lasts, seconds; a round holds at least one call.
        max_time_s: once the least is there, no round begins after this many timed seconds.
        timeout_s: how long a worker may stay silent, in one load, call or round, before it is
            taken to hang.
        memory_limit_bytes: most that a worker may use; None is what the machine can give without
            swapping.
        skip_larger: skip what memory is not expected to hold, and after a batch ran out of memory
            or time, the larger ones of its size.
        budget_s: wall-clock time of the whole run; None is no limit.
        seed: seeds the order of the rounds, the random weights and the inputs.
        pair: measure two variants in A-B-B-A groups of short blocks, to compare them.
        sustain_s: seconds of continuous inference of each workload, one after the other; None is
            the usual way, in rounds that take turns.
        energy: whether energy is measured where there is a power source.
        energy_window_s: seconds of each of the windows in which energy is measured, at the least;
            None is what the sensor needs.
        find_cliff: `batch`: after the study's workloads, measure further batch sizes until it is
            known where throughput collapses or memory runs out; None measures the study alone.
        roofline: whether a short probe before the run finds what the device attains at best.
    """

    target: float = 0.05
    confidence: float = 0.95
    processes: int = 3
    min_calls: int = 12
    max_calls: int = 100_000
    min_rounds: int = 20
    span_s: float = 10.0
    round_s: float = 0.25
    max_time_s: float = 30.0
    timeout_s: float = 180.0
    memory_limit_bytes: int | None = None
    skip_larger: bool = True
    budget_s: float | None = None
    seed: int = 0
    pair: bool = False
    sustain_s: float | None = None
    energy: bool = True
    energy_window_s: float | None = None
    find_cliff: str | None = None
    roofline: bool = True

    def __post_init__(self) -> None:
        """Check the ranges.

        Raises:
            ValueError: a value is out of its range; the message names it.
        """
        checks = {
            "target must be between 0 and 1": 0 < self.target < 1,
            "confidence must be between 0.5 and 1": 0.5 <= self.confidence < 1,  # noqa: PLR2004
            "processes must be at least 1": self.processes >= 1,
            "min_calls must be at least 10": self.min_calls >= 10,  # noqa: PLR2004
            "max_calls must not be less than min_calls": self.max_calls >= self.min_calls,
            "min_rounds must be at least 2": self.min_rounds >= 2,  # noqa: PLR2004
            "span must not be negative": self.span_s >= 0,
            "round_s must be more than 0": self.round_s > 0,
            "max_time_s must be more than 0": self.max_time_s > 0,
            "timeout_s must be more than 0": self.timeout_s > 0,
            "memory_limit must be more than 0": self.memory_limit_bytes is None
            or self.memory_limit_bytes > 0,
            "budget must be more than 0": self.budget_s is None or self.budget_s > 0,
            "sustain must be more than 0": self.sustain_s is None or self.sustain_s > 0,
            "energy_window must be more than 0": self.energy_window_s is None
            or self.energy_window_s > 0,
            "pair and sustain do not go together": not (self.pair and self.sustain_s),
            "find_cliff must be batch": self.find_cliff in (None, "batch"),
            "find_cliff does not go with pair or sustain": self.find_cliff is None
            or not (self.pair or self.sustain_s),
            "seed must not be negative": self.seed >= 0,
        }
        for problem, good in checks.items():
            if not good:
                raise ValueError(problem)


def checked(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values of fields of `Procedure` within their limits (`core.ranges`), as plain numbers.

    Args:
        values: by field name; what has no limits stays as it is.

    Raises:
        ValueError: one is out of its limits, or no number; the message names it.
    """
    may_lack = {one.name for one in fields(Procedure) if one.default is None}
    return {
        name: PROCEDURE[name].check(name, value)
        if name in PROCEDURE and not (value is None and name in may_lack)
        else value
        for name, value in values.items()
    }


def within_limits(procedure: Procedure) -> Procedure:
    """The procedure with plain numbers, each within its limits.

    Raises:
        ValueError: one is not; the message names it.
    """
    return Procedure(**checked(asdict(procedure)))


PRESETS: dict[str, dict[str, float | int | bool]] = {
    "quick": {
        "target": 0.10,
        "processes": 1,
        "min_calls": 10,
        "min_rounds": 5,
        "span_s": 1.0,
        "round_s": 0.1,
        "max_time_s": 5.0,
        "energy": False,
        "roofline": False,
    },
    "standard": {},
    "publish": {
        "target": 0.02,
        "processes": 5,
        "min_calls": 60,
        "max_calls": 500_000,
        "min_rounds": 60,
        "span_s": 30.0,
        "max_time_s": 120.0,
        "energy_window_s": 60.0,
    },
}
"""What `--preset` changes in the default `Procedure`."""
