"""The light agent sees what we see: the same values by the same names, on the same trees."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from inferometer.fleet.agent import tables
from inferometer.fleet.light import device, signals
from inferometer.host.conditions import conditions
from inferometer.host.cpus import physical_cores
from inferometer.host.identity import identify
from inferometer.host.memory import memory
from inferometer.host.signals import Watch

CPU = "sys/devices/system/cpu"
STATES = {
    "proc/loadavg": "2.50 1.20 0.90 2/900 12345\n",
    "proc/vmstat": "pswpin 3\npswpout 4\noom_kill 1\n",
    "proc/stat": "cpu  10 0 100 500 0 0 0 7 0 0\n",
    **{f"proc/pressure/{what}": "some avg10=0.00 total=100\n" for what in ("cpu", "memory", "io")},
    "sys/class/thermal/thermal_zone0/temp": "45500\n",
    "sys/class/hwmon/hwmon0/name": "k10temp\n",
    "sys/class/hwmon/hwmon0/temp1_input": "61000\n",
    "sys/class/hwmon/hwmon1/oc1_event_cnt": "5\n",
    "sys/devices/platform/soc/soc:firmware/get_throttled": "50000\n",
    f"{CPU}/cpu0/cpufreq/scaling_cur_freq": "1400000\n",
    f"{CPU}/cpu0/thermal_throttle/core_throttle_count": "2\n",
    f"{CPU}/cpu0/cpufreq/energy_performance_preference": "power\n",
    f"{CPU}/cpufreq/boost": "1\n",
    "var/lib/nvpmodel/status": "pmode:0001 fmode:quiet\n",
    "etc/nvpmodel.conf": "< POWER_MODEL ID=1 NAME=5W >\n",
}
CHANGED = {
    "proc/vmstat": "pswpin 5\npswpout 4\noom_kill 1\n",
    "proc/stat": "cpu  20 0 110 520 0 0 0 9 0 0\n",
    "proc/pressure/cpu": "some avg10=0.00 total=250100\n",
    "sys/class/thermal/thermal_zone0/temp": "71500\n",
    "sys/devices/platform/soc/soc:firmware/get_throttled": "50004\n",
    f"{CPU}/cpu0/cpufreq/scaling_cur_freq": "600000\n",
    f"{CPU}/cpu0/thermal_throttle/core_throttle_count": "9\n",
}
BOARDS = ("laptop", "epyc", "jetson", "pi4", "pi5")


@pytest.fixture(params=BOARDS)
def root(request, tree):
    return tree({**request.getfixturevalue(request.param), **STATES})


def test_identity(root):
    assert device.identify(str(root), tables()) == identify(root)


def test_conditions(root):
    assert device.conditions(str(root)) == asdict(conditions(root))


def test_memory_and_cores(root):
    seen, ours = device.memory(str(root)), memory(root)
    assert (seen["total"], seen["available"]) == (ours.total_bytes, ours.available_bytes)
    assert device.physical_cores(str(root)) == physical_cores(root)


def test_signals_around_a_round(root, tree):
    light, full = signals.Watch(str(root), 1), Watch(root)
    light.begin()
    full.begin()
    tree(CHANGED)
    found, wanted = light.end(), full.end()
    assert found.keys() == wanted.keys()
    own = {"wall_s", "own_cpu_s", "other_cpu_s", "canary_loop_s", "canary_compute_s"}
    own |= {"involuntary_switches", "major_faults"}
    of_files = {name: value for name, value in found.items() if name not in own}
    assert of_files == {name: value for name, value in wanted.items() if name not in own}
    assert {"swap_in_pages", "steal_s", "throttle_events", "throttled_bits"} <= of_files.keys()


def test_this_machine():
    assert device.identify("/", tables()) == identify()
    light, full = signals.Watch("/", 2), Watch(threads=2)
    light.begin()
    full.begin()
    assert light.end().keys() == full.end().keys()


def test_limits_of_control_groups(tree, laptop):
    group = "sys/fs/cgroup/user.slice/a"
    root = tree(
        {
            **laptop,
            "proc/self/cgroup": "0::/user.slice/a\n",
            f"{group}/memory.max": "1000000000\n",
            f"{group}/memory.current": "400000000\n",
            f"{group}/memory.stat": "inactive_file 100000000\n",
            f"{group}/cpu.max": "150000 100000\n",
        }
    )
    assert device.memory(str(root))["available"] == memory(root).available_bytes == 700_000_000
    assert device.physical_cores(str(root)) == physical_cores(root) == 1
