"""Power sensors of a board: INA3221 of Jetson modules, RAPL of x86 processors, `tegrastats`.

Readings and their times are kept as they come; what they mean is worked out at the import.
"""

import os
import re
import subprocess
import threading
import time
from typing import Any, Callable, Dict, List, Optional, Tuple

from inferometer.fleet.light.files import (
    KeptFile,
    cpuinfo_blocks,
    keep,
    matching,
    read_int,
    read_line,
    read_text,
)

TOTALS = ("VDD_IN", "POM_5V_IN")
FED_BY = {"VDDQ_VDD2_1V8AO": "VIN_SYS_5V0"}
IIO_PERIOD_S = 64 * 3 * 2 * 0.0011
HWMON_PERIOD_S = 0.1
"""As in `meters.energy.sources.jetson`."""

_IIO = ("sys/bus/iio/devices/iio:device*", "sys/bus/i2c/drivers/ina3221x/*/iio*device*")
_CURRENT_STEP_A = 0.008
_SHUNT_STEP_V = 40e-6
_RAPL = "sys/class/powercap"
_RAPL_MOST_W = 2000.0
_MODELLED_INTEL = ("42", "45", "58", "62")
_LEAST_POLLING_S = 0.05
_TEGRASTATS = ("/usr/bin/tegrastats", "/home/nvidia/tegrastats")
_TEGRASTATS_S = 0.1
_RAIL = re.compile(r"\b([A-Z][A-Z0-9_]*(?:IN|GPU|CPU|SOC|CV|SYS)[A-Z0-9_]*) (\d+)(?:mW)?/\d+")


class Lost(Exception):
    """A sensor stopped answering; the message says why."""


class Source:
    """A power sensor: `info` as `core.energy.SourceInfo` has it, and its readings so far."""

    def __init__(self, info: Dict[str, Any], value: Callable[[], float]) -> None:
        self.info = info
        self.at_s: List[float] = []
        self.values: List[float] = []
        self.lost: Optional[str] = None
        self._value = value

    @property
    def counts(self) -> bool:
        """Whether it counts joules; else it tells watts."""
        return bool(self.info["quantity"] == "energy")

    @property
    def step_s(self) -> float:
        """Seconds between two readings within a window."""
        period = float(self.info["period_s"])
        return min(max(_LEAST_POLLING_S, 10 * period), 1.0) if self.counts else period

    def read(self, clock: Callable[[], float]) -> None:
        """Take a reading, unless the sensor is lost."""
        if self.lost is not None:
            return
        before_s = clock()
        try:
            value = self._value()
        except (Lost, OSError) as error:
            self.lost = str(error)
            return
        at_s = (before_s + clock()) / 2
        self.at_s.append(max([at_s] + self.at_s[-1:]))
        self.values.append(value)

    def document(self) -> Dict[str, Any]:
        """The line of a bundle."""
        return {
            "readings": {
                "source": self.info,
                "at_s": self.at_s,
                "values": self.values,
                "lost": self.lost,
            }
        }


def find_sources(root: str) -> List[Source]:
    """The sensors of this board, the best first."""
    found = [_jetson(root), _rapl(root)]
    if root == "/" and not any(found):
        tegrastats = next((path for path in _TEGRASTATS if os.access(path, os.X_OK)), None)
        found = [Tegrastats.source(tegrastats)] if tegrastats else []
    return [source for source in found if source is not None]


def _info(kind: str, name: str, scope: str, period_s: float, where: str) -> Dict[str, Any]:
    return {
        "name": f"{kind}:{name}",
        "kind": kind,
        "scope": scope,
        "method": "measured",
        "quantity": "power",
        "period_s": max(period_s, _LEAST_POLLING_S),
        "window_s": period_s,
        "resolution": 0.0,
        "where": where,
    }


Rail = Tuple[str, List[KeptFile], float, float, str]
"""Label, files whose product is the power, watts of a product of 1, step in watts, place."""


def _jetson(root: str) -> Optional[Source]:
    rails, period_s = _hwmon_rails(root), HWMON_PERIOD_S
    if not rails:
        rails, period_s = _iio_rails(root), IIO_PERIOD_S
    if not rails:
        return None
    named = {rail[0]: rail for rail in rails}
    total = next((named[name] for name in TOTALS if name in named), None)
    chosen = [total] if total else [r for r in named.values() if FED_BY.get(r[0]) not in named]
    where = ", ".join(f"/{rail[4]} ({rail[0]})" for rail in chosen)
    scope, name = ("module_input", total[0]) if total else ("rails_sum", "rails")
    info = _info("jetson", name, scope, period_s, where)
    info["resolution"] = sum(rail[3] ** 2 for rail in chosen) ** 0.5
    return Source(info, lambda: sum(_watts(rail) for rail in chosen))


def _watts(rail: Rail) -> float:
    product = rail[2]
    for file in rail[1]:
        value = file.number()
        if value is None:
            raise Lost(f"/{rail[4]} holds no number any more")
        product *= value
    return product


def _hwmon_rails(root: str) -> List[Rail]:
    found: List[Rail] = []
    for name in matching(root, "sys/class/hwmon/hwmon*/name"):
        folder = os.path.dirname(name)
        if read_text(root, name) != "ina3221":
            continue
        for number in (1, 2, 3):
            label = read_text(root, f"{folder}/in{number}_label") or ""
            off = read_int(root, f"{folder}/in{number}_enable") == 0
            paths = [f"{folder}/in{number}_input", f"{folder}/curr{number}_input"]
            files = [file for file in (keep(root, path) for path in paths) if file]
            if off or label.upper() in ("", "NC") or len(files) < len(paths):
                continue
            shunt = read_int(root, f"{folder}/shunt{number}_resistor")
            step_a = _SHUNT_STEP_V / (shunt * 1e-6) if shunt else _CURRENT_STEP_A
            step_w = step_a * (files[0].number() or 0) * 1e-3
            found.append((label, files, 1e-6, step_w, paths[0]))
    return found


def _iio_rails(root: str) -> List[Rail]:
    found: List[Rail] = []
    for place in _IIO:
        for path in [] if found else matching(root, place + "/rail_name_*"):
            label, number = read_text(root, path) or "", path.rpartition("_")[2]
            folder = os.path.dirname(path)
            power = keep(root, f"{folder}/in_power{number}_input")
            if power is None or label.upper() in ("", "NC"):
                continue
            volts = read_int(root, f"{folder}/in_voltage{number}_input") or 5000
            step_w = _CURRENT_STEP_A * volts * 1e-3
            found.append((label, [power], 1e-3, step_w, f"{folder}/in_power{number}_input"))
    return found


class RaplCounters:
    """Counters of a processor's packages and memory as joules since the first reading."""

    def __init__(self, zones: List[Tuple[str, KeptFile, int]]) -> None:
        self._zones = zones
        self._last: List[int] = []
        self._at = 0.0
        self._total = 0.0

    def joules(self) -> float:
        """Joules, wraps undone."""
        now, counts = time.monotonic(), []
        for path, file, _ in self._zones:
            value = file.number()
            if value is None:
                raise Lost(f"/{path} may no longer be read")
            counts.append(value)
        if self._last:
            allowed_j = _RAPL_MOST_W * (now - self._at + 0.1)
            for place, (path, _, most) in enumerate(self._zones):
                step_j = (counts[place] - self._last[place]) % most * 1e-6
                if step_j > allowed_j:
                    raise Lost(f"/{path} was reset: it moved by {step_j:.0f} J at once")
                self._total += step_j
        self._last, self._at = counts, now
        return self._total


def _rapl(root: str) -> Optional[Source]:
    zones = [path for path in matching(root, _RAPL + "/*rapl*:*") if "mmio" not in path]
    names = {path: read_text(root, path + "/name") or "" for path in zones}
    packages = [path for path in zones if names[path].startswith("package")]
    drams = [path for path in zones if names[path] == "dram"]
    opened = _opened(root, packages)
    if not packages or len(opened) < len(packages):
        return None
    memory = _opened(root, drams) if len(drams) == len(packages) else []
    memory = memory if len(memory) == len(packages) else []
    name = "+".join([names[path] for path in packages] + (["dram"] if memory else []))
    scope = "package+dram" if memory else "package"
    where = ", ".join("/" + zone[0] for zone in opened + memory)
    info = _info("rapl", name, scope, 0.001, where)
    least = min(zone[2] for zone in opened + memory) * 1e-6
    info.update(
        quantity="energy",
        period_s=0.001,
        window_s=0.0,
        method=_rapl_method(root),
        resolution=max(zone[2] for zone in opened + memory) / 2**32 * 1e-6,
        poll_s=least / (2 * _RAPL_MOST_W),
    )
    return Source(info, RaplCounters(opened + memory).joules)


def _opened(root: str, zones: List[str]) -> List[Tuple[str, KeptFile, int]]:
    found = []
    for zone in zones:
        most = read_int(root, zone + "/max_energy_range_uj")
        file = keep(root, zone + "/energy_uj")
        if file is not None and most:
            found.append((zone + "/energy_uj", file, most))
    return found


def _rapl_method(root: str) -> str:
    block = next(iter(cpuinfo_blocks(root)), {})
    if block.get("vendor_id") != "GenuineIntel":
        return "vendor_model"
    old = block.get("cpu family") == "6" and block.get("model") in _MODELLED_INTEL
    return "vendor_model" if old else "measured"


class Tegrastats:
    """The last line of NVIDIA's `tegrastats`, where its files may not be read by this user."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self._process = process
        self._watts: Optional[float] = None
        self._said = threading.Event()
        threading.Thread(target=self._follow, daemon=True).start()

    @classmethod
    def source(cls, command: str) -> Optional[Source]:
        """A source, where the first line within two seconds names a rail."""
        try:
            process = subprocess.Popen(
                [command, "--interval", str(int(_TEGRASTATS_S * 1000))],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        except OSError:
            return None
        one = cls(process)
        if not one._said.wait(2.0):
            process.kill()
            return None
        info = _info("tegrastats", "total", "module_input", _TEGRASTATS_S, command)
        return Source(info, one.watts)

    def watts(self) -> float:
        """The power that it told last."""
        if self._watts is None or self._process.poll() is not None:
            raise Lost("tegrastats ended")
        return self._watts

    def _follow(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            watts = watts_told(line.decode("utf-8", "replace"))
            if watts is not None:
                self._watts = watts
                self._said.set()


def watts_told(line: str) -> Optional[float]:
    """Watts in a line of `tegrastats`: of the input where it names it, else of all rails."""
    rails = {name: int(milliwatts) / 1e3 for name, milliwatts in _RAIL.findall(line)}
    for total in TOTALS:
        if total in rails:
            return rails[total]
    return sum(rails.values()) if rails else None


class Sampler:
    """Reads the sources in a thread: often within windows, now and then between them."""

    def __init__(self, sources: List[Source], clock: Callable[[], float]) -> None:
        self.sources = sources
        self._clock = clock
        self._lock = threading.Lock()
        self._inside = threading.Event()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        if sources:
            self._thread.start()

    def begin(self) -> None:
        """A window begins."""
        self._read(self.sources)
        self._inside.set()

    def end(self) -> None:
        """A window ends."""
        self._inside.clear()
        self._read(self.sources)

    def close(self) -> None:
        """Stop."""
        self._ended.set()

    def _read(self, sources: List[Source]) -> None:
        with self._lock:
            for source in sources:
                source.read(self._clock)

    def _run(self) -> None:
        step_s = min(source.step_s for source in self.sources)
        wraps_s = [float(s.info["poll_s"]) / 2 for s in self.sources if s.info.get("poll_s")]
        idle_s = min(wraps_s + [5.0])
        while not self._ended.is_set():
            if self._inside.is_set():
                self._read(self.sources)
                self._ended.wait(step_s)
            else:
                self._read([source for source in self.sources if source.counts])
                self._inside.wait(idle_s)


def power_reason(root: str) -> str:
    """Why there is no energy, for the record."""
    board = read_line(root, "proc/device-tree/model") or "this device"
    return (
        f"the light agent found no power sensor on {board} that it may read (it looks for INA3221 "
        "chips, RAPL counters and tegrastats); measure with a meter that keeps a log"
    )
