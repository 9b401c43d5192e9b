"""The command line as a user has it: in an empty folder, and as a process where that matters."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from io import BytesIO, TextIOWrapper
from pathlib import Path

import pytest

from inferometer.cli.main import main

FAULTS = Path(__file__).parents[1] / "models" / "faults.py"


START = """
import signal, sys
from inferometer.cli.main import main
signal.signal(signal.SIGINT, signal.default_int_handler)
main(sys.argv[1:])
"""
# A shell starts background jobs deaf to Ctrl-C, and their children inherit that.
PLAIN = {"COLUMNS": "80", "NO_COLOR": "1"}


@dataclass
class CommandLine:
    folder: Path
    started: list[subprocess.Popen] = field(default_factory=list)

    def start(self, *args, **kwargs):
        environment = {**os.environ, **PLAIN}
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

    def process(self, *args, status=0):
        """What a command says that is a process of its own."""
        process = self.start(*args)
        out, err = process.communicate(timeout=240)
        return self._checked(args, process.returncode, status, out, err)

    def __call__(self, *args, status=0):
        """What a command says in this process, which has its imports already: a second less."""
        out, err = (TextIOWrapper(BytesIO(), "utf-8", write_through=True) for _ in range(2))
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(self.folder)
            patch.delenv("INFEROMETER_STORE", raising=False)
            for name, value in PLAIN.items():
                patch.setenv(name, value)
            patch.setattr(sys, "stdout", out)
            patch.setattr(sys, "stderr", err)
            with pytest.raises(SystemExit) as ended:
                main([*map(str, args)])
        said = (stream.buffer.getvalue().decode() for stream in (out, err))
        return self._checked(args, int(ended.value.code or 0), status, *said)

    def _checked(self, args, ended, status, out, err):
        assert ended == status, f"{args}: {ended}\n{out}\n{err}"
        assert "Traceback" not in err, err
        return out, err

    def rows(self, run="latest", *, store="inferometer.db"):
        return json.loads(self("export", run, "--format", "json", "--store", store)[0])


@pytest.fixture
def cli(tmp_path):
    line = CommandLine(tmp_path)
    yield line
    line.end()


@pytest.fixture(scope="module")
def cli_of_all(tmp_path_factory):
    """One for all tests of a file, for what several of them look at."""
    return CommandLine(tmp_path_factory.mktemp("all"))


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
