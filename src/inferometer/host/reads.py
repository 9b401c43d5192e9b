"""What this package looks at under a root, for a dump of it; control groups stand apart."""

from __future__ import annotations

_CPU = "sys/devices/system/cpu"
_TREES = ("proc/device-tree", "sys/firmware/devicetree/base")
_CACHE = ("level", "type", "size", "shared_cpu_list")

READS = (
    # identity, processor, cpus, software
    *(f"{tree}/model" for tree in _TREES),
    "sys/class/dmi/id/sys_vendor",
    "sys/class/dmi/id/product_name",
    "sys/hypervisor/type",
    "proc/version",
    "proc/cpuinfo",
    "proc/sys/kernel/osrelease",
    "proc/sys/kernel/arch",
    "proc/self/status",
    "etc/os-release",
    "usr/lib/os-release",
    f"{_CPU}/online",
    f"{_CPU}/cpu[0-9]*/cpufreq/scaling_governor",
    f"{_CPU}/cpu[0-9]*/topology/core_cpus_list",
    f"{_CPU}/cpu[0-9]*/topology/thread_siblings_list",
    # caches, peak
    *(f"{_CPU}/cpu[0-9]*/cache/index[0-9]*/{name}" for name in _CACHE),
    f"{_CPU}/cpu[0-9]*/cpufreq/cpuinfo_max_freq",
    # conditions, memory
    "proc/loadavg",
    "proc/meminfo",
    *(f"sys/class/power_supply/*/{name}" for name in ("type", "scope", "status", "online")),
    "var/lib/nvpmodel/status",
    "etc/nvpmodel.conf",
    "sys/firmware/acpi/platform_profile",
    f"{_CPU}/intel_pstate/no_turbo",
    f"{_CPU}/cpufreq/boost",
    f"{_CPU}/cpu[0-9]*/cpufreq/energy_performance_preference",
    # counters, levels, oom
    "proc/stat",
    "proc/vmstat",
    *(f"proc/pressure/{what}" for what in ("cpu", "memory", "io")),
    f"{_CPU}/cpu[0-9]*/thermal_throttle/*_throttle_count",
    f"{_CPU}/cpu[0-9]*/cpufreq/scaling_cur_freq",
    "sys/class/hwmon/hwmon*/oc*_event_cnt",
    "sys/class/hwmon/hwmon*/name",
    "sys/class/hwmon/hwmon*/temp*_input",
    "sys/class/thermal/thermal_zone*/temp",
    "sys/devices/platform/soc/soc:firmware/get_throttled",
)
"""Patterns relative to the root."""

GROUP_READS = (
    *("memory.max", "memory.high", "memory.current", "memory.stat", "cpu.max"),
    *("memory.limit_in_bytes", "memory.usage_in_bytes", "cpu.cfs_quota_us", "cpu.cfs_period_us"),
)
"""Files in the folder of a control group."""
