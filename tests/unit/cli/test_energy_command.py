"""`inferometer energy attach`, on a store with windows made by hand."""

from __future__ import annotations

import json

import pytest

from inferometer.cli.main import main
from inferometer.core.procedure import Procedure
from inferometer.core.record import Record, Round
from inferometer.core.sweep import Block, Study, Sweep
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
        (("--power-log", "LOG", "--scope", "moon"), "moon is no scope"),
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
