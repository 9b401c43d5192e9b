"""When a load may have run, and what a reading of a sensor then tells of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_FAR_S = 1e6  # beyond the first and the last edge


class Ramp(NamedTuple):
    """What a reading tells of: so many seconds, until so long after its time."""

    length_s: float
    late_s: float


@dataclass(frozen=True, kw_only=True)
class Course:
    """When the load may have run, on our clock.

    Attributes:
        starts_s: of each load, ascending.
        ends_s: of each load.
        unknown_s: stretches between idling and load of which nobody knows; shape (n, 2).
    """

    starts_s: Floats
    ends_s: Floats
    unknown_s: Floats

    @cached_property
    def edges_s(self) -> Floats:
        """Every beginning and end."""
        return np.sort(np.concatenate([self.starts_s, self.ends_s]))

    @cached_property
    def _until(self) -> tuple[Floats, Floats]:
        """Times, and seconds of load until each; straight lines between them are exact."""
        at_s = np.stack([self.starts_s, self.ends_s], axis=1).ravel()
        load_s = np.repeat(np.cumsum(self.ends_s - self.starts_s), 2)
        load_s[::2] -= self.ends_s - self.starts_s
        return (
            np.concatenate([[at_s[0] - _FAR_S], at_s, [at_s[-1] + _FAR_S]]),
            np.concatenate([[0.0], load_s, load_s[-1:]]),
        )

    def share(self, at_s: Floats, ramp: Ramp) -> Floats:
        """Share of load in the time that a reading tells of."""
        ends_s = at_s + ramp.late_s
        until, since = (np.interp(at, *self._until) for at in (ends_s, ends_s - ramp.length_s))
        return np.asarray((until - since) / ramp.length_s)

    def is_load(self, at_s: Floats) -> NDArray[np.bool_]:
        """Whether the load runs at each time."""
        place = np.searchsorted(self.starts_s, at_s, side="right") - 1
        return np.asarray((place >= 0) & (at_s < self.ends_s[np.maximum(place, 0)]))

    def is_known(self, at_s: Floats) -> NDArray[np.bool_]:
        """Whether the state is known at each time."""
        known = np.ones(at_s.shape, bool)
        for start_s, end_s in self.unknown_s:
            known &= (at_s < start_s) | (at_s >= end_s)
        return known


@dataclass(frozen=True, kw_only=True)
class Guess:
    """A course, and about where the log lies in it."""

    course: Course
    offset_s: float
