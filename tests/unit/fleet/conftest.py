"""A board in this process, and jobs for it."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from inferometer.core.procedure import Procedure
from inferometer.core.sweep import Block, Study, Sweep
from inferometer.fleet.board.spool import Spool
from inferometer.fleet.board.verbs import answer
from inferometer.fleet.types import Device
from inferometer.host import lease

FAULTS = Path(__file__).parents[2] / "models" / "faults.py"


@pytest.fixture
def spool(tmp_path, monkeypatch):
    monkeypatch.setenv(lease.VARIABLE, str(tmp_path / "lease"))
    monkeypatch.setenv("INFEROMETER_CACHE", str(tmp_path / "cache"))
    return Spool(tmp_path / "cache" / "fleet")


@pytest.fixture
def ask(spool):
    """Ask the board in this process; gives the lines of its answer."""

    def ask(verb, head, *lines):
        text = "".join(json.dumps(one) + "\n" for one in ({"fleet": 1, **head}, *lines))
        return list(answer(verb, io.BytesIO(text.encode()), spool))

    return ask


@pytest.fixture
def device():
    return Device(name="pi4", host="10.0.0.4", python="/opt/python")


@pytest.fixture
def study():
    """Two workloads of one model of the backend python."""
    return Study(
        name="small",
        sweep=Sweep(models=("faults.py:good",), backends=("python",), blocks=(Block(batches=(1, 2)),)),
        procedure=Procedure(),
    )  # fmt: skip


@pytest.fixture
def waiting(monkeypatch):
    """Jobs whose process only waits, and holds the lease while it does."""
    started = []

    def detach(job, descriptor, folder, log):
        code = "import sys; print('waiting', flush=True); sys.stdin.read()"
        process = subprocess.Popen(
            [sys.executable, "-S", "-c", code],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
            start_new_session=True, pass_fds=(descriptor,),
        )  # fmt: skip
        process.stdout.readline()
        Spool(folder.parents[1]).note(job, state="running", pid=process.pid)
        started.append(process)

    monkeypatch.setattr("inferometer.fleet.board.verbs._detach", detach)
    yield started
    for process in started:
        process.kill()
        process.communicate()
