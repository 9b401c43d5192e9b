"""A plug with Tasmota firmware, asked over HTTP. Its clock and its energy counter are not used.

`Status 10` tells `StatusSNS.ENERGY.Power`, the active power in watts: a number, or a list where
the device has several channels. The counter is in kWh with three decimals, too coarse for a window.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlencode

from inferometer.core.errors import MeterError
from inferometer.core.protocols import PowerSource
from inferometer.meters.energy.network.address import Address, parse_address
from inferometer.meters.energy.network.http import TIMEOUT_S, get_json
from inferometer.meters.energy.network.plug import plug_at, watts
from inferometer.meters.energy.surroundings import Surroundings

KIND = "tasmota"
_PATH = "/cm"
_USER = "admin"


def connect(
    target: str, surroundings: Surroundings, *, timeout_s: float = TIMEOUT_S
) -> PowerSource:
    """A plug at `HOST[:PORT][?channel=1]`.

    Raises:
        MeterError: it cannot be reached, is not Tasmota, or measures no power.
    """
    address = parse_address(target, KIND, ("channel",))
    path = _path(address)

    def ask() -> Any:  # noqa: ANN401 - a number, once `watts` has seen it
        return _power(address, get_json(address, path, user=_USER, timeout_s=timeout_s))

    def read_w() -> float:
        return watts(ask(), f"{address}: Power")

    first = ask()
    watts(first, f"{address}: Power")
    # `WattRes` decides how many decimals are told; none is the default.
    resolution = 1.0 if isinstance(first, int) else 0.1
    shown = f"{_PATH}?cmnd=Status%2010"
    return plug_at(address, shown, read_w, surroundings.clock, resolution=resolution)


def _path(address: Address) -> str:
    """The question; Tasmota takes name and password in it."""
    login = {}
    if address.password is not None:
        login = {"user": address.user or _USER, "password": address.password}
    return f"{_PATH}?{urlencode({**login, 'cmnd': 'Status 10'}, quote_via=quote)}"


def _power(address: Address, answer: dict[str, Any]) -> Any:  # noqa: ANN401 - JSON
    """Power of the channel that the user chose, as it was told.

    Raises:
        MeterError: there is none.
    """
    if "WARNING" in answer:
        way_out = f"write {KIND}://{_USER}:PASSWORD@{address.place}"
        raise MeterError(f"{address} asks for a name and a password: {way_out}")
    sensors = answer.get("StatusSNS")
    if not isinstance(sensors, dict):
        raise MeterError(f"{address} does not answer as Tasmota: its answer has no StatusSNS")
    energy = sensors.get("ENERGY")
    power = energy.get("Power") if isinstance(energy, dict) else None
    if power is None:
        raise MeterError(f"{address} measures no power: this Tasmota device has no ENERGY.Power")
    return _channel(address, power if isinstance(power, list) else [power])


def _channel(address: Address, powers: list[Any]) -> Any:  # noqa: ANN401 - JSON
    if len(powers) > 1 and "channel" not in address.options:
        raise MeterError(
            f"{address} has {len(powers)} channels: choose the one that the device under test"
            f" is behind with ?channel=1 to ?channel={len(powers)}"
        )
    number = address.number("channel", 1)
    if not 1 <= number <= len(powers):
        raise MeterError(f"{address} has no channel {number}: there are {len(powers)}")
    return powers[number - 1]
