"""The lab's models with this version and with another, in turns: what a change costs.

    git worktree add /tmp/before 880f183
    python benchmarks/against.py /tmp/before/src --repeats 7

Each repeat is one quick run of each version, in a random order, in the same environment: only the
code of inferometer differs. Prints the median of the ratios of neighbouring runs, this version
over the other, with the smallest and largest, and the medians of both. Takes about a minute a
repeat; nothing else should run meanwhile.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

HERE = Path(__file__).parents[1] / "src"
MODELS = "mobilenet_v3_small,squeezenet1_0,resnet18,unet"
FIELDS = (
    *("latency_median_s", "latency_p10_s", "first_call_s", "load_s", "cold_start_s"),
    *("peak_memory_bytes", "memory_baseline_bytes", "memory_activation_bytes"),
)
WALL = "wall_s"

Figures = dict[tuple[str, str], float]
"""By model and field; the wall-clock time of the whole command stands under no model."""


def run(source: Path, models: str, batch: str) -> Figures:
    """Figures of one quick run of a version."""
    with tempfile.TemporaryDirectory() as folder:
        command = [
            *(sys.executable, "-m", "inferometer", "run", "--models", models, "--batch", batch),
            *("--size", "224", "--preset", "quick", "--no-roofline", "--store", f"{folder}/a.db"),
            *("--json", "-"),
        ]
        environment = {**os.environ, "PYTHONPATH": str(source)}
        begin = time.perf_counter()
        done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, check=True)
        wall_s = time.perf_counter() - begin
    found: Figures = {("", WALL): wall_s}
    for record in json.loads(done.stdout):
        for name in FIELDS:
            if record[name] is not None:
                found[(f"{record['model']}/{record['batch_size']}", name)] = record[name]
    return found


def main() -> None:
    """Run both in turns, and print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("other", type=Path, help="the folder src of the other version")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--models", default=MODELS)
    parser.add_argument("--batch", default="1")
    given = parser.parse_args()
    ours: list[Figures] = []
    others: list[Figures] = []
    for _ in range(given.repeats):
        pair = [(HERE, ours), (given.other.resolve(), others)]
        random.shuffle(pair)
        for source, kept in pair:
            kept.append(run(source, given.models, given.batch))
        print(f"{len(ours)} of {given.repeats}", file=sys.stderr)
    print(f"{'':24}{'':26}{'ratio':>7}  {'least to largest':>18}{'this':>14}{'other':>14}")
    for key in ours[0]:
        pairs = [
            (a[key], b[key]) for a, b in zip(ours, others, strict=True) if key in a and key in b
        ]
        if not pairs:
            continue
        ratios = [a / b for a, b in pairs if b]
        span = f"{min(ratios):.3f} to {max(ratios):.3f}"
        a, b = (median(column) for column in zip(*pairs, strict=True))
        print(f"{key[0]:24}{key[1]:26}{median(ratios):7.3f}  {span:>18}{a:14.5g}{b:14.5g}")


if __name__ == "__main__":
    main()
