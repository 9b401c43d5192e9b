"""Each format of logs is recognised by its content, and read right."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.data.power_logs import ALL, OTHERS, PUBLISHED, START

from inferometer.core.errors import MeterError
from inferometer.meters.energy.logs import reading
from inferometer.meters.energy.logs.channel import Contents, LogOptions
from inferometer.meters.energy.logs.collecting import Collected
from inferometer.meters.energy.logs.formats import FORMATS
from inferometer.meters.energy.logs.reading import describe_log, read_log


@pytest.fixture
def put(tmp_path):
    def write(content, name="log"):
        file = tmp_path / name
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(file)

    return write


@pytest.fixture
def holds(put):
    """What a log holds; further arguments are those of `describe_log`."""

    def describe(content, query="", **more):
        return describe_log(f"log://{put(content)}{query}" if query else put(content), **more)

    return describe


RIGHT = {
    "nvidia_smi_units.csv": ("nvidia-smi", "gpu", 65.0, 3, 3.0),
    "nvidia_smi_no_header.csv": ("nvidia-smi", "gpu", 65.0, 4, 3.0),
    "tegrastats_orin.log": ("tegrastats", "module_input", 5.56, 4, 3.0),
    "tegrastats_agx.log": ("tegrastats", "rails_sum", 4.2, 4, 3.0),
    "ptdaemon.txt": ("ptdaemon", "wall", 5.2, 4, 3.0),
    "microunits.csv": ("csv", "wall", 18.0, 4, 3.0),
    "jtop.csv": ("jtop", "module_input", 4.3, 4, 3.0),
    "turbostat.txt": ("turbostat", "package", 8.5, 4, 3.0),
    "powertop.csv": ("powertop", "battery", 9.97, 1, 0.0),
    "nvidia_nounits.csv": ("nvidia-smi", "gpu", 62.0, 3, 2.0),
    "nvidia_bare.csv": ("nvidia-smi", "gpu", 62.0, 3, 2.0),
    "tegrastats_tx2.log": ("tegrastats", "module_input", 1.649, 3, 2.0),
    "tegrastats_thor.log": ("tegrastats", "board_input", 32.208, 3, 2.0),
    "jtop4.csv": ("jtop", "rails_sum", 2.1, 3, 2.0),
    "powertop.html": ("powertop", "battery", 12.3, 1, 0.0),
    "powermetrics.txt": ("powermetrics", "soc", 0.31, 3, 2.0),
    "powermetrics_parts.txt": ("powermetrics", "soc", 0.29, 3, 2.0),
    "powermetrics_intel.txt": ("powermetrics", "package", 2.3, 3, 2.00704),
    "powermetrics.plist": ("powermetrics", "soc", 0.31, 3, 2.0),
    "power_gadget.csv": ("power-gadget", "package", 14.2, 3, 2.0),
    "ptdaemon_channels.txt": ("ptdaemon", "wall", 5.2, 2, 2.0),
    "joulescope.csv": ("joulescope", "board_input", 2.575, 4, 0.3),
    "joulescope_log.csv": ("joulescope", "board_input", 2.5, 4, 1.5),
    "fnirsi.txt": ("usb-meter", "board_input", 2.5, 4, 0.02),
    "avhzy.csv": ("usb-meter", "board_input", 2.51, 4, 0.3),
    "um25c.csv": ("usb-meter", "board_input", 2.5, 4, 3.0),
    "shelly.csv": ("shelly", "wall", 105.0, 4, 180.0),
    "shelly_em.csv": ("shelly", "wall", 90.0, 4, 180.0),
    "shelly_cloud.csv": ("shelly", "wall", 120.5, 4, 10800.0),
    "shelly_rpc.jsonl": ("shelly", "wall", 5.2, 3, 2.0),
    "shelly_events.jsonl": ("shelly", "wall", 5.2, 3, 2.0),
    "tasmota.log": ("tasmota", "wall", 6.0, 3, 2.0),
    "home_assistant.csv": ("home-assistant", "wall", 25.0, 3, 50.0),
    "smartpower3.csv": ("smartpower", "board_input", 4.15, 4, 3.0),
    "rapl.csv": ("energy-counter", "package", 10.0, 2, 2.0),
}


@pytest.mark.parametrize("name", RIGHT)
def test_the_power_of_each_format(holds, name):
    form, scope, mean_w, readings, span_s = RIGHT[name]
    found = holds(ALL[name])
    assert (found.format, found.scope, found.readings) == (form, scope, readings)
    assert found.mean_w == pytest.approx(mean_w, rel=1e-6)
    assert found.span_s == pytest.approx(span_s, abs=1e-3)
    assert found.method == ("vendor_model" if form == "powermetrics" else "measured")
    assert any(one.mean == pytest.approx(mean_w, rel=1e-6) for one in found.columns)


WITHOUT_TIMES = {
    "tegrastats_nano_no_times.log": ("tegrastats", "module_input", 2.07),
    "nvidia_dmon_no_times.txt": ("nvidia-smi-dmon", "gpu", 62.0),
    "turbostat_summary.txt": ("turbostat", "package", 6.0),
    "smartpower2.txt": ("smartpower", "board_input", 2.566),
}


@pytest.mark.parametrize("name", WITHOUT_TIMES)
def test_a_log_without_times_needs_to_know_how_far_its_lines_are_apart(holds, name):
    form, scope, mean_w = WITHOUT_TIMES[name]
    with pytest.raises(MeterError, match=r"it has no times: say .* --interval 1s"):
        holds(ALL[name])
    found = holds(ALL[name], interval_s=1.0)
    assert (found.format, found.scope) == (form, scope)
    assert found.mean_w == pytest.approx(mean_w)
    assert holds(ALL[name], query="?interval=2s").span_s == pytest.approx(2 * found.span_s)


SEVERAL = {
    "nvidia_smi_two_gpus.csv": {"GPU0": 100.0, "GPU1": 200.0},
    "nvidia_bursts.csv": {"GPU0": 50.0, "GPU1": 90.0},
    "nvidia_dmon.txt": {"GPU0": 64.0, "GPU1": 61.0},
    "long_format.csv": {"CPU Package": 17.7, "CPU Cores": 15.7, "CPU Memory": 0.0},
}


@pytest.mark.parametrize("name", SEVERAL)
def test_of_several_powers_none_is_taken_by_itself(holds, put, name):
    means = SEVERAL[name]
    found = holds(ALL[name])
    assert (found.mean_w, found.span_s, found.readings) == (None, None, 0)
    assert {one.name: one.mean for one in found.columns} == pytest.approx(means)
    assert "may all be the power" in found.notes[-1]
    with pytest.raises(MeterError, match="may all be the power: name one, as with --column"):
        read_log(put(ALL[name]))
    first, second, *_ = means
    assert holds(ALL[name], column=first).mean_w == pytest.approx(means[first])
    assert "NAME+NAME" in found.notes[-1]
    both = holds(ALL[name], query=f"?power={first}+{second}")
    assert both.mean_w == pytest.approx(means[first] + means[second], rel=1e-3)
    assert any("added up" in note for note in both.notes)


REFUSED = {
    "powertop_none.csv": "PowerTOP measured no power here",
    "milliwatts_called_watts.csv": r"mean of 6\.41 kW, .*milliwatts that are called watts.*unit=mW",
    "codecarbon.csv": "a table of tasks by CodeCarbon, whose power is an estimate",
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_power_is_refused_by_what_it_is(holds, name):
    with pytest.raises(MeterError, match=REFUSED[name]):
        holds(ALL[name])


def test_every_file_has_its_right_answer():
    assert ALL.keys() == RIGHT.keys() | WITHOUT_TIMES.keys() | SEVERAL.keys() | REFUSED.keys()
    assert len(ALL) == len(PUBLISHED) + len(OTHERS)


def test_a_stated_unit_takes_the_place_of_the_one_in_the_log(holds):
    content = PUBLISHED["milliwatts_called_watts.csv"]
    assert holds(content, query="?unit=mW").mean_w == pytest.approx(6.4075)
    kept = holds(content, query="?unit=W")
    assert kept.mean_w == pytest.approx(6407.5)
    assert any("Kept, as the unit was given" in note for note in kept.notes)
    with pytest.raises(MeterError, match="lumen is not a unit of power"):
        holds(content, query="?unit=lumen")


def test_a_sensor_says_by_its_name_what_it_covers(holds):
    assert holds(PUBLISHED["long_format.csv"], column="CPU Package").scope == "package"


def test_a_part_is_not_added_to_its_whole(holds):
    with pytest.raises(MeterError, match="a part of 'VDD_IN', and would be counted twice"):
        holds(PUBLISHED["tegrastats_orin.log"], column="VDD_IN+VDD_SOC")
    with pytest.raises(MeterError, match="added to itself"):
        holds(PUBLISHED["nvidia_smi_two_gpus.csv"], column="GPU0+GPU0")
    with pytest.raises(MeterError, match="no power 'GPU7'; it has 'GPU0', 'GPU1'"):
        holds(PUBLISHED["nvidia_smi_two_gpus.csv"], column="GPU7")


def test_a_package_and_its_memory_together(holds):
    found = holds(OTHERS["turbostat_summary.txt"], column="PkgWatt+RAMWatt", interval_s=1.0)
    assert found.scope == "package+dram"


def test_the_times_of_each_format(put):
    log = read_log(put(OTHERS["powermetrics.txt"]))
    assert log.clock == "unix"
    assert log.times_s[0] == 1_795_683_600  # 10:00 at +0100
    assert read_log(put(OTHERS["tegrastats_tx2.log"])).times_s[0] == START
    assert read_log(put(PUBLISHED["tegrastats_orin.log"])).clock == "local"
    shelly = read_log(put(OTHERS["shelly.csv"]))
    assert shelly.times_s[0] == START + 30  # the middle of its minute
    assert read_log(put(OTHERS["power_gadget.csv"])).clock == "start"
    counted = read_log(put(OTHERS["rapl.csv"]))
    assert list(counted.times_s) == [START + 0.5, START + 2.5]


def test_a_state_of_home_assistant_holds_until_the_next(put):
    log = read_log(put(OTHERS["home_assistant.csv"]))
    at = log.times_s - log.times_s[0]
    assert at == pytest.approx([0, 10, 20, 50, 50], abs=2e-3)
    assert list(log.watts) == [10, 10, 30, 30, 10]
    with pytest.raises(MeterError, match="without an entity that is called a power"):
        read_log(put("entity_id,state,last_changed\nsensor.a_energy,1,2026-11-26T09:00:00Z\n"))


def test_the_summary_of_power_gadget_is_compared(holds):
    content = OTHERS["power_gadget.csv"].replace("(Watt) = 14.2", "(Watt) = 20.0")
    assert any("The summary below the log says 20 W" in note for note in holds(content).notes)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "it is an empty file"),
        ("\n\n", "it is an empty file"),
        ("1,2\n2,3\n3,4\n", "it is figures without names: the first line must name the columns"),
        ("hello world\nfoo\n", "it begins 'hello world', and is not a log"),
        ("time,voltage\n1,5\n2,5\n", "a table with the columns 'time', 'voltage', none of which is a power"),
        ("watts,volts\n1,5\n", "none of which is a time: it has no times: say"),
        ("timestamp,a,b\n1,2,3\n", "name one with power=NAME"),
        ("kind,workload,inputs,start_unix_s,end_unix_s\nrest,,,1,2\n", "the list of windows"),
        (b"jlsfmt\r\n \n \x1a  \xb2\x1c", "a recording of Joulescope .*export it as CSV"),
        (b"PK\x03\x04xl/workbook", "an Excel or another packed file"),
        ("# gpu        pid  type    sm\n# Idx          #   C/G     %\n    0       1234     C    20\n", "pmon, which tells processes"),
        ("# gpu     sm    mem\n# Idx      %      %\n    0     20      3\n", "dmon without power: add p to -s"),
        ("Thu Nov 26 10:00:00 2026\n| NVIDIA-SMI 535.1   Driver Version: 535.1 |\n", "what nvidia-smi shows to people"),
        ("timestamp, utilization.gpu [%]\n2026/11/26 10:00:00.000, 3 %\n", "not asked for power"),
        ("RAM 936/1964MB (lfb 366x4MB) CPU [10%@102,3%@102] PLL@24C\n", "tegrastats without power"),
        ("Core\tCPU\tBusy%\tPkg_J\n-\t-\t3\t20.1\n", "turbostat in joules"),
        ("Core\tCPU\tBusy%\n-\t-\t3\n", "turbostat without PkgWatt"),
        ('tele/plug/SENSOR {"Time":"2026-11-26T10:00:00","DS18B20":{"Temperature":20.6}}\n', "Tasmota without a power"),
        ("*** Sampled system activity (x) (10ms elapsed) ***\nnothing\n", "powermetrics without power"),
        ("timestamp, power.draw [W]\n2026/11/26 10:00:00.000, [Not Supported]\n2026/11/26 10:00:01.000, [Not Supported]\n", "no figure in any row: the meter read none"),
        ("Time_Of_Day_Seconds\tCPU\tPkgWatt\n1e308\t-\t8.5\n", "it is not a row of figures"),
        ("Time_Of_Day_Seconds\tCPU\tPkgWatt\n1750000000\t-\t1e308\n", r"1e\+308 W is not a power"),
        ('<?xml version="1.0" encoding="UTTTF-8"?>\n<plist><dict><key>elapsed_ns</key></dict></plist>', "a property list that ends"),
        ("2026/11/26 10:00:00.000, 60.0, 97\n", "without names and units, with figures in column 2, column 3"),
    ],
)  # fmt: skip
def test_what_a_file_is_that_cannot_be_read(holds, content, said):
    with pytest.raises(MeterError, match=said) as told:
        holds(content)
    assert str(told.value).count("\n") == 0


def test_unnamed_columns_have_a_name_too(holds):
    content = "2026/11/26 10:00:00.000, 60.0, 97\n2026/11/26 10:00:01.000, 62.0, 97\n"
    assert holds(content, column="column 2").mean_w == pytest.approx(61.0)


def test_the_format_of_the_contributors_guide(holds, monkeypatch):
    guide = (Path(__file__).parents[5] / "CONTRIBUTING.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(ROW = .*?)```", guide, re.DOTALL)
    names = {
        "re": re, "Sequence": Sequence, "Iterable": Iterable, "Contents": Contents,
        "LogOptions": LogOptions, "Collected": Collected,
    }  # fmt: skip
    exec(code, names)
    monkeypatch.setattr(reading, "FORMATS", (names["Acme"](), *FORMATS))
    found = holds("# ACME 3000\nACME;1750000000;5.5\nACME;1750000001;6.5\nACME;x;1\n")
    assert (found.format, found.scope, found.mean_w) == ("acme", "wall", 6.0)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_log_that_is_cut_anywhere_is_read_or_refused(tmp_path_factory, data):
    content = ALL[data.draw(st.sampled_from(sorted(ALL)))].encode()
    at = data.draw(st.integers(0, len(content)))
    file = tmp_path_factory.mktemp("cut") / "log"
    file.write_bytes(content[:at])
    try:
        found = describe_log(str(file), interval_s=1.0)
    except MeterError:
        return
    assert found.mean_w is None or found.mean_w >= 0
