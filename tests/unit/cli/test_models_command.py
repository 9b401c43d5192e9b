from __future__ import annotations

import json
import subprocess
import sys

import pytest

from inferometer.cli.main import main
from inferometer.core.registry import Plugin
from inferometer.models.registry import SOURCES


def run(*args: str) -> int:
    with pytest.raises(SystemExit) as caught:
        main(["models", *args])
    return int(caught.value.code)


def test_the_table_fits_a_terminal_and_names_the_lab_models(capsys):
    assert run() == 0
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 80
    for text in (
        "unet",
        "7,763,041",
        "1,248,424",
        "2,542,856",
        "11,689,512",
        "?weights=pretrained",
    ):
        assert text in out


def test_a_missing_package_is_shown_with_its_command(capsys, monkeypatch):
    plugin = Plugin(path="nowhere:Nothing", extra="timm", requires=("no_such_package",))
    monkeypatch.setitem(SOURCES.table, "timm", plugin)
    assert run() == 0
    (line,) = (line for line in capsys.readouterr().out.splitlines() if line.startswith("  timm  "))
    assert "pip install 'inferometer[timm]'" in line


def test_json_alone_on_standard_output(capsys):
    assert run("--json", "-") == 0
    rows = json.loads(capsys.readouterr().out)
    assert {row["name"]: row["parameters"] for row in rows}["resnet18"] == 11_689_512
    assert all(row["paper"] and row["why"] and row["task"] for row in rows)


def test_json_to_a_file(tmp_path, capsys):
    assert run("--json", str(tmp_path / "models.json")) == 0
    assert len(json.loads((tmp_path / "models.json").read_text())) == 4
    assert "unet" in capsys.readouterr().out


def test_no_runtime_is_imported():
    code = (
        "import sys\nfrom inferometer.cli.main import cli\n"
        "cli.main(['models'], standalone_mode=False)\n"
        "print(sorted({'torch', 'numpy', 'rich', 'sqlalchemy'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[-1] == "[]", done.stderr
