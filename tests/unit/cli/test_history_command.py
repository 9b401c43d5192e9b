"""`inferometer history`, on stores made by hand."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from inferometer.cli.main import main
from inferometer.core.record import Failure, Record
from inferometer.core.run import Run
from inferometer.core.workload import CONTROL, Shape, Target, Variant, Workload, control_at
from inferometer.store import open_store

FIRST = datetime(2026, 1, 1, 3, tzinfo=UTC)
DAYS = 60
SLOWER = 45


def workload(model="net", batch=1):
    return Workload(
        variant=Variant(model=model, backend="torch", precision="fp32"),
        target=Target(threads=2),
        shape=Shape(batch_size=batch, input_size=224),
    )


def record(one, latency_s, half=0.01):
    figures = {
        "latency_median_s": latency_s, "latency_mean_s": latency_s, "latency_confidence": 0.95,
        "latency_ci_low_s": latency_s * (1 - half), "latency_ci_high_s": latency_s * (1 + half),
        "latency_relative_ci_low_s": latency_s * (1 - half),
        "latency_relative_ci_high_s": latency_s * (1 + half),
        "latency_relative_freedom": 10.0, "latency_processes": 3, "verdict": "trusted",
    }  # fmt: skip
    if latency_s is None:
        failure = Failure(stage="measure", kind="crash", message="It died.")
        return Record(workload=one, status="failed", failure=failure)
    return Record(workload=one, status="ok", figures=figures)


def nightly(
    days=DAYS, *, slower=1.0, control=True, models=("net",), devices=("board",), last_fails=False
):
    """Runs of machines that move by 15 %, of which the control tells."""
    random = np.random.default_rng(0)
    for day in range(days):
        machine = np.exp(random.normal(0, 0.15))
        records = [
            record(
                workload(model),
                0.02 * machine * np.exp(random.normal(0, 0.015)) * (slower if day >= SLOWER else 1),
            )
            for model in models
        ]
        if last_fails and day == days - 1:
            failure = Failure(stage="measure", kind="crash", message="It died.")
            records[0] = Record(workload=workload(models[0]), status="failed", failure=failure)
        if control:
            records.append(record(control_at(2), 0.004 * machine))
        yield (
            run(day, torch="2.5.1" if day < SLOWER else "2.6.0", name=devices[day % len(devices)]),
            records,
        )


def run(day, *, torch="2.5.1", name="board"):
    return Run(
        id=f"{day + 0x1000:08x}",
        study="nightly",
        signature="x",
        document={},
        device={"name": name},
        software={"torch": torch, "numpy": "2.1.0"},
        created_at=(FIRST + timedelta(days=day)).timestamp(),
    )


@pytest.fixture
def command(tmp_path, capsys):
    path = tmp_path / "x.db"

    def call(*args, runs=()):
        if runs:
            with open_store(path) as store:
                store.import_runs(runs)
        with pytest.raises(SystemExit) as ended:
            main(["history", *args, "--store", str(path)])
        return ended.value.code, *capsys.readouterr()

    return call


def test_a_slowdown_is_told_with_what_changed_beside_it(command):
    status, out, err = command("net", runs=nightly(slower=1.08))
    assert (status, err) == (0, "")
    assert "net 224/1, board" in out
    text = " ".join(out.split())
    assert "slower, +" in text
    assert "torch 2.5.1 → 2.6.0" in text
    assert "2026-02-15" in text
    assert CONTROL in text
    assert max(map(len, out.splitlines())) <= 80


def test_a_steady_year_passes(command):
    status, out, err = command("net", "--fail-slower", "0%", runs=nightly())
    assert (status, err) == (0, "Passed: 1 workload at most 0 % slower than before.\n")
    assert " none" in out


@pytest.mark.parametrize(("limit", "expected"), [("3%", 1), ("8%", 0), ("20%", 0)])
def test_the_gate_goes_by_the_interval(command, limit, expected):
    status, _, err = command("net", "--fail-slower", limit, runs=nightly(slower=1.08))
    assert status == expected
    assert err.startswith("Failed: slower by more than" if expected else "Passed")


def test_a_draw_passes_or_fails_as_asked(command):
    asked = ("net", "--fail-slower", "8%", "--undecided")
    assert command(*asked, "pass", runs=nightly(slower=1.08))[0] == 0
    status, _, err = command(*asked, "fail")
    assert status == 1
    assert "undecided" in err


def test_without_a_control_the_machine_is_not_told_from_the_model(command):
    runs = list(nightly(control=False, slower=3.0))
    status, out, err = command("net", "--fail-slower", "5%", runs=runs)
    assert status == 0
    assert "undecided" in err
    assert "cannot be told from a slower model" in " ".join(out.split())
    assert command("net", "--fail-slower", "5%", "--undecided", "fail")[0] == 1


def test_another_model_may_be_the_control(command):
    runs = list(nightly(control=False, models=("net", "other")))
    status, out, _ = command("net", "--control", "other", "--json", "-", runs=runs)
    (series,) = json.loads(out)["series"]
    assert status == 0
    assert series["control"] == "other 224/1"
    assert series["between_runs"] < 0.05


def test_a_workload_that_fails_in_its_latest_run_fails_the_gate(command):
    status, out, err = command("net", "--fail-slower", "5%", runs=nightly(last_fails=True))
    assert status == 1
    assert "failed in the latest run: net 224/1" in err
    assert "Failed in 1 run" in " ".join(out.split())


def test_runs_without_the_control_are_left_out_and_counted(command):
    runs = [*nightly(40), *((r, parts[:1]) for r, parts in list(nightly(44))[40:])]
    _, out, _ = command("net", "--json", "-", runs=runs)
    (series,) = json.loads(out)["series"]
    assert (series["runs"], series["runs_without_control"]) == (40, 4)


def test_devices_are_series_of_their_own_unless_they_are_a_pool(command):
    runs = list(nightly(slower=1.08, devices=("a", "b", "c")))
    _, out, _ = command("net", "--json", "-", runs=runs)
    assert [one["device_name"] for one in json.loads(out)["series"]] == ["a", "b", "c"]
    _, out, _ = command("net", "--pool", "--json", "-")
    (series,) = json.loads(out)["series"]
    assert (series["device_name"], series["state"]) == (None, "slower")
    assert set(series["offsets"]) == {"a", "b", "c"}
    _, out, _ = command("net", "--device-name", "b", "--json", "-")
    assert [one["runs"] for one in json.loads(out)["series"]] == [20]


def test_since_and_last_leave_earlier_runs_out(command):
    asked = ("net", "--json", "-")
    _, out, _ = command(*asked, "--since", "2026-02-16", runs=nightly(slower=1.08))
    (series,) = json.loads(out)["series"]
    assert series["state"] == "steady"
    assert series["points"][0]["at"].startswith("2026-02-16")
    _, out, _ = command(*asked, "--last", "12")
    assert json.loads(out)["series"][0]["runs"] == 12


def test_the_json_has_what_the_table_shows(command):
    status, out, err = command(
        "net", "--json", "-", "--fail-slower", "3%", runs=nightly(slower=1.08)
    )
    found = json.loads(out)
    (series,) = found["series"]
    (change,) = series["changes"]
    assert status == 1
    assert err
    assert found["gate"] == {"fail_slower": 0.03, "undecided": "pass", "passes": False}
    assert found["false_alarms_per_year"] == 0.05
    assert series["judgement"] == "slower"
    assert change["ratio_low"] < 1.08 < change["ratio_high"]
    assert change["differences"] == [{"what": "torch", "before": "2.5.1", "after": "2.6.0"}]
    assert [level["runs"] for level in series["levels"]] == [SLOWER, DAYS - SLOWER]
    assert series["ratio_to_best"] == change["ratio"]


def test_junit_has_a_test_for_each_workload(command, tmp_path):
    runs = list(nightly(slower=1.08, models=("net", "other<&")))
    file = tmp_path / "found.xml"
    status, *_ = command("net", "other<&", "--junit", str(file), "--fail-slower", "3%", runs=runs)
    suite = ET.parse(file).getroot().find("testsuite")
    assert status == 1
    assert suite.get("tests") == suite.get("failures") == "2"
    case = suite.findall("testcase")[1]
    assert case.get("name") == "other<& 224/1"
    assert case.find("failure").get("type") == "slower"
    assert "torch 2.5.1" in case.find("system-out").text


def test_few_runs_are_skipped_in_junit(command):
    status, out, _ = command("net", "--junit", "-", "--fail-slower", "3%", runs=nightly(5))
    suite = ET.fromstring(out).find("testsuite")
    assert status == 0
    assert (suite.get("skipped"), suite.get("failures")) == ("1", "0")


def test_markdown_is_a_summary(command, tmp_path):
    file = tmp_path / "summary.md"
    file.write_text("before")
    command("net", "--markdown", str(file), "--fail-slower", "3%", runs=nightly(slower=1.08))
    text = file.read_text(encoding="utf-8")
    assert text.startswith("## Latency over time\n\nFailed: slower by more than 3 %")
    assert "| workload |" in text
    assert "torch 2.5.1 → 2.6.0" in text


@pytest.mark.parametrize("suffix", ["svg", "png"])
def test_a_plot_is_drawn(command, tmp_path, suffix):
    pytest.importorskip("matplotlib")
    file = tmp_path / f"found.{suffix}"
    status, *_ = command("net", "--plot", str(file), runs=nightly(slower=1.08))
    assert status == 0
    content = file.read_bytes()
    assert content.startswith(b"\x89PNG" if suffix == "png" else b"<?xml")
    if suffix == "svg":
        assert "torch 2.5.1 → 2.6.0".encode() in content


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("nett",), "no run has the model 'nett' (did you mean 'net'?)"),
        (("net", "--batch", "7"), "no workload of net is left by"),
        (("net", "--since", "soon"), "expected a date such as 2026-11-30"),
        (("net", "--last", "0"), "expected a whole number"),
        (("net", "--plot", "x.pdf"), "expected a file that ends with .svg or .png"),
        (("net", "--json", "-", "--junit", "-"), "only one of --json, --junit and --markdown"),
        ((), "Missing argument"),
    ],
)
def test_bad_input_is_one_sentence(command, args, said):
    status, out, err = command(*args, runs=nightly(12))
    assert status == 2
    assert out == ""
    assert said in err
