"""Study → records: schedules rounds, drives worker processes, survives them.

Does not know how results are shown; it tells a listener what happens (`events`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from inferometer.runner.phases.energy.choice import EnergyOptions
    from inferometer.runner.run import Options, check, run_study

__all__ = ["EnergyOptions", "Options", "check", "run_study"]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - a worker needs none of what a parent imports
    if name not in __all__:
        raise AttributeError(name)
    from inferometer.runner import run

    return getattr(run, name)
