"""What a device is, from recorded trees."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from pathlib import Path

import psutil
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inferometer.host import files
from inferometer.host.identity import governor, hypervisor, identify
from inferometer.host.processor import cpu_model, shortened, simd

NOTHING = {
    "name": "unknown CPU",
    "architecture": None,
    "cpu_model": None,
    "cores_physical": None,
    "cores_logical": None,
    "memory_bytes": None,
    "swap_bytes": None,
    "board": None,
    "os": None,
    "kernel": None,
    "governor": None,
    "hypervisor": None,
    "simd": [],
}


@pytest.fixture
def _sealed(monkeypatch):
    """Whatever asks the live machine fails."""

    def asked(*_args, **_kwargs):
        raise AssertionError("the live machine was asked about a recorded tree")

    for module, name in (
        (os, "cpu_count"),
        (os, "sched_getaffinity"),
        (os, "getloadavg"),
        (os, "uname"),
        (platform, "machine"),
        (platform, "release"),
        (psutil, "virtual_memory"),
        (psutil, "swap_memory"),
        (psutil, "cpu_count"),
        (subprocess, "run"),
    ):
        monkeypatch.setattr(module, name, asked, raising=False)


@pytest.mark.usefixtures("_sealed")
class TestRecorded:
    def test_laptop(self, tree, laptop):
        assert identify(tree(laptop)) == {
            "name": "Intel Core i7-8650U, 2 cores",
            "architecture": "x86_64",
            "cpu_model": "Intel(R) Core(TM) i7-8650U CPU @ 1.90GHz",
            "cores_physical": 2,
            "cores_logical": 4,
            "memory_bytes": 16 * 1024**3,
            "swap_bytes": 2 * 1024**3,
            "board": None,
            "os": "Ubuntu 24.04.1 LTS",
            "kernel": "6.8.0-45-generic",
            "governor": "powersave",
            "hypervisor": None,
            "simd": ["avx2"],
        }

    def test_virtual_machine(self, tree, epyc):
        device = identify(tree(epyc))
        assert device["name"] == "AMD EPYC 9R14, 1 core"
        assert device["hypervisor"] == "Amazon EC2"
        assert (device["os"], device["kernel"]) == ("Amazon Linux 2023", "6.1.0-aws")
        assert device["simd"] == ["avx2", "avx512f", "avx512_vnni", "avx512_bf16"]
        assert device["governor"] is None

    def test_jetson_nano(self, tree, jetson):
        device = identify(tree(jetson))
        assert device["name"] == device["board"] == "NVIDIA Jetson Nano 2GB Developer Kit"
        assert device["cpu_model"] == "ARM Cortex-A57"
        assert (device["cores_physical"], device["cores_logical"]) == (4, 4)
        assert (device["architecture"], device["kernel"]) == ("aarch64", "4.9.140-tegra")
        assert (device["governor"], device["hypervisor"]) == ("schedutil", None)

    def test_raspberry_pi_4(self, tree, pi4):
        device = identify(tree(pi4))
        assert device["name"] == "Raspberry Pi 4 Model B Rev 1.4"
        assert (device["cpu_model"], device["simd"]) == ("ARM Cortex-A72", ["asimd"])

    def test_raspberry_pi_5(self, tree, pi5):
        device = identify(tree(pi5))
        assert device["name"] == "Raspberry Pi 5 Model B Rev 1.0"
        assert (device["cpu_model"], device["simd"]) == ("ARM Cortex-A76", ["asimd", "asimddp"])

    @pytest.mark.parametrize("device", ["laptop", "jetson", "pi4"])
    def test_nothing_identifies_a_person_or_one_machine(self, tree, device, request):
        text = json.dumps(identify(tree(request.getfixturevalue(device))))
        for secret in ("annas", "SERIAL", "aa:bb", "deadbeef", "14229190", "buildd", "buildbrain"):
            assert secret not in text

    def test_an_empty_tree_has_nothing_to_observe(self, tree):
        assert identify(tree({})) == NOTHING

    @pytest.mark.parametrize("device", ["laptop", "jetson"])
    def test_garbage_is_not_observable(self, tree, device, request):
        root = tree(request.getfixturevalue(device))
        for file in [path for path in root.rglob("*") if path.is_file()]:
            file.write_bytes(b"\xff\xfe\x00:\x1b[31m=\n\n: :\n" * 3)
        device = identify(root)
        assert device["memory_bytes"] is device["cores_physical"] is None
        assert "\x1b" not in json.dumps(device)

    def test_unreadable_files_are_not_observable(self, tree, laptop, monkeypatch):
        def refuse(file):
            raise PermissionError(13, "Permission denied", str(file))

        monkeypatch.setattr(files, "read_bytes", refuse)
        assert identify(tree(laptop)) == NOTHING

    def test_links_out_of_the_tree_are_not_followed(self, tree, laptop, tmp_path):
        root = tree(laptop)
        (tmp_path / "os-release").write_text('PRETTY_NAME="The live machine"\n')
        (root / "etc/os-release").unlink()
        (root / "etc/os-release").symlink_to(tmp_path / "os-release")
        assert identify(root)["os"] is None

    def test_links_within_the_tree_are_followed(self, tree, epyc):
        root = tree(epyc)
        (root / "etc").mkdir()
        (root / "etc/os-release").symlink_to("../usr/lib/os-release")
        assert identify(root)["os"] == "Amazon Linux 2023"

    @settings(
        max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
    )
    @given(content=st.binary(max_size=40))
    def test_any_content_gives_json(self, tree, laptop, content):
        root = tree(laptop)
        for path in ("proc/cpuinfo", "proc/meminfo", "proc/version", "etc/os-release"):
            (root / path).write_bytes(content)
        json.dumps(identify(root), allow_nan=False)


def test_the_live_machine_has_cores_and_memory():
    device = identify(Path("/"))
    assert device["cores_logical"] >= device["cores_physical"] >= 1
    assert device["memory_bytes"] > 2**20
    assert device["architecture"] == platform.machine()
    assert platform.node() not in json.dumps(device)


@pytest.mark.parametrize(
    ("model", "short"),
    [
        ("Intel(R) Xeon(R) Platinum 8375C CPU @ 2.90GHz", "Intel Xeon Platinum 8375C"),
        ("12th Gen Intel(R) Core(TM) i7-1260P", "12th Gen Intel Core i7-1260P"),
        ("AMD Ryzen 7 5800U with Radeon Graphics", "AMD Ryzen 7 5800U"),
        ("AMD EPYC", "AMD EPYC"),
        ("Processor", "Processor"),
    ],
)
def test_a_model_is_shortened_to_what_tells_it_apart(model, short):
    assert shortened(model) == short


def test_unlike_cores_are_all_named_and_share_their_instructions(tree):
    def block(part, features):
        return f"Features: asimd {features}\nCPU implementer: 0x41\nCPU part: {part}\n\n"

    root = tree({"proc/cpuinfo": block("0xd05", "") + block("0xd0b", "asimddp")})
    assert cpu_model(root) == "ARM Cortex-A55 + Cortex-A76"
    assert simd(root) == ["asimd"]


def test_an_unknown_core_is_named_by_its_numbers(tree):
    root = tree({"proc/cpuinfo": "CPU implementer: 0x99\nCPU part: 0xabc\n"})
    assert cpu_model(root) == "implementer 0x99 part 0xabc"


def test_unlike_governors_are_mixed(tree):
    folder = "sys/devices/system/cpu/cpu{}/cpufreq/scaling_governor"
    root = tree({folder.format(0): "powersave", folder.format(1): "performance"})
    assert governor(root) == "mixed: performance, powersave"


@pytest.mark.parametrize(
    ("content", "name"),
    [
        ({"proc/cpuinfo": "flags: fpu hypervisor"}, "unknown"),
        ({"proc/cpuinfo": "flags: fpu hypervisor", "sys/hypervisor/type": "xen\n"}, "Xen"),
        ({"proc/cpuinfo": "flags: fpu", "sys/class/dmi/id/sys_vendor": "Amazon EC2"}, None),
        ({"sys/class/dmi/id/sys_vendor": "Amazon EC2"}, "Amazon EC2"),
        (
            {
                "sys/class/dmi/id/sys_vendor": "Amazon EC2",
                "sys/class/dmi/id/product_name": "c7g.metal",
            },
            None,
        ),
        ({"sys/class/dmi/id/sys_vendor": "QEMU"}, "QEMU"),
        ({"proc/device-tree/model": "linux,dummy-virt\0"}, "QEMU"),
        ({"proc/version": "Linux version 5.15.90.1-microsoft-standard-WSL2"}, "Hyper-V (WSL)"),
        ({"sys/class/dmi/id/sys_vendor": "LENOVO"}, None),
    ],
)
def test_hypervisors(tree, content, name):
    assert hypervisor(tree(content)) == name


def test_a_machine_of_qemu_is_no_board(tree):
    assert identify(tree({"proc/device-tree/model": "linux,dummy-virt\0"}))["board"] is None


class TestMac:
    """The live machine, where there is neither /proc nor /sys."""

    @pytest.fixture(autouse=True)
    def _mac(self, monkeypatch, tmp_path):
        monkeypatch.setattr(files, "read_bytes", self.absent)
        monkeypatch.setattr(platform, "system", lambda: "Darwin")
        monkeypatch.setattr(platform, "mac_ver", lambda: ("14.5", ("", "", ""), "arm64"))
        monkeypatch.setattr(platform, "machine", lambda: "arm64")
        monkeypatch.setattr(platform, "release", lambda: "23.5.0")
        monkeypatch.delattr(os, "sched_getaffinity", raising=False)
        monkeypatch.setattr(psutil, "cpu_count", lambda logical=True: 10 if logical else 8)
        monkeypatch.setattr(os, "cpu_count", lambda: 10)

    @staticmethod
    def absent(file):
        raise FileNotFoundError(2, "No such file", str(file))

    def test_is_known_through_sysctl_and_psutil(self, monkeypatch):
        answers = {"hw.model": "MacBookPro18,3", "machdep.cpu.brand_string": "Apple M1 Pro"}

        def run(command, **_options):
            return subprocess.CompletedProcess(command, 0, stdout=answers[command[-1]] + "\n")

        monkeypatch.setattr(subprocess, "run", run)
        device = identify()
        assert device["name"] == "MacBookPro18,3"
        assert device["cpu_model"] == "Apple M1 Pro"
        assert (device["cores_physical"], device["cores_logical"]) == (8, 10)
        assert (device["os"], device["kernel"]) == ("macOS 14.5", "23.5.0")
        assert device["memory_bytes"] == psutil.virtual_memory().total

    @pytest.mark.parametrize("error", [FileNotFoundError(), subprocess.TimeoutExpired("sysctl", 5)])
    def test_does_without_sysctl(self, monkeypatch, error):
        def run(*_args, **_options):
            raise error

        monkeypatch.setattr(subprocess, "run", run)
        assert identify()["name"] == "unknown CPU, 8 cores"
