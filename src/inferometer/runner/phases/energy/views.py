"""When the device worked and when it idled, by the rounds of a run, for aligning a log with them.

More than one course may have left a log: in the pauses between windows the device may have gone on,
and a log may show the windows without the work around them, as the file of marks has them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise, product

from inferometer.core.record import Round
from inferometer.runner.phases.energy.windows import MARGIN_S
from inferometer.stats.alignment import View

Interval = tuple[float, float]
BRIEF_S = 0.5
"""What lies between idling and the work that follows it at once: nothing runs yet."""


@dataclass(frozen=True, kw_only=True)
class _Stretch:
    """A round as a log may show it, or several that follow one another.

    Attributes:
        start_s: Unix time.
        end_s: Unix time.
        first: phase that it begins with.
        last: phase that it ends with.
        index: of its last round.
    """

    start_s: float
    end_s: float
    first: str
    last: str
    index: int

    @property
    def works(self) -> bool:
        return self.first != "idle"

    def inset(self, phases: Sequence[str]) -> _Stretch:
        """The same without the margins of some phases; as it is where nothing would be left."""
        start_s = self.start_s + MARGIN_S * (self.first in phases)
        end_s = self.end_s - MARGIN_S * (self.last in phases)
        return replace(self, start_s=start_s, end_s=end_s) if end_s > start_s else self


def views(rounds: Sequence[Round]) -> list[View]:
    """What may have run, as the rounds tell it first."""
    stretches = sorted(map(_stretch, rounds), key=lambda one: one.start_s)
    gaps = [(one.end_s, after.start_s) for one, after in pairwise(stretches) if _idles(one, after)]
    idles = [(one.start_s, one.end_s) for one in stretches if not one.works] + gaps
    return [
        _view(list(_runs(stretches) if through else stretches), idles, phases)
        for phases, through in product(((), ("energy",), ("energy", "warmup")), (False, True))
    ]


def _stretch(done: Round) -> _Stretch:
    last_s = done.starts_s[-1] + done.values_s[-1] * done.calls_per_value
    return _Stretch(
        start_s=done.started_at,
        end_s=done.started_at + last_s,
        first=done.phase,
        last=done.phase,
        index=done.index,
    )


def _idles(one: _Stretch, after: _Stretch) -> bool:
    """Whether the device surely idles between two rounds; loading a model is work, for instance."""
    gap_s = after.start_s - one.end_s
    if gap_s <= 0 or after.index != one.index + 1:
        return False
    return gap_s <= BRIEF_S if one.works != after.works else after.first == "energy"


def _runs(stretches: Sequence[_Stretch]) -> Iterator[_Stretch]:
    """Windows of work that follow one another as one, the pauses between them included."""
    run: _Stretch | None = None
    for one in stretches:
        follows = run is not None and run.works and one.index == run.index + 1
        if run is not None and follows and one.first == "energy":
            run = replace(run, end_s=one.end_s, last=one.last, index=one.index)
            continue
        if run is not None:
            yield run
        run = one
    if run is not None:
        yield run


def _view(stretches: Sequence[_Stretch], idles: Sequence[Interval], inset: Sequence[str]) -> View:
    """Rounds of work, those of some phases without their margins, which are idle then."""
    whole = [one for one in stretches if one.works]
    cut = [one.inset(inset) for one in whole]
    margins = [
        gap
        for one, less in zip(whole, cut, strict=True)
        for gap in ((one.start_s, less.start_s), (less.end_s, one.end_s))
        if gap[1] > gap[0]
    ]
    outside = [
        gap
        for gap in idles
        if not any(one.start_s < gap[1] and gap[0] < one.end_s for one in whole)
    ]
    loads = [(one.start_s, one.end_s) for one in cut]
    return View(loads=loads, idles=sorted([*outside, *margins]))
