"""How much memory can be had, in containers and out of them."""

from __future__ import annotations

import psutil
import pytest

from inferometer.host import files
from inferometer.host.memory import available_bytes, memory, oom_kills, total_bytes

MIB = 1024**2
FREE = {
    "proc/meminfo": "MemTotal: 8388608 kB\nMemFree: 100 kB\nMemAvailable: 4194304 kB\n"
    "SwapTotal: 1024 kB\nSwapFree: 256 kB\n"
}


def test_without_a_limit_it_is_what_the_kernel_calls_available(tree):
    root = tree(FREE)
    assert available_bytes(root) == 4096 * MIB
    assert total_bytes(root) == 8192 * MIB
    assert memory(root).limit_bytes is None
    assert memory(root).swap_used_bytes == 768 * 1024


def test_old_kernels_that_do_not_say_available(tree):
    root = tree({"proc/meminfo": "MemTotal: 900 kB\nMemFree: 100 kB\nBuffers: 20 kB\nCached: 3 kB"})
    assert available_bytes(root) == 123 * 1024


def v2(path, **values):
    names = {"limit": "memory.max", "high": "memory.high", "used": "memory.current"}
    folder = f"sys/fs/cgroup/{path}".rstrip("/")
    content = {f"{folder}/{names[name]}": f"{value}\n" for name, value in values.items()}
    return {"proc/self/cgroup": "0::/a/b\n", **FREE, **content}


def test_cgroup_v2_leaves_the_limit_less_what_is_used(tree):
    root = tree(v2("a/b", limit=512 * MIB, used=100 * MIB))
    assert available_bytes(root) == 412 * MIB
    assert memory(root).limit_bytes == 512 * MIB


def test_page_cache_that_is_given_back_does_not_count_as_used(tree):
    stat = {"sys/fs/cgroup/a/b/memory.stat": f"anon 1\nfile 9\ninactive_file {60 * MIB}\n"}
    root = tree(v2("a/b", limit=512 * MIB, used=100 * MIB) | stat)
    assert available_bytes(root) == 472 * MIB


@pytest.mark.parametrize("path", ["a", ""])
def test_a_group_around_ours_limits_too(tree, path):
    root = tree(v2("a/b", limit="max", used=MIB) | v2(path, limit=64 * MIB, used=4 * MIB))
    assert available_bytes(root) == 60 * MIB


def test_the_threshold_at_which_the_kernel_slows_a_group_limits_too(tree):
    assert available_bytes(tree(v2("a/b", limit="max", high=32 * MIB, used=0))) == 32 * MIB


def test_a_group_over_its_limit_has_nothing_left(tree):
    assert available_bytes(tree(v2("a", limit=MIB, used=2 * MIB))) == 0


def test_no_limit_is_no_limit(tree):
    assert available_bytes(tree(v2("a/b", limit="max", used=MIB))) == 4096 * MIB


def v1(line, folder, limit):
    return FREE | {
        "proc/self/cgroup": line,
        f"{folder}/memory.limit_in_bytes": f"{limit}\n",
        f"{folder}/memory.usage_in_bytes": f"{30 * MIB}\n",
        f"{folder}/memory.stat": f"cache 5\ninactive_file 1\ntotal_inactive_file {10 * MIB}\n",
    }


@pytest.mark.parametrize(
    ("line", "folder"),
    [
        ("4:memory:/docker/x\n1:cpu:/", "sys/fs/cgroup/memory/docker/x"),
        ("4:memory:/docker/x\n1:cpu:/", "sys/fs/cgroup/memory/docker"),
        # In a container the group's own folder is what is mounted.
        ("4:memory:/docker/x\n1:cpu:/", "sys/fs/cgroup/memory"),
        ("4:memory:/../outside\n", "sys/fs/cgroup/memory"),
        ("4:cpu,memory:/x\n0::/\n", "sys/fs/cgroup/cpu,memory/x"),
    ],
)
def test_cgroup_v1(tree, line, folder):
    assert available_bytes(tree(v1(line, folder, 256 * MIB))) == 236 * MIB


def test_cgroup_v1_without_a_limit(tree):
    root = tree(v1("4:memory:/x\n", "sys/fs/cgroup/memory/x", 9223372036854771712))
    assert memory(root).available_bytes == 4096 * MIB
    assert memory(root).limit_bytes is None


@pytest.mark.parametrize("line", ["", "garbage", "::", "4:memory", "0::/a/../../etc", "0::/" + "x" * 5000])  # fmt: skip
def test_garbage_instead_of_groups_limits_nothing(tree, line):
    root = tree({**FREE, "proc/self/cgroup": line, "sys/fs/cgroup/memory.max": "many"})
    assert available_bytes(root) == 4096 * MIB


@pytest.mark.parametrize("content", [{}, {"proc/meminfo": "garbage"}, {"proc/meminfo": "MemTotal: x kB"}])  # fmt: skip
def test_what_is_not_observable_is_not_guessed(tree, content):
    root = tree(content)
    for amount in (available_bytes, total_bytes):
        with pytest.raises(OSError, match="memory is not observable"):
            amount(root)
    assert memory(root).available_bytes is memory(root).swap_used_bytes is None


def test_a_live_machine_without_proc_asks_psutil(monkeypatch):
    def absent(file):
        raise FileNotFoundError(2, "No such file", str(file))

    monkeypatch.setattr(files, "read_bytes", absent)
    assert total_bytes() == psutil.virtual_memory().total
    assert 0 < available_bytes() <= total_bytes()


def test_the_live_machine_has_less_available_than_in_total():
    assert 0 < available_bytes() <= total_bytes()


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("nr_free_pages 5\noom_kill 3\npgfault 9\n", 3),
        ("oom_kill 0", 0),
        ("nr_free_pages 5\n", None),
        ("oom_kill many\n", None),
        ("oom_killer 4\n", None),
        ("", None),
    ],
)
def test_the_count_of_killed_processes_is_read_or_not_observable(tmp_path, text, count):
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/vmstat").write_text(text)
    assert oom_kills(tmp_path) == count


def test_a_tree_without_the_count(tmp_path):
    assert oom_kills(tmp_path) is None
