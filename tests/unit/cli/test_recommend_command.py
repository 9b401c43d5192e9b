"""`inferometer recommend`, on stores made by hand."""

from __future__ import annotations

import json

import numpy as np
import pytest

from inferometer.cli.main import main
from inferometer.core.dataset import Evaluation, Kept
from inferometer.core.procedure import Procedure
from inferometer.core.record import Failure, Record
from inferometer.core.sweep import Block, Study, Sweep
from inferometer.store import open_store

SAMPLES = 500
MODELS = {"quick": (0.010, 450), "careful": (0.030, 480), "poor": (0.050, 400)}
"""Latency of each, and how many samples it gets right."""


def figures(latency_s, right, **more):
    share = right / SAMPLES
    half = 1.96 * (share * (1 - share) / SAMPLES) ** 0.5
    return {
        "latency_median_s": latency_s, "latency_mean_s": latency_s, "latency_confidence": 0.95,
        "latency_ci_low_s": latency_s * 0.98, "latency_ci_high_s": latency_s * 1.02,
        "latency_processes": 5, "latency_rounds": 30, "verdict": "trusted",
        "peak_memory_bytes": 200 * 2**20, "accuracy": share, "accuracy_ci_low": share - half,
        "accuracy_ci_high": share + half, "accuracy_metric": "top1", "dataset": "digits",
        "accuracy_examples": SAMPLES, "accuracy_batch_size": 1, **more,
    }  # fmt: skip


def judged(workload, right):
    """A pass in which those samples are right; of two models the better one has all of the other's."""
    rows = (np.arange(SAMPLES) < right).astype(float)[:, None]
    return Evaluation(
        workload=workload.key,
        dataset="digits",
        task="classification",
        classes=("a", "b"),
        digest="d",
        metric="top1",
        higher_is_better=True,
        samples=SAMPLES,
        kept=Kept.of(rows),
        units=np.arange(SAMPLES),
        contents=tuple(f"{number:032x}" for number in range(SAMPLES)),
    )


def fill(path, models=MODELS, *, passes=False, dead="", **more):
    study = Study(
        name="trade",
        sweep=Sweep(models=tuple(models), blocks=(Block(sizes=(224,), batches=(1,)),), threads=2),
        procedure=Procedure(),
    )
    with open_store(path) as store:
        run = store.create_run(study, planned=len(models), device={"name": "board"}, software={})
        for workload in study.workloads():
            model = workload.variant.model
            known = figures(*models[model], **more)
            failure = Failure(stage="load", kind="crash", message="It died.")
            store.put_record(
                run.id,
                Record(workload=workload, status="failed", failure=failure)
                if model == dead
                else Record(workload=workload, status="ok", figures=known),
            )
            if passes:
                store.put_evaluation(run.id, judged(workload, models[model][1]))
        store.finish_run(run.id, 1.0)
    return run.id


@pytest.fixture
def command(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")

    def call(*args):
        with pytest.raises(SystemExit) as ended:
            main(["recommend", *args, "--store", str(tmp_path / "x.db")])
        return ended.value.code, *capsys.readouterr()

    return call


@pytest.fixture
def store(tmp_path):
    return tmp_path / "x.db"


def test_the_choice_comes_first_and_all_fits_eighty_columns(store, command):
    fill(store, dead="poor", parameters=11_000_000)
    limits = ("--max-latency", "50ms", "--max-memory", "300MB", "--max-parameters", "20M")
    status, out, err = command("latest", *limits, "--min-accuracy", "85%", "--prefer", "accuracy")
    assert (status, err) == (0, "")
    assert out.startswith("Take careful 224/1: of 2 workloads within all limits it has the best")
    assert "? : " not in out
    assert "poor 224/1: failed: It died" in out
    assert max(map(len, out.splitlines())) <= 80


def test_the_json_is_alone_on_standard_output(store, command):
    fill(store)
    status, out, err = command(
        "latest", "--prefer", "latency", "--min-accuracy", "0.5", "--json", "-"
    )
    row = json.loads(out)
    assert (status, err) == (0, "")
    assert row["choice"]["label"] == "quick 224/1"
    assert [one["label"] for one in row["front"]] == ["quick 224/1", "careful 224/1"]
    assert row["dominated"][0]["by"] in {"quick 224/1", "careful 224/1"}


def test_none_within_all_limits_says_which_is_closest_and_what_to_give_up(store, command):
    fill(store)
    status, out, _ = command("--max-latency", "20ms", "--min-accuracy", "0.95")
    assert status == 1
    assert "None of 3 workloads keeps to all limits. Closest is quick 224/1" in out
    assert "To take it, allow accuracy of 0.900 in place of 0.950." in out
    assert json.loads(command("--max-latency", "1ms", "--json", "-")[1])["choice"] is None


def test_what_is_missing_of_all_leaves_no_choice(store, command):
    fill(store)
    status, out, _ = command("--max-energy", "0.5J")
    assert status == 1
    assert "no workload has all figures" in out
    assert "no energy" in out


def test_pairs_of_stored_passes_decide_what_intervals_alone_leave_open(store, command):
    """483 and 490 of 500: the intervals meet, yet each sample that the one has the other has too."""
    models = {"quick": (0.010, 483), "careful": (0.030, 490)}
    fill(store, models)
    fill(store, models, passes=True)
    alone, paired = (
        json.loads(command(f"{run}", "--prefer", "accuracy", "--json", "-")[1])
        for run in runs_of(store)
    )
    assert [one["label"] for one in alone["tied"]] == ["quick 224/1"]
    assert paired["tied"] == []
    assert paired["choice"]["label"] == "careful 224/1"
    assert paired["choice"]["probability_best"] > 0.99


def runs_of(path):
    with open_store(path, create=False) as store:
        return sorted((run.id for run in store.runs()), key=lambda one: len(store.evaluations(one)))


def test_a_fastest_that_is_insignificantly_less_accurate_is_recommended_as_a_tie(store, command):
    fill(store, {"quick": (0.010, 466), "careful": (0.030, 467)}, passes=True)
    status, out, _ = command("--prefer", "accuracy")
    assert status == 0
    assert out.startswith("Take quick 224/1: its accuracy")
    assert "cannot be told" in out
    assert "Tied: may be better than quick 224/1:" in out


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (("--prefer", "acuracy"), "'acuracy' is unknown (did you mean 'accuracy'?)"),
        (("--max-latency", "5kg"), "is not a duration"),
        (("--max-latency", "-5ms"), "is negative"),
        (("--max-energy", "3V"), "is not an energy: write it like 0.5J"),
        (("--max-memory", "0"), "is not an amount of memory"),
        (("--max-parameters", "many"), "is not a count"),
        (("--min-accuracy", "95"), "write 95% for 0.95"),
        (("--max-error", "0.1"), "top1 is better the more it is; give --min-accuracy"),
        (("--min-accuracy", "0.9", "--max-error", "0.1"), "give one of them"),
        (("--batch", "7"), "no workload has such a shape; there are 224/1"),
        (("--max-latncy", "5ms"), "--max-latency"),
        (("nosuch",), "nosuch"),
    ],
)
def test_bad_usage_is_told_in_a_sentence(store, command, given, says):
    fill(store)
    status, out, err = command(*given)
    assert (status, out) == (2, "")
    assert says in err
