"""NVIDIA GPUs, asked through their driver's library. One source for each GPU of the machine.

Of three ways to ask, the first that a GPU answers is used: its energy counter (mJ, since Volta);
its power at the moment (field 186); its power usage, which on Ampere and later is the average of
the last second (all mW). How far the figures are from the truth is not told by the vendor.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from inferometer.core.energy import Absence, Quantity, SourceInfo
from inferometer.core.errors import in_one_line
from inferometer.core.protocols import PowerSource
from inferometer.meters.energy.sources.boards import is_jetson
from inferometer.meters.energy.sources.libraries import AskedSource, file_content
from inferometer.meters.energy.surroundings import Finding, Surroundings, absent

KIND = "nvml"
_MODULE = "pynvml"
_PERIOD_S = 0.1
_POWER_INSTANT = 186
_NVIDIA = b"\t10de"
_NONE = "No NVIDIA GPU with a driver was found."
_INSTALL = "Run pip install 'inferometer[nvidia]' to read its energy."


@dataclass(frozen=True, kw_only=True)
class _Way:
    """One way to ask: a call that gives joules or watts, and what is known of its answers."""

    ask: Callable[[], float]
    quantity: Quantity
    window_s: float
    call: str


def find(surroundings: Surroundings) -> Finding:
    """One source for each GPU that tells its energy or power."""
    if not surroundings.live:
        reason = "A GPU's energy is asked of its driver, on the device itself only."
        return absent(KIND, reason, relevant=False)
    try:
        nvml = surroundings.load(_MODULE)
    except ImportError:
        if not any(_visible(surroundings)) or is_jetson(surroundings):
            return absent(KIND, _NONE, relevant=False)
        return absent(
            KIND, "There is an NVIDIA GPU, and its library nvidia-ml-py is missing.", _INSTALL
        )
    except Exception as error:  # noqa: BLE001 - a broken package is not there
        return absent(KIND, f"The library nvidia-ml-py cannot be loaded ({in_one_line(error)}).")
    return _ask(nvml, surroundings)


def _ask(nvml: Any, surroundings: Surroundings) -> Finding:  # noqa: ANN401 - an optional module
    """What the driver says."""
    try:
        nvml.nvmlInit()
    except Exception as error:  # noqa: BLE001 - no driver, no rights, another version
        driver, device = _visible(surroundings)
        return _no_driver(error, seen=driver or device, loaded=driver)
    try:
        found = [_gpu(nvml, k, surroundings) for k in range(int(nvml.nvmlDeviceGetCount()))]
    except Exception as error:  # noqa: BLE001 - as above
        return absent(KIND, f"The NVIDIA driver names no GPU ({in_one_line(error)}).")
    finally:
        nvml.nvmlShutdown()
    if not found:
        return absent(KIND, "The NVIDIA driver is loaded, and names no GPU.")
    return Finding(
        sources=tuple(one for one in found if not isinstance(one, Absence)),
        absences=tuple(one for one in found if isinstance(one, Absence)),
    )


def _visible(surroundings: Surroundings) -> tuple[bool, bool]:
    """Whether a driver is loaded, and whether a device of NVIDIA is on the bus."""
    driver = file_content(surroundings, "proc/driver/nvidia/version") is not None
    devices = file_content(surroundings, "proc/bus/pci/devices") or b""
    return driver, any(_NVIDIA in line[:9] for line in devices.lower().splitlines())


def _no_driver(error: Exception, *, seen: bool, loaded: bool) -> Finding:
    if not seen:
        return absent(KIND, _NONE, relevant=False)
    if loaded:
        reason = f"The NVIDIA driver is loaded, but does not answer ({in_one_line(error)})."
        return absent(KIND, reason, "In a container, start it with access to the GPU (--gpus all).")
    reason = f"There is an NVIDIA device, but its driver is not loaded ({in_one_line(error)})."
    return absent(KIND, reason, "Install or load the driver; nvidia-smi must list the GPU.")


def _gpu(nvml: Any, index: int, surroundings: Surroundings) -> PowerSource | Absence:  # noqa: ANN401
    """The source for a GPU that answers, or the reason for one that does not.

    Each source holds the library open for itself: it counts how often it was opened.
    """
    try:
        handle = nvml.nvmlDeviceGetHandleByIndex(index)
    except Exception as error:  # noqa: BLE001 - fallen off the bus, or not for this user
        return _silent(f"{index}", in_one_line(error), tegra=False)
    name = _name(nvml, handle)
    said: list[str] = []
    way = next((way for way in _ways(nvml, handle) if _answers(way, said)), None)
    if way is None:
        return _silent(name, said[-1], tegra=is_jetson(surroundings))
    nvml.nvmlInit()
    return AskedSource(_info(index, name, way), way.ask, surroundings.clock, nvml.nvmlShutdown)


def _info(index: int, name: str, way: _Way) -> SourceInfo:
    return SourceInfo(
        name=f"{KIND}:{index}",
        kind=KIND,
        scope="gpu",
        method="measured",
        quantity=way.quantity,
        period_s=_PERIOD_S,
        window_s=way.window_s,
        resolution=1e-3,
        where=f"{way.call} of GPU {index} ({name})",
    )


def _silent(name: str, said: str, *, tegra: bool) -> Absence:
    """Why a GPU that the driver names gives no power."""
    if tegra:
        reason = f"NVML runs on this Jetson, but answers no question about power ({said})."
        way_out = "Its GPU has no meter of its own: the sensors of the board cover it, if any."
        return Absence(kind=KIND, reason=reason, way_out=way_out)
    reason = f"The driver tells neither energy nor power of the GPU {name} ({said})."
    return Absence(kind=KIND, reason=reason, way_out="A meter at the wall would cover it.")


def _name(nvml: Any, handle: Any) -> str:  # noqa: ANN401 - an optional module
    try:
        name = nvml.nvmlDeviceGetName(handle)
    except Exception:  # noqa: BLE001 - only for show
        return "of unknown model"
    return name.decode(errors="replace") if isinstance(name, bytes) else str(name)


def _ways(nvml: Any, handle: Any) -> tuple[_Way, ...]:  # noqa: ANN401 - an optional module
    """The ways to ask, the best first."""

    def energy_j() -> float:
        return float(nvml.nvmlDeviceGetTotalEnergyConsumption(handle)) / 1e3

    def instant_w() -> float:
        field = nvml.nvmlDeviceGetFieldValues(handle, [_POWER_INSTANT])[0]
        if field.nvmlReturn:
            raise nvml.NVMLError(field.nvmlReturn)
        return float(field.value.uiVal) / 1e3

    def usage_w() -> float:
        return float(nvml.nvmlDeviceGetPowerUsage(handle)) / 1e3

    return (
        _Way(ask=energy_j, quantity="energy", window_s=0.0, call="energy counter"),
        # which part of a period its answer stands for is not told
        _Way(ask=instant_w, quantity="power", window_s=_PERIOD_S, call="instant power"),
        _Way(ask=usage_w, quantity="power", window_s=1.0, call="power usage"),
    )


def _answers(way: _Way, said: list[str]) -> bool:
    """Whether a GPU answers; what it said where it does not is appended."""
    try:
        way.ask()
    except Exception as error:  # noqa: BLE001 - old libraries lack calls, old GPUs answers
        said.append(in_one_line(error))
        return False
    return True
