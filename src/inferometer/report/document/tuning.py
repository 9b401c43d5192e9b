"""A search for the best candidate, in words and as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from inferometer.core import units
from inferometer.core.workload import Workload
from inferometer.runner.tuning.candidates import command_of
from inferometer.runner.tuning.found import (
    Confirmation,
    Outcome,
    State,
    Tuned,
    TuneRequest,
)
from inferometer.runner.tuning.race import Contrast

LEFT: Mapping[State, str] = {
    "slower": "were clearly worse",
    "over_limit": "were over a limit",
    "unfaithful": "differ too much from the reference",
    "inaccurate": "are not accurate enough",
    "failed": "could not be measured",
    "not_reached": "were not reached within the budget",
}
NOTHING = units.number(None)
UNKNOWN = 1000
"""Times the ratio: an interval that reaches so far is none."""
COSTS = {
    "latency": "time of a call",
    "throughput": "time of a sample",
    "energy": "energy of a sample",
    "memory": "peak memory",
}


def candidate_name(workload: Workload) -> str:
    """A candidate for people, without its model: `openvino int8, 2 threads, batch 8`."""
    variant = workload.variant
    names = " ".join(filter(None, (variant.backend, variant.precision, variant.options_text)))
    threads = f"{workload.threads} thread{'s' * (workload.threads != 1)}"
    return f"{names}, {threads}, batch {workload.batch_size}"


def headline(request: TuneRequest, found: Tuned) -> str:
    """The answer in a sentence."""
    [model] = request.sweep.models
    if all(one.state == "not_reached" for one in found.outcomes):
        return f"{model}: the budget ended before any candidate was measured; raise --budget."
    if found.winner is None:
        return f"{model}: no candidate is within all limits."
    name = candidate_name(found.winner.workload)
    missing = sum(one.state == "not_reached" for one in found.outcomes)
    if missing:
        return (
            f"{model}: {name} is best of those that were measured ({COSTS[request.goal]}); the "
            f"budget ended before {missing} of {len(found.outcomes)}."
        )
    if not found.tied:
        return f"{model}: {name} is best ({COSTS[request.goal]})."
    many = len(found.tied)
    return (
        f"{model}: {name} is best by estimate ({COSTS[request.goal]}); {many} "
        f"other{'s are' if many > 1 else ' is'} tied with it."
    )


def confirmed_lines(found: Tuned) -> list[str]:
    """What fresh processes say of the winner."""
    confirmed = found.confirmed
    if confirmed is None:
        return list(found.notes)
    lines = [
        f"In {confirmed.processes} fresh processes: {units.seconds(confirmed.call_s)} per call"
        + ("." if confirmed.holds else "; another one is faster there: see its ratio.")
    ]
    for one, contrast in confirmed.rivals.items():
        what = "fp32 eager" if one == confirmed.baseline else "tied"
        lines.append(f"  {candidate_name(one)} ({what}): {ratio_text(contrast)} times its time")
    return [*lines, *found.notes]


def left_lines(found: Tuned) -> list[str]:
    """How many left for which reason."""
    counts = Counter(one.state for one in found.outcomes)
    return [
        f"{counts[state]} {words.replace('were', 'was', counts[state] == 1)}"
        for state, words in LEFT.items()
        if counts[state]
    ]


def reason_lines(outcomes: Sequence[Outcome]) -> list[str]:
    """Why candidates left, each reason once, where state and ratio do not say it."""
    names: dict[str, list[str]] = {}
    for one in outcomes:
        if one.why and one.state not in ("winner", "tied", "slower"):
            names.setdefault(one.why, []).append(candidate_name(one.workload))
    return [f"{'; '.join(mine)}: {why.rstrip('.')}." for why, mine in names.items()]


def ratio_text(contrast: Contrast | None) -> str:
    """A ratio with its interval."""
    if contrast is None:
        return NOTHING
    if contrast.low == contrast.high:
        return f"{contrast.ratio:.2f}"
    if contrast.high > UNKNOWN * contrast.ratio:
        return f"about {contrast.ratio:.2f}"
    return f"{contrast.ratio:.2f} [{contrast.low:.2f}, {contrast.high:.2f}]"


def to_json(request: TuneRequest, found: Tuned) -> dict[str, Any]:
    """The search as a JSON object: `winner`, `tied`, `candidates`, `confirmed`, `command`."""
    winner = found.winner
    return {
        "model": request.sweep.models[0],
        "goal": request.goal,
        "winner": None if winner is None else _row(winner),
        "tied": [_row(one) for one in found.tied],
        "candidates": [_row(one) for one in found.outcomes],
        "confirmed": None if found.confirmed is None else _confirmed(found.confirmed),
        "command": None if winner is None else command_of(winner.workload),
        "heats": found.heats,
        "seconds": found.seconds,
        "notes": found.notes,
    }


def _row(one: Outcome) -> dict[str, Any]:
    contrast = one.contrast
    return {
        **_workload(one.workload),
        "state": one.state,
        "why": one.why or None,
        **_ratios(contrast),
        "latency_median_s": one.call_s,
        "peak_memory_bytes": one.peak_bytes,
        "energy_per_inference_j": one.energy_j,
        "fidelity_cosine": one.fidelity,
        "accuracy": one.accuracy,
        "rounds": one.rounds,
        "processes": one.processes,
    }


def _confirmed(found: Confirmation) -> dict[str, Any]:
    return {
        "holds": found.holds,
        "latency_median_s": found.call_s,
        "rounds": found.rounds,
        "processes": found.processes,
        "rivals": [
            {**_workload(one), "baseline": one == found.baseline, **_ratios(contrast)}
            for one, contrast in found.rivals.items()
        ],
    }


def _workload(workload: Workload) -> dict[str, Any]:
    variant = workload.variant
    return {
        "backend": variant.backend,
        "precision": variant.precision,
        "options": variant.options_text or None,
        "device": workload.device,
        "threads": workload.threads,
        "batch_size": workload.batch_size,
        "input_size": workload.input_size,
    }


def _ratios(contrast: Contrast | None) -> dict[str, float | None]:
    if contrast is None:
        return {"ratio": None, "ratio_low": None, "ratio_high": None}
    known = contrast.high <= UNKNOWN * contrast.ratio
    return {
        "ratio": contrast.ratio,
        "ratio_low": contrast.low if known else None,
        "ratio_high": contrast.high if known else None,
    }
