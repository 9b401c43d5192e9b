"""A Shelly plug of the second generation or later, asked over HTTP. Its clock is not used.

`/rpc/Switch.GetStatus` tells `apower`, the active power in watts; models that only measure have
`/rpc/PM1.GetStatus` instead. The energy counter `aenergy` moves in steps far too coarse for one
window (it is sent on once a minute), so power is what is read.
"""

from __future__ import annotations

from typing import Any

from inferometer.core.errors import MeterError
from inferometer.core.protocols import PowerSource
from inferometer.core.shown import shown
from inferometer.meters.energy.network.address import Address, parse_address
from inferometer.meters.energy.network.http import TIMEOUT_S, Answer, get, get_json, to_object
from inferometer.meters.energy.network.plug import plug_at, watts
from inferometer.meters.energy.surroundings import Surroundings

KIND = "shelly"
_OK, _NOT_FOUND = 200, 404
_USER = "admin"
"""The only one that these devices know."""
_COMPONENTS = {"switch": "Switch", "pm1": "PM1"}


def connect(
    target: str, surroundings: Surroundings, *, timeout_s: float = TIMEOUT_S
) -> PowerSource:
    """A plug at `HOST[:PORT][?switch=0]`, or `?pm1=0` for one that only measures.

    Raises:
        MeterError: it cannot be reached, is of the first generation, or measures no power.
    """
    address = parse_address(target, KIND, tuple(_COMPONENTS))
    component, path = _component(address, timeout_s)

    def read_w() -> float:
        return _power(address, component, get_json(address, path, user=_USER, timeout_s=timeout_s))

    read_w()
    return plug_at(address, path, read_w, surroundings.clock, resolution=0.1)


def _component(address: Address, timeout_s: float) -> tuple[str, str]:
    """The component that answers, as people write it, and its path.

    Raises:
        MeterError: none does.
    """
    named = [name for name in _COMPONENTS if name in address.options]
    last: Answer | None = None
    for name in named[:1] or _COMPONENTS:
        number = address.number(name, 0)
        path = f"/rpc/{_COMPONENTS[name]}.GetStatus?id={number}"
        last = get(address, path, user=_USER, timeout_s=timeout_s)
        if last.status == _OK:
            return f"{name} {number}", path
        if last.status != _NOT_FOUND:
            break
    raise MeterError(_why_not(address, last, timeout_s))


def _why_not(address: Address, answer: Answer | None, timeout_s: float) -> str:
    """Why no component answers: the generation, the model, or the number."""
    device = _device(address, timeout_s)
    model = shown(device.get("model") or device.get("type") or "unknown model", 40)
    if device and "gen" not in device:
        return (
            f"{address} is a Shelly of the first generation ({model}), which has no /rpc to ask:"
            " log its power to a CSV file and give that with --power-log"
        )
    if not device:
        status = answer.status if answer else "none"
        return f"{address} is not a Shelly: /rpc answers with HTTP status {status}"
    said = _message(address, answer)
    return (
        f"{address} is a Shelly ({model}) without that switch or meter{said}:"
        " choose another with ?switch=NUMBER or ?pm1=NUMBER"
    )


def _device(address: Address, timeout_s: float) -> dict[str, Any]:
    """What `/shelly` says, which every generation answers without a password; else nothing."""
    try:
        return get_json(address, "/shelly", user=_USER, timeout_s=timeout_s)
    except MeterError:
        return {}


def _message(address: Address, answer: Answer | None) -> str:
    try:
        said = to_object(address, answer).get("message") if answer else None
    except MeterError:
        return ""
    return f" ({said[:80]})" if isinstance(said, str) and said.isprintable() else ""


def _power(address: Address, component: str, status: dict[str, Any]) -> float:
    """Active power of a status, watts.

    Raises:
        MeterError: it has none, or the relay is off: then the device gets its power elsewhere.
    """
    if status.get("output") is False:
        raise MeterError(
            f"{address}: {component} is off, so the device under test is not behind it: choose"
            " another with ?switch=NUMBER"
        )
    if "apower" not in status:
        raise MeterError(f"{address}: {component} measures no power: this model only switches")
    return watts(status["apower"], f"{address}: apower of {component}")
