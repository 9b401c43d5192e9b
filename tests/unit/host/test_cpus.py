"""How many cores may be used."""

from __future__ import annotations

import os

import pytest

from inferometer.host.cpus import logical_cores, physical_cores, usable_cpus

ONLINE = "sys/devices/system/cpu/online"
SIBLINGS = "sys/devices/system/cpu/cpu{}/topology/{}"


def counts(root):
    return physical_cores(root), logical_cores(root)


def threads(*pairs, name="thread_siblings_list"):
    return {SIBLINGS.format(cpu, name): pair for pair in pairs for cpu in pair.split(",")}


@pytest.mark.parametrize("name", ["thread_siblings_list", "core_cpus_list"])
def test_two_hardware_threads_are_one_core(tree, name):
    assert counts(tree({ONLINE: "0-3\n", **threads("0,2", "1,3", name=name)})) == (2, 4)


def test_without_topology_the_ids_in_cpuinfo_count(tree):
    blocks = [f"processor: {c}\nphysical id: {c // 2}\ncore id: 0\n" for c in range(4)]
    assert counts(tree({"proc/cpuinfo": "\n".join(blocks)})) == (2, 4)


def test_without_either_each_cpu_is_a_core(tree):
    assert counts(tree({ONLINE: "0-2,5"})) == (4, 4)


def test_only_allowed_cpus_count(tree):
    content = {ONLINE: "0-3", **threads("0,2", "1,3")}
    status = {"proc/self/status": "Name:\tpython\nCpus_allowed:\t5\nCpus_allowed_list:\t0,2\n"}
    assert counts(tree(content | status)) == (1, 2)
    assert usable_cpus(tree(content | status)) == [0, 2]


@pytest.mark.parametrize(
    ("quota", "cores"),
    [
        ({"sys/fs/cgroup/a/cpu.max": "200000 100000\n"}, 2),
        ({"sys/fs/cgroup/a/cpu.max": "max 100000\n"}, 4),
        ({"sys/fs/cgroup/cpu.max": "150000 100000\n"}, 1),
        ({"sys/fs/cgroup/a/cpu.max": "50000 100000\n"}, 1),
        ({"sys/fs/cgroup/a/cpu.max": "900000 100000\n"}, 4),
        ({"sys/fs/cgroup/a/cpu.max": "0 0\n"}, 4),
        ({"sys/fs/cgroup/a/cpu.max": "garbage\n"}, 4),
    ],
)
def test_a_quota_of_cgroup_v2_limits_both(tree, quota, cores):
    assert counts(tree({ONLINE: "0-3", "proc/self/cgroup": "0::/a\n", **quota})) == (cores, cores)


@pytest.mark.parametrize(("quota", "cores"), [(300_000, 3), (-1, 4)])
@pytest.mark.parametrize("folder", ["cpu/docker/x", "cpu,cpuacct/docker/x", "cpu", "cpu,cpuacct"])
def test_a_quota_of_cgroup_v1_limits_both(tree, quota, cores, folder):
    content = {
        ONLINE: "0-3",
        "proc/self/cgroup": "3:cpu,cpuacct:/docker/x\n",
        f"sys/fs/cgroup/{folder}/cpu.cfs_quota_us": str(quota),
        f"sys/fs/cgroup/{folder}/cpu.cfs_period_us": "100000",
    }
    assert counts(tree(content)) == (cores, cores)


@pytest.mark.parametrize("text", ["", "x", "3-1", "0-", "-3", "0-99999999999", "1,,2"])
def test_garbage_counts_as_one_core_at_least(tree, text):
    assert counts(tree({ONLINE: text})) == (1, 1)


def test_the_live_machine_keeps_to_its_affinity(monkeypatch):
    one = min(os.sched_getaffinity(0))
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: {one})
    assert (physical_cores(), logical_cores()) == (1, 1)
