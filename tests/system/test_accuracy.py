"""Accuracy on labelled data: equal to that of a plain loop, whatever happens on the way."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binomtest

from inferometer.datasets import open_dataset
from inferometer.store import open_store

JUDGED = Path(__file__).parents[1] / "models" / "judged.py"
QUICK = (
    "--size", "own", "--preset", "quick", "--target", "50%", "--no-roofline", "--no-energy",
    "--store", "x.db",
)  # fmt: skip


@pytest.fixture
def folder(cli):
    shutil.copy(JUDGED, cli.folder / "judged.py")
    return cli.folder


def by_a_plain_loop(folder, model):
    """Right or wrong, sample for sample, without any of our metrics, batches or workers."""
    import importlib.util

    import torch

    spec = importlib.util.spec_from_file_location("judged_apart", folder / "judged.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    network, _ = getattr(module, model)()
    data = open_dataset(f"{folder}/judged.py:data", "test")
    right = []
    for number in sorted(range(len(data)), key=lambda number: data.contents[number]):
        sample = data[number]
        x = np.asarray(sample.input, np.float32)[None]
        with torch.no_grad():
            output = network(torch.from_numpy(x) if isinstance(network, torch.nn.Module) else x)
        right.append(float(int(np.argmax(np.asarray(output)[0])) == int(sample.label)))
    return right


@pytest.fixture(scope="module")
def judged(cli_of_all):
    """Models of both backends, judged: each of its own run."""
    shutil.copy(JUDGED, cli_of_all.folder / "judged.py")
    for backend, models in (("python", ("function",)), ("torch", ("network", "rounded"))):
        cli_of_all(
            "run", "--models", ",".join(f"judged.py:{model}" for model in models), "--backends",
            backend, "--batch", "7,16", "--data", "judged.py:data", *QUICK,
        )  # fmt: skip
    return cli_of_all


@pytest.mark.parametrize("model", ["network", "rounded", "function"])
def test_accuracy_is_that_of_a_plain_loop_sample_for_sample(judged, model):
    right = by_a_plain_loop(judged.folder, model)
    with open_store(judged.folder / "x.db") as store:
        run = store.runs()[model == "function"]
        records = [one for one in store.records(run.id) if one["model"].endswith(model)]
        found = store.evaluations(run.id)
    (kept,) = (found[one.workload.key] for one in records if one.workload.key in found)
    assert kept.kept.rows[:, 0].tolist() == right
    exact = binomtest(int(sum(right)), len(right)).proportion_ci(method="wilson")
    for record in records:
        assert record["accuracy"] == pytest.approx(np.mean(right))
        assert record["accuracy_ci_low"] == pytest.approx(exact.low)
        assert record["accuracy_ci_high"] == pytest.approx(exact.high)
        assert record["accuracy_examples"] == len(right)
        assert record["accuracy_metric"] == "top1"
        assert record["pending"] == []
    passed = [one for one in records if one["data_latency_s"] is not None]
    assert [one["batch_size"] for one in passed] == [passed[0]["accuracy_batch_size"]]
    assert passed[0]["data_preprocess_s"] > 0


def test_two_models_are_compared_in_speed_and_accuracy_at_once(judged):
    out, _ = judged("compare", "latest", "--by", "model", "--store", "x.db", "--json", "-")
    rows = json.loads(out)
    assert len(rows) == 2
    one, other = (by_a_plain_loop(judged.folder, name) for name in ("network", "rounded"))
    only = [sum(a > b for a, b in zip(one, other, strict=True)),
            sum(a < b for a, b in zip(one, other, strict=True))]  # fmt: skip
    for row in rows:
        assert row["accuracy_difference"] == pytest.approx(np.mean(other) - np.mean(one))
        assert row["accuracy_p"] == pytest.approx(binomtest(only[0], sum(only)).pvalue)
        assert row["accuracy_verdict"] in ("worse", "worse_than_margin", "undecided", "not_worse")
        assert row["verdict"] in ("faster", "slower", "equivalent", "undecided")
    text, _ = judged("compare", "latest", "--by", "model", "--margin", "90%", "--store", "x.db")
    assert "not worse by 0.9 or more" in " ".join(text.split())


def test_what_does_not_fit_is_a_reason_and_the_latency_stays(cli, folder):
    cli(
        "run", "--models", "judged.py:two_classes,judged.py:dies_on_data,judged.py:network",
        "--batch", "4", "--data", "judged.py:data", *QUICK,
    )  # fmt: skip
    wrong, dead, right = cli.rows(store="x.db")
    assert "2" in wrong["accuracy_reason"]
    assert "2 classes apart, while the dataset has 4" in wrong["accuracy_reason"]
    assert "(crash)" in dead["accuracy_reason"]
    for record in (wrong, dead):
        assert record["status"] == "ok"
        assert record["latency_median_s"] > 0
        assert record["accuracy"] is None
    assert right["accuracy"] == pytest.approx(0.8, abs=0.1)


def test_a_metric_of_the_users_is_taken(cli, folder):
    cli(
        "run", "--models", "judged.py:function", "--backends", "python", "--batch", "4",
        "--data", "judged.py:data", "--metric", "judged.py:distance", *QUICK,
    )  # fmt: skip
    (record,) = cli.rows(store="x.db")
    assert record["accuracy_metric"] == "judged.py:distance"
    assert 0 < record["accuracy"] < 0.2
    assert record["accuracy_ci_low"] < record["accuracy"] < record["accuracy_ci_high"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--data", "nowhere"], "nowhere"),
        (["--data", "digitz"], "did you mean 'digits'"),
        (["--data", "judged.py:missing"], "missing"),
        (["--metric", "top1"], "--metric goes with --data"),
        (["--data", "judged.py:data", "--metric", "wer"], "wer is for transcription"),
        (["--data", "judged.py:network"], "judged.py:network"),
    ],
)
def test_bad_data_is_said_before_anything_is_measured(cli, folder, given, said):
    _, err = cli("run", "--models", "judged.py:network", *given, *QUICK, status=2)
    assert said in " ".join(err.split())
    if (folder / "x.db").exists():
        with open_store(folder / "x.db") as store:
            assert store.runs() == []


def test_a_run_that_had_no_data_is_judged_by_another(cli, folder):
    """Data belongs to the study: a run without it is another study, which is not resumed."""
    asked = ("--models", "judged.py:function", "--backends", "python", "--batch", "4", *QUICK)
    cli("run", *asked)
    cli("run", "--resume", *asked, "--data", "judged.py:data")
    with open_store(folder / "x.db") as store:
        assert len(store.runs()) == 2
