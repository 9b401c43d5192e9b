"""What this device is. Nothing that identifies a person or one machine among its equals."""

from __future__ import annotations

import platform
import subprocess
from pathlib import Path
from typing import Any

from inferometer.host.cpus import logical_cores, physical_cores, usable_cpus
from inferometer.host.files import LIVE, is_live, read_line, read_text
from inferometer.host.memory import memory
from inferometer.host.processor import architecture, cpu_model, has_flag, shortened, simd

HYPERVISORS = {
    "amazon ec2": "Amazon EC2",
    "google compute engine": "Google Compute Engine",
    "microsoft corporation virtual machine": "Hyper-V",
    "vmware": "VMware",
    "virtualbox": "VirtualBox",
    "parallels": "Parallels",
    "apple virtualization": "Apple Virtualization",
    "openstack": "OpenStack",
    "digitalocean": "DigitalOcean",
    "hetzner": "Hetzner Cloud",
    "alibaba cloud": "Alibaba Cloud",
    "oraclecloud": "Oracle Cloud",
    "xen": "Xen",
    "bochs": "Bochs",
    "kvm": "KVM",
    "qemu": "QEMU",
}
"""Words in the vendor and product of the board, lower case; the first that is there counts."""

_NO_BOARD = "linux,dummy-virt"
"""The device-tree model of a QEMU machine that is no board at all."""


def identify(root: Path = LIVE) -> dict[str, Any]:
    """What the device is, as a JSON object; None where it is not observable.

    Keys: `name` (for tables), `architecture`, `cpu_model`, `cores_physical` and `cores_logical`
    (that this process may use), `memory_bytes`, `swap_bytes`, `board`, `os`, `kernel`, `governor`,
    `hypervisor`, `simd`.

    Args:
        root: `/`, or a recorded device tree; of a recorded one nothing but its files is read.
    """
    board, cpu, amounts = _board(root), _cpu(root), memory(root)
    counted = is_live(root) or bool(usable_cpus(root))
    cores = physical_cores(root) if counted else None
    return {
        "name": _name(board, cpu, cores),
        "architecture": (platform.machine() if is_live(root) else architecture(root)) or None,
        "cpu_model": cpu,
        "cores_physical": cores,
        "cores_logical": logical_cores(root) if counted else None,
        "memory_bytes": amounts.total_bytes,
        "swap_bytes": amounts.swap_total_bytes,
        "board": board,
        "os": _os(root),
        "kernel": _kernel(root),
        "governor": governor(root),
        "hypervisor": hypervisor(root),
        "simd": simd(root),
    }


def governor(root: Path = LIVE) -> str | None:
    """CPU frequency governor; `mixed: …` where CPUs differ; None where it is not observable."""
    cpus = "sys/devices/system/cpu"
    files = (root / cpus).glob("cpu[0-9]*/cpufreq/scaling_governor")
    texts = (read_line(root, str(file.relative_to(root))) for file in files)
    found = sorted({text for text in texts if text})
    if len(found) > 1:
        return f"mixed: {', '.join(found)}"
    return found[0] if found else None


def hypervisor(root: Path = LIVE) -> str | None:
    """What this virtual machine runs on; None on bare metal, or where it is not observable."""
    dmi = [read_line(root, f"sys/class/dmi/id/{name}") for name in ("sys_vendor", "product_name")]
    words = " ".join(text for text in dmi if text).lower()
    named = next((name for word, name in HYPERVISORS.items() if word in words), None)
    if "microsoft" in (read_text(root, "proc/version") or "").lower():
        return "Hyper-V (WSL)"
    if has_flag(root, "hypervisor"):
        return named or ("Xen" if read_line(root, "sys/hypervisor/type") == "xen" else "unknown")
    # x86 always shows the flag in a virtual machine; clouds name themselves on bare metal too.
    is_x86 = has_flag(root, "fpu")
    if _tree_model(root) == _NO_BOARD:
        return named or "QEMU"
    return None if is_x86 or ".metal" in words else named


def _name(board: str | None, cpu: str | None, cores: int | None) -> str:
    if board:
        return board
    name = shortened(cpu) if cpu else "unknown CPU"
    return name if cores is None else f"{name}, {cores} core{'s' if cores > 1 else ''}"


def _tree_model(root: Path) -> str | None:
    places = ("proc/device-tree/model", "sys/firmware/devicetree/base/model")
    return next((text for place in places if (text := read_line(root, place))), None)


def _board(root: Path) -> str | None:
    model = _tree_model(root) or _sysctl(root, "hw.model")
    return None if model == _NO_BOARD else model


def _cpu(root: Path) -> str | None:
    return cpu_model(root) or _sysctl(root, "machdep.cpu.brand_string")


def _os(root: Path) -> str | None:
    for place in ("etc/os-release", "usr/lib/os-release"):
        for line in (read_text(root, place) or "").splitlines():
            name, _, value = line.partition("=")
            if name.strip() == "PRETTY_NAME":
                return value.strip().strip("\"'") or None
    if is_live(root) and platform.system() == "Darwin":
        return f"macOS {platform.mac_ver()[0]}"
    return None


def _kernel(root: Path) -> str | None:
    """Release of the kernel; `proc/version` also names who built it, which is left out."""
    release = read_line(root, "proc/sys/kernel/osrelease")
    words = (read_text(root, "proc/version") or "").split()
    if release is None and words[:2] == ["Linux", "version"]:
        release = words[2] if len(words) > 2 else None  # noqa: PLR2004 - the third word
    return release or (platform.release() if is_live(root) else None)


def _sysctl(root: Path, name: str) -> str | None:
    """A value that only macOS has, asked from the live machine."""
    if not is_live(root) or platform.system() != "Darwin":
        return None
    command = ["/usr/sbin/sysctl", "-n", name]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=5, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None
