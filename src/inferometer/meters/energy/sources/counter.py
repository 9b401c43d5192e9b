"""An energy counter that wraps, turned into joules since it was opened, or into a reason.

Knows numbers and times, no files. A counter that was reset, stands still or was left alone for
too long never becomes 0 J and is never off by a wrap: it is lost, and stays lost.
"""

from __future__ import annotations

from dataclasses import dataclass

from inferometer.core.errors import SourceLostError

_FROZEN_PERIODS = 50
_FROZEN_S = 1.0
_SLACK_S = 0.1
"""Two readings close to each other may hold the energy of an update more than their distance."""


@dataclass(frozen=True, kw_only=True)
class CounterKind:
    """What is known of a counter.

    Attributes:
        what: for messages: `the counter /sys/…/energy_uj`.
        unit_j: joules of one count.
        range_counts: counts at which it begins again at 0; None for one that never does.
        most_w: watts that nothing behind it can draw; more is taken for a reset.
        period_s: seconds between two updates.
    """

    what: str
    unit_j: float
    range_counts: int | None
    most_w: float
    period_s: float

    @property
    def range_j(self) -> float | None:
        """Joules after which it begins again."""
        return None if self.range_counts is None else self.range_counts * self.unit_j

    @property
    def poll_s(self) -> float | None:
        """Seconds within which it must be read again: half the time of the fastest wrap."""
        return None if self.range_j is None else self.range_j / (2 * self.most_w)

    @property
    def frozen_s(self) -> float:
        """Seconds after which a counter that has not moved is frozen.

        An idle processor draws at least tenths of a watt, thousands of counts in a second, so a
        second without one is no idleness; and 50 updates for counters slower than that.
        """
        return max(_FROZEN_PERIODS * self.period_s, _FROZEN_S)


class WrappingCounter:
    """Joules since the first reading of a counter: E = Σ (cᵢ₊₁ - cᵢ) mod R.

    A reset shows as a step that would need more than `most_w`, because the fall is taken for a
    wrap; one that hides in a plausible step cannot be told from a wrap. Times are Unix times; one
    that goes backwards counts as no time at all.

    Args:
        kind: what is known of it.
    """

    def __init__(self, kind: CounterKind) -> None:
        self.kind = kind
        self._total = 0
        self._last: tuple[int, float] | None = None
        self._moved_at_s = 0.0
        self._lost = ""

    def joules(self, counts: int, at_s: float) -> float:
        """Take a reading.

        Args:
            counts: what the counter shows.
            at_s: Unix time at which it was read.

        Returns:
            Joules since the first reading; 0 for the first.

        Raises:
            SourceLostError: it was reset, stands still, left its range, or may have wrapped
                unseen; every later call raises the same.
        """
        if self._last is None:
            self._check_range(counts)
            self._last, self._moved_at_s = (counts, at_s), at_s
        else:
            self._advance(counts, at_s)
        return self._total * self.kind.unit_j

    def _advance(self, counts: int, at_s: float) -> None:
        assert self._last is not None
        if self._lost:
            raise SourceLostError(self._lost)
        self._check_range(counts)
        before, since_s = self._last
        elapsed_s = max(0.0, at_s - since_s)
        self._check_gap(elapsed_s)
        step = counts - before
        if self.kind.range_counts is not None:
            step %= self.kind.range_counts
        self._check_step(step, before, counts, elapsed_s)
        if step or at_s < since_s:
            self._moved_at_s = at_s
        elif at_s - self._moved_at_s > self.kind.frozen_s:
            self._lose(f"has stood still for {at_s - self._moved_at_s:.1f} s: it is frozen")
        self._total += step
        self._last = (counts, at_s)

    def _check_range(self, counts: int) -> None:
        most = self.kind.range_counts
        if counts < 0 or (most is not None and counts > most):
            self._lose(f"shows {counts}, outside its own range of 0 to {most}")

    def _check_gap(self, elapsed_s: float) -> None:
        range_j = self.kind.range_j
        if range_j is not None and elapsed_s * self.kind.most_w >= range_j:
            self._lose(
                f"was not read for {elapsed_s:.0f} s, in which it may have wrapped more than once "
                f"(it holds {range_j:.0f} J)"
            )

    def _check_step(self, step: int, before: int, counts: int, elapsed_s: float) -> None:
        allowed_j = self.kind.most_w * (elapsed_s + max(_SLACK_S, 2 * self.kind.period_s))
        if step >= 0 and step * self.kind.unit_j <= allowed_j:
            return
        fell = "fell" if counts < before else "jumped"
        self._lose(
            f"{fell} from {before} to {counts} within {elapsed_s:.2f} s, which no device draws: "
            "it was reset"
        )

    def _lose(self, reason: str) -> None:
        self._lost = f"{self.kind.what} {reason}"
        raise SourceLostError(self._lost)
