from __future__ import annotations

import os
import time

import numpy as np
import pytest

from inferometer.core.errors import InputError, MeterError
from inferometer.meters.energy.logs.csv_log import read_log, target_of
from inferometer.meters.energy.logs.power_log import PowerLog


@pytest.fixture
def log(tmp_path):
    def read(text, *, query="", encoding="utf-8", **more):
        file = tmp_path / "log.csv"
        file.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
        return read_log(f"csv://{file}{query}" if query else str(file), **more)

    return read


def rows(header, *lines):
    return "\n".join((header, *lines)) + "\n"


HEADERS = {
    "timestamp,watts": ("{t},{w}", "unix"),
    "Time,Power [W]": ("{t},{w}", "unix"),
    "time;power": ("{t};{w}", "unix"),
    "ts\tPowerW\tnote": ("{t}\t{w}\tx", "unix"),
    "Date,P(W)": ("{iso},{w}", "unix"),
    "timestamp_ms,power_mw": ("{ms},{mw}", "unix"),
    "Timestamp (ns),Power (kW)": ("{ns},{kw}", "unix"),
    "datetime,Voltage (V),Current (mA)": ("{iso},5,{ma5}", "unix"),
    "time,bus_voltage_v,current_a": ("{t},5.0,{a5}", "unix"),
    "time,V,A,Wh,reactive_power": ("{t},5,{a5},17,3", "unix"),
    "epoch,apower,Power Factor,max_power,energy_kwh": ("{t},{w},0.6,99,12", "unix"),
    "elapsed_s,W": ("{s},{w}", "start"),
    "elapsed [ms];Leistung (W)": ("{s}000;{w}", "start"),
    "Time,Watts": ("00:00:0{s},{w}", "start"),
    "date,time,watts": ("2024-05-01,10:00:0{s}Z,{w}", "unix"),
    "# time,watts": ("{t},{w}", "unix"),
}


@pytest.mark.parametrize("header", HEADERS)
def test_columns_are_known_by_their_names(log, header):
    line, clock = HEADERS[header]
    watts = [2.0, 3.5, 2.5]
    text = rows(
        header,
        *(
            line.format(
                t=1_714_557_600 + s, ms=(1_714_557_600 + s) * 1000, ns=(1_714_557_600 + s) * 10**9,
                iso=f"2024-05-01T10:00:0{s}Z", s=s, w=w, mw=w * 1000, kw=w / 1000, ma5=w * 200,
                a5=w / 5,
            )
            for s, w in enumerate(watts)
        ),
    )  # fmt: skip
    found = log(text, scope="wall")
    assert found.watts == pytest.approx(watts)
    assert found.clock == clock
    start = 1_714_557_600 if clock == "unix" else 0
    assert found.times_s == pytest.approx([start, start + 1, start + 2], abs=1e-6)
    assert found.period_s == pytest.approx(1.0)
    assert found.notes == ()


def test_a_preamble_before_the_names(log):
    text = "sep=;\nDevice;UM25C\n\n# logged with care\nTime;Power [W]\n1,5;2,25\n2,5;3,75\n"
    found = log(text)
    assert list(found.times_s) == [1.5, 2.5]
    assert list(found.watts) == [2.25, 3.75]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le"])
def test_encodings(log, encoding):
    text = rows("time,Leistung (W)", "1,2", "2,3")
    content = text.encode(encoding)
    if encoding == "utf-16-le":
        content = b"\xff\xfe" + content
    assert list(log(content).watts) == [2.0, 3.0]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2024-05-01T10:00:00Z", 0.0),
        ("2024-05-01 10:00:00.25 UTC", 0.25),
        ("2024-05-01T12:00:00,123456789+02:00", 0.123456789),
        ("2024/05/01 05:30:00-0430", 0.0),
        ("2024-05-01 10:00+00", 0.0),
    ],
)
def test_iso_times(log, text, seconds):
    found = log(rows("time;watts", f"{text};1", "2024-05-01T10:00:09Z;1"))
    assert found.times_s[0] == pytest.approx(1_714_557_600 + seconds, abs=1e-6)


def test_times_without_a_zone_are_of_this_device(log):
    found = log(rows("time,watts", "2024-05-01 10:00:00,1", "2024-05-01 10:00:01,1"))
    here = time.mktime((2024, 5, 1, 10, 0, 0, 0, 0, -1))
    assert found.times_s[0] == here
    assert found.clock == "local"
    assert any("no zone" in note for note in found.notes)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", r"names a column of times and one of watts .*timestamp,watts"),
        ("1,2\n2,3\n3,4\n", "names a column of times"),
        ("time,voltage\n1,5\n2,5\n", "names a column of times"),
        ("time,power_a_w,power_b_w\n1,2,3\n", r"log\.csv:1: 'power_a_w', 'power_b_w' may all be the power: .*\?power=NAME"),
        ("time,watts\n1,2\n2,abc\n", r"log\.csv:3: column 'watts': 'abc' is no number"),
        ("time,watts\n1,2\n2,inf\n", "column 'watts': 'inf' is no number"),
        ("time,watts\n1,2\n2,1e999\n", "is no number"),
        ("time,watts\n1,2\n2,1e10\n", r"log\.csv:3: column 'watts': 1e\+10 W is no power"),
        ("time,V,A\n1,2,1\n2,1e308,1e308\n", r"log\.csv:3: column 'V': inf W is no power"),
        ("time,watts\n1,2\n1e300,2\n", "'1e300' is no time"),
        ("time,watts\n1,2\n" + "9" * 400 + ":00:00,2\n", "is no time"),
        ('time,watts\n1,2\n2,"1,234"\n', "is no number"),
        ("time,watts\n1,2\nlater,2\n", r"log\.csv:3: column 'time': 'later' is no time"),
        ("time,watts\n1,2\n,2\n", "is no time"),
        ("time,watts\n2024-13-01 00:00:00,2\n", "is no time"),
        ("time,watts\n5,2\n1714557600,2\n", "another kind of time"),
        ("time,watts\n1,2\n3,2\n2,2\n5,1\n", r"log\.csv:4: goes back in time by 1 s"),
        ("time,watts\n1,2\n2\n3,2\n", r"log\.csv:3: has fewer than 2 cells"),
        ("time,watts\n1,-2\n2,-3\n", "2 powers are negative, down to -3 W: turn the meter round"),
        ("time,watts\n1,2\n", "fewer than two rows"),
        ("time,watts\n1,2\n1,3\n", "fewer than two rows"),
        ("time,watts\n1,nan\n2,\n", "fewer than two rows"),
        ("x" * 70_000, "a line of more than 64 KiB"),
        ("time,watts\n1," + "2" * 70_000, "a line of more than 64 KiB"),
        (b"\x00\x01\x02\xff" * 100, "CSV|names a column"),
    ],
)  # fmt: skip
def test_what_is_wrong_where_and_what_to_do(log, text, said):
    with pytest.raises(MeterError, match=said) as told:
        log(text)
    assert "log.csv" in str(told.value)


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(MeterError, match=r"none\.csv cannot be read \(there is no such file"):
        read_log(str(tmp_path / "none.csv"))
    with pytest.raises(MeterError, match=r"is no file \(a folder, not a file\): name the log"):
        read_log(str(tmp_path))
    with pytest.raises(MeterError, match="an empty name is no file"):
        read_log("")
    with pytest.raises(MeterError, match="has no option volts"):
        read_log("csv://x.csv?volts=1")


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("?scope=o%0Adin", "time,watts\n1,2\n2,3\n"),
        ("?o%0Add=1", "time,watts\n1,2\n2,3\n"),
        ("?power=o%0Add", "time,watts\n1,2\n2,3\n"),
        ("?power=o%0Add", 'time,"o\ndd"\n1,x\n'),
        ("", ""),
        ("", "time,power_a_w,power_b_w\n1,2,3\n"),
        ("", "time,watts\n1,2\n2,abc\n"),
        ("", "time,watts\n1,-2\n2,-3\n"),
        ("", "time,watts\n1,2\n"),
        ("", "x" * 70_000),
        ("", "time,watts" + ",o" * 20_000 + '\n1,2\n2,"' + "\n" * 9 + "a\n"),
    ],
)
def test_a_name_does_not_break_the_line(tmp_path, query, text):
    file = tmp_path / "o\nlog.csv"
    file.write_text(text)
    with pytest.raises(MeterError) as told:
        read_log(f"csv://{file}{query}")
    assert str(told.value).isprintable()
    assert len(str(told.value)) < 1000


@pytest.mark.parametrize("name", ["pipe", "device", "loop", "n" * 300, "~nosuch/x", "a\0b"])
@pytest.mark.parametrize("read", [read_log, target_of])
def test_only_an_ordinary_file_is_a_log(tmp_path, name, read):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "device").symlink_to("/dev/zero")
    (tmp_path / "loop").symlink_to("loop")
    path = name if name.startswith("~") else f"{tmp_path}/{name}"
    with pytest.raises(InputError, match=r"no ordinary file|links|too long|no home|name of a file"):
        read(path)


def test_a_huge_file_is_refused_unread(tmp_path):
    with (tmp_path / "log.csv").open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(MeterError, match="larger than"):
        read_log(str(tmp_path / "log.csv"))


def test_a_log_that_another_program_is_writing_is_read(tmp_path):
    path = tmp_path / "log.csv"
    with path.open("w") as file:
        file.write("time,watts\n1,2\n2,3\n3,4")
        file.flush()
        assert read_log(str(path)).watts.tolist() == [2, 3, 4]


def test_options_name_columns_and_scope(log):
    text = rows("time,power_a_w,power_b_mw", "1,2,5000", "2,3,7000")
    found = log(text, query="?power=power_b_mw&scope=board_input", gain=0.01)
    assert list(found.watts) == [5.0, 7.0]
    assert (found.scope, found.gain, found.notes) == ("board_input", 0.01, ())
    with pytest.raises(MeterError, match="with power 'x'"):
        log(text, query="?power=x")
    with pytest.raises(MeterError, match="moon is no scope"):
        log(text, query="?scope=moon")


def test_what_was_left_out_or_assumed_is_said(log):
    lines = [f"{t},{2 + t % 2}" for t in range(20)]
    lines[5] = "5,nan"
    lines[6] = "6,"
    lines.insert(9, "8,4")
    found = log(rows("time,watts", *lines, "50,3", "51,-0.01") + "52")
    assert found.watts.size == 20
    assert found.watts[list(found.times_s).index(8.0)] == 3.0
    text = " ".join(found.notes)
    for part in (
        "no scope was given",
        "1 rows share their time",
        "2 rows without a figure",
        "is cut off",
        "1 powers are just below zero, down to -0.01 W",
        "1 gaps are longer than 5 periods, up to 31 s",
    ):
        assert part in text


def test_newest_first_is_turned_round(log):
    found = log(rows("time,watts", "3,30", "2,20", "1,10"))
    assert list(found.times_s) == [1.0, 2.0, 3.0]
    assert list(found.watts) == [10.0, 20.0, 30.0]
    assert any("reverse" in note for note in found.notes)


def test_too_many_rows(log, monkeypatch):
    import inferometer.meters.energy.logs.csv_log as module

    monkeypatch.setattr(module, "MOST_ROWS", 3)
    with pytest.raises(MeterError, match="more than 3 rows: cut it to the run"):
        log(rows("time,watts", *(f"{t},1" for t in range(4))))


def of(times, watts):
    period = float(np.median(np.diff(times)))
    return PowerLog(
        times_s=np.array(times, float), watts=np.array(watts, float), period_s=period, path="x.csv"
    )


def test_what_is_known_of_the_meter():
    info = of([0, 0.5, 1.0], [2.0, 2.3, 2.1]).info
    assert (info.name, info.kind, info.quantity, info.period_s) == (
        "csv:x.csv",
        "csv",
        "power",
        0.5,
    )
    assert info.resolution == pytest.approx(0.1)
    assert of([0, 1], [2, 2]).info.resolution == 0.0
