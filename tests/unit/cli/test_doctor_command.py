"""`inferometer doctor`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

import inferometer.backends
from inferometer.cli.main import main
from inferometer.core.registry import Plugin, Registry

JETSON = {
    "proc/device-tree/model": "NVIDIA Jetson Nano 2GB Developer Kit\0",
    "proc/cpuinfo": "processor: 0\nFeatures: fp asimd\nCPU implementer: 0x41\nCPU part: 0xd07\n",
    "proc/meminfo": "MemTotal: 2027000 kB\nMemAvailable: 300000 kB\n"
    "SwapTotal: 5242880 kB\nSwapFree: 3145728 kB\n",
    "proc/loadavg": "1.70 0.9 0.5 3/400 1234\n",
    "proc/version": "Linux version 4.9.140-tegra (someone@somewhere) (gcc) #1\n",
    "sys/devices/system/cpu/online": "0-3\n",
    "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor": "schedutil\n",
    "sys/class/thermal/thermal_zone0/temp": "85500\n",
    "var/lib/nvpmodel/status": "pmode:0001\n",
    "etc/nvpmodel.conf": "< POWER_MODEL ID=0 NAME=MAXN >\n< POWER_MODEL ID=1 NAME=5W >\n",
}


def record(root: Path, content: Mapping[str, str]) -> Path:
    for path, text in content.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return root


def run(*args: str) -> int:
    with pytest.raises(SystemExit) as caught:
        main(["doctor", *args])
    return int(caught.value.code or 0)


@pytest.fixture
def jetson(tmp_path) -> Path:
    return record(tmp_path, JETSON)


def test_this_machine_in_80_columns(capsys):
    assert run() == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if line and not line.startswith(" ")] == [
        "Device",
        "Memory and state",
        "Power sources",
        "Backends",
        "Model sources",
        "Software",
        "Advice",
    ]
    assert max(map(len, lines)) <= 80


def test_a_recorded_tree_instead_of_this_machine(jetson, capsys):
    assert run("--root", str(jetson)) == 0
    out = capsys.readouterr().out
    words = " ".join(out.split())
    assert out.splitlines()[0] == f"Device recorded in {jetson}"
    for part in (
        "name NVIDIA Jetson Nano 2GB Developer Kit",
        "CPU ARM Cortex-A57",
        "kernel 4.9.140-tegra",
        "governor schedutil",
        "system not observable",
        "power not observable",
        "memory 1.93 GiB",
        "swap in use 2.00 GiB",
        "load average 1.70",
        "sudo jetson_clocks",
        "2.00 GiB of swap are in use",
        "Only 293 MiB of memory can be had",
        "The load average of the last minute is 1.70",
        "temperature 86 °C",
        "power mode 5W",
        "It is at 86 °C already",
        "The power mode is 5W",
    ):
        assert part in words


def test_json_alone_on_standard_output(jetson, capsys):
    assert run("--root", str(jetson), "--json", "-") == 0
    found = json.loads(capsys.readouterr().out)
    assert list(found) == [
        "device",
        "memory",
        "conditions",
        "software",
        "backends",
        "sources",
        "advice",
        "power_sources",
        "power_absences",
        "power_reason",
    ]
    assert found["device"]["os"] is None
    assert found["memory"]["available_bytes"] == 300000 * 1024
    assert found["conditions"] == {
        "load_1min": 1.7,
        "on_battery": None,
        "temperature_c": 85.5,
        "power_mode": "5W",
        "turbo": None,
        "energy_preference": None,
    }
    assert {"torch", "python"} <= {backend["name"] for backend in found["backends"]}
    assert "catalogue" in {source["name"] for source in found["sources"]}
    assert len(found["advice"]) == 6


def test_a_missing_backend_comes_with_the_command_that_installs_it(monkeypatch, capsys):
    table = {"torch": Plugin(path="x:X", extra="torch", requires=("no_such_module",))}
    registry = Registry(what="backend", group="inferometer.no_such_group", table=table)
    monkeypatch.setattr(inferometer.backends, "BACKENDS", registry)
    assert run() == 0
    assert "  torch  missing    pip install 'inferometer[torch]'\n" in capsys.readouterr().out


def test_a_tree_with_nothing_in_it_is_not_observable(tmp_path, capsys):
    (tmp_path / "proc").mkdir()
    assert run("--root", str(tmp_path)) == 0
    out = capsys.readouterr().out
    assert out.count("not observable") >= 12
    assert "Nothing to advise." in out


@pytest.mark.parametrize(
    ("place", "message"),
    [("", "holds neither proc/ nor sys/"), ("nowhere", "does not exist"), ("file", "is a file")],
)
def test_a_root_that_is_no_tree_is_refused(tmp_path, capsys, place, message):
    (tmp_path / "file").write_text("")
    assert run("--root", str(tmp_path / place)) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.out == ""
