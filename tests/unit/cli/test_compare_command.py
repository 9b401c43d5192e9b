"""`inferometer compare`, on stores made by hand."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from inferometer.cli.main import main
from inferometer.core.procedure import Procedure
from inferometer.core.record import Failure, Record
from inferometer.core.sweep import Study, Sweep
from inferometer.core.workload import CONTROL
from inferometer.store import open_store

STUDY = Study(name="two", sweep=Sweep(models=("a", "b"), threads=2), procedure=Procedure())


def fill(path, *runs, half=0.001, study=STUDY):
    """A store with a run for each list of medians; None fails. Gives the runs' ids."""
    ids = []
    with open_store(path) as store:
        for medians in runs:
            run = store.create_run(study, planned=2, device={"name": "board"}, software={})
            for workload, median in zip(study.workloads(), medians, strict=True):
                store.put_record(run.id, outcome(workload, median, half))
            store.finish_run(run.id, 1.0)
            ids.append(run.id)
    return ids


def outcome(workload, median, half=0.001):
    if median is None:
        failure = Failure(stage="measure", kind="crash", message="It died.")
        return Record(workload=workload, status="failed", failure=failure)
    figures = {
        "latency_median_s": median, "latency_mean_s": median, "latency_confidence": 0.95,
        "latency_ci_low_s": median * (1 - half), "latency_ci_high_s": median * (1 + half),
        "latency_processes": 3, "latency_rounds": 30, "verdict": "trusted",
    }  # fmt: skip
    return Record(workload=workload, status="ok", figures=figures)


@pytest.fixture
def command(tmp_path, capsys):
    def call(*args):
        with pytest.raises(SystemExit) as ended:
            main(["compare", *args, "--store", str(tmp_path / "x.db")])
        return ended.value.code, *capsys.readouterr()

    return call


def test_two_runs_side_by_side(tmp_path, command):
    base, other = fill(tmp_path / "x.db", (0.010, 0.020), (0.011, 0.0199))
    status, out, err = command(base, other)
    assert (status, err) == (0, "")
    assert "1.100 [" in out
    assert "slower" in out
    assert "equivalent" in out
    assert "measured apart, not interleaved" in out.replace("\n  ", " ")
    assert max(map(len, out.splitlines())) <= 80


def test_json_alone_on_standard_output(tmp_path, command):
    fill(tmp_path / "x.db", (0.010, 0.020))
    status, out, _ = command("--by", "model", "--json", "-")
    (row,) = json.loads(out)
    assert status == 0
    assert {
        "metric", "baseline", "contender", "ratio", "ratio_low", "ratio_high", "verdict",
    } <= row.keys()  # fmt: skip
    assert (row["baseline"], row["contender"], row["verdict"]) == ("a", "b", "slower")


@pytest.mark.parametrize(
    ("args", "names"),
    [
        (("--by", "model"), ["a", "b"]),
        (("latest", "--by", "model"), ["a", "b"]),
        (("b", "a", "--by", "model"), ["b", "a"]),
        (("b", "--by", "model", "--run", "latest"), ["b", "a"]),
    ],
)
def test_within_a_run(tmp_path, command, args, names):
    fill(tmp_path / "x.db", (0.010, 0.020))
    _, out, _ = command(*args, "--json", "-")
    (row,) = json.loads(out)
    assert [row["baseline"], row["contender"]] == names


def test_models_are_called_as_tables_call_them(tmp_path, command):
    models = ("nets/mine.py:old", "nets/mine.py:new")
    fill(tmp_path / "x.db", (0.010, 0.020), study=replace(STUDY, sweep=Sweep(models=models)))
    _, out, _ = command("old", "new", "--by", "model", "--json", "-")
    (row,) = json.loads(out)
    assert (row["baseline"], row["contender"]) == models
    status, _, err = command("old", "nwe", "--by", "model")
    assert (status, "did you mean 'new'?" in err) == (2, True)
    status, _, err = command("old", "new")
    assert (status, "compare old new --by model" in err) == (2, True)


@pytest.mark.parametrize(
    ("later", "limit", "expected"),
    [((0.011, 0.02), "5%", 1), ((0.011, 0.02), "15%", 0), ((0.01, None), "5%", 1)],
)
def test_the_gate(tmp_path, command, later, limit, expected):
    base, other = fill(tmp_path / "x.db", (0.010, 0.020), later)
    assert command(base, other, "--fail-slower", limit)[0] == expected
    assert command(base, other)[0] == 0


SLOWER = "{} a own size/1 1.100 [1.099, 1.101]."
DRAWN = f"undecided, as no interval excludes 10 %: {SLOWER}"


@pytest.mark.parametrize(
    ("args", "fails", "says"),
    [
        (["5%"], True, f"Failed: slower by more than 5 %: {SLOWER}"),
        (["15%"], False, "Passed: 2 comparisons, with all of the interval at most 15 % slower."),
        (["10%"], False, f"Passed, with --undecided pass: {DRAWN}"),
        (["10%", "--undecided", "fail"], True, f"Failed: {DRAWN}"),
    ],
)
def test_the_gate_decides_by_the_interval_and_says_why(tmp_path, command, args, fails, says):
    base, other = fill(tmp_path / "x.db", (0.010, 0.020), (0.011, 0.02))
    status, _, err = command(base, other, "--fail-slower", *args)
    assert (status, err) == (int(fails), says.format(other) + "\n")


def test_a_slower_control_tells_of_the_machine_and_fails_nothing(tmp_path, command):
    study = replace(STUDY, sweep=Sweep(models=("a", CONTROL), threads=2))
    base, other = fill(tmp_path / "x.db", (0.010, 0.004), (0.010, 0.005), study=study)
    status, out, err = command(base, other, "--fail-slower", "5%")
    assert CONTROL in out
    assert (status, err[:21]) == (0, "Passed: 1 comparison,")


def test_the_gate_fails_where_a_side_has_no_figure(tmp_path, command):
    base, other = fill(tmp_path / "x.db", (0.010, 0.020), (0.010, None))
    status, _, err = command(base, other, "--fail-slower", "5%")
    assert (status, err) == (
        1,
        f"Failed: without a figure: b own size/1: {other}: crash: It died.\n",
    )


def test_a_lower_bound_within_the_limit_does_not_fail_the_gate(tmp_path, command):
    """The ratio is 1.25, beyond the limit of 15 %; its interval begins at about 1.12."""
    base, other = fill(tmp_path / "x.db", (0.010, 0.020), (0.0125, 0.02), half=0.12)
    status, out, err = command(base, other, "--fail-slower", "15%")
    assert (status, "slower" in out) == (0, True)
    assert "undecided" in err


def test_a_side_that_failed_is_named(tmp_path, command):
    base, other = fill(tmp_path / "x.db", (0.010, 0.020), (0.010, None))
    _, out, _ = command(base, other)
    assert "Not compared:" in out
    assert "crash: It died." in out


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("latest",), "give two runs, or --by model"),
        (("latest", "latest"), "both are the same run"),
        (("zzzz", "latest"), "no run begins with 'zzzz'"),
        (("a", "c", "--by", "model"), "no model 'c'; it has a, b"),
        (("--by", "backend"), "differs in its backend alone"),
        (("latest", "--run", "x"), "--run goes with --by"),
        (("--by", "model", "--zone", "x"), "x"),
    ],
)
def test_bad_input_is_one_sentence(tmp_path, command, args, says):
    fill(tmp_path / "x.db", (0.010, 0.020))
    status, out, err = command(*args)
    assert (status, out) == (2, "")
    assert says in err
    assert "Traceback" not in err
