"""What network meters have in common: power that is asked for. Does not know their languages."""

from __future__ import annotations

import math
from collections.abc import Callable

from inferometer.core.energy import Reading, SourceInfo
from inferometer.core.errors import MeterError, SourceLostError
from inferometer.meters.energy.network.address import Address


class Plug:
    """A power source that asks a meter.

    A question that gets no answer is asked once more, as radio loses packets; a second failure
    is a loss, since nobody knows what the power was in between.

    Args:
        info: what is known of it.
        read_w: asks for the power in watts, raising MeterError.
        clock: Unix time, seconds.
    """

    def __init__(
        self, info: SourceInfo, read_w: Callable[[], float], clock: Callable[[], float]
    ) -> None:
        self.info = info
        self._read_w = read_w
        self._clock = clock
        self._closed = False

    def read(self) -> Reading:
        """Power now; its time is half-way between question and answer.

        Raises:
            SourceLostError: two questions in a row got no power for an answer.
        """
        if self._closed:
            raise SourceLostError(f"{self.info.name} was closed")
        try:
            return self._ask()
        except MeterError:
            pass
        try:
            return self._ask()
        except MeterError as error:
            raise SourceLostError(str(error)) from error

    def close(self) -> None:
        """There is nothing to let go of: each question has a connection of its own."""
        self._closed = True

    def _ask(self) -> Reading:
        asked_s = self._clock()
        power_w = self._read_w()
        return Reading(at_s=(asked_s + self._clock()) / 2, value=power_w)


def plug_at(
    address: Address,
    path: str,
    read_w: Callable[[], float],
    clock: Callable[[], float],
    *,
    resolution: float,
) -> Plug:
    """A meter at the wall that tells something new about once a second.

    Args:
        address: where it is.
        path: what is asked, for people: without a password.
        read_w: as for `Plug`.
        clock: as for `Plug`.
        resolution: smallest step of its power, watts.
    """
    info = SourceInfo(
        name=address.name,
        kind=address.kind,
        scope="wall",
        method="measured",
        quantity="power",
        period_s=1.0,
        window_s=1.0,
        resolution=resolution,
        where=f"http://{address.place}{path}",
    )
    return Plug(info, read_w, clock)


def watts(value: object, what: str) -> float:
    """A power that a meter told, watts.

    Raises:
        MeterError: it is not a number of at least 0.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise MeterError(f"{what} is not a number")
    if value < 0:
        raise MeterError(
            f"{what} is negative, as where power flows backwards: turn the meter round"
        )
    return float(value)
