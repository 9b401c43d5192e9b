"""Latency by us and by each runtime's own benchmark tool, in turns, in one run.

    python benchmarks/runtime_tools.py [--backends openvino,litert] [--model resnet18] [--pairs 6]

Both sides get the same model file, shape and threads, and a fresh process each time, in the order
A B B A; each process warms up, and its median is one value. Ours is what a run's worker measures.
The tools: benchmark_app (OpenVINO), the benchmark in LiteRT's wheel, torch.utils.benchmark.Timer
(torch's three ways), and MLPerf LoadGen over the runtime's own Python interface where its wheel has
no benchmark (ONNX Runtime, ncnn, MNN, ExecuTorch). Intervals are 95 %, Student's t over logarithms:
of each side's values, and of the ratio within pairs. `agree` is that the sides' intervals overlap.

Backends that aren't installed are left out. About a minute each; nothing else should run meanwhile.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, median, stdev

from scipy.special import stdtrit

from inferometer.backends import BACKENDS, environment
from inferometer.core.procedure import Procedure
from inferometer.core.workload import Shape, Target, Variant, Workload
from inferometer.host.identity import identify
from inferometer.runner.workers.messages import RoundPlan
from inferometer.runner.workers.pool import WorkerPool, clock_of
from inferometer.runner.workers.prepared import read_folder

HERE = Path(__file__).resolve().parent
LOADGEN = HERE / ".envs" / "loadgen_alone"
CONSTRAINTS = HERE.parent / "constraints.txt"
VALUES = 5
"""Of a block of calls; blocks follow each other until the time is over."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """What both sides measure.

    Attributes:
        backend: the runtime.
        model: file, or reference for torch.
        python: the interpreter that has the runtime.
        threads: that it may use.
        size: input size.
        seconds: of calls that count.
        call_s: about how long one takes.
    """

    backend: str
    model: str
    python: str
    threads: int
    size: int
    seconds: float
    call_s: float


def said(command: Sequence[str]) -> str:
    """What a tool prints, in a process of its own."""
    variables = {**os.environ, "PYTHONPATH": str(LOADGEN), "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{command[0]}: {done.stderr or done.stdout}")
    return done.stdout


def benchmark_app(task: Task) -> float:
    app = str(Path(task.python).parent / "benchmark_app")
    shape = f"[1,3,{task.size},{task.size}]"
    command = [app, "-m", task.model, "-d", "CPU", "-api", "sync", "-hint", "none"]
    command += ["-nthreads", str(task.threads), "-nstreams", "1", "-infer_precision", "f32"]
    command += ["-shape", shape, "-niter", str(_calls(task))]
    return _milliseconds(r"Median:\s*([0-9.]+) ms", said(command))


def litert_benchmark(task: Task) -> float:
    command = [task.python, "-m", "ai_edge_litert.tools.benchmark_litert_model"]
    command += [f"--model={task.model}", f"--num_threads={task.threads}"]
    command += [f"--num_runs={_calls(task)}", f"--warmup_runs={max(3, _calls(task) // 2)}"]
    return _milliseconds(r"\(median\):\s*([0-9.]+) ms", said(command))


def own_interface(task: Task) -> float:
    """The runtime's Python interface under Timer or LoadGen."""
    command = [task.python, str(HERE / "peers" / "runtime_calls.py"), task.backend, task.model]
    command += [str(task.threads), str(task.size), str(task.seconds)]
    return float(json.loads(said(command).splitlines()[-1])["median_s"])


Tool = Callable[[Task], float]
TOOLS: dict[str, tuple[str, Tool]] = {
    "torch": ("torch Timer", own_interface),
    "torch-compile": ("torch Timer", own_interface),
    "torchscript": ("torch Timer", own_interface),
    "onnxruntime": ("LoadGen", own_interface),
    "openvino": ("benchmark_app", benchmark_app),
    "litert": ("LiteRT benchmark", litert_benchmark),
    "executorch": ("LoadGen", own_interface),
    "ncnn": ("LoadGen", own_interface),
    "mnn": ("LoadGen", own_interface),
}
"""Backend → the tool's name, and what gives its median."""


class Ours:
    """What a worker of a run measures of a backend, each time in a fresh process."""

    def __init__(self, backend: str, given: argparse.Namespace) -> None:
        variant = Variant(model=given.model, backend=backend, precision="fp32")
        target, shape = Target(threads=given.threads), Shape(batch_size=1, input_size=given.size)
        self._workload = Workload(variant=variant, target=target, shape=shape)
        procedure = Procedure(timeout_s=900.0)
        self._pool = WorkerPool(procedure, clock_of(procedure, 0.0))
        self._seconds = given.seconds

    def measure_s(self) -> float:
        """The median of one process."""
        self._pool.warm_up(self._workload, call_s=None)
        plan = RoundPlan(values=VALUES, seconds=self._seconds)
        found = self._pool.measure(self._workload, plan, expected_s=self._seconds)
        self._pool.end(self._workload.variant)
        return found.median_s

    def file(self) -> str | None:
        """The file that its workers load, once one has."""
        pool = self._pool
        prepared = pool.preparer.prepared(
            self._workload, lambda: pool.clock.deadline(0), pool.on_wait
        )
        if not prepared:
            return None
        folder = Path(prepared[0].folder)
        return str(folder / read_folder(folder).files[0])

    def close(self) -> None:
        """End what still lives."""
        self._pool.end_all()


def compared(backend: str, given: argparse.Namespace) -> list[tuple[float, float]]:
    """Our value and the tool's, in seconds, of each pair."""
    tool, ours = TOOLS[backend][1], Ours(backend, given)
    found = environment(backend)
    try:
        call_s = ours.measure_s()  # prepares, and fills caches of compilers
        task = Task(
            backend=backend,
            model=ours.file() or given.model,
            python=found.python if found else sys.executable,
            threads=given.threads,
            size=given.size,
            seconds=given.seconds,
            call_s=call_s,
        )
        tool(task)  # likewise
        return [_pair(number, ours.measure_s, lambda: tool(task)) for number in range(given.pairs)]
    finally:
        ours.close()


def _pair(
    number: int, first: Callable[[], float], second: Callable[[], float]
) -> tuple[float, float]:
    if number % 2:
        late = second()
        return first(), late
    return first(), second()


def interval(values: Sequence[float]) -> tuple[float, float, float]:
    """Geometric mean, and its interval."""
    logs = [math.log(one) for one in values]
    half = float(stdtrit(len(logs) - 1, 0.975)) * stdev(logs) / math.sqrt(len(logs))
    middle = mean(logs)
    return math.exp(middle), math.exp(middle - half), math.exp(middle + half)


def row(backend: str, pairs: Sequence[tuple[float, float]]) -> str:
    """A line of the table."""
    sides = [[pair[side] for pair in pairs] for side in (0, 1)]
    (_, low, high), (_, other_low, other_high) = map(interval, sides)
    ratio = interval([ours / others for ours, others in pairs])
    overlap = low <= other_high and other_low <= high
    cells = [backend, TOOLS[backend][0]]
    for side in sides:
        _, least, most = interval(side)
        cells.append(f"{1e3 * median(side):.2f} [{1e3 * least:.2f}, {1e3 * most:.2f}]")
    cells += ["{:.3f} [{:.3f}, {:.3f}]".format(*ratio), "yes" if overlap else "no"]
    return f"| {' | '.join(cells)} |"


def _calls(task: Task) -> int:
    return max(10, round(task.seconds / task.call_s))


def _milliseconds(pattern: str, text: str) -> float:
    found = re.search(pattern, text)
    assert found is not None, text
    return float(found[1]) / 1e3


def machine() -> str:
    """A line on the machine, and on how busy it is."""
    told = identify()
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    simd = ", ".join(told["simd"] or [])
    return f"{told['name']} ({simd}), {told['os']}, kernel {told['kernel']}; load {load}"


def install_loadgen() -> None:
    """LoadGen for all environments: it needs nothing else."""
    if not LOADGEN.is_dir():
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
        command += ["--target", str(LOADGEN), "-c", str(CONSTRAINTS), "mlcommons-loadgen==6.0.17"]
        subprocess.run(command, check=True)


def main() -> None:
    """Print a table of all backends that are here."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backends", default=",".join(TOOLS))
    parser.add_argument("--model", default="resnet18", help="with the shape of a picture")
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--pairs", type=int, default=6)
    parser.add_argument("--seconds", type=float, default=1.0, help="of calls, in each process")
    parser.add_argument("--json", type=Path, help="where to keep the values")
    given = parser.parse_args()
    install_loadgen()
    print(f"{machine()}\n\n{given.model} {given.size}/1 fp32, {given.threads} threads\n")
    print("| backend | tool | ours, ms | tool's, ms | ours over tool's | agree |")
    print("|---|---|---|---|---|---|", flush=True)
    kept = {}
    for backend in given.backends.split(","):
        lacks = BACKENDS.missing(backend, BACKENDS.find(backend))
        if lacks:
            print(f"{backend}: lacks {', '.join(lacks)}", file=sys.stderr)
            continue
        try:
            kept[backend] = compared(backend, given)
        except Exception as error:  # noqa: BLE001 - the others go on
            print(f"{backend}: {error}", file=sys.stderr)
            continue
        print(row(backend, kept[backend]), flush=True)
    if given.json:
        given.json.write_text(json.dumps(kept, indent=1))


if __name__ == "__main__":
    main()
