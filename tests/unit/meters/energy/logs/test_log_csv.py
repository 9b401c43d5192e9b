from __future__ import annotations

import os
import time

import numpy as np
import pytest

from inferometer.core.errors import InputError, MeterError
from inferometer.meters.energy.logs.power_log import PowerLog
from inferometer.meters.energy.logs.reading import describe_log, read_log, target_of


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
        ("time,power_a_w,power_b_w\n1,2,3\n2,2,5\n", r"'power_a_w' \(mean 2 W, 2 to 2 W\), 'power_b_w' \(mean 4 W, 3 to 5 W\) may all be the power: .*power=NAME"),
        ("time,watts\n1,2\n2,abc\n", r"log\.csv:3: column 'watts': 'abc' is not a number"),
        ("time,watts\n1,2\n2,inf\n", "column 'watts': 'inf' is not a number"),
        ("time,watts\n1,2\n2,1e999\n", "is not a number"),
        ("time,watts\n1,2\n2,1e10\n", r"log\.csv:3: column 'watts': 1e\+10 W is not a power"),
        ("time,V,A\n1,2,1\n2,1e308,1e308\n", "inf W"),
        ("time,watts\n1,2\n1e300,2\n", "'1e300' is not a time"),
        ("time,watts\n1,2\n" + "9" * 400 + ":00:00,2\n", "is not a time"),
        ('time,watts\n1,2\n2,"1,234"\n', "is not a number"),
        ("time,watts\n1,2\nlater,2\n", r"log\.csv:3: column 'time': 'later' is not a time"),
        ("time,watts\n1,2\n,2\n", "is not a time"),
        ("time,watts\n2024-13-01 00:00:00,2\n", "is not a time"),
        ("time,watts\n5,2\n1714557600,2\n", "fewer than two rows"),
        ("time,watts\n5,2\n6,2\n1714557600,2\n", r"log\.csv:4: column 'time': .* is of another kind of time"),
        ("time,watts\n" + "".join(f"{t},2\n" for t in range(30)) * 3, "its times begin again 2 times, so that it holds several logs"),
        ("time,watts\n05/06/2026 10:00:00,2\n06/06/2026 10:00:00,2\n", "nobody can tell the day from the month"),
        ("time,watts\n1,2\n2\n3,2\n", r"log\.csv:3: is not a row: it has fewer than 2 cells"),
        ("time,watts\n1,-2\n2,-3\n", "2 powers are negative, down to -3 W: turn the meter round"),
        ("time,watts\n1,2\n", "fewer than two rows"),
        ("time,watts\n1,2\n1,3\n", "fewer than two rows"),
        ("time,watts\n1,nan\n2,\n", "'watts' has no figure in any row"),
        ("x" * 70_000, "a line of more than 64 KiB"),
        ("time,watts\n1," + "2" * 70_000, "a line of more than 64 KiB"),
        (b"\x00\x01\x02\xff" * 100, "is not a log"),
    ],
)  # fmt: skip
def test_what_is_wrong_where_and_what_to_do(log, text, said):
    with pytest.raises(MeterError, match=said) as told:
        log(text)
    assert "log.csv" in str(told.value)


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(MeterError, match=r"none\.csv cannot be read \(there is no such file"):
        read_log(str(tmp_path / "none.csv"))
    with pytest.raises(MeterError, match=r"is not a file \(a folder, not a file\): name the log"):
        read_log(str(tmp_path))
    with pytest.raises(MeterError, match="an empty name is not a file"):
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
    with pytest.raises(
        InputError, match=r"not an ordinary file|links|too long|no home|name of a file"
    ):
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
    with pytest.raises(MeterError, match="no power 'x'; it has 'power_a_w', 'power_b_mw'"):
        log(text, query="?power=x")
    with pytest.raises(MeterError, match="it has no columns for voltage 'x'"):
        log(text, query="?voltage=x")
    with pytest.raises(MeterError, match="interval=soon is not a time such as 1s"):
        log(text, query="?interval=soon")
    with pytest.raises(MeterError, match="moon is not a scope"):
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
        "1 row shares its time",
        "2 rows without a figure",
        "is cut off",
        "1 powers are just below zero, down to -0.01 W",
        "1 gap is longer than 5 periods, up to 31 s",
    ):
        assert part in text


def test_newest_first_is_turned_round(log):
    found = log(rows("time,watts", "3,30", "2,20", "1,10"))
    assert list(found.times_s) == [1.0, 2.0, 3.0]
    assert list(found.watts) == [10.0, 20.0, 30.0]
    assert any("reverse" in note for note in found.notes)


def test_too_many_rows(log, monkeypatch):
    import inferometer.meters.energy.logs.gathering as module

    monkeypatch.setattr(module, "MOST_ROWS", 3)
    with pytest.raises(MeterError, match="more than 3 rows: cut it to the run"):
        log(rows("time,watts", *(f"{t},1" for t in range(4))))


NUMBERS = {
    "time,watts": ("{t},5.25", "{t},1234.5"),
    "time;watts": ("{t};5,25", "{t};1234,5"),
    "time,Leistung (W)": ('{t},"5,25"', '{t},"1234,5"'),
    "time;power": ("{t};5.25", "{t};1,234.5"),
    "time\tpower_w": ("{t}\t5,25", "{t}\t1.234,5"),
    "time, power": ("{t}, 5.25 W", "{t}, 1234.5W"),
    "time,p": ("{t},5250 mW", "{t},1.2345 kW"),
    "time ; 功率(W)": ("{t} ; 5,25", "{t} ; 1 234,5"),
    "time,powermW": ("{t},5250", "{t},1234500"),
    "time power_uW": ("{t} 5250000", "{t} 1234.5e6"),
    "time,Puissance [kW]": ("{t},0.00525", "{t},1.2345"),
}


@pytest.mark.parametrize("header", NUMBERS)
def test_numbers_and_units_as_people_write_them(log, header):
    few, many = NUMBERS[header]
    lines = [line.format(t=1_750_000_000 + at) for at, line in enumerate((few, many, few))]
    found = log(rows(header, *lines), scope="wall")
    assert list(found.watts) == pytest.approx([5.25, 1234.5, 5.25])


TIMES = {
    "2026-11-26T10:00:0{s}Z": "unix",
    "2026-11-26 10:00:0{s}.000 +00:00": "unix",
    "2026/11/26 10:00:0{s}.000": "local",
    "26.11.2026 10:00:0{s}": "local",
    "11/26/2026 10:00:0{s} AM": "local",
    "26/11/2026 10:00:0{s}": "local",
    "26 Nov 2026 10:00:0{s}": "local",
    "Nov 26, 2026 10:00:0{s}": "local",
    "Thu Nov 26 10:00:0{s} 2026": "local",
    "20261126 10:00:0{s}": "local",
    "20261126T10000{s}Z": "unix",
    "179568720{s}": "unix",
    "179568720{s}.0": "unix",
    "179568720{s}000": "unix",
    "179568720{s}000000": "unix",
    "179568720{s}000000000": "unix",
    "{s}": "start",
    "{s}000 ms": "start",
    "0:00:0{s}": "start",
}


@pytest.mark.parametrize("form", TIMES)
def test_times_as_people_write_them(log, form):
    lines = [f"{form.format(s=s)};{s + 1}" for s in range(3)]
    found = log(rows("Time;Power (W)", *lines), scope="wall")
    assert found.clock == TIMES[form]
    assert list(np.diff(found.times_s)) == pytest.approx([1.0, 1.0])
    here = time.mktime((2026, 11, 26, 10, 0, 0, 0, 0, -1))
    start = {"unix": 1_795_687_200, "local": here, "start": 0}[found.clock]
    assert found.times_s[0] == pytest.approx(start)


def test_a_time_whose_sign_parts_cells_too(log):
    """`date --iso-8601=ns` has a comma before its fraction."""
    lines = [f"2026-11-26T10:00:0{s},500000000+00:00,97,{60 + s}" for s in range(3)]
    found = log(rows("timestamp,utilization.gpu,power.draw", *lines))
    assert list(found.watts) == [60.0, 61.0, 62.0]
    assert found.times_s[0] == 1_795_687_200.5
    found = log(rows("timestamp watts", *(f"2026-11-26 10:00:0{s} {60 + s}" for s in range(3))))
    assert list(found.watts) == [60.0, 61.0, 62.0]


def test_utf_16_without_a_mark_and_a_table_below_a_title(log):
    text = "Log of my meter\r\n\r\nTime;Power [W]\r\n1,5;2,25\r\n2,5;3,75\r\n"
    assert list(log(text.encode("utf-16-le")).watts) == [2.25, 3.75]


def described(tmp_path, text, **more):
    (tmp_path / "log.csv").write_text(text)
    return describe_log(str(tmp_path / "log.csv"), **more)


def test_the_mean_is_weighted_by_time(tmp_path):
    # a reading every second, then one after five: it stands for half of the way to its neighbours
    found = described(tmp_path, rows("time,watts", "0,10", "1,10", "2,10", "4,40"))
    assert found.mean_w == pytest.approx((10 * 1 + 10 * 1 + 10 * 1.5 + 40 * 1.5) / 5)
    # ten a second while busy, one in ten seconds while idle: no gaps, but no period either
    lines = [f"{at / 10},100" for at in range(14)] + [f"{10 * at + 10},1" for at in range(10)]
    found = described(tmp_path, rows("time,watts", *lines))
    assert found.mean_w == pytest.approx(6.64, abs=0.01)
    assert any("no regular distance" in note for note in found.notes)


def test_a_pause_is_no_part_of_the_mean(tmp_path):
    lines = [f"{at},10" for at in range(10)] + [f"{at + 1000},20" for at in range(10)]
    found = described(tmp_path, rows("time,watts", *lines))
    assert found.mean_w == pytest.approx(15.0)
    assert any("1 gap is longer than 5 periods, up to 991 s" in note for note in found.notes)


def test_a_first_row_of_another_age_is_left_out(tmp_path):
    lines = [f"{1_750_000_000 + at},10" for at in range(10)]
    for first in ("946684800,99", "3,99"):
        found = described(tmp_path, rows("time,watts", first, *lines))
        assert (found.mean_w, found.readings) == (pytest.approx(10.0), 10)
        assert any("first row" in note and "left out" in note for note in found.notes)


def test_times_out_of_order_are_sorted_and_times_that_begin_again_cut(tmp_path):
    found = described(tmp_path, rows("time,watts", "1,2", "3,4", "2,3", "4,5"))
    assert found.mean_w == pytest.approx(3.5)
    assert any("1 row goes back in time, by up to 1 s; sorted" in note for note in found.notes)
    lines = [f"{at},99" for at in range(10)] + [f"{at},10" for at in range(60)]
    found = described(tmp_path, rows("time,watts", *lines))
    assert (found.mean_w, found.readings) == (pytest.approx(10.0), 60)
    assert any("begin again once" in note and "10 rows" in note for note in found.notes)
    lines = ["23:59:58,1", "23:59:59,2", "00:00:00,3", "00:00:01,4"]
    found = described(tmp_path, rows("time,watts", *lines))
    assert found.span_s == pytest.approx(3.0)


def test_names_that_are_written_again_are_passed_over(tmp_path):
    found = described(tmp_path, rows("time,watts", "1,2", "2,2", "time,watts", "3,2", "", "# x"))
    assert found.readings == 3


SLIPS = [
    ("time,watts", "6400", "board_input", "more than a board_input draws.*milliwatts"),
    ("time,power", "64000", None, "more than anything draws: milliwatts that have no unit"),
    ("time,voltage,current", "12000000,1500000", "wall", r"18 MW|1\.8e\+13 W"),
    ("time,V,A", "12000,1500", "wall", "mean of 18 MW.*milli- or microvolts"),
    ("time,power_w", "0.0000000064", None, "less than anything that computes draws"),
    ("time,power_w,V,A", "5000,5,1", None, "'power_w' is 1000 times its volts times amps.*unit=mW"),
]


@pytest.mark.parametrize(("header", "cells", "scope", "said"), SLIPS)
def test_a_slip_of_units_is_named(tmp_path, header, cells, scope, said):
    text = rows(header, *(f"{at},{cells}" for at in range(4)))
    with pytest.raises(MeterError, match=said):
        described(tmp_path, text, scope=scope)


@pytest.mark.parametrize(
    ("header", "cells", "scope", "noted"),
    [
        ("time,watts", "6400", None, "a server's, or milliwatts"),
        ("time,watts", "6400", "wall", ""),
        ("time,gpu_power_w", "1200", None, ""),
        ("time,watts", "0.0001", "board_input", "very little"),
        ("time,watts", "0", "board_input", "All powers of 'watts' are 0"),
        ("time,watts,volts,amps,pf", "60,230,0.5,0.52", "wall", ""),
    ],
)
def test_what_may_be_true_is_kept_and_noted(tmp_path, header, cells, scope, noted):
    text = rows(header, *(f"{at},{cells}" for at in range(4)))
    found = described(tmp_path, text, scope=scope)
    doubts = [note for note in found.notes if "no scope" not in note]
    assert any(noted in note for note in doubts) if noted else not doubts


def test_a_total_of_which_the_others_are_parts(tmp_path):
    text = rows("Date,CPU Power,GPU Power,Total Power", *(f"{at},10,5,16" for at in range(3)))
    found = described(tmp_path, text)
    assert found.mean_w == pytest.approx(16.0)
    assert any("'Total Power' is taken" in note for note in found.notes)
    text = rows("time,wall_power,total_power", *(f"{at},10,5" for at in range(3)))
    assert described(tmp_path, text).mean_w is None


def test_volts_and_amps_of_several_channels(tmp_path):
    header = "time,ch1_voltage_mV,ch1_current_mA,ch2_voltage_mV,ch2_current_mA"
    found = described(tmp_path, rows(header, *(f"{at},5000,1000,12000,500" for at in range(3))))
    assert [one.mean for one in found.columns] == pytest.approx([5.0, 6.0])
    assert found.mean_w is None


def test_the_names_of_options_and_columns_are_not_case_sensitive(tmp_path):
    text = rows("time,CPU + GPU [W],Other [W]", *(f"{at},10,5" for at in range(3)))
    assert described(tmp_path, text, column="cpu + gpu").mean_w == pytest.approx(10.0)
    assert described(tmp_path, text, column="CPU + GPU [W]").mean_w == pytest.approx(10.0)


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


def test_units_below_the_names_and_a_summary_at_the_end(tmp_path):
    found = described(tmp_path, "Time;Power\n(s);(mW)\n0;5000\n1;6000\nAverage;5500\n")
    assert (found.mean_w, found.readings) == (pytest.approx(5.5), 2)
    assert any("last line" in note for note in found.notes)
    with pytest.raises(MeterError, match=r"log\.csv:2: is not a row"):
        described(tmp_path, "Time;Power\nTotal;5500\n0;5000\n1;6000\n")


def test_columns_of_one_name_can_be_told_apart(tmp_path):
    text = rows("time,Power [W],Power [W]", *(f"{at},10,5" for at in range(3)))
    assert [one.name for one in described(tmp_path, text).columns] == ["Power [W]", "Power [W] #2"]
    assert described(tmp_path, text, column="Power [W] #2").mean_w == pytest.approx(5.0)


def test_milliamps_called_amps(tmp_path):
    text = rows("time,voltage,current", *(f"{at},5.1,820" for at in range(3)))
    with pytest.raises(MeterError, match=r"mean of 820 A, more than any supply .* current_mA"):
        described(tmp_path, text)
    (tmp_path / "log.csv").write_text(text)
    target = f"log://{tmp_path / 'log.csv'}?unit=mW"
    assert describe_log(target).mean_w == pytest.approx(5.1 * 0.82)


def test_a_column_in_utc_and_times_that_may_be_milliseconds(tmp_path, log):
    lines = [f"2026-11-26 10:00:0{s},5" for s in range(3)]
    found = log(rows("Date/time UTC,Watts", *lines))
    assert (found.clock, found.times_s[0]) == ("unix", 1_795_687_200)
    found = described(tmp_path, rows("time,watts", *(f"{1000 * at},5" for at in range(4))))
    assert any("if its times are milliseconds" in note for note in found.notes)
