"""The light agent's file, and Pythons that it runs under."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from inferometer.core.procedure import Procedure, values_of_preset
from inferometer.core.sweep import Block, Study, Sweep
from inferometer.fleet.agent import agent_file

NAP = """
import os
import time


def factory(milliseconds=1.0, dies=False, gives=1.0):
    def call(*args):
        time.sleep(milliseconds / 1e3)
        if dies:
            os._exit(3)
        return float(gives)

    return call, lambda batch_size, input_size: ()
"""


def oldest_python() -> str:
    """Python 3.6 where there is one; else the one that runs the tests."""
    found = sorted(Path("~/.pyenv/versions").expanduser().glob("3.6.*/bin/python"))
    named = os.environ.get("INFEROMETER_PYTHON36")
    return named or (str(found[0]) if found else sys.executable)


OLDEST = oldest_python()


@pytest.fixture(scope="session")
def study():
    """Makes studies that take a moment."""
    return study_of


def study_of(*models: str, backends=("python",), size=None, **procedure) -> Study:
    quick = {**values_of_preset("quick"), "span_s": 0.1, "round_s": 0.02, "processes": 2}
    return Study(
        name="nap",
        sweep=Sweep(models=models, backends=backends, blocks=(Block(sizes=(size,)),), threads=1),
        procedure=Procedure(**{**quick, **procedure}),
    )


@pytest.fixture
def board(tmp_path, monkeypatch):
    """A folder with the agent for a study; runs it with arguments, under the oldest Python."""
    folder = tmp_path / "board"
    folder.mkdir()
    (folder / "nap.py").write_text(NAP)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("INFEROMETER_LEASE", str(tmp_path / "lease"))
    monkeypatch.setenv("INFEROMETER_CACHE", str(tmp_path / "cache"))

    def make(study: Study | None):
        (folder / "agent.py").write_bytes(agent_file(study))

        def run(*arguments, python=OLDEST, **options):
            return subprocess.run(
                [python, "agent.py", *arguments],
                capture_output=True,
                text=True,
                timeout=120,
                check=False,
                **options,
            )

        return run

    return make
