"""`inferometer cache`: what is kept of prepared models, and how to be rid of it."""

from __future__ import annotations

import json
import os

import pytest

from inferometer.cli.main import main
from inferometer.host.artifacts import MANIFEST, ArtifactCache


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("INFEROMETER_CACHE", str(tmp_path))
    return ArtifactCache(tmp_path / "artifacts")


def make(cache, key, size):
    def write(into):
        (into / "x").write_bytes(b"x" * size)
        return {}

    path = cache.obtain(key, write).path
    os.utime(path / MANIFEST, (size, size))


def status(*arguments):
    with pytest.raises(SystemExit) as ended:
        main(["cache", *arguments])
    return ended.value.code


def told(capsys, *arguments):
    assert status(*arguments, "--json", "-") == 0
    return json.loads(capsys.readouterr().out)


def test_it_lists_and_removes(cache, capsys):
    make(cache, "model-a", 1000)
    make(cache, "onnxruntime-b", 3000)
    found = told(capsys)
    assert found["bytes"] == 4000
    assert [one["name"] for one in found["entries"]] == ["model-a", "onnxruntime-b"]
    found = told(capsys, "--limit", "3.5kB")
    assert [one["name"] for one in found["removed"]] == ["model-a"]
    assert status("--clear") == 0
    assert "0 kept" in capsys.readouterr().out


def test_an_empty_one_is_no_error(cache, capsys):
    assert status() == 0
    assert "0 kept" in capsys.readouterr().out


def test_both_at_once_make_no_sense(cache, capsys):
    assert status("--clear", "--limit", "1GB") == 2
    assert "leave --limit out" in capsys.readouterr().err
