"""What `inferometer doctor` says of power sources, and its dump."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from inferometer.cli.doctor_power import power_lines, remedies
from inferometer.cli.main import main
from inferometer.core.energy import Absence
from inferometer.meters.energy.sources.rapl import UDEV_RULE

HWMON = "sys/class/hwmon/hwmon1"
ORIN = {
    "proc/device-tree/model": "NVIDIA Jetson Orin Nano Developer Kit\0",
    "proc/device-tree/compatible": "nvidia,p3767-0005\0nvidia,tegra234\0",
    f"{HWMON}/name": "ina3221\n",
    f"{HWMON}/in1_label": "VDD_IN\n",
    f"{HWMON}/in1_input": "4992\n",
    f"{HWMON}/curr1_input": "1008\n",
}
NANO = {
    "proc/device-tree/model": "NVIDIA Jetson Nano 2GB Developer Kit\0",
    "proc/device-tree/compatible": "nvidia,jetson-nano-2gb\0nvidia,tegra210\0",
}
COUNTER = "sys/class/powercap/intel-rapl:0"
CLOSED = {
    "proc/cpuinfo": "processor\t: 0\nvendor_id\t: GenuineIntel\nflags\t\t: fpu lm\n\n",
    f"{COUNTER}/name": "package-0\n",
    f"{COUNTER}/max_energy_range_uj": "262143328850\n",
    f"{COUNTER}/energy_uj": "",
    "unreadable.txt": f"0400 EACCES {COUNTER}/energy_uj\n",
}


def run(*args: str) -> int:
    with pytest.raises(SystemExit) as caught:
        main(["doctor", *args])
    return int(caught.value.code or 0)


def record(root: Path, files: dict[str, str]) -> str:
    for path, text in files.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return str(root)


def section(out: str) -> str:
    return out.partition("Power sources\n")[2].partition("\n\n")[0]


def test_a_source_with_scope_method_period_and_place(tmp_path, capsys):
    assert run("--root", record(tmp_path, ORIN)) == 0
    shown = section(capsys.readouterr().out)
    assert "jetson:VDD_IN  module input, measured, every 100 ms" in shown
    assert f"/{HWMON}/in1_input times" in shown
    _, *place = shown.splitlines()
    assert {len(line) - len(line.lstrip()) for line in place} == {6}
    assert max(map(len, shown.splitlines())) <= 80


def test_a_board_without_a_sensor_says_what_helps(tmp_path, capsys):
    assert run("--root", record(tmp_path, NANO)) == 0
    words = " ".join(section(capsys.readouterr().out).split())
    for part in ("Jetson Nano 2GB", "jtop cannot help", "--power-log FILE", "unaffected"):
        assert part in words


def test_closed_counters_come_with_the_whole_rule_and_its_warning(tmp_path, capsys):
    assert run("--root", record(tmp_path, CLOSED)) == 0
    out = capsys.readouterr().out
    assert "(mode 0400) may be read by root only" in " ".join(out.split())
    assert UDEV_RULE.rstrip() in out
    assert "CVE-2020-8694, the PLATYPUS attack" in out


def test_a_device_that_nobody_knows_gets_one_sentence(tmp_path, capsys):
    assert run("--root", record(tmp_path, {"proc/version": "Linux"})) == 0
    assert section(capsys.readouterr().out).lstrip().startswith("- No power sensor on this device")


def test_json_has_sources_and_absences(tmp_path, capsys):
    assert run("--root", record(tmp_path, ORIN), "--json", "-") == 0
    found = json.loads(capsys.readouterr().out)
    (source,) = found["power_sources"]
    assert source["name"] == "jetson:VDD_IN"
    assert source["scope"] == "module_input"
    assert found["power_reason"] is None
    assert {absence["kind"] for absence in found["power_absences"]} >= {"rapl", "nvml"}


def test_an_absence_that_is_of_no_matter_is_left_out():
    absences = [vars(Absence(kind="a", reason="Not here.", relevant=False))]
    found = {"power_sources": [], "power_absences": absences, "power_reason": "Nothing."}
    assert power_lines(found) == ["- Nothing."]
    assert remedies(found) == []


def test_a_dump_shows_the_same_again(tmp_path, capsys):
    root = record(tmp_path / "board", CLOSED)
    assert run("--root", root, "--dump", str(tmp_path / "new")) == 0
    assert capsys.readouterr().err.startswith("Wrote ")
    assert run("--root", root) == 0
    before = capsys.readouterr().out
    assert run("--root", str(tmp_path / "new")) == 0
    assert capsys.readouterr().out.splitlines()[1:] == before.splitlines()[1:]


def test_a_dump_into_a_full_folder_is_refused(tmp_path, capsys):
    root = record(tmp_path / "board", ORIN)
    assert run("--root", root, "--dump", root) == 2
    assert "is there and not an empty folder: choose a new one" in capsys.readouterr().err
