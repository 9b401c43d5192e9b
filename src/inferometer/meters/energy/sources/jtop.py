"""A Jetson's power as a running jtop service tells it. The service is never started from here.

It reads the same sensors as our own readers do, once in half a second to two seconds, and takes
CPU time of its own for that, which raises the idle power; so it is one more source, never the
first choice. Its package is under the AGPL and is used only where it was installed already.
"""

from __future__ import annotations

import math
import threading
from typing import Any

from inferometer.core.energy import Scope, SourceInfo
from inferometer.core.errors import in_one_line
from inferometer.meters.energy.sources.jetson import FED_BY
from inferometer.meters.energy.sources.libraries import AskedSource, file_content
from inferometer.meters.energy.surroundings import Finding, Surroundings, absent

KIND = "jtop"
_MODULE = "jtop"
_SOCKETS = ("run/jtop.sock", "var/run/jtop.sock")
_INTERVAL_S = 1.0
_PATIENCE_S = 5.0
"""Its client waits without end for a service that hangs."""
_TOTALS: dict[str, Scope] = {
    "VDD_IN": "module_input",
    "POM_5V_IN": "module_input",
    "VIN": "board_input",
}
_FOREIGN = "ucsi"
"""USB-C supplies, whose negotiated limits some versions list beside the rails."""


def find(surroundings: Surroundings) -> Finding:
    """The service, where one runs and its package can be imported."""
    if not surroundings.live or not _runs(surroundings):
        return absent(KIND, "No jtop service runs here.", relevant=False)
    try:
        library = surroundings.load(_MODULE)
    except ImportError:
        reason = "A jtop service runs, but its Python package is not in this environment."
        return absent(
            KIND, reason, "The sensors that it reads are read without it.", relevant=False
        )
    except Exception as error:  # noqa: BLE001 - a broken package is not there
        return absent(KIND, f"The package of jtop cannot be loaded ({in_one_line(error)}).")
    try:
        client = library.jtop(interval=_INTERVAL_S)
        _start(client)
    except Exception as error:  # noqa: BLE001 - stopped, of another version, or not for this user
        return absent(KIND, f"The jtop service does not answer ({in_one_line(error)}).")
    return _finding(client, surroundings)


def _runs(surroundings: Surroundings) -> bool:
    """Whether there is a socket: to open one as a file fails, but not as where there is none."""
    return any(file_content(surroundings, path) is not None for path in _SOCKETS)


def _start(client: Any) -> None:  # noqa: ANN401 - an optional module
    """Connect, within a limit.

    Raises:
        Exception: what the client raised, or TimeoutError.
    """
    raised: list[BaseException] = []

    def start() -> None:
        try:
            client.start()
        except BaseException as error:  # noqa: BLE001 - raised again below
            raised.append(error)

    thread = threading.Thread(target=start, daemon=True)
    thread.start()
    thread.join(_PATIENCE_S)
    if raised:
        raise raised[0]
    if thread.is_alive():
        raise TimeoutError(f"nothing within {_PATIENCE_S:g} s")


def _finding(client: Any, surroundings: Surroundings) -> Finding:  # noqa: ANN401 - optional
    try:
        total = _total(client.power)
        if total is None:
            client.close()
            reason = "A jtop service runs, but lists no power rail: this board has no sensor."
            way_out = "jtop cannot help here; a USB-C meter or a metering plug can."
            return absent(KIND, reason, way_out)
        period_s = float(getattr(client, "interval", _INTERVAL_S) or _INTERVAL_S)
        source = _source(client, surroundings, total[0], period_s)
    except Exception as error:  # noqa: BLE001 - the answer of another version
        return absent(
            KIND, f"The jtop service tells its power in an unknown way ({in_one_line(error)})."
        )
    return Finding(sources=(source,))


def _source(
    client: Any,  # noqa: ANN401 - an optional module
    surroundings: Surroundings,
    name: str,
    period_s: float,
) -> AskedSource:
    def power_w() -> float:
        if not client.ok(spin=True):
            raise ConnectionError("the service has stopped")
        now = _total(client.power)
        if now is None or now[0] != name:
            raise LookupError(f"{name or 'the rails'} are no longer listed")
        return now[1]

    power_w()
    what = name or "sum of the rails"
    info = SourceInfo(
        name=f"{KIND}:{name or 'rails'}",
        kind=KIND,
        scope=_TOTALS.get(name, "rails_sum"),
        method="measured",
        quantity="power",
        period_s=period_s,
        resolution=1e-3,
        where=f"{what}, from the jtop service, which itself raises the idle power",
    )
    return AskedSource(info, power_w, surroundings.clock, client.close)


def _total(power: Any) -> tuple[str, float] | None:  # noqa: ANN401 - what the service sent
    """The rail that is the total, empty for a sum, and its power in watts; None without rails.

    Raises:
        Exception: the answer is of another form than that of jetson-stats 4 and later.
    """
    total, rails = power.get("tot") or {}, power.get("rail") or {}
    if name := str(total.get("name") or ""):
        return name, _watts(total)
    own = [
        rail
        for key, rail in rails.items()
        if not str(key).startswith(_FOREIGN) and FED_BY.get(str(key)) not in rails
    ]
    return ("", sum(_watts(rail) for rail in own)) if own else None


def _watts(rail: Any) -> float:  # noqa: ANN401 - what the service sent
    power_w = float(rail["power"]) / 1e3
    if not math.isfinite(power_w):
        raise ValueError("a power that is not finite")
    return power_w
