"""`inferometer backends`."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import version

import pytest

import inferometer.backends
from inferometer.cli.backends import plugin_states, state_lines
from inferometer.cli.main import main
from inferometer.core.registry import Plugin, Registry

REGISTRY = Registry(
    what="backend",
    group="inferometer.no_such_group",
    table={
        "absent": Plugin(
            path="inferometer.backends.absent:X", extra="absent", requires=("no_such_module",)
        ),
        "foreign": Plugin(path="their_package.no_such:Backend", package="theirs 1.0"),
        "loose": Plugin(path="their_package.no_such:Backend", requires=("no_such_a", "no_such_b")),
        "present": Plugin(
            path="inferometer.backends.python.session:PythonBackend", requires=("numpy",)
        ),
    },
)

FOREIGN = (
    "the backend foreign of the package theirs 1.0 cannot be loaded (ModuleNotFoundError: "
    "No module named 'their_package')"
)


def run(*args: str) -> int:
    with pytest.raises(SystemExit) as caught:
        main(["backends", *args])
    return int(caught.value.code or 0)


def test_the_state_of_each_backend():
    states = {state.name: state for state in plugin_states(REGISTRY)}
    assert states["absent"].missing == ("no_such_module",)
    assert states["absent"].install == "pip install 'inferometer[absent]'"
    assert states["loose"].install == "pip install no_such_a no_such_b"
    assert (states["foreign"].installed, states["foreign"].version) == (False, None)
    assert states["foreign"].package == "theirs 1.0"
    assert states["foreign"].problem == FOREIGN
    assert (states["present"].package, states["present"].problem) == (None, None)
    assert states["present"].version == version("numpy")
    assert states["present"].install is None


def test_a_line_for_each_backend():
    lines = state_lines(plugin_states(REGISTRY))
    assert lines[0] == "absent   missing    pip install 'inferometer[absent]'"
    assert lines[1] == f"foreign  broken     {FOREIGN}"
    assert lines[3] == f"present  installed  {version('numpy')}"


def test_the_table_says_how_to_install_what_is_missing(monkeypatch, capsys):
    monkeypatch.setattr(inferometer.backends, "BACKENDS", REGISTRY)
    assert run() == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["name", "state", "version", "precisions", "devices"]
    assert lines[1].split() == ["absent", "missing"]
    assert lines[2].split() == ["foreign", "broken"]
    assert lines[4].split() == ["present", "installed", version("numpy"), "fp32", "cpu"]
    assert lines[5:] == [
        "",
        "To install:",
        "  absent: pip install 'inferometer[absent]'",
        "  loose: pip install no_such_a no_such_b",
        "",
        "Cannot be used:",
        f"  {FOREIGN}",
    ]


def test_json_alone_on_standard_output(capsys):
    assert run("--json", "-") == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["python"]["installed"] is True
    assert "fp32" in rows["python"]["precisions"]
    assert rows["torch"]["devices"] == ["cpu", "cuda", "mps"]
    assert "torch module" in rows["torch"]["accepts"]
    assert rows["torch"]["problem"] is None
    assert rows["torch"]["version"] == version("torch")


def test_json_to_a_file_beside_the_table(capsys, tmp_path):
    path = tmp_path / "backends.json"
    assert run("--json", str(path)) == 0
    names = [row["name"] for row in json.loads(path.read_text())]
    assert names == list(inferometer.backends.BACKENDS.table)
    assert capsys.readouterr().out.startswith("name ")


@pytest.mark.parametrize("command", ["backends", "doctor"])
def test_no_runtime_is_imported(command):
    code = (
        "import sys\nfrom inferometer.cli.main import main\n"
        f"try:\n    main(['{command}'])\nexcept SystemExit as end:\n    assert not end.code\n"
        "loaded = {'torch', 'torchvision', 'timm', 'transformers', 'onnxruntime', 'numpy'} & set(sys.modules)\n"
        "sys.exit(', '.join(loaded) or 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")
