"""How a study is measured: how often, how precisely, within which limits."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Procedure:
    """The rules of measuring. Inert: it only holds and checks its values.

    Attributes:
        target: relative half-width of the interval of the mean at which a workload is done (0.05
            is 5 %).
        confidence: nominal coverage of that interval.
        min_calls: timed calls at the least, never under 10.
        max_calls: timed calls at the most.
        min_rounds: rounds at the least; the interval is made from the means of rounds.
        round_s: about how long one round lasts, seconds; a round holds at least one call.
        max_time_s: once `min_calls` are there, no round begins after this many timed seconds.
        timeout_s: how long a worker may stay silent, in one load, call or round, before it is
            taken to hang.
        memory_limit_bytes: most that a worker may use; None is what the machine can give without
            swapping.
        skip_larger: after a batch ran out of memory or time, skip the larger ones of its size.
        budget_s: wall-clock time of the whole run; None is no limit.
        seed: seeds the order of the rounds, the random weights and the inputs.
    """

    target: float = 0.05
    confidence: float = 0.95
    min_calls: int = 10
    max_calls: int = 1000
    min_rounds: int = 5
    round_s: float = 0.25
    max_time_s: float = 30.0
    timeout_s: float = 180.0
    memory_limit_bytes: int | None = None
    skip_larger: bool = True
    budget_s: float | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        """Check the ranges.

        Raises:
            ValueError: a value is out of its range; the message names it.
        """
        checks = {
            "target must be between 0 and 1": 0 < self.target < 1,
            "confidence must be between 0.5 and 1": 0.5 <= self.confidence < 1,  # noqa: PLR2004
            "min_calls must be at least 10": self.min_calls >= 10,  # noqa: PLR2004
            "max_calls must not be less than min_calls": self.max_calls >= self.min_calls,
            "min_rounds must be at least 2": self.min_rounds >= 2,  # noqa: PLR2004
            "min_rounds must not be more than min_calls": self.min_rounds <= self.min_calls,
            "round_s must be more than 0": self.round_s > 0,
            "max_time_s must be more than 0": self.max_time_s > 0,
            "timeout_s must be more than 0": self.timeout_s > 0,
            "memory_limit must be more than 0": self.memory_limit_bytes is None
            or self.memory_limit_bytes > 0,
            "budget must be more than 0": self.budget_s is None or self.budget_s > 0,
            "seed must not be negative": self.seed >= 0,
        }
        for problem, good in checks.items():
            if not good:
                raise ValueError(problem)


PRESETS: dict[str, dict[str, float | int]] = {
    "quick": {"target": 0.10, "min_calls": 10, "min_rounds": 3, "round_s": 0.1, "max_time_s": 5.0},
    "standard": {},
    "publish": {"target": 0.02, "min_calls": 30, "min_rounds": 20, "max_time_s": 120.0},
}
"""What `--preset` changes in the default `Procedure`."""
