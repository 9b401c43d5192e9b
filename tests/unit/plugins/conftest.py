"""Packages of third parties, installed into a folder that is on the path for one test."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from inferometer.cli.main import main


@dataclass
class Site:
    """Takes packages as pip would unpack them: modules, and what describes the package."""

    folder: Path

    def install(self, name, entry_points, *, version="1.0", modules=None, metadata=True):
        """Entry points are the text of the file, or `{group: {name: value}}`."""
        if not isinstance(entry_points, str):
            entry_points = "".join(
                f"[{group}]\n" + "".join(f"{key} = {value}\n" for key, value in points.items())
                for group, points in entry_points.items()
            )
        described = self.folder / f"{name.replace('-', '_')}-{version}.dist-info"
        described.mkdir()
        (described / "entry_points.txt").write_text(entry_points)
        if metadata:
            text = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
            (described / "METADATA").write_text(text)
        for module, code in (modules or {}).items():
            (self.folder / module).write_text(code)

    def python(self, *args, status=0):
        """Run Python in a process of its own that has these packages; gives what it printed."""
        path = os.pathsep.join(filter(None, [str(self.folder), os.environ.get("PYTHONPATH")]))
        done = subprocess.run(
            [sys.executable, *map(str, args)],
            capture_output=True, text=True, check=False, timeout=240,
            env={**os.environ, "PYTHONPATH": path, "COLUMNS": "200", "NO_COLOR": "1"},
        )  # fmt: skip
        assert done.returncode == status, f"{args}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr
        return done.stdout


@pytest.fixture
def site(tmp_path, monkeypatch):
    folder = tmp_path / "site"
    folder.mkdir()
    before = set(sys.modules)
    monkeypatch.syspath_prepend(str(folder))
    yield Site(folder)
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(folder)):
            del sys.modules[name]


@pytest.fixture
def command(capsys, tmp_path, monkeypatch):
    """Run a command in this process; gives its standard output and standard error."""
    monkeypatch.chdir(tmp_path)

    def run(*args, status=0):
        capsys.readouterr()
        with pytest.raises(SystemExit) as caught:
            main([*map(str, args)])
        told = capsys.readouterr()
        assert int(caught.value.code or 0) == status, told
        assert "Traceback" not in told.err
        return told.out, told.err

    return run
