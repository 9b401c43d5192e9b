"""`inferometer energy attach`, on a store with windows made by hand."""

from __future__ import annotations

import json
import re

import pytest

from inferometer.cli.main import main
from inferometer.core.procedure import Procedure
from inferometer.core.record import Record, Round
from inferometer.core.sweep import Block, Study, Sweep
from inferometer.runner.phases.energy.windows import MARGIN_S
from inferometer.store import open_store

STUDY = Study(
    name="one",
    sweep=Sweep(models=("a",), blocks=(Block(batches=(2,)),), threads=1),
    procedure=Procedure(),
)
REST_W, WORK_W, CALL_S = 4.0, 14.0, 0.1


def done(index, phase, start_s, values, value_s):
    return Round(
        index=index, process=3, phase=phase, started_at=start_s, calls_per_value=1, settle=0,
        starts_s=tuple(i * value_s for i in range(values)), values_s=(value_s,) * values,
    )  # fmt: skip


@pytest.fixture
def store(tmp_path):
    """Rest, warm-up, five windows of work, rest; and the log of a meter whose clock is 2.5 s off."""
    rounds, at, load = [done(0, "idle", 1000.0, 1, 30.0)], 1030.0, []
    gaps = (0.0, 0.3, 0.9, 0.2, 0.7, 0.5)
    for number, gap in enumerate(gaps):
        at += gap
        rounds.append(done(number + 1, "energy" if number else "warmup", at, 130, CALL_S))
        load.append((at, at + 13.0))
        at += 13.0
    rounds.append(done(9, "idle", at, 1, 30.0))
    with open_store(tmp_path / "x.db") as opened:
        run = opened.create_run(STUDY, planned=1, device={"name": "board"}, software={})
        figures = {"latency_median_s": CALL_S, "latency_mean_s": CALL_S}
        (workload,) = STUDY.workloads()
        record = Record(workload=workload, status="ok", figures=figures)
        opened.put_record(run.id, record, rounds)
    times = [990 + 0.1 * i for i in range(1700)]
    rows = [
        f"{t - 2.5:.2f},{WORK_W if any(a <= t < b for a, b in load) else REST_W + i % 2 / 50}"
        for i, t in enumerate(times)
    ]
    (tmp_path / "log.csv").write_text("\n".join(["timestamp,watts", *rows]))
    return tmp_path


def attach(store, capsys, *more):
    with pytest.raises(SystemExit) as ended:
        main(["energy", "attach", "--store", str(store / "x.db"), *more])
    return ended.value.code, *capsys.readouterr()


def test_a_log_is_joined_with_its_clock_fitted(store, capsys):
    status, out, err = attach(store, capsys, "--power-log", str(store / "log.csv"))
    assert (status, err) == (0, "")
    assert "The log's clock: +2.5" in out
    assert max(map(len, out.splitlines())) <= 80
    assert "per sample (csv:log.csv, wall)" in out
    with open_store(store / "x.db") as opened:
        (record,) = opened.records(opened.run("latest").id)
    assert record["energy_per_inference_j"] == pytest.approx(WORK_W * CALL_S / 2, rel=0.02)
    assert record["energy_net_per_inference_j"] == pytest.approx(10 * CALL_S / 2, rel=0.02)


def test_a_column_is_named_as_the_message_says(store, capsys):
    rows = (store / "log.csv").read_text().splitlines()[1:]
    lines = ["time,power_a_w,power_b_w", *(f"{row},1" for row in rows)]
    (store / "two.csv").write_text("\n".join(lines))
    status, _, err = attach(store, capsys, "--power-log", str(store / "two.csv"))
    assert (status, "csv://FILE?power=NAME" in err) == (2, True)
    target = f"csv://{store / 'two.csv'}?power=power_a_w"
    status, out, _ = attach(store, capsys, "--power-log", target)
    assert (status, "per sample (csv:two.csv, wall)" in out) == (0, True)


def test_json_scope_gain_and_offset(store, capsys):
    _, out, _ = attach(
        store, capsys, "--power-log", str(store / "log.csv"), "--offset", "2.5",
        "--scope", "module_input", "--gain", "1%", "--json", "-",
    )  # fmt: skip
    (row,) = json.loads(out)
    assert row["energy_scope"] == "module_input", row["energy_reason"]
    assert row["energy_uncertainty_j"] >= 0.005 * row["energy_per_inference_j"]


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("--power-log", "none.csv"), "none.csv cannot be read"),
        (("--power-log", "LOG", "--offset", "soon"), "expected auto or seconds"),
        (("--power-log", "LOG", "--offset", "nan"), "expected auto or seconds"),
        (("--power-log", "LOG", "--scope", "moon"), "moon is not a scope"),
        (("--power-log", "LOG", "--offset", "9999"), None),
        ((), "--power-log"),
    ],
)
def test_bad_input_is_one_sentence(store, capsys, args, says):
    args = [str(store / "log.csv") if one == "LOG" else one for one in args]
    status, out, err = attach(store, capsys, *args)
    if says is None:  # the log does not cover the windows: withheld, with the reason
        assert "withheld" in out
        return
    assert (status, out) == (2, "")
    assert says in err
    assert "Traceback" not in err


def write_log(store, times, watts_at):
    """A log of instantaneous readings."""
    rows = [f"{at:.3f},{watts_at(at) + i % 2 / 50}" for i, at in enumerate(times)]
    (store / "other.csv").write_text("\n".join(["timestamp,watts", *rows]))
    return "--power-log", str(store / "other.csv")


def rounds_of(store):
    with open_store(store / "x.db") as opened:
        (record,) = opened.records(opened.run("latest").id, with_rounds=True)
    return [(r.phase, r.started_at, r.starts_s[-1] + r.values_s[-1]) for r in record.rounds]


@pytest.mark.parametrize(  # all edges lie on a grid of 0.1 s
    ("rate_hz", "within_s"), [(1, 0.15), (4, 0.05), (10, 0.05), (20, 0.025)]
)
@pytest.mark.parametrize("shown", ["all work", "windows"])
def test_the_clock_is_found_whatever_of_the_work_a_log_shows(
    store, capsys, rate_hz, within_s, shown
):
    """It was off by a period at the side of the load's end, and 10 Hz with pauses was refused."""
    cut_s = {"all work": 0.0, "windows": MARGIN_S}[shown]
    load = [
        (at + cut_s * (phase == "energy"), at + length_s - cut_s * (phase == "energy"))
        for phase, at, length_s in rounds_of(store)
        if phase != "idle"
    ]

    def watts_at(at):
        return WORK_W if any(a <= at - 7 < b for a, b in load) else REST_W

    times = [995.03 + i / rate_hz for i in range(165 * rate_hz)]
    status, out, err = attach(store, capsys, *write_log(store, times, watts_at))
    assert (status, err) == (0, "")
    offset_s = float(re.search(r"clock: ([-+][\d.]+) s", out)[1])
    assert offset_s == pytest.approx(-7, abs=within_s + 0.005)


@pytest.mark.parametrize(
    ("begins", "ends", "says"),
    [
        (990, 1080, "The log ends 30 s before the last window did; it covers 2 of 5 windows"),
        (1060, 1200, "The log begins 16 s after the first window did; it covers 3 of 5 windows"),
    ],
)
def test_a_log_of_a_part_says_by_how_much(store, capsys, begins, ends, says):
    load = [(at, at + length_s) for phase, at, length_s in rounds_of(store) if phase != "idle"]
    rows = write_log(
        store,
        [begins + i / 10 for i in range(10 * (ends - begins))],
        lambda at: WORK_W if any(a <= at < b for a, b in load) else REST_W,
    )
    status, out, err = attach(store, capsys, *rows, "--offset", "0")
    assert (status, err) == (0, "")
    assert says in out
    assert "windows of work of this workload" in out
    assert "J per sample" not in out


def read(capsys, *more):
    with pytest.raises(SystemExit) as ended:
        main(["energy", "read", *map(str, more)])
    return ended.value.code, *capsys.readouterr()


def test_read_says_what_a_log_holds(tmp_path, capsys):
    file = tmp_path / "log.csv"
    rows = "".join(f"2026/11/26 10:00:0{s}.000, {60 + s}.00 W\n" for s in range(3))
    file.write_text(f"timestamp, power.draw [W]\n{rows}")
    status, out, err = read(capsys, file)
    assert (status, err) == (0, "")
    assert "nvidia-smi: 61.0 W on average, 3 readings over 2.00 s; covers gpu, measured" in out
    status, out, _ = read(capsys, file, "--json", "-", "--scope", "board_input")
    found = json.loads(out)
    assert {key: found[key] for key in list(found)[:6]} == {
        "format": "nvidia-smi", "scope": "board_input", "method": "measured", "readings": 3,
        "span_s": 2.0, "mean_w": 61.0,
    }  # fmt: skip
    (column,) = found["columns"]
    assert (column["name"], column["unit"]) == ("power.draw [W]", "W")
    assert (column["mean"], column["min"], column["max"]) == (61.0, 60.0, 62.0)
    assert any("gpu; board_input was given" in note for note in found["notes"])


def test_read_lists_several_powers_and_takes_one_or_their_sum(tmp_path, capsys):
    file = tmp_path / "log.csv"
    file.write_text("time,a_w,b_w\n" + "".join(f"{t},1,2\n" for t in range(4)))
    status, out, _ = read(capsys, file)
    assert (status, "2 powers, of which none is chosen" in out) == (0, True)
    assert json.loads(read(capsys, file, "--json", "-")[1])["mean_w"] is None
    assert json.loads(read(capsys, file, "--json", "-", "--column", "b_w")[1])["mean_w"] == 2.0
    status, out, _ = read(capsys, f"log://{file}?power=a_w+b_w", "--json", "-")
    assert json.loads(out)["mean_w"] == 3.0


def test_read_refuses_in_one_sentence(tmp_path, capsys):
    file = tmp_path / "log.csv"
    file.write_text("watts\n1\n")
    for args in ((file,), (tmp_path / "none",), (file, "--interval", "0"), (file, "--scope", "x")):
        status, out, err = read(capsys, *args)
        assert (status, out) == (2, "")
        assert "Traceback" not in err


def test_attach_takes_a_column_and_an_interval(store, capsys):
    rows = (store / "log.csv").read_text().splitlines()[1:]
    lines = ["power_a_w,power_b_w", *(f"{row.partition(',')[2]},1" for row in rows)]
    (store / "two.csv").write_text("\n".join(lines))
    status, out, err = attach(
        store, capsys, "--power-log", str(store / "two.csv"), "--column", "power_a_w",
        "--interval", "100ms",
    )  # fmt: skip
    assert (status, err) == (0, "")
    assert "per sample (csv:two.csv, wall)" in out
