"""What sources that ask a library or a command have in common. Knows none of them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from inferometer.core.energy import Reading, SourceInfo
from inferometer.core.errors import SourceLostError, in_one_line
from inferometer.meters.energy.surroundings import Surroundings

FROZEN_S = 5.0
"""A counter that stands still for so long has stopped: nothing that runs takes no power."""


def file_content(surroundings: Surroundings, path: str) -> bytes | None:
    """Content of a file under the root; empty where it cannot be read, None where there is none."""
    try:
        return surroundings.read(surroundings.root / path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError:
        return b""


class AskedSource:
    """A power source that a library or a command answers for.

    Args:
        info: what is known of it.
        ask: gives joules or watts; whatever it raises means that the source is lost.
        clock: Unix time, seconds.
        close: lets go of the library, where there is something to let go of.
    """

    def __init__(
        self,
        info: SourceInfo,
        ask: Callable[[], float],
        clock: Callable[[], float],
        close: Callable[[], object] = lambda: None,
    ) -> None:
        self.info = info
        self._ask = ask
        self._clock = clock
        self._close: Callable[[], object] | None = close
        self._zero = self._last = ask() if info.quantity == "energy" else 0.0
        self._moved_s = clock()

    def read(self) -> Reading:
        """Joules since the source was opened, or watts.

        Raises:
            SourceLostError: nothing answers, or the counter went backwards or stands still.
        """
        if self._close is None:
            raise SourceLostError(f"{self.info.name} was closed")
        try:
            value = self._ask()
        except SourceLostError:
            raise
        except Exception as error:
            raise SourceLostError(f"{self.info.name} is lost: {in_one_line(error)}") from error
        at_s = self._clock()
        if self.info.quantity == "power":
            return Reading(at_s=at_s, value=value)
        self._check(value, at_s)
        return Reading(at_s=at_s, value=value - self._zero)

    def close(self) -> None:
        """Let go of the library; what that raises is nobody's loss."""
        close, self._close = self._close, None
        if close is not None:
            with suppress(Exception):
                close()

    def _check(self, value: float, at_s: float) -> None:
        if value < self._last:
            raise SourceLostError(f"{self.info.name} was reset: its energy counter went backwards")
        if value > self._last:
            self._last, self._moved_s = value, at_s
        elif at_s - self._moved_s >= FROZEN_S:
            raise SourceLostError(
                f"{self.info.name} is frozen: its energy counter has not moved for"
                f" {at_s - self._moved_s:.0f} s"
            )
