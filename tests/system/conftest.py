"""The command line as a user has it: a process in an empty folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

FAULTS = Path(__file__).parents[1] / "models" / "faults.py"


@dataclass
class CommandLine:
    folder: Path

    def start(self, *args, **kwargs):
        environment = {**os.environ, "COLUMNS": "80", "NO_COLOR": "1"}
        environment.pop("INFEROMETER_STORE", None)
        return subprocess.Popen(
            [sys.executable, "-m", "inferometer", *map(str, args)],
            cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env=environment, **kwargs,
        )  # fmt: skip

    def __call__(self, *args, status=0):
        process = self.start(*args)
        out, err = process.communicate(timeout=240)
        assert process.returncode == status, f"{args}: {process.returncode}\n{out}\n{err}"
        assert "Traceback" not in err, err
        return out, err

    def rows(self, run="latest"):
        return json.loads(self("export", run, "--format", "json")[0])


@pytest.fixture
def cli(tmp_path):
    return CommandLine(tmp_path)


@pytest.fixture
def fault():
    """Reference of a model of `tests/models/faults.py`."""
    return lambda name: f"{FAULTS}:{name}"


@pytest.fixture
def study(tmp_path, fault):
    """Write a study of models of the backend python; gives its path."""

    def write(models, *, batches=(1,), **procedure):
        rules = {"min_rounds": 2, "round": "20ms", "target": "50%", "timeout": "60s", **procedure}
        lines = ["name: small", "backends: [python]", f"batch: {list(batches)}", "models:"]
        lines += [f"  - {fault(name)}" for name in models]
        lines += ["procedure:", *(f"  {name}: {value}" for name, value in rules.items())]
        path = tmp_path / "small.yaml"
        path.write_text("\n".join(lines) + "\n")
        return path

    return write
