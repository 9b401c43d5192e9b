"""What the parent process costs while a worker measures, and what `--help` costs.

The parent, and any other process of the run but the worker, is sampled from outside while a study
runs: their processor time in eight seconds, as a share of the wall time, for models whose calls
take 20 µs to 100 ms. The goal is under 2 % of a core. Repeat with: python benchmarks/parent_cost.py
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import psutil

MODEL = """
import time
def factory(seconds=0.01):
    def model(x):
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            pass
    return model, {"x": [1.0]}
"""
STUDY = """
name: endless
backends: [python]
models: ["{model}:factory?seconds={seconds}"]
procedure: {{target: 0.0001%, max_calls: 100000000, min_rounds: 2, max_time: 10m}}
"""
HELP_RUNS = 9


def parent_share(seconds: float, folder: Path) -> float:
    """Share of a core that all but the worker used while it measured calls of so many seconds."""
    model = folder / "model.py"
    model.write_text(MODEL)
    study = folder / "study.yaml"
    study.write_text(STUDY.format(model=model, seconds=seconds))
    command = [sys.executable, "-m", "inferometer", "run", str(study)]
    command += ["--store", str(folder / f"{seconds}.db")]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as run:
        parent = psutil.Process(run.pid)
        time.sleep(4)  # start-up and the first rounds are not what is asked
        others = [parent, *(c for c in parent.children(recursive=True) if not is_worker(c))]
        before, begin = cpu_s(others), time.perf_counter()
        time.sleep(8)
        after, end = cpu_s(others), time.perf_counter()
        if run.poll() is not None:
            raise SystemExit("the run ended while it was watched: the figure would be too small")
        run.terminate()
    return (after - before) / (end - begin)


def is_worker(process: psutil.Process) -> bool:
    """Whether a process is the one that measures."""
    return "inferometer.runner.workers.worker" in process.cmdline()


def cpu_s(processes: list[psutil.Process]) -> float:
    """Processor seconds that they have used."""
    times = [process.cpu_times() for process in processes]
    return sum(one.user + one.system for one in times)


def help_cpu_s() -> float:
    """Median processor seconds of `inferometer --help`."""
    used = []
    for _ in range(HELP_RUNS):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(
            [sys.executable, "-m", "inferometer", "--help"], check=True, capture_output=True
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        used.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return median(used)


def main() -> None:
    """Print both."""
    print(f"inferometer --help: {help_cpu_s():.3f} s of processor time, goal 0.3")
    with tempfile.TemporaryDirectory() as folder:
        for seconds in (0.00002, 0.0001, 0.001, 0.01, 0.1):
            share = parent_share(seconds, Path(folder))
            print(f"parent while calls take {seconds:g} s: {share:.2%} of a core, goal 2%")


if __name__ == "__main__":
    main()
