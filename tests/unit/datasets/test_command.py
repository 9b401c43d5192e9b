"""`inferometer datasets`."""

from __future__ import annotations

import json

import numpy as np
import pytest

from inferometer.cli.main import main


@pytest.fixture
def call(capsys):
    def run(*arguments):
        with pytest.raises(SystemExit) as end:
            main(["datasets", *arguments])
        captured = capsys.readouterr()
        return end.value.code, captured.out, captured.err

    return run


def test_lists_what_is_known(call):
    status, out, _ = call()
    assert status == 0
    assert {"digits", "mnist_5k", "./FOLDER"} <= {line.split(" ")[0] for line in out.splitlines()}
    assert max(map(len, out.splitlines())) <= 80


def test_what_is_missing_is_listed_with_its_command(call, monkeypatch):
    monkeypatch.setattr("inferometer.core.registry.find_spec", lambda _: None)
    _, out, _ = call()
    assert "digits: pip install 'inferometer[data]'" in out
    assert max(map(len, out.splitlines())) <= 80


def test_the_list_as_json(call):
    _, out, _ = call("--json", "-")
    entry = next(one for one in json.loads(out) if one["name"] == "digits")
    assert entry["samples"] == 1797
    assert entry["installed"] is True


def test_shows_one(call):
    status, out, err = call("digits")
    assert (status, err) == (0, "")
    assert "digits: classification, 10 classes, images 8x8" in out
    assert any(line.split()[:2] == ["test", "527"] for line in out.splitlines())
    assert "CC BY 4.0" in out
    assert max(map(len, out.splitlines())) <= 80


def test_one_as_json(call):
    _, out, _ = call("digits?limit=20", "--json", "-")
    found = json.loads(out)
    assert found["roles"]["test"]["samples"] == 20
    assert sum(found["roles"]["test"]["classes"].values()) == 20
    assert len(found["roles"]["test"]["digest"]) == 64


def test_long_names_and_skipped_files_fit(call, tmp_path):
    from PIL import Image

    random = np.random.default_rng(0)
    for number in range(30):
        folder = tmp_path / "x" / f"class-{number % 25}-{'long' * 20}"
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(random.integers(0, 256, (5, 5, 3), dtype=np.uint8)).save(
            folder / f"{number}.png"
        )
        (folder / f"{number}\x1b[31m.txt").write_text("")
    status, out, _ = call(f"{tmp_path}/x/")
    assert status == 0
    assert max(map(len, out.splitlines())) <= 80
    assert "Skipped: 30" in out
    assert "and 20 more" in out
    assert "\x1b" not in out


@pytest.mark.parametrize(
    ("reference", "told"), [("digit", "did you mean 'digits'"), ("./nowhere", "no such folder")]
)
def test_bad_input_is_one_sentence(call, reference, told):
    status, out, err = call(reference)
    assert (status, out) == (2, "")
    assert told in err
    assert len(err.splitlines()) == 1


def test_a_third_partys_source_is_listed(call, monkeypatch):
    from inferometer.core.registry import Plugin
    from inferometer.datasets.registry import SOURCES

    monkeypatch.setitem(
        SOURCES.table, "lab", Plugin(path="lab:Source", requires=("json",), package="lab-data 1.0")
    )
    assert "lab:…" in call()[1]
