"""What the caches of the last level hold, from recorded trees."""

from __future__ import annotations

import pytest

from inferometer.host.caches import last_level_bytes

ONLINE = {"sys/devices/system/cpu/online": "0-3\n"}


def cache(cpu, index, level, size, shared, *, kind="Unified"):
    folder = f"sys/devices/system/cpu/cpu{cpu}/cache/index{index}"
    values = {"level": level, "size": size, "shared_cpu_list": shared, "type": kind}
    return {f"{folder}/{name}": f"{value}\n" for name, value in values.items()}


def test_a_shared_cache_counts_once_and_inner_ones_not_at_all(tree):
    files = dict(ONLINE)
    for cpu in range(4):
        files |= cache(cpu, 0, 1, "32K", str(cpu), kind="Data")
        files |= cache(cpu, 1, 1, "64K", str(cpu), kind="Instruction")
        files |= cache(cpu, 2, 2, "1024K", str(cpu))
        files |= cache(cpu, 3, 3, "32768K", "0-3")
    assert last_level_bytes(tree(files)) == 32 << 20


def test_caches_of_clusters_add_up(tree):
    files = dict(ONLINE)
    for cpu in range(4):
        files |= cache(cpu, 2, 2, "512K" if cpu < 2 else "1M", "0-1" if cpu < 2 else "2-3")
    assert last_level_bytes(tree(files)) == (512 + 1024) << 10


@pytest.mark.parametrize(
    "files",
    [
        {},
        ONLINE,
        ONLINE | cache(0, 0, 1, "32K", "0", kind="Instruction"),
        ONLINE | cache(0, 2, 2, "some", "0"),
        ONLINE | cache(0, 2, "x", "1M", "0"),
        ONLINE | cache(0, 2, 2, "0K", "0"),
    ],
)
def test_what_the_kernel_does_not_say_is_unknown(tree, files):
    assert last_level_bytes(tree(files)) is None
