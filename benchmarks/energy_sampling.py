"""What sampling costs: CPU time of the sampler, and the latency of a workload beside it.

    python benchmarks/energy_sampling.py [BLOCKS]

Synthetic sysfs files stand for the sensors: a counter of 1 ms and a power sensor of 20 ms with a
current and a voltage, as on a Jetson. Another process spins through fixed work, in turns with the
sampler on and off, so that the machine's own drift touches both alike.
"""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from inferometer.core.energy import Reading, SourceInfo
from inferometer.meters.energy.sampler import Sampler

BLOCK_S = 2.0
SPIN = """
import sys, time
for line in sys.stdin:
    end, times = time.perf_counter() + float(line), []
    while time.perf_counter() < end:
        start = time.perf_counter_ns()
        sum(range(30_000))
        times.append(time.perf_counter_ns() - start)
    times.sort()
    print(times[len(times) // 2], times[int(len(times) * 0.99)], flush=True)
"""


class Files:
    """A source that opens and reads files, as sysfs is read."""

    def __init__(self, info: SourceInfo, paths: list[Path]) -> None:
        self.info = info
        self._paths = paths

    def read(self) -> Reading:
        """The product of the files' numbers."""
        product = 1.0
        for path in self._paths:
            product *= float(path.read_bytes())
        return Reading(at_s=time.time(), value=product / 1e6)

    def close(self) -> None:
        """Nothing is kept open."""


def sources(folder: Path) -> list[Files]:
    for name, text in (("energy_uj", "1234567"), ("in1_input", "5000"), ("curr1_input", "1200")):
        (folder / name).write_text(text)
    counter = SourceInfo(
        name="counter", kind="rapl", scope="package", method="measured", quantity="energy",
        period_s=1e-3,
    )  # fmt: skip
    power = SourceInfo(
        name="power", kind="ina3221", scope="module_input", method="measured", quantity="power",
        period_s=0.02,
    )  # fmt: skip
    return [
        Files(counter, [folder / "energy_uj"]),
        Files(power, [folder / "in1_input", folder / "curr1_input"]),
    ]


def main() -> None:
    blocks = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    shares: list[float] = []
    results: dict[bool, list[tuple[float, float]]] = {True: [], False: []}
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen(
            [sys.executable, "-c", SPIN], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as spin,
        Sampler(sources(Path(folder))) as sampler,
    ):
        assert spin.stdin is not None
        assert spin.stdout is not None
        for _ in range(blocks):
            for on in random.sample([True, False], 2):
                wall_s, cpu_s = time.perf_counter(), time.process_time()
                if on:
                    sampler.begin()
                print(BLOCK_S, file=spin.stdin, flush=True)
                median, tail = (float(part) for part in spin.stdout.readline().split())
                if on:
                    sampler.end()
                    cpu_s = time.process_time() - cpu_s
                    shares.append(cpu_s / (time.perf_counter() - wall_s))
                results[on].append((median, tail))
        readings = {name: len(series.values) for name, series in sampler.series.items()}
        spin.stdin.close()
    ratios = np.array(results[True]) / np.array(results[False])
    print(f"readings: {readings} in {blocks} windows of {BLOCK_S:.0f} s")
    print(f"CPU time of the sampler: {np.median(shares):.2%} of a core, at most {max(shares):.2%}")
    for place, name in enumerate(("median", "p99")):
        logs = np.log(ratios[:, place])
        half = 2 * logs.std(ddof=1) / np.sqrt(logs.size)
        low, high = np.exp([logs.mean() - half, logs.mean() + half])
        print(f"latency with / without, {name}: {np.exp(logs.mean()):.4f} [{low:.4f}, {high:.4f}]")


if __name__ == "__main__":
    main()
