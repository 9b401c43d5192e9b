"""Recorded device trees, with anything in the files that the kernel or a person might leave there."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path

from tests.fuzz import hostile
from tests.fuzz.case import Case, Kind

CPU = "sys/devices/system/cpu"
HWMON = "sys/class/hwmon/hwmon0"
RAPL = "sys/class/powercap/intel-rapl:0"
BATTERY = "sys/class/power_supply/BAT0"
MEMINFO = (
    "MemTotal: 16000000 kB\nMemFree: 1000 kB\nMemAvailable: 9000000 kB\nSwapTotal: 2000000 kB\n"
    "SwapFree: 1000000 kB\n"
)
CPUINFO = (
    "processor\t: 0\nvendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel\t\t: 142\n"
    "model name\t: Intel(R) Core(TM) i7\nphysical id\t: 0\ncore id\t\t: 0\nflags\t\t: fpu avx2\n\n"
)
LAPTOP = {
    "proc/cpuinfo": CPUINFO,
    "proc/meminfo": MEMINFO,
    "proc/loadavg": "2.50 1.20 0.90 2/900 12345\n",
    "proc/version": "Linux version 6.8.0-45-generic (x) (gcc) #45\n",
    "proc/stat": "cpu  1 2 3 4 5 6 7 8 9 10\ncpu0 1 2 3 4 5 6 7 8 9 10\nctxt 5\n",
    "proc/vmstat": "pswpin 1\npswpout 2\npgmajfault 3\noom_kill 0\n",
    "proc/pressure/cpu": "some avg10=0.00 avg60=0.00 avg300=0.00 total=12345\n",
    "proc/self/status": "Cpus_allowed_list:\t0-1\nVmRSS:\t1 kB\n",
    "proc/self/cgroup": "0::/user.slice\n",
    "proc/self/mountinfo": "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n",
    "sys/fs/cgroup/user.slice/memory.max": "8000000000\n",
    "sys/fs/cgroup/user.slice/memory.current": "1000\n",
    "sys/fs/cgroup/user.slice/cpu.max": "200000 100000\n",
    "etc/os-release": 'NAME="Ubuntu"\nPRETTY_NAME="Ubuntu 24.04.1 LTS"\n',
    "etc/nvpmodel.conf": "< POWER_MODEL ID=0 NAME=MAXN >\n",
    "var/lib/nvpmodel/status": "pmode:0000\n",
    "proc/device-tree/model": "Raspberry Pi 5 Model B Rev 1.0\x00",
    "proc/device-tree/compatible": "raspberrypi,5-model-b\x00brcm,bcm2712\x00",
    "sys/class/dmi/id/sys_vendor": "Dell Inc.\n",
    "sys/class/dmi/id/product_name": "Latitude 7490\n",
    f"{CPU}/online": "0-3\n",
    f"{CPU}/cpu0/cpufreq/scaling_governor": "powersave\n",
    f"{CPU}/cpu0/cpufreq/scaling_cur_freq": "1800000\n",
    f"{CPU}/cpu0/cpufreq/cpuinfo_max_freq": "4200000\n",
    f"{CPU}/cpu0/topology/thread_siblings_list": "0,2\n",
    f"{CPU}/cpu0/topology/core_cpus_list": "0-1\n",
    f"{CPU}/cpu0/cache/index0/size": "32K\n",
    f"{CPU}/cpu0/cache/index0/level": "1\n",
    f"{CPU}/cpu0/cache/index0/type": "Data\n",
    f"{CPU}/cpu0/cache/index0/shared_cpu_list": "0,2\n",
    f"{CPU}/cpu0/thermal_throttle/core_throttle_count": "5\n",
    f"{CPU}/intel_pstate/no_turbo": "0\n",
    "sys/class/thermal/thermal_zone0/temp": "45000\n",
    "sys/class/thermal/thermal_zone0/type": "x86_pkg_temp\n",
    f"{HWMON}/name": "ina226\n",
    f"{HWMON}/power1_input": "5000000\n",
    f"{HWMON}/shunt_resistor": "2000\n",
    f"{HWMON}/in1_input": "12000\n",
    f"{HWMON}/curr1_input": "1000\n",
    f"{HWMON}/temp1_input": "50000\n",
    f"{HWMON}/update_interval": "40\n",
    f"{RAPL}/name": "package-0\n",
    f"{RAPL}/energy_uj": "123456789\n",
    f"{RAPL}/max_energy_range_uj": "262143328850\n",
    f"{BATTERY}/type": "Battery\n",
    f"{BATTERY}/status": "Discharging\n",
    f"{BATTERY}/power_now": "9000000\n",
    f"{BATTERY}/energy_now": "40000000\n",
    f"{BATTERY}/voltage_now": "11000000\n",
    f"{BATTERY}/current_now": "900000\n",
    f"{BATTERY}/model_name": "X\n",
}
LISTS = (
    "0-3",
    "0-8191",
    "0-99999999999999999999",
    "3-0",
    "0,0,0",
    ",,",
    "0-",
    "-1",
    "x",
    "0-8192,0-8192",
)


def tree(rng: random.Random, folder: Path) -> Case:
    """A device tree, given to the commands that read one."""
    root = folder / "root"
    content = dict(LAPTOP)
    for path in rng.sample(list(content), rng.choice((0, 3, 10, 30))):
        del content[path]
    bad = set(rng.sample(list(content), rng.choice((1, 1, 3, 10))))
    for path, text in content.items():
        file = root / path
        if any(parent.exists() and not parent.is_dir() for parent in file.parents):
            continue
        file.parent.mkdir(parents=True, exist_ok=True)
        if path not in bad:
            file.write_text(text)
        elif rng.random() < 0.2:
            _no_file(rng, file)
        else:
            file.write_bytes(_content(rng, text))
    if rng.random() < 0.1:
        odd = root / "sys/class/hwmon/hwmon9\x1b[31m\udcff"
        odd.mkdir(parents=True, exist_ok=True)
        (odd / "name").write_text(hostile.line(rng))
    args = rng.choice((
        ["doctor", "--root", "root"], ["doctor", "--root", "root"],
        ["doctor", "--root", "root", "--json", "-"],
        ["doctor", "--root", "root", "--dump", "out"],
        ["run", "taste", "--root", "root", "--store", "x.db"],
        ["power", "--root", "root", "--for", "1ms", "--interval", "50ms"],
    ))  # fmt: skip
    return Case(args=args, may_write=frozenset({"out", "x.db", "x.db-wal", "x.db-shm"}))


def _content(rng: random.Random, text: str) -> bytes:
    return rng.choice(_CONTENTS)(rng, text)


_CONTENTS: tuple[Callable[[random.Random, str], bytes], ...] = (
    lambda rng, text: hostile.damage(rng, text.encode()),
    lambda rng, text: hostile.damage(rng, text.encode()),
    lambda rng, _: f"{hostile.number(rng)}\n".encode(),
    lambda rng, _: f"{hostile.number(rng)}\n".encode(),
    lambda rng, _: hostile.text(rng).encode("utf-8", "replace"),
    lambda rng, _: rng.choice(LISTS).encode(),
    lambda rng, _: bytes(rng.getrandbits(8) for _ in range(rng.choice((0, 1, 100)))),
    lambda rng, text: f"{text.partition(':')[0]}: {hostile.amount(rng)}\n{text}".encode(),
    lambda rng, text: (text * rng.choice((2, 100, 3000))).encode(),
)


def _no_file(rng: random.Random, file: Path) -> None:
    kind = rng.randrange(6)
    if kind == 0:
        file.mkdir()
    elif kind == 1:
        os.mkfifo(file)
    elif kind == 2:
        file.symlink_to(rng.choice(("/dev/zero", "/dev/urandom", "/etc/passwd", "/proc/kmsg")))
    elif kind == 3:
        file.symlink_to(file.name)
    elif kind == 4:
        file.symlink_to("../" * rng.choice((1, 30)))
    else:
        file.symlink_to("nowhere")


def ready() -> None:
    """Import what looks at devices."""
    import inferometer.cli.doctor
    import inferometer.cli.power
    import inferometer.cli.run
    import inferometer.meters.energy.recording
    import inferometer.meters.energy.selection.survey
    import inferometer.runner.run  # noqa: F401


KINDS = (Kind(name="tree", make=tree, ready=ready, share=1),)
