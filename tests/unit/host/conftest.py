"""Recorded device trees, made by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

Tree = Callable[[Mapping[str, str]], Path]

GIB = 1024**2  # in kB, as meminfo counts


@pytest.fixture
def tree(tmp_path) -> Tree:
    """Write files under a root of their own."""

    def write(content: Mapping[str, str]) -> Path:
        root = tmp_path / "root"
        root.mkdir(exist_ok=True)
        for path, text in content.items():
            file = root / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        return root

    return write


def meminfo(total: int, available: int, *, swap: int = 0, swap_free: int = 0) -> str:
    return (
        f"MemTotal:       {total} kB\nMemFree:        1024 kB\nMemAvailable:   {available} kB\n"
        f"SwapTotal:      {swap} kB\nSwapFree:       {swap_free} kB\nHugePages_Total:       0\n"
    )


def x86_block(cpu: int, model: str, *, core: int, flags: str) -> str:
    return (
        f"processor\t: {cpu}\nvendor_id\t: Some\nmodel\t\t: 17\nmodel name\t: {model}\n"
        f"physical id\t: 0\ncore id\t\t: {core}\nflags\t\t: fpu lm {flags}\npower management:\n\n"
    )


def arm_block(cpu: int, part: str, *, features: str, name: str = "") -> str:
    model = f"model name\t: {name}\n" if name else ""
    return (
        f"processor\t: {cpu}\n{model}BogoMIPS\t: 38.40\nFeatures\t: {features}\n"
        f"CPU implementer\t: 0x41\nCPU architecture: 8\nCPU part\t: {part}\n\n"
    )


@pytest.fixture
def laptop() -> dict[str, str]:
    """Two cores with two hardware threads each, on battery, powersave."""
    model = "Intel(R) Core(TM) i7-8650U CPU @ 1.90GHz"
    files = {
        "proc/cpuinfo": "".join(
            x86_block(cpu, model, core=cpu % 2, flags="sse avx avx2") for cpu in range(4)
        ),
        "proc/meminfo": meminfo(16 * GIB, 9 * GIB, swap=2 * GIB, swap_free=GIB),
        "proc/loadavg": "2.50 1.20 0.90 2/900 12345\n",
        "proc/version": "Linux version 6.8.0-45-generic (buildd@lcy02-amd64-115) (gcc) #45\n",
        "proc/sys/kernel/hostname": "annas-laptop\n",
        "etc/os-release": 'NAME="Ubuntu"\nPRETTY_NAME="Ubuntu 24.04.1 LTS"\nID=ubuntu\n',
        "etc/hostname": "annas-laptop\n",
        "sys/devices/system/cpu/online": "0-3\n",
        "sys/class/dmi/id/sys_vendor": "Dell Inc.\n",
        "sys/class/dmi/id/product_name": "Latitude 7490\n",
        "sys/class/dmi/id/product_serial": "SERIAL123\n",
        "sys/class/net/eth0/address": "aa:bb:cc:dd:ee:ff\n",
        "sys/class/power_supply/AC/type": "Mains\n",
        "sys/class/power_supply/AC/online": "0\n",
        "sys/class/power_supply/BAT0/type": "Battery\n",
        "sys/class/power_supply/BAT0/status": "Discharging\n",
    }
    for cpu in range(4):
        folder = f"sys/devices/system/cpu/cpu{cpu}"
        files[f"{folder}/cpufreq/scaling_governor"] = "powersave\n"
        files[f"{folder}/topology/thread_siblings_list"] = f"{cpu % 2},{cpu % 2 + 2}\n"
    return files


@pytest.fixture
def epyc() -> dict[str, str]:
    """A virtual machine with the hardware threads of one core."""
    flags = "avx2 avx512f avx512_vnni avx512_bf16 hypervisor"
    return {
        "proc/cpuinfo": "".join(
            x86_block(cpu, "AMD EPYC 9R14 96-Core Processor", core=0, flags=flags)
            for cpu in range(2)
        ),
        "proc/meminfo": meminfo(8 * GIB, 7 * GIB),
        "proc/sys/kernel/arch": "x86_64\n",
        "proc/sys/kernel/osrelease": "6.1.0-aws\n",
        "usr/lib/os-release": "PRETTY_NAME='Amazon Linux 2023'\n",
        "sys/devices/system/cpu/online": "0-1\n",
        "sys/class/dmi/id/sys_vendor": "Amazon EC2\n",
        "sys/class/dmi/id/product_name": "m7a.large\n",
    }


@pytest.fixture
def jetson() -> dict[str, str]:
    """A Jetson Nano 2GB: swapping, and with a kernel that names little."""
    files = {
        "proc/cpuinfo": "".join(
            arm_block(cpu, "0xd07", features="fp asimd evtstrm", name="ARMv8 Processor rev 1 (v8l)")
            for cpu in range(4)
        ),
        "proc/device-tree/model": "NVIDIA Jetson Nano 2GB Developer Kit\0",
        "proc/device-tree/serial-number": "1422919082257\0",
        "proc/meminfo": meminfo(2_027_000, 300_000, swap=5 * GIB, swap_free=3 * GIB),
        "proc/version": "Linux version 4.9.140-tegra (buildbrain@mobile-u64-3357) (gcc) #1 SMP\n",
        "etc/os-release": 'PRETTY_NAME="Ubuntu 18.04.5 LTS"\n',
        "sys/devices/system/cpu/online": "0-3\n",
    }
    for cpu in range(4):
        files[f"sys/devices/system/cpu/cpu{cpu}/cpufreq/scaling_governor"] = "schedutil\n"
    return files


def raspberry(model: str, part: str, features: str) -> dict[str, str]:
    board = f"Hardware\t: BCM2835\nRevision\t: d03114\nSerial\t\t: 10000000deadbeef\nModel\t\t: {model}\n"
    return {
        "proc/cpuinfo": "".join(arm_block(cpu, part, features=features) for cpu in range(4))
        + board,
        "sys/firmware/devicetree/base/model": f"{model}\0",
        "proc/meminfo": meminfo(4 * GIB, 3 * GIB, swap=102_396, swap_free=102_396),
        "sys/devices/system/cpu/online": "0-3\n",
        "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor": "ondemand\n",
    }


@pytest.fixture
def pi4() -> dict[str, str]:
    return raspberry("Raspberry Pi 4 Model B Rev 1.4", "0xd08", "fp asimd evtstrm crc32")


@pytest.fixture
def pi5() -> dict[str, str]:
    return raspberry("Raspberry Pi 5 Model B Rev 1.0", "0xd0b", "fp asimd asimddp crc32")
