"""Does the light agent see the latencies that the full instrument sees, on one machine?

Both measure the same study in alternation, several times; each result has its interval. The ratio
of the two is compared within each repetition, since a machine that others use moves in between.

    python benchmarks/agent_agreement.py [--repetitions 4] [--preset quick] [--models resnet18,unet]
"""

from __future__ import annotations

import argparse
import math
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import mean, stdev

from scipy.stats import t

from inferometer.core.record import Record
from inferometer.store import open_store

MODELS = "resnet18,squeezenet1_0,mobilenet_v3_small"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=4)
    parser.add_argument("--preset", default="quick")
    parser.add_argument("--models", default=MODELS)
    parser.add_argument("--threads", default="1")
    asked = parser.parse_args()
    flags = ["--models", asked.models, "--batch", "1", "--size", "224", "--preset", asked.preset]
    flags += ["--processes", "3", "--threads", asked.threads]
    ratios: dict[str, list[float]] = {}
    overlap = total = 0
    with tempfile.TemporaryDirectory() as folder:
        for repetition in range(asked.repetitions):
            pair = repeated(Path(folder), flags, agent_first=repetition % 2 == 1)
            for model, (full, light) in pair.items():
                total += 1
                overlap += told(repetition, model, full, light)
                a, b = middle(full), middle(light)
                ratios.setdefault(model, []).append(math.log(b / a))
    print(f"intervals that overlap: {overlap} of {total}")
    for model, logs in ratios.items():
        print(f"{model}: agent / full {summary(logs)}")


def repeated(
    folder: Path, flags: list[str], *, agent_first: bool
) -> dict[str, tuple[Record, Record]]:
    """Both, one after the other; records of each model: of the full instrument, of the agent."""
    steps = [light_run, full_run] if agent_first else [full_run, light_run]
    found = {step: step(folder, flags) for step in steps}
    full, light = found[full_run], found[light_run]
    return {model: (full[model], light[model]) for model in full if model in light}


def full_run(folder: Path, flags: list[str]) -> dict[str, Record]:
    with tempfile.TemporaryDirectory(dir=folder) as where:
        command(["run", *flags, "--no-energy", "--no-roofline", "--store", f"{where}/x.db"], where)
        return records(Path(where) / "x.db")


def light_run(folder: Path, flags: list[str]) -> dict[str, Record]:
    with tempfile.TemporaryDirectory(dir=folder) as where:
        command(["agent", *flags, "--no-energy", "-o", "agent.py"], where)
        subprocess.run([sys.executable, "agent.py"], cwd=where, check=False, stderr=sys.stderr)
        command(["import", "results.json", "--store", "x.db"], where)
        return records(Path(where) / "x.db")


def command(arguments: list[str], where: str) -> None:
    environment = {**os.environ, "INFEROMETER_LEASE": f"{where}/lease"}
    subprocess.run(
        [sys.executable, "-m", "inferometer", *arguments],
        cwd=where,
        check=False,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment,
    )


def records(path: Path) -> dict[str, Record]:
    with open_store(path, create=False) as store:
        found = store.records(store.run("latest").id)
    return {one.workload.variant.model: one for one in found if one.latency is not None}


def told(repetition: int, model: str, full: Record, light: Record) -> bool:
    """Print both; whether their intervals overlap."""
    a, b = (ends(one) for one in (full, light))
    meet = a[0] <= b[1] and b[0] <= a[1]
    print(
        f"{repetition} {model}: full {shown(full)}, agent {shown(light)}, "
        f"ratio {middle(light) / middle(full):.3f}{'' if meet else '  (apart)'}",
        flush=True,
    )
    return meet


def middle(record: Record) -> float:
    assert record.latency is not None
    return record.latency.value


def ends(record: Record) -> tuple[float, float]:
    found = record.latency
    assert found is not None
    low = found.value if found.low is None else found.low
    return low, found.value if found.high is None else found.high


def shown(record: Record) -> str:
    low, high = ends(record)
    return f"{1e3 * middle(record):.2f} ms [{1e3 * low:.2f}, {1e3 * high:.2f}]"


def summary(logs: list[float]) -> str:
    centre = math.exp(mean(logs))
    if len(logs) == 1:
        return f"{centre:.3f}"
    half = float(t.ppf(0.975, len(logs) - 1)) * stdev(logs) / len(logs) ** 0.5
    return f"{centre:.3f} [{centre * math.exp(-half):.3f}, {centre * math.exp(half):.3f}]"


if __name__ == "__main__":
    main()
