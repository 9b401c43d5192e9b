"""`backends use`: an environment of the user's; and what the commands say of environments."""

from __future__ import annotations

import json
import os
import sys

import pytest

from inferometer.backends import environment
from inferometer.cli.main import main
from inferometer.core.errors import InputError
from inferometer.runner.environments import use

from .conftest import bare

OLD = """#!/bin/sh
echo '{"python": "/old/python", "version": "3.9.18", "problem": "", "path": []}'
"""


@pytest.fixture(scope="module")
def theirs(tmp_path_factory):
    """A user's environment that has the runtime of `tiny`."""
    python = bare(tmp_path_factory.mktemp("theirs") / "env", "numpy", "psutil")
    (site,) = python.parents[1].glob("lib/python*/site-packages")
    (site / "tinyrt.py").write_text("print('what runtimes say')")
    described = site / "tinyrt-3.1.dist-info"
    described.mkdir()
    (described / "METADATA").write_text("Metadata-Version: 2.1\nName: tinyrt\nVersion: 3.1\n")
    return python


@pytest.fixture
def command(capsys):
    def run(*args, status=0):
        with pytest.raises(SystemExit) as caught:
            main(["backends", *map(str, args)])
        told = capsys.readouterr()
        assert int(caught.value.code or 0) == status, told
        return told

    return run


def test_it_is_used_listed_and_forgotten(theirs, command):
    def row():
        return {row["name"]: row for row in json.loads(command("--json", "-").out)}["tiny"]

    missing = row()
    assert (missing["installed"], missing["environment"]) == (False, None)
    assert missing["install"] == "inferometer backends install tiny"
    assert "callable" in missing["accepts"]
    assert "tiny: inferometer backends install tiny" in command().out
    told = command("use", "tiny", "--python", theirs)
    assert told.err.startswith(f"tiny runs under {theirs} (Python 3.")
    there = row()
    assert (there["installed"], there["environment"]) == (True, str(theirs))
    assert (there["version"], there["install"], there["stale"]) == ("3.1", None, False)
    assert f"tiny: {theirs}" in command().out
    assert "The environment of tiny was removed." in command("remove", "tiny").err
    assert theirs.exists()
    assert row() == missing
    assert "tiny has none" in command("remove", "tiny").err


def test_a_name_on_the_path_will_do(theirs, monkeypatch):
    monkeypatch.setenv("PATH", str(theirs.parent), prepend=os.pathsep)
    assert use("tiny", "python").python == str(theirs)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda folder: folder / "none", "there is no such program"),
        (lambda _: "/bin/ls", "is not a Python that runs here"),
        (lambda folder: script(folder, OLD), "is Python 3.9.18; 3.10 or newer is needed"),
        (lambda folder: script(folder, "garbage"), "is not a Python that runs here"),
    ],
)
def test_what_cannot_be_used_changes_nothing(theirs, tmp_path, make, words):
    use("tiny", str(theirs))
    before = environment("tiny")
    with pytest.raises(InputError, match=words):
        use("tiny", str(make(tmp_path)))
    assert environment("tiny") == before


def test_a_python_without_the_runtime_is_refused(bare_python):
    with pytest.raises(InputError, match=r"cannot import tinyrt \(ModuleNotFoundError: No module"):
        use("tiny", str(bare_python))
    assert environment("tiny") is None


@pytest.mark.parametrize("args", [("install",), ("remove",), ("use", "--python", sys.executable)])
def test_a_backend_that_runs_in_ours_has_no_environment(command, args):
    told = command(args[0], "python", *args[1:], status=2)
    assert "the backend python runs under inferometer's own Python" in told.err
    assert "no backend is called 'nobody'" in command(args[0], "nobody", *args[1:], status=2).err


def script(folder, text):
    path = folder / "python-of-theirs"
    path.write_text(text)
    path.chmod(0o755)
    return path
