"""How much of the ideal speed-up many devices give, and what the coordinator spends on a record.

    python benchmarks/fleet_scaling.py [--workloads 480] [--seconds 160]

Work of known length on simulated boards: lengths differ by a log-normal factor that the coordinator
does not know. The ideal is the length of all workloads, each once, over the number of devices.
From the first word of a board to the last; the joint fit at the end, which every run has, is left
out.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "unit" / "fleet"))

import numpy as np
import simulated_board  # type: ignore[import-not-found]

from inferometer.core.sweep import Block, Study, Sweep
from inferometer.fleet.engine import merge
from inferometer.fleet.engine.blocks import cut
from inferometer.fleet.engine.drive import Pace
from inferometer.fleet.engine.run import Plan, run_fleet
from inferometer.fleet.types import Device
from inferometer.store import open_store

OF_BOARDS = [0.0]
"""Seconds of processor time that the simulated boards took to make their bundles."""


told = simulated_board.told


def counted(board: object, job: object, done: int) -> bytes:
    """What a board sends; its time is not the coordinator's."""
    begin = time.thread_time()
    content: bytes = told(board, job, done)
    OF_BOARDS[0] += time.thread_time() - begin
    return content


def one(workloads: int, seconds: float, devices: int, spread: float) -> None:
    """Measure, and print a row."""
    study = Study(
        name="scaling",
        sweep=Sweep(
            models=tuple(f"m{number}" for number in range(workloads // 8)),
            blocks=(Block(sizes=(224, 448), batches=(1, 4, 8, 32)),),
        ),
    )
    rng = np.random.default_rng(1)
    lengths = {one: float(rng.lognormal(0, spread)) for one in study.workloads()}
    scale = seconds / sum(lengths.values())
    boards = [
        simulated_board.SimulatedBoard(
            device=Device(name=f"b{number}", host="x", kind="pi"),
            length_s=lambda workload: lengths[workload] * scale,
        )
        for number in range(devices)
    ]
    plan = Plan(
        study=study,
        boards=boards,
        spread="pi",
        pace=Pace(poll_s=0.1, retry_s=0.1, patience_s=60, probe_s=1),
    )
    with tempfile.TemporaryDirectory() as folder, open_store(Path(folder) / "r.db") as store:
        OF_BOARDS[0], cpu = 0.0, time.process_time()
        heard: list[float] = []
        result = run_fleet(plan, store, listener=lambda _: heard.append(time.monotonic()))
        wall = heard[-1] - heard[0]
        cpu = time.process_time() - cpu - OF_BOARDS[0]
        records = store.records(result.runs[0])
    assert len(records) == workloads, (len(records), result.failures)
    blocks = len(cut(study.workloads(), devices).blocks)
    print(
        f"{devices:7}  {blocks:6}  {spread:6.1f}  {seconds / devices:7.2f} s  {wall:7.2f} s"
        f"  {seconds / devices / wall:6.1%}  {1000 * cpu / workloads:6.2f} ms",
        flush=True,
    )


def main() -> None:
    """Print a table."""
    options = argparse.ArgumentParser()
    options.add_argument("--workloads", type=int, default=480)
    options.add_argument("--seconds", type=float, default=160.0)
    given = options.parse_args()
    simulated_board.told = counted
    simulated_board.summarise = lambda *_: {"latency_median_s": 0.01, "verdict": "trusted"}
    vars(merge)["joined"] = lambda _, records: list(records)
    print("devices  blocks  spread  ideal      took       share   coordinator, per record")
    for spread in (0.3, 1.0):
        for devices in (1, 2, 4):
            one(given.workloads, given.seconds, devices, spread)


if __name__ == "__main__":
    main()
