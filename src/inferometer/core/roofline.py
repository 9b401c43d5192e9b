"""What a device can do at best, as a short probe measured it, and how it is asked to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from math import isfinite
from typing import Any

from inferometer.core.run import Run
from inferometer.core.workload import Workload

ROOFLINES = "roofs"
"""Key of a run's device: a list of rooflines as JSON objects."""


UNDISTURBED = 0.9
"""Share of the processor that a probe has at least where nothing else runs."""


@dataclass(frozen=True, kw_only=True)
class ProbePlan:
    """How long and with how much memory a probe measures.

    Attributes:
        cache_bytes: what the caches of the last level hold together; None where nobody knows.
        room_bytes: most that its arrays may take together.
        seconds: about how long it measures, without what it takes to start.
    """

    cache_bytes: int | None
    room_bytes: int
    seconds: float = 1.5


@dataclass(frozen=True, kw_only=True)
class Attained:
    """The best rate of a probe, and how far its repetitions were apart.

    Attributes:
        best: the highest rate of all repetitions, per second.
        median: their median, per second.
        repeats: how many there were.
        what: what was run, such as `matrix product 2048x2048`.
    """

    best: float
    median: float
    repeats: int
    what: str


@dataclass(frozen=True, kw_only=True)
class Roofline:
    """Attainable rates of one device, at one precision and number of threads.

    Attributes:
        device: `cpu`, `cuda` …
        precision: of the arithmetic. Bytes are moved in elements of 32 bits whatever it is: where a
            processor has to convert others first, that would limit them.
        threads: threads that the runtime used.
        flops: floating-point operations per second of a large matrix product or, where it is
            faster, a convolution.
        memory: bytes per second of a triad, or a sum where it is faster, over arrays that no cache
            holds, reads and writes counted (not the reads that a write may cause).
        cache: the same over arrays that fit into the caches; None where that makes no sense.
        dispatch_s: seconds that the runtime takes to dispatch one operator with next to no work.
        at: Unix time of the probe, seconds.
        cache_bytes: what the caches of the last level hold together; None where nobody knows.
        granted: processor time that the probe's arithmetic got, over its time and threads; well
            below 1, other programs ran meanwhile, and the rates may be too low. None elsewhere than
            on a CPU, and where there are more threads than processors.
    """

    device: str
    precision: str
    threads: int
    flops: Attained
    memory: Attained
    cache: Attained | None
    dispatch_s: float
    at: float
    cache_bytes: int | None = None
    granted: float | None = None

    @property
    def disturbed(self) -> bool:
        """Whether other programs took a part of the processor that matters."""
        return self.granted is not None and self.granted < UNDISTURBED

    def to_json(self) -> dict[str, Any]:
        """As a JSON object; `from_json` reads it back."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Roofline:
        """Read what `to_json` wrote."""
        rest = dict(data)
        for name in ("flops", "memory", "cache"):
            rest[name] = None if rest[name] is None else Attained(**rest[name])
        return cls(**rest)


def known_rooflines(device: Mapping[str, Any]) -> list[Roofline]:
    """The rooflines that a run's device holds; none in runs that measured none.

    What stands among them and is no roofline, in a damaged file, is none.
    """
    held = device.get(ROOFLINES)
    found = [sound_roofline(one) for one in held] if isinstance(held, list | tuple) else []
    return [roofline for roofline in found if roofline is not None]


def sound_roofline(data: object) -> Roofline | None:
    """Read what `Roofline.to_json` wrote; None where it holds what no probe has measured."""
    try:
        roofline = Roofline.from_json(data) if isinstance(data, Mapping) else None
        return roofline if roofline is not None and _is_sound(roofline) else None
    except (KeyError, TypeError):
        return None


def _is_sound(roofline: Roofline) -> bool:
    """Whether rates can be divided by each other, and drawn on logarithmic axes."""
    attained = [
        part for part in (roofline.flops, roofline.memory, roofline.cache) if part is not None
    ]
    rates = [rate for part in attained for rate in (part.best, part.median)]
    numbers = [roofline.dispatch_s, roofline.at, roofline.cache_bytes or 0, roofline.granted or 0]
    names = [roofline.device, roofline.precision, *(part.what for part in attained)]
    return (
        roofline.flops is not None
        and roofline.memory is not None
        and all(_is_number(rate) and rate > 0 for rate in rates)
        and all(_is_number(number) and number >= 0 for number in numbers)
        and all(isinstance(name, str) for name in names)
        and isinstance(roofline.threads, int)
    )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)


def rooflines_of(runs: Iterable[Run]) -> dict[str, list[Roofline]]:
    """What the devices of some runs can do at best, by the run's id."""
    return {run.id: known_rooflines(run.device) for run in runs}


def roofline_for(workload: Workload, rooflines: Iterable[Roofline]) -> Roofline | None:
    """The roofline of a workload's device, precision and threads; None where there is none."""
    wanted = (workload.device, workload.variant.precision, workload.threads)
    return next((r for r in rooflines if (r.device, r.precision, r.threads) == wanted), None)
