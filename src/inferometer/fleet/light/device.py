"""What this device is, and the state that it is in: the same keys as `host.identity` has."""

import os
import platform
import re
import sys
from typing import Any, Dict, List, Optional, Set

from inferometer.fleet.light.files import (
    cpuinfo_blocks,
    fields,
    keep_matching,
    numbers,
    parse_list,
    read_int,
    read_line,
    read_text,
    to_int,
)

_CPUS = "sys/devices/system/cpu"
_CPU_CHIPS = ("coretemp", "k10temp", "zenpower", "cpu_thermal", "scpi_sensors")
_NO_LIMIT = 2**60
_NOISE = re.compile(
    r"\((?:R|TM)\)|\bCPU\b|\bProcessor\b|\b\d+-Core\b|@.*$|\bwith Radeon.*$", re.IGNORECASE
)
_NO_BOARD = "linux,dummy-virt"

Tables = Dict[str, Dict[str, str]]
"""Names of processors' parts and of hypervisors, which the generator takes from `host`."""


def usable_cpus(root: str) -> List[int]:
    """Numbers of the CPUs that this process may use; none where that is not observable."""
    if root == "/" and hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    known = [to_int(block.get("processor")) for block in cpuinfo_blocks(root)]
    online = parse_list(read_text(root, _CPUS + "/online"))
    online = online or [cpu for cpu in known if cpu is not None]
    allowed = parse_list(fields(read_text(root, "proc/self/status")).get("Cpus_allowed_list"))
    return [cpu for cpu in online if cpu in allowed] or online


def physical_cores(root: str) -> int:
    """Physical cores that this process may use, at least 1."""
    ids = {to_int(block.get("processor")): block for block in cpuinfo_blocks(root)}
    cores = {_core(root, cpu, ids.get(cpu, {})) for cpu in usable_cpus(root)}
    return _within_quota(root, len(cores))


def _core(root: str, cpu: int, block: Dict[str, str]) -> str:
    for name in ("core_cpus_list", "thread_siblings_list"):
        siblings = read_text(root, "{}/cpu{}/topology/{}".format(_CPUS, cpu, name))
        if cpu in parse_list(siblings):
            return "cpus {}".format(siblings)
    if "core id" in block:
        return "core {} {}".format(block.get("physical id"), block["core id"])
    return "cpu {}".format(cpu)


def _within_quota(root: str, cores: int) -> int:
    quota = cpu_quota(root)
    return max(1, cores if quota is None else min(cores, int(quota)))


def groups(root: str, controller: str) -> List[str]:
    """Folders of a controller's control group and of those around it; `` is version 2."""
    found: List[str] = []
    for line in (read_text(root, "proc/self/cgroup") or "0::/").splitlines()[:64]:
        _, _, rest = line.partition(":")
        controllers, colon, path = rest.partition(":")
        if not colon or controller not in controllers.split(","):
            continue
        parts = [part for part in path.split("/") if part]
        parts = [] if ".." in parts or len(parts) > 64 else parts
        for mount in dict.fromkeys([controller, controllers]):
            depths = range(len(parts), -1, -1)
            found += [os.path.join("sys/fs/cgroup", mount, *parts[:depth]) for depth in depths]
    return list(dict.fromkeys(found))


def cpu_quota(root: str) -> Optional[float]:
    """CPUs' worth of time that the tightest group grants; None where none limits it."""
    shares = []
    for folder in groups(root, ""):
        quota, _, period = (read_text(root, folder + "/cpu.max") or "").partition(" ")
        shares.append((to_int(quota), to_int(period)))
    for folder in groups(root, "cpu"):
        files = [folder + "/cpu.cfs_quota_us", folder + "/cpu.cfs_period_us"]
        shares.append((read_int(root, files[0]), read_int(root, files[1])))
    known = [a / b for a, b in shares if a is not None and b is not None and a > 0 and b > 0]
    return min(known) if known else None


def memory(root: str) -> Dict[str, Optional[int]]:
    """Bytes: `total`, `available` without swapping, and `swap`; None where not observable."""
    lines = fields(read_text(root, "proc/meminfo"))
    known = {name: to_int(value.replace("kB", "").strip()) for name, value in lines.items()}
    info = {name: value * 1024 for name, value in known.items() if value is not None}
    available = info.get("MemAvailable")
    if available is None and "MemFree" in info:  # kernels before 3.14
        available = sum(info.get(name, 0) for name in ("MemFree", "Buffers", "Cached"))
    if available is not None:
        available = min([available] + _rooms(root))
    return {"total": info.get("MemTotal"), "available": available, "swap": info.get("SwapTotal")}


def _rooms(root: str) -> List[int]:
    """What every control group around this process leaves to it, bytes."""
    found = []
    for folder in groups(root, ""):
        limits = [read_int(root, folder + "/" + name) for name in ("memory.max", "memory.high")]
        known = [limit for limit in limits if limit is not None]
        if known:
            used = read_int(root, folder + "/memory.current") or 0
            found.append(min(known) - _without_cache(root, folder, used, "inactive_file"))
    for folder in groups(root, "memory"):
        limit = read_int(root, folder + "/memory.limit_in_bytes")
        if limit is not None and limit < _NO_LIMIT:
            used = read_int(root, folder + "/memory.usage_in_bytes") or 0
            found.append(limit - _without_cache(root, folder, used, "total_inactive_file"))
    return [max(0, room) for room in found]


def _without_cache(root: str, folder: str, used: int, counter: str) -> int:
    lines = read_text(root, folder + "/memory.stat") or ""
    return max(0, used - (to_int(fields(lines.replace(" ", ":")).get(counter)) or 0))


def identify(root: str, tables: Tables) -> Dict[str, Any]:
    """What the device is; None where it is not observable. Nothing that identifies a person."""
    board, cpu, amounts = _board(root), cpu_model(root, tables), memory(root)
    counted = root == "/" or bool(usable_cpus(root))
    cores = physical_cores(root) if counted else None
    blocks = cpuinfo_blocks(root)
    sets = [flags for flags in map(_flags, blocks) if flags]
    common = set.intersection(*sets) if sets else set()
    return {
        "name": _name(board, cpu, cores),
        "architecture": (platform.machine() if root == "/" else _architecture(root)) or None,
        "cpu_model": cpu,
        "cores_physical": cores,
        "cores_logical": _within_quota(root, len(usable_cpus(root))) if counted else None,
        "memory_bytes": amounts["total"],
        "swap_bytes": amounts["swap"],
        "board": board,
        "os": _os(root),
        "kernel": _kernel(root),
        "governor": _listed(root, "cpu[0-9]*/cpufreq/scaling_governor"),
        "hypervisor": _hypervisor(root, tables),
        "simd": [name for flag, name in tables["simd"].items() if flag in common],
    }


def _flags(block: Dict[str, str]) -> Set[str]:
    return set((block.get("flags") or block.get("Features") or "").split())


def _name(board: Optional[str], cpu: Optional[str], cores: Optional[int]) -> str:
    if board:
        return board
    name = (" ".join(_NOISE.sub(" ", cpu).split()) or cpu) if cpu else "unknown CPU"
    many = "s" if cores is not None and cores > 1 else ""
    return name if cores is None else "{}, {} core{}".format(name, cores, many)


def cpu_model(root: str, tables: Tables) -> Optional[str]:
    """Model of the CPU; on ARM the cores, such as `ARM Cortex-A76 + Cortex-A55`."""
    blocks = cpuinfo_blocks(root)
    cores = list(dict.fromkeys(_arm(block, tables) for block in blocks if "CPU part" in block))
    if cores:
        others = [core.partition(" ")[2] or core for core in cores[1:]]
        return " + ".join(cores[:1] + others)
    names = [block["model name"] for block in blocks if block.get("model name")]
    return names[0] if names else None


def _arm(block: Dict[str, str], tables: Tables) -> str:
    maker, part = block.get("CPU implementer", "").lower(), block["CPU part"].lower()
    name = tables["parts"].get("{} {}".format(maker, part), "part {}".format(part))
    return "{} {}".format(tables["makers"].get(maker, "implementer {}".format(maker)), name)


def _architecture(root: str) -> Optional[str]:
    said = read_line(root, "proc/sys/kernel/arch")
    if said:
        return said
    for block in cpuinfo_blocks(root):
        if "flags" in block:
            return "x86_64" if "lm" in _flags(block) else "i686"
        if "CPU architecture" in block:
            known = {"8": "aarch64", "AArch64": "aarch64", "7": "armv7l"}
            return known.get(block["CPU architecture"])
    return None


def tree_model(root: str) -> Optional[str]:
    """The board's name in the device tree; None without one."""
    places = ("proc/device-tree/model", "sys/firmware/devicetree/base/model")
    return next((text for text in (read_line(root, place) for place in places) if text), None)


def _board(root: str) -> Optional[str]:
    model = tree_model(root)
    return None if model == _NO_BOARD else model


def _os(root: str) -> Optional[str]:
    for place in ("etc/os-release", "usr/lib/os-release"):
        for line in (read_text(root, place) or "").splitlines():
            name, _, value = line.partition("=")
            if name.strip() == "PRETTY_NAME":
                return value.strip().strip("\"'") or None
    return None


def _kernel(root: str) -> Optional[str]:
    release = read_line(root, "proc/sys/kernel/osrelease")
    words = (read_text(root, "proc/version") or "").split()
    if release is None and words[:2] == ["Linux", "version"] and len(words) > 2:
        release = words[2]
    return release or (platform.release() if root == "/" else None)


def _listed(root: str, pattern: str) -> Optional[str]:
    """What the files of the CPUs say; `mixed: …` where they differ."""
    texts = [read_line(root, path) for path in numbered(root, pattern)]
    found = sorted({text for text in texts if text})
    return _one_or_mixed(found)


def _one_or_mixed(found: List[str]) -> Optional[str]:
    if len(found) > 1:
        return "mixed: " + ", ".join(found)
    return found[0] if found else None


def numbered(root: str, pattern: str) -> List[str]:
    """Paths of the CPUs' files that match."""
    folder = os.path.join(root, _CPUS)
    try:
        names = sorted(name for name in os.listdir(folder) if re.match("cpu[0-9]+$", name))
    except OSError:
        return []
    return ["{}/{}/{}".format(_CPUS, name, pattern.partition("/")[2]) for name in names]


def _hypervisor(root: str, tables: Tables) -> Optional[str]:
    dmi = [read_line(root, "sys/class/dmi/id/" + name) for name in ("sys_vendor", "product_name")]
    words = " ".join(text for text in dmi if text).lower()
    known = tables["hypervisors"].items()
    named = next((name for word, name in known if word in words), None)
    if "microsoft" in (read_text(root, "proc/version") or "").lower():
        return "Hyper-V (WSL)"
    flags: Set[str] = set()
    for block in cpuinfo_blocks(root):
        flags |= _flags(block)
    if "hypervisor" in flags:
        is_xen = read_line(root, "sys/hypervisor/type") == "xen"
        return named or ("Xen" if is_xen else "unknown")
    if tree_model(root) == _NO_BOARD:
        return named or "QEMU"
    return None if "fpu" in flags or ".metal" in words else named


def conditions(root: str) -> Dict[str, Any]:
    """The state that the device is in now; None where it is not observable."""
    return {
        "load_1min": _load(root),
        "on_battery": _on_battery(root),
        "temperature_c": hottest_c(root),
        "power_mode": _jetson_mode(root) or read_line(root, "sys/firmware/acpi/platform_profile"),
        "turbo": _turbo(root),
        "energy_preference": _energy_preference(root),
    }


def _load(root: str) -> Optional[float]:
    try:
        load = float((read_text(root, "proc/loadavg") or "").split()[0])
    except (IndexError, ValueError):
        return None
    return load if 0 <= load < float("inf") else None


def _on_battery(root: str) -> Optional[bool]:
    folder = "sys/class/power_supply"
    try:
        names = sorted(os.listdir(os.path.join(root, folder)))
    except OSError:
        return None
    states = [_supply(root, folder + "/" + name) for name in names]
    if not any(states):
        return None
    return "discharging" in states and "on line" not in states


def _supply(root: str, folder: str) -> Optional[str]:
    kind = read_text(root, folder + "/type")
    if kind == "Battery" and read_text(root, folder + "/scope") != "Device":
        return (read_text(root, folder + "/status") or "").lower() or None
    if kind in ("Mains", "USB"):
        return "on line" if read_text(root, folder + "/online") == "1" else "off line"
    return None


def _jetson_mode(root: str) -> Optional[str]:
    now = re.search(r"\bpmode:(\d{1,4})\b", read_text(root, "var/lib/nvpmodel/status") or "")
    if now is None:
        return None
    number = int(now.group(1))
    modes = re.findall(
        r"^<\s*POWER_MODEL\s+ID=(\d{1,4})\s+NAME=(\S{1,40})\s*>",
        read_text(root, "etc/nvpmodel.conf") or "",
        re.MULTILINE,
    )
    named = [name for mode, name in modes if int(mode) == number]
    return named[0] if named else "mode {}".format(number)


def _turbo(root: str) -> Optional[bool]:
    for name, on in (("intel_pstate/no_turbo", "0"), ("cpufreq/boost", "1")):
        text = read_line(root, "{}/{}".format(_CPUS, name))
        if text in ("0", "1"):
            return text == on
    return None


def _energy_preference(root: str) -> Optional[str]:
    name = "cpufreq/energy_performance_preference"
    paths = ["{}/cpu{}/{}".format(_CPUS, cpu, name) for cpu in usable_cpus(root)]
    found = sorted({text for text in (read_line(root, path) for path in paths) if text})
    return _one_or_mixed(found)


def thermometers(root: str) -> List[Any]:
    """The thermal zones of the kernel and the sensors of the processor, kept open."""
    found = keep_matching(root, "sys/class/thermal/thermal_zone*/temp")
    try:
        chips = sorted(os.listdir(os.path.join(root, "sys/class/hwmon")))
    except OSError:
        return found
    for chip in chips:
        if read_text(root, "sys/class/hwmon/{}/name".format(chip)) in _CPU_CHIPS:
            found += keep_matching(root, "sys/class/hwmon/{}/temp*_input".format(chip))
    return found


def hottest_of(files: List[Any]) -> Optional[float]:
    """The highest believable temperature, degrees Celsius."""
    degrees = [value / 1000 for value in numbers(files)]
    believable = [value for value in degrees if -50.0 < value < 150.0]
    return max(believable) if believable else None


def hottest_c(root: str) -> Optional[float]:
    """The same, of what there is now."""
    return hottest_of(thermometers(root))


def python_text() -> str:
    """The version of this Python."""
    return "{}.{}.{}".format(*sys.version_info[:3])
