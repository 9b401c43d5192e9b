"""How much the error of each operator alone changes the outputs of the whole."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inferometer.runner.locating import parts
from inferometer.runner.locating.errors import Gap
from inferometer.runner.locating.files import Comparison
from inferometer.runner.locating.pairs import Pair
from inferometer.runner.locating.running import Call, called

SINGLE = "tensor(float)"


def by_impact(comparison: Comparison, *, seconds: float) -> list[Pair]:
    """Pairs by how much their errors change the outputs, the most first.

    The reference runs once more for each, with the error added to this one tensor.

    Args:
        comparison: of both graphs.
        seconds: no further one is looked at after so long.
    """
    end = time.monotonic() + seconds
    names = [name for name, kind in comparison.good.types.items() if kind == SINGLE]
    session = parts.disturbed(comparison.good.graph, names, threads=comparison.good.threads)
    still = {name + parts.GIVEN: np.zeros((), np.float32) for name in names}
    found: dict[str, tuple[Pair, Gap]] = {}
    for call in comparison.calls():
        feed = {**comparison.good.calls[call.number], **still}
        plain = called(session, feed)
        for pair in call.pairs:
            if pair.theirs not in names or time.monotonic() > end:
                continue
            error = {pair.theirs + parts.GIVEN: _error(call, pair)}
            _, gap = found.setdefault(pair.theirs, (pair, Gap()))
            for name, changed in called(session, {**feed, **error}).items():
                gap.add(plain[name], changed)
    ordered = sorted(found.values(), key=lambda one: -one[1].error)
    return [pair for pair, gap in ordered if gap.error]


def _error(call: Call, pair: Pair) -> NDArray[Any]:
    """What an operator adds; nothing where that is no number."""
    expected, local = call.expected[pair.theirs], call.local[pair.ours]
    if expected.shape != local.shape:
        return np.zeros_like(expected)
    return np.nan_to_num(local.astype(np.float32) - expected, posinf=0.0, neginf=0.0)
