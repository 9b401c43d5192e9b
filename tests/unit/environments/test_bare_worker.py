"""A worker under a Python that has NumPy and psutil, and nothing else."""

from __future__ import annotations

import json
import math
import subprocess

import pytest

import inferometer.backends
from inferometer.backends.environments import keep
from inferometer.core.registry import Environment, Plugin
from inferometer.core.workload import Shape, Variant
from inferometer.runner.workers.interpreter import BOOTSTRAP, PACKAGE
from inferometer.runner.workers.messages import MeasureRound, RoundDone, RoundPlan, WarmedUp, WarmUp
from inferometer.runner.workers.parent import Deadline, WorkerProcess

DEADLINE = Deadline(at=math.inf, kind="timeout", message="too slow")
PARENTS = {"alone", "pool"}
"""Modules of the folder that only the parent uses."""
MODEL = """
import json, os, sys
import numpy as np

def factory():
    told = {"python": sys.executable, "path": sys.path, "modules": sorted(sys.modules)}
    open(os.path.join(os.path.dirname(__file__), "told.json"), "w").write(json.dumps(told))
    return lambda x: x * 2, np.ones((1, 4), np.float32)
"""


@pytest.fixture
def worker(bare_python, tmp_path, monkeypatch):
    """A worker of the backend `python`, as if that had an environment of its own."""
    path = "inferometer.backends.python.session:PythonBackend"
    plugin = Plugin(path=path, lock="backends/python/requirements.txt")
    monkeypatch.setitem(inferometer.backends.BACKENDS.table, "python", plugin)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "of-another-python"))
    (tmp_path / "cache" / "environments").mkdir(parents=True)
    keep("python", Environment(python=str(bare_python), version="3", path=()))
    (tmp_path / "net.py").write_text(MODEL)
    (tmp_path / "json.py").write_text("raise SystemExit('taken from the current folder')")
    monkeypatch.chdir(tmp_path)
    variant = Variant(model=f"{tmp_path / 'net.py'}:factory", backend="python", precision="fp32")
    made = WorkerProcess(variant, device="cpu", threads=1, seed=0, memory_limit_bytes=1 << 40)
    yield made
    made.kill()


def test_it_loads_warms_up_and_measures(worker, bare_python, tmp_path):
    shape = Shape(batch_size=1, input_size=4)
    worker.load(DEADLINE)
    worker.ask(WarmUp(shape=shape), WarmedUp, stage="warmup", deadline=DEADLINE)
    plan = RoundPlan(values=3)
    request = MeasureRound(shape=shape, plan=plan)
    done = worker.ask(request, RoundDone, stage="measure", deadline=DEADLINE)
    assert len(done.round.values_s) == 3
    told = json.loads((tmp_path / "told.json").read_text())
    assert told["python"] == str(bare_python)
    assert not {"scipy", "yaml", "click", "threadpoolctl", "torch"} & set(told["modules"])
    ours = [part for part in told["path"] if "site-packages" in part or "another" in part]
    assert ours == [str(next(bare_python.parents[1].glob("lib/python*/site-packages")))]


def test_whatever_a_worker_may_import_of_ours_is_there(bare_python):
    names = {one.stem for one in (PACKAGE / "runner" / "workers").glob("[!_]*.py")} - PARENTS
    imports = "\n".join(f"import inferometer.runner.workers.{name}" for name in sorted(names))
    script = BOOTSTRAP.replace("main(sys.argv[2:])", imports)
    command = [bare_python, "-c", script, str(PACKAGE)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.stderr == ""
    assert done.returncode == 0
