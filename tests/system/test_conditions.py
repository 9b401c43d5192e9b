"""What a run says and keeps about the device before it begins."""

from __future__ import annotations

import json

import pytest

from inferometer.store import open_store


@pytest.fixture
def hot(tmp_path):
    """A recorded device that is hot, and whose clock changes."""
    files = {
        "proc/loadavg": "0.10 0.2 0.3 1/99 1\n",
        "sys/devices/system/cpu/online": "0\n",
        "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor": "ondemand\n",
        "sys/class/thermal/thermal_zone0/temp": "88000\n",
    }
    for path, text in files.items():
        file = tmp_path / "tree" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return tmp_path / "tree"


def test_a_run_gives_advice_once_on_standard_error_and_keeps_what_it_saw(cli, study, hot, tmp_path):
    path = study(["good"])
    out, err = cli("run", path, "--root", hot, "--no-energy", "--json", "-")
    assert len(json.loads(out)) == 1
    notes = [
        line for line in err.splitlines() if line.startswith(("note: The freq", "note: It is"))
    ]
    command = "sudo cpupower frequency-set -g performance"
    assert notes == [
        f"note: The frequency governor is ondemand, so that the clock changes. Try: {command}",
        "note: It is at 88 °C already, and slows down when it gets hotter: let it cool.",
    ]
    with open_store(tmp_path / "inferometer.db") as store:
        seen = store.run("latest").device["before_the_run"]
    assert (seen["temperature_c"], seen["load_1min"]) == (88.0, 0.1)
    out, _ = cli("doctor", "--root", hot)
    for note in notes:
        assert note.removeprefix("note: ") in " ".join(out.split())


def test_a_run_with_nothing_left_to_measure_gives_no_advice(cli, study, hot):
    path = study(["good"])
    cli("run", path, "--root", hot)
    _, err = cli("run", path, "--root", hot, "--resume")
    assert "note: " not in err
