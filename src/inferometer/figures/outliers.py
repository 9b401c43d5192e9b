"""How many calls are outliers among their neighbours, and what else was unusual in their rounds.

The raw values stay as they are, and so do the figures: this is a remark. Collections of garbage
are not counted anywhere, so they are never named.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from statistics import median

from inferometer.core.record import Round
from inferometer.core.statement import Statement
from inferometer.stats.outliers import outliers

MOST_AT_ONCE = 5000
"""Values that are labelled together: a long run would need too much memory."""
UNUSUAL = 2.0
"""A signal is unusual in a round where it is more than so many times its median over all rounds."""
MOST_OF_THEM = 0.5
"""Share of the outliers which a signal must be with to be named."""
SIGNS = {
    "swap_in_pages": 0.0,
    "major_faults": 0.0,
    "run_delay_s": 0.005,
    "involuntary_switches": 1.0,
    "steal_s": 0.0,
}
"""Signal → the least that says anything; the first that fits is named."""


@dataclass(frozen=True, kw_only=True)
class _Labelled:
    """A round, and how many of its values are outliers."""

    signals: Mapping[str, float]
    outliers: int


def outlier_remark(rounds: Sequence[Round]) -> Statement | None:
    """How many values are outliers; None where none is.

    Args:
        rounds: those that count, in the order of time.
    """
    labelled = _labelled(rounds)
    number = sum(one.outliers for one in labelled)
    if not number:
        return None
    several = any(done.calls_per_value > 1 for done in rounds)
    values = {
        "outliers": number,
        "total": sum(len(done.settled_s) for done in rounds),
        "unit": "values" if several else "calls",
    }
    signal = _signal(labelled, number)
    return Statement("outliers_with_signal" if signal else "outliers", values | signal)


def _signal(labelled: Sequence[_Labelled], number: int) -> dict[str, str | int]:
    """With what they came; of a signal that is in most rounds anyway, nothing follows."""
    for name, least in SIGNS.items():
        values = [one.signals[name] for one in labelled if name in one.signals]
        if not values:
            continue
        limit = max(least, UNUSUAL * median(values))
        unusual = [one for one in labelled if one.signals.get(name, 0.0) > limit]
        among = sum(one.outliers for one in unusual)
        if among > MOST_OF_THEM * number and among / number > UNUSUAL * len(unusual) / len(
            labelled
        ):
            return {"among": among, "signal": name}
    return {}


def labels(rounds: Sequence[Round]) -> list[list[bool]]:
    """Whether each value that counts is an outlier among its neighbours, round by round.

    Each process is a series of its own; long ones are labelled in blocks of whole rounds.

    Args:
        rounds: those that count, in the order of time.
    """
    found: list[list[bool]] = []
    block: list[Round] = []
    held = 0
    for done in rounds:
        count = len(done.settled_s)
        if block and (held + count > MOST_AT_ONCE or done.process != block[0].process):
            found += _block(block)
            block, held = [], 0
        block.append(done)
        held += count
    return found + _block(block)


def _labelled(rounds: Sequence[Round]) -> list[_Labelled]:
    return [
        _Labelled(signals=done.signals, outliers=sum(found))
        for done, found in zip(rounds, labels(rounds), strict=True)
    ]


def _block(block: Sequence[Round]) -> list[list[bool]]:
    settled = [done.settled_s for done in block]
    found = iter(outliers([value for part in settled for value in part]).tolist())
    return [list(islice(found, len(part))) for part in settled]
