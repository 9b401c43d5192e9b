"""The race: all candidates run side by side, and what cannot win any more leaves.

A heat gives every candidate that is still in it a fresh process and a few rounds, interleaved with
those of the others. After each heat all rounds so far are read together (`stats.joint`), and who is
worse than the leader at the stated confidence leaves. What is left when heats or time end is tied.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, Literal, NamedTuple, Protocol, TypeVar

from scipy.special import ndtri

from inferometer.stats.joint.fit import JointFit, joint_fit

Candidate = TypeVar("Candidate")

CONFIDENCE = 0.95
"""That the best of all candidates is the winner, or one of those that are tied with it."""

ZONE = 0.03
"""Candidates that differ by less than this, interval included, are alike: more heats tell nothing
that matters."""

HEATS = 6
"""At the most."""

FIRST_HEATS = 2
"""With one process each, nobody knows how much processes differ: nobody leaves after the first,
unless so much slower that no processes differ by it."""

HOPELESS = 2.0
"""So many times as slow."""

Why = Literal["slower", "hopeless"]


class Seen(NamedTuple):
    """A round of a candidate.

    Attributes:
        process: number of its process, never that of another candidate's.
        when_s: middle of the round, seconds.
        call_s: median of its calls, seconds.
    """

    process: int
    when_s: float
    call_s: float


class Heats(Protocol[Candidate]):
    """Measures candidates."""

    def heat(self, candidates: Sequence[Candidate]) -> Mapping[Candidate, Sequence[Seen]]:
        """Rounds of each in a fresh process; of one that failed, none."""
        ...

    @property
    def is_over(self) -> bool:
        """Whether there is no time for another heat."""
        ...


@dataclass(frozen=True, kw_only=True)
class Contrast:
    """How a candidate compares with the leader: cost over cost.

    Attributes:
        ratio: above 1 it is worse.
        low: lower end of its interval.
        high: upper end.
    """

    ratio: float
    low: float
    high: float


@dataclass(kw_only=True)
class Race(Generic[Candidate]):
    """What a race found.

    Attributes:
        winner: the best by estimate; None where nobody gave a round.
        tied: those that may be as good, the winner left out.
        left: why each of the others left, in their order.
        contrasts: of each that was measured with the winner.
        seen: all rounds.
        heats: how many there were.
        alike: whether it ended because those that are left differ by nothing that matters.
    """

    winner: Candidate | None = None
    tied: list[Candidate] = field(default_factory=list)
    left: dict[Candidate, Why] = field(default_factory=dict)
    contrasts: dict[Candidate, Contrast] = field(default_factory=dict)
    seen: dict[Candidate, list[Seen]] = field(default_factory=dict)
    heats: int = 0
    alike: bool = False


def race(
    candidates: Sequence[Candidate],
    heats: Heats[Candidate],
    samples: Callable[[Candidate], float],
    *,
    most: int = HEATS,
    confidence: float = CONFIDENCE,
) -> Race[Candidate]:
    """Race candidates until one is left, those left are alike, or heats or time end.

    Args:
        candidates: each once.
        heats: measures them.
        samples: what the time of a call is divided by, to be what is compared: 1 for latency, the
            batch size for throughput.
        most: heats.
        confidence: that the true best is the winner or tied with it. Each heat may throw it out by
            mistake only with the part of the rest that is this heat's and this candidate's.
    """
    found: Race[Candidate] = Race()
    running = list(candidates)
    while running and found.heats < most and not heats.is_over:
        for candidate, rounds in heats.heat(running).items():
            found.seen.setdefault(candidate, []).extend(rounds)
        running = [one for one in running if found.seen.get(one)]
        found.heats += 1
        if not running:
            break
        contrasts = _standings(running, found.seen, samples, _each(confidence, most, len(running)))
        found.contrasts |= contrasts
        for one in running:
            why = _leaves(contrasts[one], found.heats)
            if why is not None:
                found.left[one] = why
        running = [one for one in running if one not in found.left]
        found.alike = len(running) > 1 and _alike(running, contrasts)
        if len(running) == 1 or found.alike:
            break
    running = [one for one in running if one in found.contrasts]
    if running:
        found.winner = min(running, key=lambda one: found.contrasts[one].ratio)
        found.tied = [one for one in running if one is not found.winner]
    return found


def against(
    best: Candidate,
    candidates: Collection[Candidate],
    seen: Mapping[Candidate, Sequence[Seen]],
    samples: Callable[[Candidate], float],
    *,
    confidence: float = CONFIDENCE,
) -> dict[Candidate, Contrast]:
    """How candidates compare with a given one.

    Args:
        best: the one.
        candidates: they and it have rounds.
        seen: all rounds.
        samples: as in `race`.
        confidence: of each interval.
    """
    places = _places([best, *(one for one in candidates if one != best)], seen, samples, confidence)
    return {one: _contrast(places[one], places[best]) for one in candidates if one in places}


class _Place(NamedTuple):
    centre: float
    half: float


def _standings(
    running: Sequence[Candidate],
    seen: Mapping[Candidate, Sequence[Seen]],
    samples: Callable[[Candidate], float],
    confidence: float,
) -> dict[Candidate, Contrast]:
    """How each compares with the leader."""
    places = _places(running, seen, samples, confidence)
    leader = min(places.values())
    return {one: _contrast(place, leader) for one, place in places.items()}


def _places(
    running: Sequence[Candidate],
    seen: Mapping[Candidate, Sequence[Seen]],
    samples: Callable[[Candidate], float],
    confidence: float,
) -> dict[Candidate, _Place]:
    """Logarithm of the cost of each, with the half-width that its contrasts add up of.

    Those that left lend what they showed of the machine.
    """
    every = [*running, *(one for one in seen if one not in running and seen[one])]
    fit = _fit(every, seen, confidence)
    if fit is None:
        return {one: _Place(_rough(seen[one], samples(one)), math.inf) for one in running}
    return {
        one: _Place(float(fit.mean[at]) - math.log(samples(one)), float(fit.relative[at]))
        for at, one in enumerate(every[: len(running)])
    }


def _fit(
    every: Sequence[Candidate], seen: Mapping[Candidate, Sequence[Seen]], confidence: float
) -> JointFit | None:
    rows = [(at, *one) for at, candidate in enumerate(every) for one in seen[candidate]]
    workload, process, when_s, call_s = zip(*rows, strict=True)
    return joint_fit(workload, process, when_s, call_s, confidence)


def _rough(rounds: Sequence[Seen], samples: float) -> float:
    return math.log(min(one.call_s for one in rounds) / samples)


def _contrast(place: _Place, leader: _Place) -> Contrast:
    if place is leader:
        return Contrast(ratio=1.0, low=1.0, high=1.0)
    apart, half = place.centre - leader.centre, math.hypot(place.half, leader.half)
    return Contrast(ratio=_exp(apart), low=_exp(apart - half), high=_exp(apart + half))


def _exp(logarithm: float) -> float:
    return math.exp(min(logarithm, 700.0)) if logarithm > -math.inf else 0.0


def _leaves(contrast: Contrast, heats: int) -> Why | None:
    if heats < FIRST_HEATS:
        return "hopeless" if contrast.ratio > HOPELESS else None
    return "slower" if contrast.low > 1.0 else None


def _alike(running: Sequence[Candidate], contrasts: Mapping[Candidate, Contrast]) -> bool:
    return all(contrasts[one].high < 1 + ZONE for one in running)


def _each(confidence: float, heats: int, running: int) -> float:
    """Nominal coverage of each contrast's interval, so that all of them hold together.

    The true best leaves where its interval is wrong at one end: so the part of one end counts. The
    best has one contrast in each heat, with the leader of that heat, which chance has chosen among
    all: the number of rivals takes part with its logarithm, as the largest of normal values does.
    """
    one_end = (1 - confidence) / heats
    level = -ndtri(one_end)
    raised = math.sqrt(level**2 + 2 * math.log(max(running, 1)) / 2)
    return math.erf(raised / math.sqrt(2))
