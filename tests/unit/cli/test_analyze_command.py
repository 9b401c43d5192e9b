"""`inferometer analyze` as a user calls it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from inferometer.cli.main import main

LAB2 = Path(__file__).parents[2] / "data" / "lab2_jetson_nano_2gb.csv"


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    path = tmp_path_factory.mktemp("lab") / "lab.db"
    with pytest.raises(SystemExit) as left:
        main(["import", str(LAB2), "--store", str(path)])
    assert left.value.code == 0
    return path


def call(capsys, *arguments):
    with pytest.raises(SystemExit) as left:
        main(list(map(str, arguments)))
    return left.value.code, *capsys.readouterr()


def test_the_answers_stand_first_and_fit_the_width(capsys, store, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    code, out, _ = call(capsys, "analyze", "--store", store)
    assert code == 0
    lines = out.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[:3] == ["Hypotheses", "", "  latency increases with parameters"]
    text = " ".join(out.split())
    assert "Refuted: unet has fewer parameters than resnet18" in text
    assert "11 of 11 comparisons" in text
    assert "2.90050734299 to the last digit" in text
    assert "which differences are noise cannot be known" in text
    assert "inferometer cost MODEL counts them" in text


def test_json_alone_is_an_object_of_three_lists(capsys, store):
    code, out, _ = call(capsys, "analyze", "latest", "--store", store, "--json", "-")
    assert code == 0
    found = json.loads(out)
    assert list(found) == ["hypotheses", "anomalies", "scaling", "operators"]
    assert all(isinstance(part, list) for part in found.values())
    assert found["hypotheses"][0]["outcome"] == "refuted"
    assert found["anomalies"][0]["kind"] == "repeated_figure"
    assert found["scaling"][0]["axis"] == "batch_size"


def test_hypotheses_can_be_asked_for(capsys, store):
    code, out, _ = call(
        capsys, "analyze", "--store", store, "--json", "-",
        "--hypothesis", "resnet18 is faster than unet", "--hypothesis", "energy rises with macs",
    )  # fmt: skip
    assert code == 0
    found = json.loads(out)["hypotheses"]
    assert [one["outcome"] for one in found] == ["supported", "untestable"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--hypothesis", "cheese"], "is not a hypothesis that can be tested"),
        (["nothing"], "nothing"),
    ],
)
def test_bad_input_is_one_sentence(capsys, store, arguments, says):
    code, out, err = call(capsys, "analyze", *arguments, "--store", store)
    assert code == 2
    assert out == ""
    assert says in err
    assert "Traceback" not in err
