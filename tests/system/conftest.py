"""The command line as a user has it: a process in an empty folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

FAULTS = Path(__file__).parents[1] / "models" / "faults.py"


START = """
import signal, sys
from inferometer.cli.main import main
signal.signal(signal.SIGINT, signal.default_int_handler)
main(sys.argv[1:])
"""
# A shell starts background jobs deaf to Ctrl-C, and their children inherit that.


@dataclass
class CommandLine:
    folder: Path
    started: list[subprocess.Popen] = field(default_factory=list)

    def start(self, *args, **kwargs):
        environment = {**os.environ, "COLUMNS": "80", "NO_COLOR": "1"}
        environment.pop("INFEROMETER_STORE", None)
        process = subprocess.Popen(
            [sys.executable, "-c", START, *map(str, args)],
            cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env=environment, **kwargs,
        )  # fmt: skip
        self.started.append(process)
        return process

    def end(self):
        """Leave nothing running behind a test that failed."""
        for process in self.started:
            if process.poll() is None:
                process.kill()
                process.communicate()

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
    line = CommandLine(tmp_path)
    yield line
    line.end()


@pytest.fixture
def fault():
    """Reference of a model of `tests/models/faults.py`."""
    return lambda name: f"{FAULTS}:{name}"


@pytest.fixture
def study(tmp_path, fault):
    """Write a study of models of the backend python; gives its path."""

    def write(models, *, batches=(1,), **procedure):
        rules = {"processes": 1, "min_rounds": 2, "span": 0, "round": "20ms", "target": "50%"}
        rules |= {"timeout": "60s", "max_time": "1s", **procedure}
        lines = ["name: small", "backends: [python]", f"batch: {list(batches)}", "models:"]
        lines += [f"  - {fault(name)}" for name in models]
        lines += ["procedure:", *(f"  {name}: {value}" for name, value in rules.items())]
        path = tmp_path / "small.yaml"
        path.write_text("\n".join(lines) + "\n")
        return path

    return write
